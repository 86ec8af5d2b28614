package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * The files of an archive. Each is there whole or not at all: it is written under another name and
 * renamed when it is durable. They are not changed, and go when no backup needs them any more.
 *
 * <p>Threads: any; one at a time adds.
 */
final class ArchiveDirectory {
  /** Where an archive is that lies with backups. */
  static final String NAME = "log";

  private static final String LOCK = "LOCK";
  private static final String INCOMING = "incoming";

  private final IoEngine engine;
  private final Path directory;

  ArchiveDirectory(IoEngine engine, Path directory) {
    this.engine = engine;
    this.directory = directory.toAbsolutePath().normalize();
  }

  Path path() {
    return directory;
  }

  Path lock() {
    return directory.resolve(LOCK);
  }

  /** A file that is being written. What a crash has left of one is removed. */
  Path incoming() throws IOException {
    Path incoming = directory.resolve(INCOMING);
    if (engine.exists(incoming)) {
      engine.delete(incoming);
    }
    return incoming;
  }

  /** Gives what is being written, and is synced, its name; durable on return. */
  void add(ArchivedLog archived) throws IOException {
    engine.rename(directory.resolve(INCOMING), archived.path());
    engine.syncDirectory(directory);
  }

  /** All files there are, by history and position; none if there is no such directory. */
  List<ArchivedLog> files() throws IOException {
    List<ArchivedLog> files = new ArrayList<>();
    if (engine.exists(directory)) {
      for (Path path : engine.list(directory)) {
        ArchivedLog.of(path).ifPresent(files::add);
      }
    }
    files.sort(
        Comparator.comparingLong(ArchivedLog::history)
            .thenComparingLong(ArchivedLog::fromLsn)
            .thenComparingLong(ArchivedLog::toLsn));
    return files;
  }

  /**
   * Files that lead on from a position, each from where the one before it ends.
   *
   * @param files those that lead on; empty if none does
   * @param gapEndLsn where the records go on behind those that are missing; empty if there are none
   */
  record Chain(long fromLsn, List<ArchivedLog> files, Optional<Long> gapEndLsn) {
    long toLsn() {
      return files.isEmpty() ? fromLsn : files.getLast().toLsn();
    }
  }

  /** What there is of a history behind a position. */
  Chain chain(long history, long fromLsn) throws IOException {
    List<ArchivedLog> chain = new ArrayList<>();
    long at = fromLsn;
    for (ArchivedLog file : files()) {
      if (file.history() == history && file.toLsn() > at) {
        if (file.fromLsn() > at) {
          return new Chain(fromLsn, chain, Optional.of(file.fromLsn()));
        }
        chain.add(file);
        at = file.toLsn();
      }
    }
    return new Chain(fromLsn, chain, Optional.empty());
  }

  /**
   * Reads a file to its end.
   *
   * @return its size in bytes
   * @throws IOException that says what is wrong with it
   */
  long verify(ArchivedLog file, LongConsumer bytesRead) throws IOException {
    long[] bytes = {0};
    try (ArchiveReader reader =
        ArchiveReader.open(
            engine,
            file,
            read -> {
              bytes[0] += read;
              bytesRead.accept(read);
            })) {
      while (reader.next()) {
        if (BatchFormat.isMark(reader.record())) {
          requireMark(file, reader);
        }
      }
    }
    try (FileCopier copier = new FileCopier(engine, _ -> {})) {
      Backups.requireSame(file.path(), file.checksum(), copier.checksum(file.path(), bytes[0]));
    }
    return bytes[0];
  }

  /** Reads the mark that a reader is at. */
  static LogMark requireMark(ArchivedLog file, ArchiveReader reader) throws CorruptFileException {
    try {
      return LogMark.decode(reader.record());
    } catch (IllegalArgumentException e) {
      throw new CorruptFileException(
          file.path(), 0, "a mark before " + reader.endLsn(), e.getMessage());
    }
  }

  /** Deletes files; durable on return. */
  void remove(List<ArchivedLog> files) throws IOException {
    for (ArchivedLog file : files) {
      engine.delete(file.path());
    }
    if (!files.isEmpty()) {
      engine.syncDirectory(directory);
    }
  }
}
