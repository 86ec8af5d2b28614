package io.ewok.gds.wal;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The bytes of an open log, for those who read it while it grows: where it begins and ends, how to
 * read it, and what is written to it. {@link LogReader} is made of it, and so are caches.
 *
 * <p>Ownership: part of its log, and ends with it. Threads: any.
 *
 * {@snippet :
 * LogSource source = log.source();
 * LogWalk walk = source.walk(lsn);
 * request = source.prepareRead(request, pageLsn, region, regionOffset, 4096);
 * engine.submit(request);
 * }
 *
 * <p>Errors: {@link IllegalStateException} after the log's close. A log that was poisoned can still
 * be read.
 */
public final class LogSource {
  private final LogWriter writer;
  private final SegmentRing ring;
  private final LogHeader header;
  private final List<LogTap> taps = new CopyOnWriteArrayList<>();

  /**
   * Gives the bytes of a log.
   *
   * @param header of this life
   */
  LogSource(LogWriter writer, SegmentRing ring, LogHeader header) {
    this.writer = writer;
    this.ring = ring;
    this.header = header;
  }

  /** Where the first segment starts that is still needed; those before it may be written anew. */
  public long oldestLsn() {
    return ring.segmentStart(writer.horizonLsn());
  }

  /** Everything before this position has been written and can be read. Never falls. */
  public long writtenLsn() {
    return writer.writtenLsn();
  }

  /** Everything before this position is durable. Never falls, never above what is written. */
  public long durableLsn() {
    return writer.durableLsn();
  }

  /** Bytes of a segment; one starts at every multiple. No record crosses a segment's end. */
  public long segmentBytes() {
    return ring.segmentBytes();
  }

  /**
   * The way through the records that end after a position. From {@link #writtenLsn} it leads
   * through what is written from now on alone; from elsewhere it leads there from the start of the
   * position's segment.
   *
   * @param fromLsn at least {@link #oldestLsn}, at most {@link WriteAheadLog#endLsn}; where a
   *     record ends, if the next is to be the first
   * @throws IllegalArgumentException if the position is outside these bounds
   */
  public LogWalk walk(long fromLsn) {
    long oldest = oldestLsn();
    if (fromLsn < oldest || fromLsn > writer.endLsn()) {
      throw new IllegalArgumentException(
          "outside of the log: oldestLsn=%d endLsn=%d fromLsn=%d"
              .formatted(oldest, writer.endLsn(), fromLsn));
    }
    long next = writer.blockAfter(fromLsn);
    return next < 0
        ? LogWalk.from(ring, header, fromLsn, oldest)
        : LogWalk.behind(ring, header, fromLsn, fromLsn, next);
  }

  /**
   * Prepares a read of the log, which the caller submits to the log's engine. What has been
   * truncated since may come as anything; a walk tells by the checksums.
   *
   * @param lsn a multiple of what the segments are aligned to, at most 4096
   * @param length as well; the bytes lie in one segment. Those after {@link #writtenLsn} come as
   *     anything
   * @return the request
   */
  public IoRequest prepareRead(
      IoRequest request, long lsn, Region region, long regionOffset, int length) {
    return ring.prepareRead(request, lsn, region, regionOffset, length);
  }

  /**
   * Reads as {@link #prepareRead} says, and waits.
   *
   * @throws IOException if the device cannot
   */
  public void read(long lsn, Region region, long regionOffset, int length) throws IOException {
    ring.read(lsn, region, regionOffset, length);
  }

  /**
   * Returns the error of a reader who does not find the record that begins at a position: that he
   * was too slow, or that the device lost it.
   *
   * @param expected what he looks for, for people
   */
  public StorageException lost(long lsn, String expected) {
    return lsn < oldestLsn()
        ? new LogTruncatedException(ring.path(lsn), lsn, oldestLsn())
        : new CorruptFileException(
            ring.path(lsn), ring.offset(lsn), expected, "something else, lsn=" + lsn);
  }

  /** Returns the error of a reader who has no keys and finds an encrypted record. */
  public StorageException sealed(long lsn) {
    return new StorageException(
        "the log is encrypted, and is not read through a cache: lsn=" + lsn, ring.path(lsn));
  }

  /** What offsets and lengths of reads are multiples of, in bytes: 512 to 4096. */
  public int alignmentBytes() {
    return ring.alignmentBytes();
  }

  /**
   * Shows somebody everything that is written from now on.
   *
   * @return everything before this position was written earlier, and all from here on is shown
   */
  public long addTap(LogTap tap) {
    return writer.betweenTurns(
        () -> {
          taps.add(tap);
          return LogFormat.alignToBlock(writer.writtenLsn());
        });
  }

  /** Shows it nothing any more; does nothing if it was not added, or is removed already. */
  public void removeTap(LogTap tap) {
    taps.remove(tap);
  }

  /** Shows everybody what was written. */
  void show(long lsn, Region region, long regionOffset, int bytes) {
    if (taps.isEmpty()) { // mostly; then nothing is made for them
      return;
    }
    MemorySegment written = region.segment().asSlice(regionOffset, bytes).asReadOnly();
    for (LogTap tap : taps) {
      try {
        tap.written(lsn, written);
      } catch (RuntimeException | Error e) {
        Thread thread = Thread.currentThread();
        thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
      }
    }
  }

  /** The end of what has come so far. */
  public long endLsn(LogDurability level) {
    return writer.endLsn(level);
  }

  /**
   * Waits until more of the log has come so far.
   *
   * @param level BUFFERED or SYNCED: nobody is told of what is only appended, {@link
   *     WriteAheadLog#commit} writes it
   * @return false if the time was over first
   * @throws IOException if the log is poisoned, so that no more will come
   */
  public boolean awaitBeyond(long lsn, LogDurability level, long timeoutNanos) throws IOException {
    if (level == LogDurability.NONE) {
      throw new IllegalArgumentException("nobody is told of appends: level=" + level);
    }
    return writer.awaitBeyond(lsn, level, timeoutNanos);
  }
}
