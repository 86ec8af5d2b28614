package io.ewok.gds.allocator;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
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
    for (Poison poison : Poison.values()) {
      for (int bytes = 0; bytes < 100; bytes++) {
        MemorySegment memory = MemorySegment.ofArray(new byte[bytes + 1]);
        MemorySegment filled = memory.asSlice(0, bytes);
        poison.fill(filled);
        assertEquals(-1, poison.firstWrong(filled));
        assertEquals(bytes, poison.firstWrong(memory));
        for (int wrong = 0; wrong < bytes; wrong++) {
          poison.fill(filled);
          memory.set(JAVA_BYTE, wrong, (byte) (poison.pattern() ^ 1));
          assertEquals(wrong, poison.firstWrong(memory));
        }
      }
    }
  }

  @Test
  void largeMemoryIsFilledToItsEnd() {
    int bytes = (3 << 20) + 5;
    MemorySegment memory = MemorySegment.ofArray(new byte[bytes + 1]);
    Poison.FREED.fill(memory.asSlice(0, bytes));
    assertEquals(bytes, Poison.FREED.firstWrong(memory));
  }
}
