package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FramePoolTest {
  private static final int FRAMES = 64;

  private final MemoryBudget budget = MemoryBudget.root("test", 64 << 20);
  private final Region region = Region.map(budget, RegionOptions.ofSize(FRAMES * 4096));
  private final FramePool pool = new FramePool(region, 4096);

  @AfterEach
  void close() {
    region.close();
  }

  @Test
  void framesAreDisjointUntilNoneIsLeft() {
    for (int i = 0; i < FRAMES; i++) {
      assertEquals(i * 4096L, pool.offset(pool.allocate()));
    }
    assertEquals(FramePool.NONE, pool.allocate());
    assertEquals(0, pool.freeCount());
  }

  @Test
  void secondFreeIsRefused() {
    long handle = pool.allocate();
    pool.free(handle);
    StaleHandleException e = assertThrows(StaleHandleException.class, () -> pool.free(handle));
    assertTrue(e.getMessage().contains("64 of 64 frames"), e.getMessage());
  }

  @Test
  void handleOfAnEarlierLifeIsRefused() {
    long earlier = pool.allocate();
    pool.free(earlier);
    long later = pool.allocate();
    assertEquals(0, pool.frame(later));
    assertNotEquals(earlier, later);
    assertThrows(StaleHandleException.class, () -> pool.segment(earlier));
    assertThrows(StaleHandleException.class, () -> pool.free(earlier));
    pool.free(later);
  }

  @Test
  void handleOfAnotherPoolIsRefused() {
    try (Region other = Region.map(budget, RegionOptions.ofSize(FRAMES * 4096))) {
      long foreign = new FramePool(other, 4096).allocate();
      pool.allocate();
      assertThrows(StaleHandleException.class, () -> pool.free(foreign));
    }
  }

  @Test
  void inventedHandlesAreRefused() {
    long handle = pool.allocate();
    for (int bit = 0; bit < 64; bit++) {
      long invented = handle ^ 1L << bit;
      assertThrows(StaleHandleException.class, () -> pool.free(invented), "bit=" + bit);
    }
    assertThrows(StaleHandleException.class, () -> pool.free(FramePool.NONE));
    assertEquals(FRAMES - 1, pool.freeCount());
  }

  @Test
  void runFillsTheHoleItFitsIn() {
    List<Long> handles = new ArrayList<>();
    for (int i = 0; i < FRAMES; i++) {
      handles.add(pool.allocate());
    }
    pool.free(handles.get(3));
    for (int i = 10; i < 14; i++) {
      pool.free(handles.get(i));
    }
    assertEquals(FramePool.NONE, pool.allocateRun(5, 0));
    long run = pool.allocateRun(4, 20);
    assertEquals(10, pool.frame(run));
    assertEquals(4 * 4096, pool.segment(run).byteSize());
    assertThrows(StaleHandleException.class, () -> pool.free(handles.get(11)), "inside the run");
    pool.free(run);
    assertEquals(5, pool.freeCount());
  }

  @Test
  void randomRunsAgreeWithAModel() {
    long seed = 11;
    Random random = new Random(seed);
    boolean[] used = new boolean[FRAMES];
    List<long[]> live = new ArrayList<>();
    for (int round = 0; round < 50_000; round++) {
      if (random.nextBoolean() || live.isEmpty()) {
        int frames = 1 + random.nextInt(6);
        boolean single = frames == 1 && random.nextBoolean();
        long handle = single ? pool.allocate() : pool.allocateRun(frames, random.nextInt(FRAMES));
        if (handle == FramePool.NONE) {
          assertEquals(-1, firstFreeRun(used, frames), "seed=" + seed + " round=" + round);
          continue;
        }
        int first = pool.frame(handle);
        for (int i = first; i < first + frames; i++) {
          assertTrue(!used[i], "seed=" + seed + " round=" + round + " frame=" + i);
          used[i] = true;
        }
        live.add(new long[] {handle, first, frames});
      } else {
        long[] run = live.remove(random.nextInt(live.size()));
        pool.free(run[0]);
        for (long i = run[1]; i < run[1] + run[2]; i++) {
          used[(int) i] = false;
        }
      }
    }
  }

  private static int firstFreeRun(boolean[] used, int frames) {
    int length = 0;
    for (int i = 0; i < used.length; i++) {
      length = used[i] ? 0 : length + 1;
      if (length == frames) {
        return i;
      }
    }
    return -1;
  }

  @Test
  void badArgumentsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new FramePool(region, 256));
    assertThrows(IllegalArgumentException.class, () -> new FramePool(region, 5000));
    assertThrows(IllegalArgumentException.class, () -> pool.allocateRun(0, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> pool.allocateRun(1, FRAMES));
  }
}
