package io.ewok.gds.allocator;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PoisonTest {

  @Test
  void patternsAreDistinctAndNotZero() {
    assertEquals(3, Arrays.stream(Poison.values()).map(Poison::pattern).distinct().count());
    assertEquals(0, Arrays.stream(Poison.values()).filter(each -> each.pattern() == 0).count());
  }

  @Test
  void theFirstWrongByteIsFoundWhereverItIs() {
    MemoryBudget budget = MemoryBudget.root("test", 4096);
    try (Region region = Region.map(budget, RegionOptions.ofSize(4096))) {
      for (Poison poison : Poison.values()) {
        for (int start = 0; start < 9; start++) {
          for (int bytes = 0; bytes < 40; bytes++) {
            long address = region.address() + 64 + start;
            region.segment().fill((byte) 0);
            poison.fill(address, bytes);
            assertEquals(-1, poison.firstWrong(address, bytes));
            assertEquals(0, region.segment().get(JAVA_BYTE, 63 + start));
            assertEquals(bytes, poison.firstWrong(address, bytes + 1));
            for (int wrong = 0; wrong < bytes; wrong++) {
              poison.fill(address, bytes);
              region.segment().set(JAVA_BYTE, 64 + start + wrong, (byte) (poison.pattern() ^ 1));
              assertEquals(wrong, poison.firstWrong(address, bytes));
            }
          }
        }
      }
    }
  }

  @Test
  void largeMemoryIsFilledToItsEnd() {
    long bytes = (3L << 20) + 5;
    MemoryBudget budget = MemoryBudget.root("test", 4L << 20);
    try (Region region = Region.map(budget, RegionOptions.ofSize(4L << 20))) {
      Poison.FREED.fill(region.address(), bytes);
      assertEquals(bytes, Poison.FREED.firstWrong(region.address(), region.sizeBytes()));
    }
  }
}
