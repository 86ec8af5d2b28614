package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ScatteredMemoryTest {
  private final Region region =
      Region.map(MemoryBudget.root("test", 1 << 20), RegionOptions.ofSize(1 << 16));
  private final ScatteredMemory memory = new ScatteredMemory();

  @AfterEach
  void close() {
    region.close();
  }

  /** Returns offsets in the region and lengths by turns. */
  private List<Long> told(int done, int bytesMax) {
    MemorySegment entries = memory.entries(done, bytesMax);
    assertTrue(entries.isReadOnly());
    List<Long> told = new ArrayList<>();
    for (long i = 0; i < entries.byteSize() / Long.BYTES; i += 2) {
      told.add(entries.getAtIndex(ValueLayout.JAVA_LONG, i) - region.address());
      told.add(entries.getAtIndex(ValueLayout.JAVA_LONG, i + 1));
    }
    return told;
  }

  @Test
  void kernelIsToldOfWhatIsLeft() {
    memory.set(region, new long[] {-1, 3000, 1000, 9000, -1}, 1, 3, 500);
    int all = Integer.MAX_VALUE;
    assertEquals(List.of(3000L, 500L, 1000L, 500L, 9000L, 500L), told(0, all));
    assertEquals(List.of(1200L, 300L, 9000L, 500L), told(700, all));
    assertEquals(List.of(3000L, 500L, 1000L, 500L), told(0, 1000));
    assertEquals(List.of(3100L, 200L), told(100, 200), "a part of a piece");
    assertEquals(List.of(9499L, 1L), told(1499, all));
  }

  @Test
  void noMoreThanTheKernelTakesIsTold() {
    memory.set(region, new long[2000], 0, 2000, 8);
    assertEquals(2 * 1024, told(0, Integer.MAX_VALUE).size());
    assertEquals(2 * 1000, told(8000, Integer.MAX_VALUE).size());
  }

  @Test
  void piecesLieInTheRegion() {
    long end = region.sizeBytes();
    memory.set(region, new long[] {0, end - 8}, 0, 2, 8);
    assertThrows(
        IndexOutOfBoundsException.class, () -> memory.set(region, new long[] {end - 7}, 0, 1, 8));
    assertThrows(
        IndexOutOfBoundsException.class, () -> memory.set(region, new long[] {-8}, 0, 1, 8));
    assertThrows(
        IndexOutOfBoundsException.class, () -> memory.set(region, new long[] {0}, 0, 2, 8));
    assertThrows(
        IndexOutOfBoundsException.class, () -> memory.set(region, new long[] {0}, 0, 1, 0));
    assertEquals(end - 8, memory.offset(1), "as it was");
  }
}
