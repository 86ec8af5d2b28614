package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class CellHandleTest {

  @Test
  void partsComeBackOut() {
    long seed = 3;
    Random random = new Random(seed);
    for (int i = 0; i < 100_000; i++) {
      int generation = random.nextInt();
      int slab = 1 + random.nextInt(CellHandle.SLABS_MAX - 1);
      int cell = random.nextInt(CellHandle.CELLS_MAX);
      long handle = CellHandle.of(generation, slab, cell);
      assertEquals(generation, CellHandle.generation(handle), "seed=" + seed);
      assertEquals(slab, CellHandle.slab(handle), "seed=" + seed);
      assertEquals(cell, CellHandle.cell(handle), "seed=" + seed);
      assertNotEquals(CellHandle.NONE, handle, "seed=" + seed);
    }
  }

  @Test
  void nextHandleDiffersInItsGenerationOnly() {
    long handle = CellHandle.of(CellHandle.generation(-1, 77, 5), 77, 5);
    long next = CellHandle.next(handle);
    assertEquals(CellHandle.generation(0, 77, 5), CellHandle.generation(next));
    assertEquals((int) handle, (int) next);
  }

  @Test
  void generationsTellHowOftenACellWasFreed() {
    for (int frees : new int[] {0, 1, 2, 1000, Integer.MAX_VALUE, Integer.MIN_VALUE, -1}) {
      int generation = CellHandle.generation(frees, 1234, 99);
      assertEquals(frees, CellHandle.frees(generation, 1234, 99));
    }
    assertEquals(1, (int) ((long) CellHandle.STEP * CellHandle.STEP_INVERSE));
  }

  @Test
  void neighboursShareNoGenerationsEarlyOn() {
    int frees = 1_000_000;
    for (int bit = 0; bit < 32; bit++) {
      int low = 42 << 12 | 7;
      int other = low ^ 1 << bit;
      int generation = CellHandle.generation(0, other >>> 12, other & 4095);
      int apart = CellHandle.frees(generation, low >>> 12, low & 4095);
      assertTrue(Math.abs((long) apart) > frees, "bit=" + bit);
    }
  }
}
