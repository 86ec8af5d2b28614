package io.ewok.gds.allocator;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.leases.RegionLeases;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a pool of frames finds when letters are on. */
class FrameDebugTest {
  private static final int FRAMES = 8;
  private static final int FRAME_BYTES = 4096;
  private static final byte FREED = (byte) 0xdd;
  private static final byte ALLOCATED = (byte) 0xa5;

  @RegisterExtension final LeakCheck leaks = new LeakCheck();

  private final MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
  private final Region region =
      Region.map(budget, RegionOptions.ofSize((long) FRAMES * FRAME_BYTES));
  private FramePool pool;

  private FramePool pool(String letters) {
    pool = new FramePool(region, FRAME_BYTES, DebugLetters.parse(letters));
    return pool;
  }

  @AfterEach
  void close() {
    if (pool != null) {
      pool.close();
    }
    region.close();
  }

  private long allocateHere() {
    return pool.allocate();
  }

  private void freeHere(long handle) {
    pool.free(handle);
  }

  private void write(int frame, int offset, int value) {
    region.segment().set(JAVA_BYTE, (long) frame * FRAME_BYTES + offset, (byte) value);
  }

  private void freeAll(long[] handles) {
    pool.freeBatch(handles, 0, handles.length);
  }

  private long[] allocateAll() {
    long[] handles = new long[FRAMES];
    assertEquals(FRAMES, pool.allocateBatch(handles, 0, FRAMES));
    return handles;
  }

  // ---- P

  @Test
  void newAndFreedFramesHoldTheirPatterns() {
    pool("P");
    long handle = pool.allocate();
    MemorySegment memory = pool.segment(handle);
    assertEquals(ALLOCATED, memory.get(JAVA_BYTE, 0));
    assertEquals(ALLOCATED, memory.get(JAVA_BYTE, FRAME_BYTES - 1));
    pool.free(handle);
    assertEquals(FREED, memory.get(JAVA_BYTE, 0));
    assertEquals(FREED, memory.get(JAVA_BYTE, FRAME_BYTES - 1));
    handle = pool.allocate();
    assertEquals(ALLOCATED, memory.get(JAVA_BYTE, 0));
    pool.free(handle);
  }

  @Test
  void writeAfterFreeIsFoundWhenTheFrameIsAllocatedAgain() {
    pool("PT");
    long handle = allocateHere();
    freeHere(handle);
    write(0, 100, 7);
    MemoryCorruptionException e =
        assertThrows(MemoryCorruptionException.class, () -> pool.allocate());
    String message = e.getMessage();
    assertTrue(message.startsWith("a frame was written after it had been freed in pool "), message);
    assertTrue(message.contains("allocated at " + getClass().getName() + ".allocateHere"), message);
    assertTrue(message.contains("freed at " + getClass().getName() + ".freeHere"), message);
    assertTrue(
        message.endsWith(
            ": handle=0x%x frame=0 offset=100 expected=0xdd actual=0x07".formatted(handle)),
        message);
    assertEquals(FRAMES, pool.freeCount(), "the frame goes on in use");
    pool.free(pool.allocate());
  }

  @Test
  void writeAfterFreeIsFoundInAnyFrameOfARun() {
    pool("P");
    pool.free(pool.allocateRun(4, 0));
    write(2, 0, 0);
    write(3, 1, 1);
    MemoryCorruptionException e =
        assertThrows(MemoryCorruptionException.class, () -> pool.allocateRun(4, 0));
    assertTrue(e.getMessage().contains("frame=2 offset=0 expected=0xdd actual=0x00"));
    assertEquals(1, e.getSuppressed().length);
    assertTrue(e.getSuppressed()[0].getMessage().contains("frame=3 offset=1"));
    pool.free(pool.allocateRun(4, 0));
  }

  @Test
  void whatTheKernelWritesUntilItsOperationEndsIsNoMistake() {
    pool("PQ");
    long handle = pool.allocate();
    RegionLeases.take(region, 0, FRAME_BYTES);
    pool.free(handle);
    write(0, 5, 5);
    RegionLeases.giveBack(region, 0, FRAME_BYTES);
    freeAll(allocateAll());
    freeAll(allocateAll());
  }

  // ---- Q

  @Test
  void freedFrameIsNotAllocatedAgainWhileThereAreOthers() {
    pool("Q");
    long first = pool.allocate();
    pool.free(first);
    assertEquals(FRAMES, pool.freeCount());
    for (int i = 1; i < FRAMES; i++) {
      long handle = pool.allocate();
      assertEquals(i, pool.frame(handle));
      pool.free(handle);
    }
    long last = pool.allocate();
    assertNotEquals(FramePool.NONE, last, "when there is nothing else it is");
    pool.free(last);
    long run = pool.allocateRun(FRAMES, 0);
    assertNotEquals(FramePool.NONE, run);
    pool.free(run);
    assertEquals(FRAMES, pool.freeCount());
  }

  @Test
  void writeAfterFreeIsFoundWhenTheFrameLeavesQuarantine() {
    pool("PQ");
    int waiting = (int) (Quarantine.BYTES_MAX / FRAME_BYTES);
    MemoryBudget large = MemoryBudget.root("large", 16 << 20);
    try (Region many = Region.map(large, RegionOptions.ofSize(2L * waiting * FRAME_BYTES));
        FramePool frames = new FramePool(many, FRAME_BYTES, DebugLetters.parse("PQ"))) {
      long[] handles = new long[waiting + 1];
      assertEquals(waiting + 1, frames.allocateBatch(handles, 0, waiting + 1));
      frames.freeBatch(handles, 0, waiting);
      many.segment().set(JAVA_BYTE, 9, (byte) 9);
      assertEquals(2 * waiting - 1, frames.freeCount());
      MemoryCorruptionException e =
          assertThrows(MemoryCorruptionException.class, () -> frames.free(handles[waiting]));
      assertTrue(e.getMessage().contains("frame=0 offset=9"), e.getMessage());
      assertEquals(2 * waiting, frames.freeCount(), "what was to be freed is free");
    }
  }

  @Test
  void writeAfterFreeIsFoundByClose() {
    pool("PQ");
    pool.free(pool.allocate());
    write(0, 9, 9);
    assertThrows(MemoryCorruptionException.class, () -> pool.close());
    assertThrows(IllegalStateException.class, () -> pool.allocate());
  }

  // ---- T

  @Test
  void staleHandleIsToldWithItsSites() {
    pool("T");
    long handle = allocateHere();
    freeHere(handle);
    StaleHandleException e = assertThrows(StaleHandleException.class, () -> pool.free(handle));
    assertTrue(e.getMessage().contains(".allocateHere"), e.getMessage());
    assertTrue(e.getMessage().contains(".freeHere"), e.getMessage());
    assertTrue(e.getMessage().endsWith("handle=0x%x".formatted(handle)), e.getMessage());
  }

  @Test
  void closeReportsWhatIsAllocatedAndWhere() {
    pool("T");
    long run = pool.allocateRun(3, 0);
    long handle = allocateHere();
    assertEquals(2, pool.leaks().count());
    assertEquals(4L * FRAME_BYTES, pool.leaks().bytes());
    pool.free(run);
    pool.close();
    pool.close();
    List<String> told = leaks.take();
    assertEquals(1, told.size());
    assertTrue(told.get(0).startsWith("1 allocations of 4096 bytes not freed in pool "));
    assertTrue(told.get(0).contains(".allocateHere"), told.get(0));
    assertThrows(StaleHandleException.class, () -> pool.free(handle));
    assertThrows(IllegalStateException.class, () -> pool.allocate());
    assertThrows(IllegalStateException.class, () -> pool.allocateRun(1, 0));
  }

  @Test
  void closeReportsWithoutAnyLetterToo() {
    pool("");
    pool.allocate();
    pool.close();
    assertEquals(1, leaks.take().size());
  }

  // ---- F

  @Test
  void theNthAllocationFailsAndNoOther() {
    pool("F=3");
    long one = pool.allocate();
    long run = pool.allocateRun(2, 0);
    assertEquals(FramePool.NONE, pool.allocate());
    assertEquals(FRAMES - 3, pool.freeCount());
    long three = pool.allocate();
    assertNotEquals(FramePool.NONE, three);
    freeAll(new long[] {one, run, three});
  }

  @Test
  void aRunFailsAsWell() {
    pool("F=1");
    assertEquals(FramePool.NONE, pool.allocateRun(1, 0));
    pool.free(pool.allocateRun(1, 0));
  }
}
