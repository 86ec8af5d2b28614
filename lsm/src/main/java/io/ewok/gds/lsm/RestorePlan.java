package io.ewok.gds.lsm;

import io.ewok.gds.lsm.ArchiveDirectory.Chain;
import io.ewok.gds.lsm.BackupFormat.Content;
import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.MissingFileException;
import io.ewok.gds.pagestore.OpenMode;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * How a point in time is restored: a backup, and what of an archive comes on top of it. To find it
 * all that comes is read and checked, before anything is written.
 *
 * @param backup its number
 * @param content the backup
 * @param files of the archive, one after the other
 * @param toLsn where the last record ends that is wanted; the backup's own end if none is
 * @param time what the last mark before it says, if there is one: if a time is wanted nothing that
 *     is restored was written later, else what lies behind the mark is newer
 */
record RestorePlan(
    long backup, Content content, List<ArchivedLog> files, long toLsn, Optional<Instant> time) {

  /** What is read to do it, in bytes; of the archive's last file perhaps less. */
  long bytes(IoEngine engine) throws IOException {
    long bytes = content.manifest().files().stream().mapToLong(FileMeta::sizeBytes).sum();
    for (ArchivedLog each : files) {
      try (IoFile file = engine.open(each.path(), OpenMode.READ_ONLY)) {
        bytes += file.sizeBytes();
      }
    }
    return bytes;
  }

  /** Looks for the way to a point from one backup. */
  static final class Search {
    private final IoEngine engine;
    private final ArchiveDirectory archive;
    private final long backup;
    private final Content content;
    private final LongConsumer bytesRead;

    private final Chain chain;

    /** Where the last record ends that was come to. */
    private long endLsn;

    /** The latest that a mark has said so far. */
    private long millis = Long.MIN_VALUE;

    /**
     * Whether the place was found: what comes only shows whether the clock was set back there, and
     * may be damaged.
     */
    private boolean isFound;

    Search(
        IoEngine engine,
        ArchiveDirectory archive,
        long backup,
        Content content,
        LongConsumer bytesRead)
        throws IOException {
      this.engine = engine;
      this.archive = archive;
      this.backup = backup;
      this.content = content;
      this.bytesRead = bytesRead;
      long history = content.archived().history();
      this.chain =
          history == 0
              ? new Chain(content.horizonLsn(), List.of(), Optional.empty())
              : archive.chain(history, content.horizonLsn());
      this.endLsn = content.horizonLsn();
    }

    /** Is shown each record; says whether to go on behind it. */
    @FunctionalInterface
    private interface Visitor {
      boolean visit(long recordEndLsn, LogMark markOrNull) throws IOException;
    }

    /**
     * The way to a sequence number, which is not before the backup.
     *
     * @throws UnreachablePointException if there is none
     */
    RestorePlan toSequence(long sequence) throws IOException {
      if (sequence > content.horizonLsn()) {
        walk(
            PointInTime.ofSequence(sequence),
            (end, mark) -> {
              if (end > sequence) {
                return false;
              }
              requireNoBarrier(PointInTime.ofSequence(sequence), end, mark);
              come(end, mark);
              return end < sequence; // what comes then may be damaged
            });
        if (chain.toLsn() < sequence) {
          throw unreachable(PointInTime.ofSequence(sequence), null);
        }
      }
      return plan(endLsn, millis);
    }

    /**
     * The way to a time. If there is one the archive is read to its end: where marks of times that
     * are not later come behind one that is, the clock was wrong there, and nobody knows which of
     * them is right.
     *
     * @return nothing if the backup is later
     * @throws UnreachablePointException if there is no way, or more than one place of that time
     */
    Optional<RestorePlan> toTime(Instant time) throws IOException {
      PointInTime point = PointInTime.ofTime(time);
      long wanted = time.toEpochMilli();
      long[] last = {-1, 0};
      walk(
          point,
          (end, mark) -> {
            if (isFound) {
              requireLater(point, end, mark, wanted);
              return true;
            }
            if (mark instanceof LogMark.Time(long at) && at > wanted) {
              millis = Math.max(millis, at);
              isFound = last[0] >= 0;
              return isFound;
            }
            requireNoBarrier(point, end, mark);
            come(end, mark);
            if (mark instanceof LogMark.Time && end >= content.firstLsn()) {
              last[0] = end;
              last[1] = millis;
            }
            return true;
          });
      if (millis < wanted) {
        throw unreachable(point, null);
      }
      return last[0] < 0 ? Optional.empty() : Optional.of(plan(last[0], last[1]));
    }

    private void come(long end, LogMark markOrNull) {
      endLsn = end;
      if (markOrNull instanceof LogMark.Time(long at)) {
        millis = Math.max(millis, at);
      }
    }

    private void requireLater(PointInTime point, long end, LogMark markOrNull, long wanted)
        throws UnreachablePointException {
      if (markOrNull instanceof LogMark.Time(long at) && at <= wanted) {
        throw unreachable(
            point,
            "the clock was set back then, it is %s again at sequence %d: a sequence number can be restored"
                .formatted(Instant.ofEpochMilli(at), end),
            null);
      }
    }

    private void requireNoBarrier(PointInTime point, long end, LogMark markOrNull)
        throws UnreachablePointException {
      if (markOrNull instanceof LogMark.Barrier(String what)
          && end > content.archived().marksLsn()) {
        throw unreachable(
            point,
            "what came next is not in the log (%s, sequence %d), a later backup has it"
                .formatted(what, end),
            null);
      }
    }

    private RestorePlan plan(long toLsn, long atMillis) {
      return new RestorePlan(
          backup,
          content,
          chain.files().stream().filter(file -> file.fromLsn() < toLsn).toList(),
          toLsn,
          atMillis == Long.MIN_VALUE
              ? Optional.empty()
              : Optional.of(Instant.ofEpochMilli(atMillis)));
    }

    private void walk(PointInTime point, Visitor visitor) throws IOException {
      try {
        for (ArchivedLog file : chain.files()) {
          try (ArchiveReader reader = ArchiveReader.open(engine, file, bytesRead)) {
            while (reader.next()) {
              if (reader.endLsn() > content.horizonLsn()
                  && !visitor.visit(reader.endLsn(), mark(file, reader))) {
                return;
              }
            }
          }
        }
      } catch (CorruptFileException | MissingFileException e) {
        if (!isFound) {
          throw unreachable(point, "the archive is damaged (" + e.getMessage() + ")", e);
        }
      }
    }

    private static LogMark mark(ArchivedLog file, ArchiveReader reader) throws IOException {
      return BatchFormat.isMark(reader.record())
          ? ArchiveDirectory.requireMark(file, reader)
          : null;
    }

    private UnreachablePointException unreachable(PointInTime point, Throwable causeOrNull) {
      String reason =
          chain
              .gapEndLsn()
              .map(
                  next ->
                      "the archive misses what was written from sequence %d to %d"
                          .formatted(chain.toLsn(), next))
              .orElse(
                  content.archived().history() == 0
                      ? "there was no archive when it was made"
                      : "the archive ends there");
      return unreachable(point, reason, causeOrNull);
    }

    private UnreachablePointException unreachable(
        PointInTime point, String reason, Throwable causeOrNull) {
      String at = millis == Long.MIN_VALUE ? "" : ", where it is " + Instant.ofEpochMilli(millis);
      // In between, the manifest of the backup has families that were not there yet, or not any
      // more.
      long reachable = endLsn >= content.firstLsn() ? endLsn : -1;
      return new UnreachablePointException(
          "%s cannot be restored: backup %d leads to sequence %d%s; %s"
              .formatted(point, backup, Math.max(endLsn, content.horizonLsn()), at, reason),
          archive.path(),
          reachable,
          causeOrNull);
    }
  }
}
