package io.ewok.gds.allocator;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.leases.RegionLeases;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicReference;
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
    while (pool.frame(later) != 0) {
      later = pool.allocate();
    }
    assertNotEquals(earlier, later);
    assertThrows(StaleHandleException.class, () -> pool.segment(earlier));
    assertThrows(StaleHandleException.class, () -> pool.free(earlier));
    pool.free(later);
  }

  @Test
  @WithoutLetters
  void noHandleOfAnyOtherPoolIsEverAccepted() {
    long[] mine = new long[FRAMES];
    for (int i = 0; i < 2500; i++) {
      try (Region other = Region.map(budget, RegionOptions.ofSize(4096))) {
        FramePool otherPool = new FramePool(other, 512);
        long foreign = otherPool.allocate();
        long frame = pool.allocate();
        assertEquals(pool.frame(frame), otherPool.frame(foreign));
        assertThrows(StaleHandleException.class, () -> pool.free(foreign));
        assertThrows(StaleHandleException.class, () -> otherPool.free(frame));
        pool.free(frame);
      }
    }
    assertEquals(FRAMES, pool.allocateBatch(mine, 0, FRAMES));
  }

  @Test
  void batchTakesWhatThereIs() {
    long[] handles = new long[FRAMES + 3];
    assertEquals(FRAMES - 1, pool.allocateBatch(handles, 2, FRAMES - 1));
    assertEquals(FramePool.NONE, handles[1]);
    assertEquals(1, pool.allocateBatch(handles, FRAMES + 1, 2));
    assertEquals(FramePool.NONE, handles[FRAMES + 2]);
    assertEquals(0, pool.freeCount());
    for (int i = 0; i < FRAMES; i++) {
      assertEquals(i, pool.frame(handles[2 + i]));
    }
    pool.freeBatch(handles, 2, FRAMES);
    assertEquals(FRAMES, pool.freeCount());
    assertThrows(
        IndexOutOfBoundsException.class, () -> pool.allocateBatch(handles, 2, handles.length - 1));
    assertThrows(IndexOutOfBoundsException.class, () -> pool.freeBatch(handles, -1, 1));
  }

  @Test
  void batchStopsAtTheFirstHandleThatIsNotLive() {
    long[] handles = new long[5];
    pool.allocateBatch(handles, 0, 4);
    handles[4] = handles[1];
    assertThrows(StaleHandleException.class, () -> pool.freeBatch(handles, 1, 4));
    assertEquals(FRAMES - 1, pool.freeCount());
    assertEquals(0, pool.frame(handles[0]));
  }

  @Test
  void frameUnderIoComesBackAfterItsLastOperation() {
    long handle = pool.allocate();
    long offset = pool.offset(handle);
    RegionLeases.take(region, offset, 4096);
    RegionLeases.take(region, offset + 512, 512);
    pool.free(handle);
    assertThrows(StaleHandleException.class, () -> pool.free(handle));
    assertEquals(1, pool.deferredCount());
    assertEquals(FRAMES - 1, pool.allocateBatch(new long[FRAMES], 0, FRAMES));
    RegionLeases.giveBack(region, offset, 4096);
    assertEquals(FramePool.NONE, pool.allocate());
    RegionLeases.giveBack(region, offset + 512, 512);
    assertEquals(0, pool.deferredCount());
    assertEquals(offset, pool.offset(pool.allocate()));
  }

  @Test
  void operationThatEndsBeforeTheFreeDefersNothing() {
    long handle = pool.allocate();
    RegionLeases.take(region, 0, 4096);
    RegionLeases.giveBack(region, 0, 4096);
    pool.free(handle);
    assertEquals(FRAMES, pool.freeCount());
  }

  @Test
  void operationConcernsNoNeighbour() {
    long[] handles = new long[3];
    pool.allocateBatch(handles, 0, 3);
    RegionLeases.take(region, 4096, 4096);
    pool.free(handles[0]);
    pool.free(handles[2]);
    assertEquals(FRAMES - 1, pool.freeCount());
    RegionLeases.giveBack(region, 4096, 4096);
    assertEquals(1, pool.frame(handles[1]));
  }

  @Test
  @WithoutLetters
  void ofARunOnlyTheFramesUnderIoAreDeferred() {
    long run = pool.allocateRun(8, 0);
    // The last byte of frame 1 to the first of frame 3.
    RegionLeases.take(region, 2 * 4096 - 1, 4096 + 2);
    pool.free(run);
    assertEquals(3, pool.deferredCount());
    assertEquals(FRAMES - 3, pool.freeCount());
    assertEquals(4, pool.frame(pool.allocateRun(4, 0)));
    RegionLeases.giveBack(region, 2 * 4096 - 1, 4096 + 2);
    assertEquals(0, pool.frame(pool.allocateRun(4, 0)));
    assertEquals(FRAMES - 8, pool.freeCount());
  }

  @Test
  void operationOnAFreedFrameKeepsItFromBeingAllocated() {
    long handle = pool.allocate();
    RegionLeases.take(region, 0, 1);
    pool.free(handle);
    RegionLeases.take(region, 0, 1);
    RegionLeases.giveBack(region, 0, 1);
    assertEquals(1, pool.deferredCount());
    RegionLeases.giveBack(region, 0, 1);
    // Back, but not yet collected by the owner.
    RegionLeases.take(region, 0, 1);
    assertEquals(1, pool.deferredCount());
    RegionLeases.giveBack(region, 0, 1);
    assertEquals(FRAMES, pool.freeCount());
  }

  @Test
  void emptyOperationAndOneBehindTheLastFrameConcernNoFrame() {
    try (Region odd = Region.map(budget, RegionOptions.ofSize(3 * 4096))) {
      FramePool frames = new FramePool(odd, 8192);
      long handle = frames.allocate();
      RegionLeases.take(odd, 0, 0);
      RegionLeases.take(odd, 8192, 4096);
      frames.free(handle);
      assertEquals(1, frames.freeCount());
      RegionLeases.giveBack(odd, 8192, 4096);
      RegionLeases.giveBack(odd, 0, 0);
    }
  }

  /**
   * The owner frees frames whose operations end on other threads. Each operation checks at its end
   * that the frame still has the pattern of the allocation for which it began.
   */
  @Test
  void framesAreNeverAllocatedUnderIo() throws Exception {
    int rounds = Effort.of(100_000);
    int ioThreads = 2;
    record Operation(long offset, long pattern) {}
    BlockingQueue<Operation> operations = new ArrayBlockingQueue<>(32);
    Operation end = new Operation(-1, 0);
    AtomicReference<String> overwritten = new AtomicReference<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < ioThreads; i++) {
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    MemorySegment memory = region.segment();
                    for (Operation next = take(operations);
                        !next.equals(end);
                        next = take(operations)) {
                      long found = memory.get(JAVA_LONG, next.offset);
                      RegionLeases.giveBack(region, next.offset, 512);
                      if (found != next.pattern) {
                        overwritten.set("found=" + found + " expected=" + next.pattern);
                      }
                    }
                  }));
    }
    for (int round = 0; round < rounds; round++) {
      long handle = pool.allocate();
      while (handle == FramePool.NONE) {
        Thread.onSpinWait();
        handle = pool.allocate();
      }
      pool.segment(handle).set(JAVA_LONG, 0, round);
      RegionLeases.take(region, pool.offset(handle), 512);
      operations.put(new Operation(pool.offset(handle), round));
      pool.free(handle);
    }
    for (int i = 0; i < ioThreads; i++) {
      operations.put(end);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertNull(overwritten.get());
    assertEquals(FRAMES, pool.freeCount());
    assertEquals(0, pool.deferredCount());
  }

  private static <T> T take(BlockingQueue<T> queue) {
    try {
      return queue.take();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void inventedHandlesAreRefused() {
    assertThrows(StaleHandleException.class, () -> pool.free(FramePool.NONE));
    assertThrows(StaleHandleException.class, () -> pool.frame(1));
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
  @WithoutLetters
  void randomRunsAgreeWithAModel() {
    long seed = 11;
    Random random = new Random(seed);
    // Several words of bits, the last of them not full.
    boolean[] used = new boolean[200];
    List<long[]> live = new ArrayList<>();
    try (Region small = Region.map(budget, RegionOptions.ofSize(used.length * 512L))) {
      FramePool frames = new FramePool(small, 512);
      for (int round = 0; round < 100_000; round++) {
        String where = "seed=" + seed + " round=" + round;
        // Fills up and empties in turns.
        if (random.nextInt(100) < (round % 2000 < 1000 ? 70 : 30)) {
          int length = random.nextInt(20) == 0 ? 1 + random.nextInt(130) : 1 + random.nextInt(6);
          boolean single = length == 1 && random.nextBoolean();
          int hint = single ? 0 : random.nextInt(used.length);
          long handle = single ? frames.allocate() : frames.allocateRun(length, hint);
          int expected = firstFreeRun(used, length, hint);
          expected = expected < 0 ? firstFreeRun(used, length, 0) : expected;
          assertEquals(expected, handle == FramePool.NONE ? -1 : frames.frame(handle), where);
          if (expected >= 0) {
            Arrays.fill(used, expected, expected + length, true);
            live.add(new long[] {handle, expected, length});
          }
        } else if (!live.isEmpty()) {
          long[] run = live.remove(random.nextInt(live.size()));
          frames.free(run[0]);
          Arrays.fill(used, (int) run[1], (int) (run[1] + run[2]), false);
        }
        int usedCount = live.stream().mapToInt(run -> (int) run[2]).sum();
        assertEquals(used.length - usedCount, frames.freeCount(), where);
      }
    }
  }

  private static int firstFreeRun(boolean[] used, int frames, int from) {
    int length = 0;
    for (int i = from; i < used.length; i++) {
      length = used[i] ? 0 : length + 1;
      if (length == frames) {
        return i - frames + 1;
      }
    }
    return -1;
  }

  @Test
  void regionThatIsNotAllMemoryIsRefused() {
    RegionOptions options = RegionOptions.ofSize(2 * 4096).withHugePages(HugePages.OFF);
    try (Region reserved = Region.reserve(budget, options)) {
      assertTrue(reserved.commit(0, 4096));
      Exception e = assertThrows(IllegalStateException.class, () -> new FramePool(reserved, 4096));
      assertTrue(e.getMessage().endsWith("committedBytes=4096 sizeBytes=8192"), e.getMessage());
      assertTrue(reserved.commit(4096, 4096));
      FramePool frames = new FramePool(reserved, 4096);
      assertEquals(2, frames.freeCount());
    }
  }

  @Test
  void poolWithoutFramesRefusesEveryAllocation() {
    try (Region small = Region.map(budget, RegionOptions.ofSize(4096));
        FramePool frames = new FramePool(small, 8192)) {
      assertEquals(0, frames.frameCount());
      assertEquals(FramePool.NONE, frames.allocateRun(1, 0));
      assertEquals(FramePool.NONE, frames.allocateRun(3, 0));
      assertEquals(FramePool.NONE, frames.allocate());
      assertEquals(0, frames.allocateBatch(new long[2], 0, 2));
      assertEquals(0, frames.freeCount());
      assertEquals(0, frames.deferredCount());
      assertThrows(StaleHandleException.class, () -> frames.free(1L << 21));
      assertThrows(IndexOutOfBoundsException.class, () -> frames.allocateRun(1, 1));
      RegionLeases.take(small, 0, 4096);
      RegionLeases.giveBack(small, 0, 4096);
    }
  }

  @Test
  void badArgumentsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new FramePool(region, 256));
    assertThrows(IllegalArgumentException.class, () -> new FramePool(region, 5000));
    assertThrows(IllegalArgumentException.class, () -> pool.allocateRun(0, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> pool.allocateRun(1, FRAMES));
    assertThrows(IllegalStateException.class, () -> new FramePool(region, 4096));
  }
}
