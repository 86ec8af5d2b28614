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
   * @param lsn a multiple of 4096
   * @param bytes how many; they lie in one segment
   */
  MemorySegment at(long lsn, long bytes) throws IOException {
    if (lsn < startLsn || lsn + bytes > startLsn + lengthBytes) {
      load(lsn, LogFormat.alignToBlock(bytes));
    }
    return region.segment().asSlice(lsn - startLsn, bytes);
  }

  private void load(long lsn, long bytes) throws IOException {
    lengthBytes = 0;
    if (bytes > region.sizeBytes()) {
      close();
      region = Region.map(budget, RegionOptions.ofSize(bytes));
    }
    int length = (int) Math.min(region.sizeBytes(), ring.segmentEnd(lsn) - lsn);
    ring.read(lsn, region, 0, length);
    startLsn = lsn;
    lengthBytes = length;
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
