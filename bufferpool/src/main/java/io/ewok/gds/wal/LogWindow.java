package io.ewok.gds.wal;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Reads the ring forward through a region, as far ahead as the region is large. A block larger than
 * the region is read into a temporary one, which is charged to the budget until the window closes.
 * One thread.
 */
final class LogWindow implements AutoCloseable {
  private final SegmentRing ring;
  private final MemoryBudget budget;
  private final Region borrowed;
  private Region region;
  private long startLsn;
  private long lengthBytes;

  LogWindow(SegmentRing ring, Region borrowed, MemoryBudget budget) {
    this.ring = ring;
    this.budget = budget;
    this.borrowed = borrowed;
    this.region = borrowed;
  }

  /**
   * The bytes from a position on, valid until the next call.
   *
   * @param bytes how many; they lie in one segment
   */
  MemorySegment at(long lsn, long bytes) throws IOException {
    return at(lsn, bytes, Long.MAX_VALUE);
  }

  /**
   * As above.
   *
   * @param limitLsn bytes after this are not there yet, and are not kept for later calls
   */
  MemorySegment at(long lsn, long bytes, long limitLsn) throws IOException {
    if (lsn < startLsn || lsn + bytes > startLsn + lengthBytes) {
      load(lsn, lsn + bytes, limitLsn);
    }
    return region.segment().asSlice(lsn - startLsn, bytes).asReadOnly();
  }

  /**
   * The content of a record to which a walk has come: opened in this window if it is sealed, so
   * that it is not to be walked over again.
   *
   * @param bytes the record's, as they were given to the walk
   */
  MemorySegment content(LogWalk walk, MemorySegment bytes) throws IOException {
    if (!walk.isSealed()) {
      return bytes;
    }
    long offset = bytes.address() - region.address();
    MemorySegment own = region.segment().asSlice(offset, bytes.byteSize());
    return walk.open(ring.keys(), own, ring.path(walk.endLsn() - 1)).asReadOnly();
  }

  private void load(long lsn, long endLsn, long limitLsn) throws IOException {
    lengthBytes = 0;
    long start = lsn & -LogFormat.BLOCK_ALIGNMENT;
    long needed = LogFormat.alignToBlock(endLsn - start);
    if (needed > region.sizeBytes()) {
      close();
      region = Region.map(budget, RegionOptions.ofSize(needed));
    }
    int length = (int) Math.min(region.sizeBytes(), ring.segmentEnd(lsn) - start);
    if (limitLsn - start < length) {
      length = (int) LogFormat.alignToBlock(limitLsn - start);
    }
    ring.read(start, region, 0, length);
    startLsn = start;
    lengthBytes = Math.min(length, limitLsn - start);
  }

  /** Gives back the temporary region, not the borrowed one. */
  @Override
  public void close() {
    if (region != borrowed) {
      region.close();
      region = borrowed;
    }
  }
}
