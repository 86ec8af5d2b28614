package io.ewok.gds.allocator;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.ewok.gds.ffm.LinuxMemory;
import io.ewok.gds.ffm.unchecked.Memory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BumpArenaTest {
  private static final int BLOCK_BYTES = 64 << 10;

  private final MemoryBudget budget = MemoryBudget.root("test", 1 << 30);

  // ---- where memory comes from

  @Test
  void emptyArenaHoldsNothing() {
    try (BumpArena arena = new BumpArena(budget, BLOCK_BYTES)) {
      assertEquals(0, arena.memoryUsageBytes());
    }
  }

  @Test
  @WithoutLetters
  void unalignedAllocationsLieSideBySide() {
    try (BumpArena arena = new BumpArena(budget, BLOCK_BYTES)) {
      long first = arena.allocate(1);
      assertEquals(first + 1, arena.allocate(5));
      assertEquals(first + 8, arena.allocateAligned(1));
      assertEquals(first + 9, arena.allocateAligned(1, 1));
      assertEquals(first + 4096, arena.allocateAligned(1, 4096));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  @WithoutLetters
  void usageStaysWithinATenthOfWhatIsRequested(long seed) {
    try (BumpArena arena = new BumpArena(budget, 4096)) {
      ArenaChurn churn =
          new ArenaChurn(
              (bytes, alignment) ->
                  alignment == 1 ? arena.allocate(bytes) : arena.allocateAligned(bytes, alignment),
              seed);
      for (int i = 0; i < ArenaChurn.ALLOCATIONS; i++) {
        churn.step();
        long usage = arena.memoryUsageBytes();
        assertTrue(usage >= churn.requestedBytes(), () -> "usage=" + usage + " " + churn);
        if (i > ArenaChurn.ALLOCATIONS / 10) {
          assertTrue(usage <= churn.requestedBytes() * 1.10, () -> "usage=" + usage + " " + churn);
        }
      }
      churn.verify();
      assertEquals(budget.usedBytes(), arena.memoryUsageBytes());
    }
    assertEquals(0, budget.usedBytes());
  }

  @Test
  @WithoutLetters
  void requestOverAQuarterBlockDoesNotWasteTheCurrentOne() {
    try (BumpArena arena = new BumpArena(budget, BLOCK_BYTES)) {
      long first = arena.allocate(64);
      assertEquals(first + 64, arena.allocate(BLOCK_BYTES - 128), "it fits");
      arena.allocate(BLOCK_BYTES / 4 + 1);
      assertEquals(first + BLOCK_BYTES - 64, arena.allocate(64));
    }
  }

  @Test
  @WithoutLetters
  void requestOfAQuarterBlockOpensANewOne() {
    try (BumpArena arena = new BumpArena(budget, BLOCK_BYTES)) {
      arena.allocate(64);
      arena.allocate(BLOCK_BYTES - 128);
      long quarter = arena.allocate(BLOCK_BYTES / 4);
      assertEquals(quarter + BLOCK_BYTES / 4, arena.allocate(64));
    }
  }

  @Test
  void largeRequestsAreAlignedToo() {
    try (BumpArena arena = new BumpArena(budget, 4096)) {
      for (int i = 1; i < 200; i++) {
        long alignment = 1L << i % 13;
        assertEquals(0, arena.allocateAligned(2000 + i, alignment) % alignment);
        assertEquals(0, arena.allocateAligned(i, alignment) % alignment);
      }
    }
  }

  @Test
  @WithoutLetters
  void refusedRequestLeavesTheArenaUsable() {
    MemoryBudget small = MemoryBudget.root("small", BLOCK_BYTES);
    try (BumpArena arena = new BumpArena(small, BLOCK_BYTES)) {
      long first = arena.allocate(8);
      assertThrows(BudgetExceededException.class, () -> arena.allocate(BLOCK_BYTES));
      assertThrows(BudgetExceededException.class, () -> arena.allocate(64 << 20));
      assertEquals(first + 8, arena.allocate(8));
      assertEquals(BLOCK_BYTES, arena.memoryUsageBytes());
      assertEquals(BLOCK_BYTES, small.usedBytes());
    }
    assertEquals(0, small.usedBytes());
  }

  @Test
  void refusedRequestsLeaveNoAddressSpaceBehind() throws IOException {
    MemoryBudget small = MemoryBudget.root("small", 4096);
    try (BumpArena arena = new BumpArena(small, 4096)) {
      long before = mappedPages();
      for (int i = 0; i < 100; i++) {
        assertThrows(BudgetExceededException.class, () -> arena.allocate(1 << 30));
      }
      // Far less than the hundred GiB; the JVM maps something now and then.
      assertTrue(mappedPages() - before < (10L << 30) / 4096);
    }
  }

  private static long mappedPages() throws IOException {
    return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ", 2)[0]);
  }

  @Test
  @WithoutLetters
  void callbackOfTheBudgetCannotAllocateFromTheArenaThatMadeItRun() {
    List<RuntimeException> refused = new ArrayList<>();
    try (BumpArena arena = new BumpArena(budget, 4096)) {
      Runnable allocate =
          () -> refused.add(assertThrows(IllegalStateException.class, () -> arena.allocate(2000)));
      try (BudgetWatermark mark = budget.watch(0, 4096, allocate, () -> {})) {
        long first = arena.allocate(1000);
        assertTrue(mark.isAbove());
        assertEquals(1, refused.size());
        assertEquals(first + 1000, arena.allocate(2000));
      }
    }
  }

  @Test
  @WithoutLetters
  void allocationLeavesNothingOnTheHeap() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (BumpArena arena = new BumpArena(budget, 256 << 20)) {
      long sum = 0;
      long heapBytes = 0;
      for (int round = 0; round < 3; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 200_000; i++) {
          sum += arena.allocate(40) + arena.allocateAligned(40) + arena.allocateZeroed(40, 64);
        }
        heapBytes = threads.getCurrentThreadAllocatedBytes() - before;
      }
      assertTrue(heapBytes < 1000, "heapBytes=" + heapBytes + " sum=" + sum);
    }
  }

  // ---- in cells of another allocator

  @Test
  @WithoutLetters
  void arenaInCellsGivesThemBack() {
    SlabAllocator cells = new SlabAllocator(budget, SlabOptions.named("cells"));
    BumpArena arena = new BumpArena(cells, 4096);
    assertEquals(0, arena.memoryUsageBytes());
    long first = arena.allocate(100);
    assertEquals(first + 100, arena.allocate(100));
    arena.allocate(20_000);
    arena.allocateAligned(1000, 4096);
    assertEquals(4096 + 20_480 + 4096, arena.memoryUsageBytes());
    assertEquals(arena.memoryUsageBytes(), cells.stats().liveBytes());
    arena.reset();
    assertEquals(first, arena.allocate(100));
    MemorySegment segment = arena.segment(first, 100);
    assertThrows(IllegalArgumentException.class, () -> arena.allocate(65_537));
    arena.close();
    arena.close();
    assertEquals(0, cells.stats().liveBytes());
    assertThrows(IllegalStateException.class, () -> arena.allocate(8));
    assertThrows(IllegalArgumentException.class, () -> arena.segment(first, 100));
    cells.close();
    assertThrows(IllegalStateException.class, () -> segment.get(JAVA_BYTE, 0));
  }

  @Test
  void arenaInCellsIsRefusedMemoryByTheirBudget() {
    MemoryBudget none = MemoryBudget.root("none", 0);
    try (SlabAllocator cells = new SlabAllocator(none, SlabOptions.named("cells"));
        BumpArena arena = new BumpArena(cells, 4096)) {
      assertThrows(BudgetExceededException.class, () -> arena.allocate(8));
      assertEquals(0, arena.memoryUsageBytes());
    }
  }

  @Test
  void allocatorClosedBeforeTheArenaIsAnExceptionAndNoFault() {
    SlabAllocator cells = new SlabAllocator(budget, SlabOptions.named("cells"));
    BumpArena arena = new BumpArena(cells, 4096);
    arena.allocate(8);
    cells.close();
    assertThrows(IllegalStateException.class, () -> arena.allocateZeroed(8, 8));
    assertThrows(IllegalStateException.class, () -> arena.allocate(4096));
    assertThrows(StaleHandleException.class, arena::close);
  }

  // ---- what it contains

  @Test
  @WithoutLetters
  void memoryThatWasNeverAllocatedIsNotTouchedToZeroIt() throws IOException {
    int block = 64 << 20;
    try (BumpArena arena = new BumpArena(budget, block)) {
      long first = arena.allocateZeroed(64, 8);
      Memory.fill(first, 64, (byte) 1);
      arena.reset();
      assertEquals(first, arena.allocateZeroed(64, 8));
      assertEquals(0, Memory.getLong(first));
      long afterReset = arena.allocateZeroed(16 << 20, 8);
      BumpArena.Mark mark = arena.mark();
      Memory.fill(arena.allocate(64), 64, (byte) 1);
      arena.rewind(mark);
      long afterRewind = arena.allocateZeroed(16 << 20, 8);
      assertEquals(0, Memory.getLong(afterRewind));
      long own = arena.allocateZeroed(block, 8);
      assertEquals(0, pagesPresent(afterReset + (1 << 20), 14 << 20));
      assertEquals(0, pagesPresent(afterRewind + (1 << 20), 14 << 20));
      assertEquals(0, pagesPresent(own, block));
      Memory.putByte(own, (byte) 1);
      assertEquals(1, pagesPresent(own, block));
    }
  }

  private static int pagesPresent(long address, int bytes) throws IOException {
    long[] pages = new long[bytes / 4096];
    for (int i = 0; i < pages.length; i++) {
      pages[i] = address + i * 4096L;
    }
    int present = 0;
    for (int node : LinuxMemory.movePagesQuery(pages)) {
      present += node >= 0 ? 1 : 0;
    }
    return present;
  }

  /**
   * Allocates in all ways, resets and rewinds. Nothing that is live is overwritten; what is to be
   * zero is.
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void liveAllocationsKeepTheirContentWhateverComesAndGoes(boolean inCells) {
    MemoryBudget forCells = MemoryBudget.root("cells", 1 << 30);
    SlabAllocator cells = new SlabAllocator(forCells, SlabOptions.named("cells"));
    int bytesMax = inCells ? SlabAllocator.BYTES_MAX : 200_000;
    for (long seed = 1; seed <= Effort.of(20); seed++) {
      Random random = new Random(seed);
      try (BumpArena arena = inCells ? new BumpArena(cells, 4096) : new BumpArena(budget, 4096)) {
        record Allocation(long address, long bytes, byte pattern) {
          void verify(String where) {
            for (long at = 0; at < bytes; at++) {
              assertEquals(pattern, Memory.getByte(address + at), where);
            }
          }
        }
        record Marked(BumpArena.Mark mark, int live) {}
        List<Allocation> live = new ArrayList<>();
        List<Marked> marks = new ArrayList<>();
        for (int round = 0; round < 5000; round++) {
          String where = "seed=" + seed + " round=" + round;
          int kept = live.size();
          switch (random.nextInt(100)) {
            case 0 -> {
              kept = 0;
              live.forEach(gone -> gone.verify(where));
              arena.reset();
              marks.clear();
            }
            case 1, 2, 3 -> marks.add(new Marked(arena.mark(), live.size()));
            case 4, 5, 6 -> {
              if (!marks.isEmpty()) {
                Marked to = marks.get(random.nextInt(marks.size()));
                kept = to.live;
                live.subList(kept, live.size()).forEach(gone -> gone.verify(where));
                arena.rewind(to.mark);
                marks.removeIf(marked -> marked.live > to.live);
              }
            }
            default -> {
              long bytes = 1L + random.nextInt(random.nextInt(30) == 0 ? bytesMax : 300);
              long alignment = 1L << random.nextInt(13);
              byte pattern = (byte) (round | 1);
              long address =
                  switch (random.nextInt(3)) {
                    case 0 -> arena.allocate(bytes);
                    case 1 -> arena.allocateAligned(bytes, alignment);
                    default -> {
                      long zeroed = arena.allocateZeroed(bytes, alignment);
                      new Allocation(zeroed, bytes, (byte) 0).verify(where);
                      yield zeroed;
                    }
                  };
              Memory.fill(address, bytes, pattern);
              live.add(new Allocation(address, bytes, pattern));
              kept++;
            }
          }
          live.subList(kept, live.size()).clear();
          assertTrue(inCells || budget.usedBytes() == arena.memoryUsageBytes(), where);
        }
        for (Allocation allocation : live) {
          allocation.verify("seed=" + seed);
        }
      }
    }
    assertEquals(0, budget.usedBytes());
    assertEquals(0, cells.stats().liveBytes());
    cells.close();
    assertEquals(0, forCells.usedBytes());
  }

  // ---- reset and rewind

  @Test
  void resetArenaServesTheSameAgainWithoutMoreMemory() {
    try (BumpArena arena = new BumpArena(budget, 4096)) {
      List<Long> addresses = new ArrayList<>();
      long usage = 0;
      for (int life = 0; life < 3; life++) {
        Random random = new Random(5);
        for (int i = 0; i < 20_000; i++) {
          long bytes = 1L + random.nextInt(random.nextInt(100) == 0 ? 20_000 : 200);
          long address = arena.allocate(bytes);
          if (life == 0) {
            addresses.add(address);
          } else {
            assertEquals(addresses.get(i), address, "life=" + life + " i=" + i);
          }
        }
        usage = life == 0 ? arena.memoryUsageBytes() : usage;
        assertEquals(usage, arena.memoryUsageBytes());
        arena.reset();
        assertEquals(usage, arena.memoryUsageBytes());
      }
    }
  }

  @Test
  void rewoundArenaGoesOnAtTheMark() {
    try (BumpArena arena = new BumpArena(budget, 4096)) {
      BumpArena.Mark empty = arena.mark();
      long first = arena.allocate(100);
      BumpArena.Mark inside = arena.mark();
      long second = arena.allocate(100);
      arena.allocate(4096);
      arena.allocate(1 << 20);
      for (int i = 0; i < 1000; i++) {
        arena.allocate(1000);
      }
      arena.rewind(inside);
      assertEquals(second, arena.allocate(100));
      arena.rewind(inside);
      assertEquals(second, arena.allocate(100));
      arena.rewind(empty);
      assertEquals(first, arena.allocate(100));
    }
  }

  @Test
  void staleMarkIsRefused() {
    try (BumpArena arena = new BumpArena(budget, 4096);
        BumpArena other = new BumpArena(budget, 4096)) {
      arena.allocate(8);
      BumpArena.Mark outer = arena.mark();
      long next = arena.allocate(8);
      BumpArena.Mark inner = arena.mark();
      arena.allocate(8);
      arena.rewind(outer);
      assertThrows(IllegalStateException.class, () -> arena.rewind(inner));
      assertThrows(IllegalStateException.class, () -> other.rewind(outer));
      assertThrows(IllegalStateException.class, () -> arena.rewind(other.mark()));
      assertEquals(next, arena.allocate(8), "refusal changes nothing");
      arena.rewind(outer);
      arena.reset();
      assertThrows(IllegalStateException.class, () -> arena.rewind(outer));
    }
  }

  @Test
  void marksAtOnePlaceAreOne() {
    try (BumpArena arena = new BumpArena(budget, 4096)) {
      assertSame(arena.mark(), arena.mark());
      BumpArena.Mark before = arena.mark();
      arena.allocate(8);
      BumpArena.Mark mark = arena.mark();
      arena.allocate(1 << 20);
      arena.rewind(mark);
      assertSame(mark, arena.mark());
      arena.rewind(before);
      assertSame(before, arena.mark());
    }
  }

  // ---- segments

  @Test
  void closedArenaRefusesAndItsSegmentsThrow() {
    BumpArena arena = new BumpArena(budget, BLOCK_BYTES);
    BumpArena.Mark mark = arena.mark();
    MemorySegment segment = arena.allocateSegment(8, 8);
    MemorySegment view = arena.segments().allocate(8, 8);
    arena.close();
    arena.close();
    assertThrows(IllegalStateException.class, () -> segment.get(JAVA_BYTE, 0));
    assertThrows(IllegalStateException.class, () -> view.get(JAVA_BYTE, 0));
    assertThrows(IllegalStateException.class, () -> arena.allocate(8));
    assertThrows(IllegalStateException.class, () -> arena.allocateAligned(8));
    assertThrows(IllegalStateException.class, () -> arena.segments().allocate(8));
    assertThrows(IllegalStateException.class, arena::reset);
    assertThrows(IllegalStateException.class, arena::mark);
    assertThrows(IllegalStateException.class, () -> arena.rewind(mark));
    assertEquals(0, arena.memoryUsageBytes());
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void anAddressBecomesASegmentWithTheLifetimeOfTheArena() {
    BumpArena arena = new BumpArena(budget, BLOCK_BYTES);
    MemorySegment first = arena.allocateSegment(64, 8);
    MemorySegment large = arena.allocateSegment(3 * BLOCK_BYTES, 8);
    MemorySegment far = arena.allocateSegment(4 << 20, 8);
    first.fill((byte) 1);
    large.fill((byte) 2);
    far.fill((byte) 3);
    MemorySegment inside = arena.segment(large.address() + BLOCK_BYTES, 10);
    assertEquals(2, inside.get(JAVA_BYTE, 9));
    assertEquals(3, arena.segment(far.address() + 9, 1).get(JAVA_BYTE, 0));
    assertEquals(1, arena.segment(first.address() + 63, 1).get(JAVA_BYTE, 0));
    assertEquals(0, arena.segment(first.address() + 64, 0).byteSize());
    assertThrows(
        IllegalArgumentException.class, () -> arena.segment(large.address(), 4 * BLOCK_BYTES));
    assertThrows(IllegalArgumentException.class, () -> arena.segment(first.address(), -1));
    assertThrows(
        IllegalArgumentException.class, () -> arena.segment(first.address(), Long.MAX_VALUE));
    assertThrows(IllegalArgumentException.class, () -> arena.segment(1, 1));
    assertThrows(IllegalArgumentException.class, () -> arena.segment(Long.MIN_VALUE, 1));
    arena.close();
    assertThrows(IllegalStateException.class, () -> inside.get(JAVA_BYTE, 0));
    assertThrows(IllegalArgumentException.class, () -> arena.segment(first.address(), 1));
  }

  @Test
  void segmentsServesWhoeverTakesASegmentAllocator() {
    try (BumpArena arena = new BumpArena(budget, BLOCK_BYTES)) {
      SegmentAllocator segments = arena.segments();
      MemorySegment text = segments.allocateFrom("grüße");
      MemorySegment longs = segments.allocateFrom(java.lang.foreign.ValueLayout.JAVA_LONG, 1, 2, 3);
      MemorySegment empty = segments.allocate(0, 16);
      assertEquals("grüße", text.getString(0));
      assertEquals(3, longs.getAtIndex(java.lang.foreign.ValueLayout.JAVA_LONG, 2));
      assertEquals(0, longs.address() % 8);
      assertEquals(0, empty.byteSize());
      assertEquals(0, empty.address() % 16);
      assertThrows(IllegalArgumentException.class, () -> segments.allocate(-1));
      assertThrows(IllegalArgumentException.class, () -> segments.allocate(8, 3));
    }
  }

  @Test
  void toStringSaysHowMuchItHolds() {
    try (BumpArena arena = new BumpArena(budget, 4096)) {
      arena.allocate(1);
      assertEquals("bump arena (4096 bytes in blocks of 4096)", arena.toString());
    }
  }

  @Test
  void badArgumentsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new BumpArena(budget, 100));
    assertThrows(IllegalArgumentException.class, () -> new BumpArena(budget, (1 << 30) + 1));
    try (SlabAllocator cells = new SlabAllocator(budget, SlabOptions.named("cells"))) {
      for (int block : new int[] {0, 2048, 5000, 128 << 10, Integer.MIN_VALUE}) {
        assertThrows(IllegalArgumentException.class, () -> new BumpArena(cells, block));
      }
    }
    try (BumpArena arena = new BumpArena(budget, BLOCK_BYTES)) {
      for (int round = 0; round < 2; round++) {
        for (long bytes : new long[] {0, -1, Long.MIN_VALUE, (1 << 30) + 1, Long.MAX_VALUE}) {
          assertThrows(IllegalArgumentException.class, () -> arena.allocate(bytes));
          assertThrows(IllegalArgumentException.class, () -> arena.allocateAligned(bytes));
          assertThrows(IllegalArgumentException.class, () -> arena.allocateZeroed(bytes, 4096));
          assertThrows(IllegalArgumentException.class, () -> arena.allocateSegment(bytes, 1));
        }
        for (long alignment : new long[] {0, 3, 8192, -8, Long.MIN_VALUE, Long.MAX_VALUE}) {
          assertThrows(IllegalArgumentException.class, () -> arena.allocateAligned(8, alignment));
          assertThrows(IllegalArgumentException.class, () -> arena.allocateZeroed(8, alignment));
        }
        arena.allocate(8);
      }
    }
  }

  @Test
  void callbackOfTheBudgetCannotCloseTheArenaThatMadeItRun() {
    List<RuntimeException> refused = new ArrayList<>();
    try (BumpArena arena = new BumpArena(budget, 4096);
        ConcurrentBumpArena shared = new ConcurrentBumpArena(budget, 4096)) {
      for (AutoCloseable closed : List.of(arena, shared)) {
        Runnable close =
            () -> refused.add(assertThrows(IllegalStateException.class, closed::close));
        long used = budget.usedBytes();
        try (BudgetWatermark _ = budget.watch(used, used + 1, close, () -> {})) {
          long address = closed == arena ? arena.allocate(10) : shared.allocate(10);
          MemorySegment memory =
              closed == arena ? arena.segment(address, 10) : shared.segment(address, 10);
          memory.fill((byte) 1);
        }
      }
      assertEquals(2, refused.size());
    }
    assertEquals(0, budget.usedBytes());
  }
}
