package io.ewok.gds.allocator;

import static io.ewok.gds.allocator.SlabFixture.allocator;
import static io.ewok.gds.allocator.SlabFixture.granted;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.ewok.gds.allocator.leases.RegionLeases;
import org.junit.jupiter.api.Test;

/** Operations on bytes of a slab allocator's region that are no cell's. */
@WithoutLetters
class SlabGapTest {
  /** Seven of these fill two blocks of 64 KiB but for 2 KiB. */
  private static final int BYTES = 18 << 10;

  private static final int GAP_OFFSET = 7 * BYTES;

  @Test
  void operationBehindTheLastCellIsRefusedAndKeepsNothing() {
    try (SlabAllocator allocator = allocator(4 << 20)) {
      long handle = granted(allocator.allocate(BYTES));
      Region region = allocator.region(handle);
      assertThrows(
          IllegalStateException.class, () -> RegionLeases.take(region, GAP_OFFSET + 512, 512));
      // One that begins in the last cell keeps that one.
      RegionLeases.take(region, GAP_OFFSET - 512, 1024);
      RegionLeases.giveBack(region, GAP_OFFSET - 512, 1024);
      allocator.free(handle);
      assertEquals(Region.UNIT_BYTES, allocator.trim());
    }
  }
}
