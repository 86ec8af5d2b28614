package io.ewok.gds.lsm;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.DirectoryLock;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.reactor.Baton;
import io.ewok.gds.reactor.LongLock;
import io.ewok.gds.reactor.Monitor;
import io.ewok.gds.wal.LogReader;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Copies what a store writes to its log into an archive, before the log's space is used anew. It
 * reads the log as a reader of changes does that holds it back, and writes the records down as they
 * are: so files of the archive know nothing of segments, of recoveries and of how the log was
 * sealed. While the archive takes nothing, the log becomes full and writers wait.
 *
 * <p>Each file ends with a mark of the time. Others are written about every second, while anything
 * is, so that a time leads to a place in the log.
 *
 * <p>Ownership: has a thread, the lock of the archive and a part of the log, which {@link #close}
 * ends and gives back. Threads: any.
 */
final class LogArchiver {
  private static final Logger LOGGER = System.getLogger(LogArchiver.class.getName());

  /** What the random part of a history's number takes of it. */
  private static final int RANDOM_BITS = 16;

  private static final long MARK_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** After that many bytes the next file is begun. */
  private static final long FILE_BYTES_MAX = 64L << 20;

  /** Others may take the room first that was made. */
  private static final int TRIES_MAX = 100;

  private final StoreParts parts;
  private final IoEngine engine;
  private final WriteAheadLog log;
  private final LongSupplier clock;
  private final ArchiveDirectory directory;
  private final DirectoryLock lock;
  private final LogHolds.Hold hold;
  private final long history;
  private final long segmentBytes;

  /** One at a time writes files. */
  private final LongLock archiving = new LongLock();

  // Guarded by archiving; the volatile one is read by any thread.
  private ArchiveNote note;
  private volatile long archivedLsn;

  /** Set before the thread begins. */
  private StoreWriter writer;

  /**
   * What came with the families, or from elsewhere, ends here. Written by the background thread.
   */
  private volatile long marksLsn;

  /** Nothing but marks was written behind this. Written by who has put one there. */
  private volatile long markedLsn;

  // What the thread waits for.
  private final Monitor monitor = new Monitor();
  private final Monitor.Line woken = monitor.newLine();
  private final Baton ended = new Baton();

  /** Whoever writes beyond it wakes the thread. Partner of the look at the log's end in await. */
  private volatile long wakeLsn = Long.MAX_VALUE;

  private volatile boolean closing;

  /** Guarded by monitor. */
  private boolean isStarted;

  private volatile String failure = "";

  /** What was said last. */
  private volatile Throwable reported;

  /** Whether the thread has ended before its time: then what it says stays. */
  private volatile boolean isDead;

  private LogArchiver(
      StoreParts parts, ArchiveDirectory directory, DirectoryLock lock, ArchiveNote note) {
    this.parts = parts;
    this.engine = parts.engine;
    this.log = parts.log;
    this.clock = parts.clock;
    this.directory = directory;
    this.lock = lock;
    this.note = note;
    this.history = note.history();
    this.archivedLsn = note.archivedLsn();
    this.markedLsn = note.archivedLsn();
    this.segmentBytes = log.options().segmentBytes();
    this.hold = parts.holds.open(archivedLsn, Long.MAX_VALUE, StallReason.ARCHIVE);
  }

  // ---- opening

  /**
   * Goes on with the archive of a store, or begins one, as the options say; null if it has none.
   * The log is held back when this returns. Before the background thread begins.
   *
   * @throws StorageException if the archive is not that which the store has left
   * @throws CorruptFileException if what the store knows of it is damaged, and the options say
   *     neither where it is nor that there is none
   */
  static LogArchiver openOrNull(StoreParts parts) throws IOException {
    Path file = parts.files.archive();
    Optional<ArchiveNote> found = note(parts, file);
    Path wanted = parts.options.archiveOrNull();
    if (wanted == null && found.isPresent()) {
      wanted = found.get().directory();
    }
    if (wanted == null || wanted.equals(StoreOptions.NO_ARCHIVE)) {
      if (parts.engine.exists(file)) {
        parts.engine.delete(file);
        parts.engine.syncDirectory(parts.files.directory());
      }
      return null;
    }
    ArchiveDirectory directory = new ArchiveDirectory(parts.engine, wanted);
    boolean isKnown =
        found.isPresent()
            && found.get().history() != 0
            && found.get().directory().equals(directory.path());
    if (isKnown && !parts.engine.exists(directory.path())) {
      throw elsewhere(directory, found.get(), "there is no such directory");
    }
    parts.engine.createDirectories(directory.path());
    DirectoryLock lock = parts.engine.lock(directory.lock());
    try {
      ArchiveNote note = isKnown ? goOn(parts, directory, found.get()) : null;
      if (note == null) {
        note = begin(parts, directory);
      }
      note.write(parts.engine, file);
      return new LogArchiver(parts, directory, lock, note);
    } catch (IOException | RuntimeException | Error e) {
      lock.close();
      throw e;
    }
  }

  /**
   * What the store knows of its archive. A damaged note counts as none if the options say where the
   * archive is: then another history begins there. Though there may be files that end in the log,
   * nobody knows whether these are of this store or of one that it is a copy of.
   */
  private static Optional<ArchiveNote> note(StoreParts parts, Path file) throws IOException {
    try {
      return ArchiveNote.read(parts.engine, file);
    } catch (CorruptFileException e) {
      if (parts.options.archiveOrNull() == null) {
        CorruptFileException unknown =
            new CorruptFileException(
                file,
                e.offset(),
                "a note of the archive, or options that name its directory, or none",
                e.getMessage());
        unknown.addSuppressed(e);
        throw unknown;
      }
      LOGGER.log(
          Logger.Level.WARNING,
          "the note of the archive is damaged; an archive begins anew, make a backup: path=" + file,
          e);
      return Optional.empty();
    }
  }

  /** Where the store has left its archive; null if the log does not go on there. */
  private static ArchiveNote goOn(StoreParts parts, ArchiveDirectory directory, ArchiveNote note)
      throws IOException {
    List<ArchivedLog> files =
        directory.files().stream().filter(file -> file.history() == note.history()).toList();
    ArchivedLog next =
        ArchivedLog.in(
            directory.path(), note.history(), note.archivedLsn(), note.nextLsn(), note.checksum());
    long archived = note.archivedLsn();
    if (files.contains(next)) {
      // Whoever has given it its name may have been killed before that was durable.
      parts.engine.syncDirectory(directory.path());
      archived = note.nextLsn();
    }
    long end = archived;
    boolean hasThis =
        end == note.startLsn() || files.stream().anyMatch(file -> file.toLsn() == end);
    if (!hasThis) {
      throw elsewhere(directory, note, "it does not have what was archived last");
    }
    if (files.stream().anyMatch(file -> file.toLsn() > end)) {
      throw elsewhere(directory, note, "a copy of the store has gone on there");
    }
    if (end > parts.log.endLsn()
        || end < parts.log.source().oldestLsn()
        || parts.log.recovery().hasLost()) {
      LOGGER.log(
          Logger.Level.WARNING,
          "the log does not go on where it was archived, which begins anew; make a backup: path="
              + directory.path());
      return null;
    }
    return ArchiveNote.at(note.history(), note.startLsn(), end, directory.path());
  }

  private static StorageException elsewhere(
      ArchiveDirectory directory, ArchiveNote note, String reason) {
    return new StorageException(
        "this is not the archive as the store has left it, %s. Open the store with the right one, or with another directory to begin anew: archived=%d"
            .formatted(reason, note.archivedLsn()),
        directory.path());
  }

  private static ArchiveNote begin(StoreParts parts, ArchiveDirectory directory)
      throws IOException {
    long newest = directory.files().stream().mapToLong(ArchivedLog::history).max().orElse(0);
    long random = Short.toUnsignedLong(ByteBuffer.wrap(FileKey.randomSalt(Short.BYTES)).getShort());
    long history =
        Math.max(newest + 1, Math.max(1, parts.clock.getAsLong()) << RANDOM_BITS | random);
    // What is not in tables yet comes along: so a backup, which has tables alone, is followed by
    // all.
    long start =
        parts.log.recovery().hasLost() ? parts.log.endLsn() : parts.tables.manifest().horizonLsn();
    return ArchiveNote.at(history, start, start, directory.path());
  }

  /** Begins to archive. The families, as they are now, come first; nobody writes yet. */
  void start(StoreWriter to) throws IOException {
    writer = to;
    Object unusedResult =
        parts.background.run(
            () -> {
              markFamilies();
              return null;
            },
            "the families cannot be marked in the log");
    long unused = tryMarkTime();
    monitor.lock();
    try {
      isStarted = true;
      Thread.ofPlatform()
          .daemon()
          .name("gds-archive-" + parts.files.directory().getFileName())
          .start(this::run);
    } finally {
      monitor.unlock();
    }
  }

  // ---- marks

  /** Says what time it is; returns -1 if the log or the memtable has no room for that. */
  private long tryMarkTime() throws IOException {
    long end =
        writer.tryMark(
            LogMark.TIME_BYTES,
            () -> MemorySegment.ofArray(new LogMark.Time(clock.getAsLong()).encode()));
    markedLsn = Math.max(markedLsn, end);
    return end;
  }

  /**
   * Says what time it is when the store is closed: else nobody would know, when it is open again,
   * how long before the last writes were. A crash leaves those of the last second so.
   */
  void markClose() {
    try {
      if (log.endLsn() > markedLsn) {
        long unused = tryMarkTime();
      }
    } catch (IOException | RuntimeException e) {
      LOGGER.log(Logger.Level.DEBUG, "a store is closed without a mark of the time", e);
    }
  }

  /**
   * Has room in the log for a family mark. On the background thread, before what it tells of is
   * done.
   */
  void requireRoomForFamilies(int more) throws IOException {
    long bytes =
        LogMark.families(parts.tables.manifest()).encode().length
            + more * (LogMark.OF_FAMILY_BYTES + 2L * FamilyEdit.NAME_BYTES_MAX);
    if (bytes > log.recordBytesMax()) {
      throw new StorageException(
          "so many families need larger files of the log where that is archived: segmentBytes="
              + segmentBytes,
          parts.files.log());
    }
    // Others may write in between.
    long room = Math.min(2 * bytes, log.recordBytesMax());
    for (int tries = 0; !log.hasRoomFor(room); tries++) {
      makeRoom(tries);
    }
  }

  /** Says which families there are. On the background thread, or before anybody writes. */
  void markFamilies() throws IOException {
    try {
      marked(mark(LogMark.families(parts.tables.manifest())));
    } catch (IOException | RuntimeException | Error e) {
      writer.fail(
          e); // what is written from here on would not be understood; the next opening says it
      throw e;
    }
  }

  /**
   * Says what is about to come into the store and is not in the log. On the background thread,
   * which then says by a family mark that it has come; where it has not, a restore stops here
   * needlessly.
   *
   * @return up to where the log is to be durable before it comes
   */
  long markBarrier(String what) throws IOException {
    return mark(new LogMark.Barrier(what));
  }

  private long mark(LogMark what) throws IOException {
    byte[] bytes = what.encode();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment record = arena.allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
      long end = writer.tryMark(bytes.length, () -> record);
      for (int tries = 0; end < 0; tries++) {
        makeRoom(tries);
        end = writer.tryMark(bytes.length, () -> record);
      }
      passed(end); // marks fill the log, too
      return end;
    }
  }

  /** Something is in the manifest now that the log has a mark of. On the background thread. */
  void marked(long endLsn) {
    marksLsn = endLsn;
  }

  private void makeRoom(int tries) throws IOException {
    if (tries == TRIES_MAX) {
      throw new StorageException(
          "there is no room in the log for what the archive needs: tries=" + tries,
          parts.files.log());
    }
    if (parts.holds.isHeldBack()) {
      archive();
    }
    parts.background.flushNow();
    boolean unused = writer.room().tryFreeze(() -> {});
  }

  // ---- archiving

  /** Which history this is, see {@link ArchivedLog}. */
  long history() {
    return history;
  }

  /**
   * Up to where the manifest has what the log only has marks of. On the background thread, which
   * changes both.
   */
  long marksLsn() {
    return marksLsn;
  }

  /** Up to where writes are in the archive. */
  long archivedLsn() {
    return archivedLsn;
  }

  /** Why the archive took nothing the last time; empty if it did. */
  String failure() {
    return failure;
  }

  Path path() {
    return directory.path();
  }

  /**
   * Archives what was written so far.
   *
   * @return the sequence number up to which the archive has everything
   */
  long archiveNow() throws IOException {
    writer.enter();
    try {
      long unused = tryMarkTime();
      archive();
      return archivedLsn;
    } finally {
      writer.exit();
    }
  }

  /** What has failed may have left a file that does not count. */
  private void removeUnfinished() throws IOException {
    if (!failure.isEmpty()) {
      directory.remove(
          directory.files().stream()
              .filter(file -> file.history() == history && file.toLsn() > archivedLsn)
              .toList());
    }
  }

  /** Archives what is written by now. */
  private void archive() throws IOException {
    archiving.lock();
    try {
      long to = log.endLsn();
      if (to > archivedLsn) {
        removeUnfinished();
        log.sync(to);
        try (LogReader reader =
            log.reader(
                archivedLsn,
                Durability.SYNCED.inLog,
                MemoryBudget.root("archived log", 2 * segmentBytes + (1 << 20)))) {
          while (reader.lsn() < to && writeFile(reader, to)) {
            parts.counters.archivedFiles.increment();
          }
        }
      }
      if (!isDead) {
        failure = "";
      }
    } catch (IOException | RuntimeException | Error e) {
      if (!closing) {
        report(e);
      }
      throw e;
    } finally {
      archiving.unlock();
    }
  }

  /** Says why nothing is archived, once until it is again. */
  private void report(Throwable reason) {
    boolean isNew = failure.isEmpty();
    reported = reason;
    failure = reason.toString();
    if (isNew) {
      LOGGER.log(
          Logger.Level.WARNING,
          "the log cannot be archived: path=" + directory.path() + " reason=" + reason);
      parts.events.failed(reason);
    }
  }

  /** Writes a file; false if there was nothing for one. */
  private boolean writeFile(LogReader reader, long to) throws IOException {
    ArchivedLog file;
    try (ArchiveWriter archive =
        ArchiveWriter.open(engine, directory.incoming(), history, archivedLsn)) {
      while (reader.lsn() < to
          && archive.sizeBytes() < FILE_BYTES_MAX
          && reader.next(archive::add)) {
        if (closing) {
          throw VersionSet.closed();
        }
      }
      if (archive.endLsn() == archivedLsn) {
        return false;
      }
      file = archive.finish(directory.path());
      parts.counters.archivedBytes.add(archive.sizeBytes());
    }
    // Before the name: else a crash would leave a file that nobody has announced.
    note = note.before(file);
    note.write(engine, parts.files.archive());
    directory.add(file);
    archivedLsn = file.toLsn();
    hold.release(archivedLsn);
    return true;
  }

  // ---- the thread

  /** Somebody has written up to here. */
  void passed(long endLsn) {
    if (endLsn >= wakeLsn) {
      wake();
    }
  }

  private void wake() {
    monitor.lock();
    try {
      wakeLsn = Long.MAX_VALUE;
      woken.wakeAll();
    } finally {
      monitor.unlock();
    }
  }

  private long segment(long lsn) {
    return lsn / segmentBytes;
  }

  private void run() {
    try {
      while (!closing) {
        try {
          step();
        } catch (IOException | RuntimeException | Error e) {
          // Whatever it is, a key that is not there or memory that is short: writers wait for this
          // thread, so it tries again.
          rest(e);
        }
      }
    } catch (RuntimeException | Error e) {
      if (!closing) {
        isDead = true;
        failure = e.toString();
        LOGGER.log(
            Logger.Level.ERROR,
            "the log is archived no more, open the store again: path=" + directory.path(),
            e);
      }
    } finally {
      ended.post();
    }
  }

  private void step() throws IOException {
    if (log.endLsn() > markedLsn) {
      // Whoever has written since waits for the next one; what was written before is older now.
      await(segmentEnd(), MARK_NANOS);
      if (!closing) {
        long unused = tryMarkTime();
      }
    } else {
      await(Math.min(segmentEnd(), markedLsn + 1), Long.MAX_VALUE);
    }
    // After a failure at once: so it is known whether that is over.
    if (!closing && (segment(log.endLsn()) > segment(archivedLsn) || !failure.isEmpty())) {
      archive();
    }
  }

  /** After a failure; a store that is about to be closed has none. */
  private void rest(Throwable reason) {
    if (!closing && writer.isOpen() && reason != reported) {
      report(reason);
    }
    await(Long.MAX_VALUE, MARK_NANOS);
  }

  private long segmentEnd() {
    return (segment(archivedLsn) + 1) * segmentBytes;
  }

  /** Waits until something was written up to a position, or the time is over. */
  private void await(long lsn, long nanos) {
    monitor.lock();
    try {
      wakeLsn = lsn;
      if (!closing && log.endLsn() < lsn) {
        if (nanos == Long.MAX_VALUE) {
          woken.await();
        } else {
          boolean unused = woken.await(nanos);
        }
      }
      wakeLsn = Long.MAX_VALUE;
    } finally {
      monitor.unlock();
    }
  }

  /** Ends the thread, and lets go of log and archive. What is not archived stays in the log. */
  void close() throws IOException {
    boolean isRunning;
    monitor.lock();
    try {
      closing = true;
      isRunning = isStarted;
      woken.wakeAll();
    } finally {
      monitor.unlock();
    }
    if (isRunning) {
      ended.await();
    }
    lock.close();
  }
}
