package io.ewok.gds.wal;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.CorruptFileException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Reads the records of an open log in order, up to its end and on as it grows, by reading its
 * segments. For a replica, a backup, a queue's slow consumer; many readers at once are served
 * better by a cache.
 *
 * <p>Ownership: whoever opened it closes it, before the log. It owns a window of memory, charged to
 * the budget, and more while it passes a record that is larger. It holds nothing in the log: what
 * the owner truncates may be gone before it was read.
 *
 * <p>Threads: one at a time.
 *
 * {@snippet :
 * try (LogReader reader = log.reader(lsn, LogDurability.SYNCED, budget)) {
 *   while (running) {
 *     if (!reader.next((end, record) -> send(record))) {
 *       reader.await(TimeUnit.SECONDS.toNanos(1));
 *     }
 *   }
 * }
 * }
 *
 * <p>Errors: {@link LogTruncatedException} if it was too slow, {@link CorruptFileException} if the
 * device lost what was written.
 */
public final class LogReader implements AutoCloseable {
  private static final int WINDOW_BYTES = 64 << 10;

  private final LogSource source;
  private final long fromLsn;
  private final LogDurability level;
  private final LogWalk walk;
  private final Region region;
  private final LogWindow window;

  LogReader(
      LogSource source, SegmentRing ring, long fromLsn, LogDurability level, MemoryBudget budget) {
    this.source = source;
    this.fromLsn = fromLsn;
    this.level = level;
    this.walk = source.walk(fromLsn);
    this.region = Region.map(budget, RegionOptions.ofSize(WINDOW_BYTES));
    this.window = new LogWindow(ring, region, budget);
  }

  /**
   * Reads one record.
   *
   * @param consumer gets it. If it throws, the record counts as read
   * @return false if there is none so far at this reader's level
   * @throws LogTruncatedException if the segment of the next record is used anew, or may be
   */
  public boolean next(RecordConsumer consumer) throws IOException {
    long limit = source.endLsn(level);
    while (walk.endLsn() < limit) {
      MemorySegment bytes = window.at(walk.lsn(), walk.bytes(), limit);
      switch (walk.feed(bytes)) {
        case MORE -> {}
        case RECORD -> {
          consumer.accept(walk.endLsn(), window.content(walk, bytes));
          return true;
        }
        case END -> throw source.lost(walk.endLsn(), "a record");
      }
    }
    return false;
  }

  /**
   * Waits until there may be a next record.
   *
   * @return false if the time was over first
   * @throws io.ewok.gds.pagestore.PoisonedFileException if the log is poisoned, so that no more
   *     will come
   */
  public boolean await(long timeoutNanos) throws IOException {
    return source.awaitBeyond(lsn(), level, timeoutNanos);
  }

  /** The position after the last record read; before the first, where reading started. */
  public long lsn() {
    return Math.max(fromLsn, walk.endLsn());
  }

  @Override
  public void close() {
    try (region) {
      window.close();
    }
  }
}
