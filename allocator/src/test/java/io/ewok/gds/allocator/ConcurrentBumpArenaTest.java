package io.ewok.gds.allocator;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.ewok.gds.ffm.unchecked.Memory;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConcurrentBumpArenaTest {
  private static final int BLOCK_BYTES = 4096;

  private final MemoryBudget budget = MemoryBudget.root("test", 1 << 30);

  private static <T> List<T> inThreads(int threads, IntFunction<Callable<T>> task)
      throws Exception {
    try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      List<Future<T>> futures = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        futures.add(executor.submit(task.apply(i)));
      }
      List<T> results = new ArrayList<>();
      for (Future<T> future : futures) {
        results.add(future.get());
      }
      return results;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 8})
  @WithoutLetters
  void usageStaysWithinATenthOfWhatIsRequestedByAllThreads(int threads) throws Exception {
    int rounds = 20;
    CyclicBarrier barrier = new CyclicBarrier(threads);
    ArenaChurn[] churns = new ArenaChurn[threads];
    try (ConcurrentBumpArena arena = new ConcurrentBumpArena(budget, BLOCK_BYTES)) {
      inThreads(
          threads,
          thread ->
              () -> {
                ArenaChurn churn =
                    new ArenaChurn(
                        (bytes, alignment) ->
                            alignment == 1
                                ? arena.allocate(bytes)
                                : arena.allocateAligned(bytes, alignment),
                        100 + thread);
                churns[thread] = churn;
                for (int round = 0; round < rounds; round++) {
                  for (int i = 0; i < ArenaChurn.ALLOCATIONS / rounds; i++) {
                    churn.step();
                    assertTrue(arena.memoryUsageBytes() >= churn.requestedBytes(), churn::toString);
                  }
                  barrier.await();
                  long requested =
                      Arrays.stream(churns).mapToLong(ArenaChurn::requestedBytes).sum();
                  long usage = arena.memoryUsageBytes();
                  barrier.await();
                  String where =
                      "usage=" + usage + " requested=" + requested + " " + Arrays.toString(churns);
                  assertTrue(usage >= requested, where);
                  assertTrue(round < 2 || usage <= requested * 1.10, where);
                }
                return null;
              });
      for (ArenaChurn churn : churns) {
        churn.verify();
      }
      assertEquals(budget.usedBytes(), arena.memoryUsageBytes());
    }
    assertEquals(0, budget.usedBytes());
  }

  /**
   * Two threads allocate in short bursts that begin together, since longer runs would be run one
   * after the other where cores are scarce. With sizes that fill blocks exactly, usage tells how
   * many were opened: one too many would show.
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @WithoutLetters
  void eachBlockIsOpenedOnceAndFilledToItsEnd(boolean aligned) throws Exception {
    int threads = 2;
    int each = 256;
    int bursts = 10_000;
    int burst = 8;
    AtomicInteger arrived = new AtomicInteger();
    try (ConcurrentBumpArena arena = new ConcurrentBumpArena(budget, BLOCK_BYTES)) {
      List<long[]> results =
          inThreads(
              threads,
              thread ->
                  () -> {
                    long[] addresses = new long[bursts * burst];
                    for (int i = 0; i < addresses.length; i++) {
                      if (i % burst == 0) {
                        arrived.incrementAndGet();
                        awaitAll(arrived, threads * (i / burst + 1));
                      }
                      addresses[i] =
                          aligned && i % 2 == 0
                              ? arena.allocateAligned(each, each)
                              : arena.allocate(each);
                    }
                    return addresses;
                  });
      long requested =
          results.stream().mapToLong(addresses -> (long) addresses.length * each).sum();
      requireDisjoint(results, each);
      assertEquals(requested, arena.memoryUsageBytes());
    }
  }

  @SuppressWarnings("ThreadPriorityCheck") // Lets the other thread come where cores are scarce.
  private static void awaitAll(AtomicInteger arrived, int count) {
    for (int spins = 0; arrived.get() < count; spins++) {
      if (spins < 1000) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }

  private static void requireDisjoint(List<long[]> addresses, long each) {
    long[] all = addresses.stream().flatMapToLong(Arrays::stream).sorted().toArray();
    for (int i = 1; i < all.length; i++) {
      assertTrue(all[i] - all[i - 1] >= each, "address=" + all[i]);
    }
  }

  /** All kinds of requests at once; what they return is inside the arena and overlaps nothing. */
  @Test
  void noTwoAllocationsOverlapAndNoneIsOutside() throws Exception {
    record Piece(long address, long bytes) {}
    int threads = 4;
    for (long trial = 0; trial < Effort.of(20); trial++) {
      long seed = 1000 * trial;
      try (ConcurrentBumpArena arena = new ConcurrentBumpArena(budget, BLOCK_BYTES)) {
        CyclicBarrier start = new CyclicBarrier(threads);
        List<List<Piece>> results =
            inThreads(
                threads,
                thread ->
                    () -> {
                      Random random = new Random(seed + thread);
                      List<Piece> pieces = new ArrayList<>();
                      start.await();
                      for (int i = 0; i < 3000; i++) {
                        long bytes = 1L + random.nextInt(random.nextInt(20) == 0 ? 6000 : 600);
                        long alignment = 1L << random.nextInt(13);
                        long address =
                            random.nextBoolean()
                                ? arena.allocate(bytes)
                                : arena.allocateAligned(bytes, alignment);
                        MemorySegment inside = arena.segment(address, bytes);
                        assertEquals(
                            -1, inside.mismatch(MemorySegment.ofArray(new byte[(int) bytes])));
                        inside.fill((byte) (thread + 1));
                        pieces.add(new Piece(address, bytes));
                      }
                      return pieces;
                    });
        List<Piece> all = new ArrayList<>();
        for (int thread = 0; thread < threads; thread++) {
          for (Piece piece : results.get(thread)) {
            assertEquals(thread + 1, Memory.getByte(piece.address), "seed=" + seed);
            all.add(piece);
          }
        }
        all.sort((a, b) -> Long.compare(a.address, b.address));
        for (int i = 1; i < all.size(); i++) {
          Piece before = all.get(i - 1);
          assertTrue(
              before.address + before.bytes <= all.get(i).address,
              "seed=" + seed + " " + before + " " + all.get(i));
        }
        long requested = all.stream().mapToLong(Piece::bytes).sum();
        assertTrue(arena.memoryUsageBytes() >= requested, "seed=" + seed);
      }
    }
  }

  @Test
  @WithoutLetters
  void requestOverAQuarterBlockDoesNotWasteTheCurrentOne() {
    try (ConcurrentBumpArena arena = new ConcurrentBumpArena(budget, BLOCK_BYTES)) {
      long first = arena.allocate(1000);
      assertEquals(first + 1000, arena.allocate(3000), "it fits");
      arena.allocate(BLOCK_BYTES / 4 + 1);
      arena.allocateAligned(BLOCK_BYTES / 4 + 1, 8);
      assertEquals(first + 4000, arena.allocate(96));
    }
  }

  @Test
  @WithoutLetters
  void refusedRequestLeavesTheArenaUsable() {
    MemoryBudget small = MemoryBudget.root("small", BLOCK_BYTES);
    try (ConcurrentBumpArena arena = new ConcurrentBumpArena(small, BLOCK_BYTES)) {
      long first = arena.allocate(8);
      assertThrows(BudgetExceededException.class, () -> arena.allocate(BLOCK_BYTES));
      assertEquals(first + 8, arena.allocateAligned(8));
      assertThrows(BudgetExceededException.class, () -> fill(arena));
      assertThrows(BudgetExceededException.class, () -> arena.allocate(8));
      assertEquals(BLOCK_BYTES, small.usedBytes());
    }
    assertEquals(0, small.usedBytes());
  }

  private static void fill(ConcurrentBumpArena arena) {
    for (int i = 0; i <= BLOCK_BYTES; i++) {
      arena.allocate(1);
    }
  }

  @Test
  @WithoutLetters
  void callbackOfTheBudgetMayAllocateFromTheArenaThatMadeItRun() {
    List<Long> told = new ArrayList<>();
    try (ConcurrentBumpArena arena = new ConcurrentBumpArena(budget, 4096)) {
      Runnable allocate = () -> told.add(arena.allocate(1000));
      try (BudgetWatermark mark = budget.watch(0, 4096, allocate, () -> {})) {
        long first = arena.allocate(1000);
        assertTrue(mark.isAbove());
        assertEquals(List.of(first + 1000), told);
        assertEquals(first + 2000, arena.allocate(1000));
      }
    }
  }

  @Test
  void callbacksOfTheBudgetMayUseEachOthersArenas() throws Exception {
    CyclicBarrier bothCalled = new CyclicBarrier(2);
    CountDownLatch firstCalled = new CountDownLatch(1);
    ConcurrentBumpArena first = new ConcurrentBumpArena(budget, BLOCK_BYTES);
    ConcurrentBumpArena second = new ConcurrentBumpArena(budget, BLOCK_BYTES);
    FutureTask<Long> inSecond = new FutureTask<>(() -> allocateWithOther(second, bothCalled));
    FutureTask<Long> inFirst = new FutureTask<>(() -> allocateWithOther(first, bothCalled));
    Runnable called =
        () -> {
          firstCalled.countDown();
          inSecond.run();
        };
    try (BudgetWatermark _ = budget.watch(0, BLOCK_BYTES, called, () -> {});
        BudgetWatermark _ = budget.watch(BLOCK_BYTES, 2 * BLOCK_BYTES, inFirst, () -> {})) {
      // On threads of their own, which a deadlock keeps, and then the arenas stay open.
      Thread one = Thread.ofPlatform().daemon().start(() -> first.allocate(1));
      assertTrue(firstCalled.await(1, TimeUnit.MINUTES));
      Thread other = Thread.ofPlatform().daemon().start(() -> second.allocate(1));
      inSecond.get(1, TimeUnit.MINUTES);
      inFirst.get(1, TimeUnit.MINUTES);
      one.join();
      other.join();
    }
    second.close();
    first.close();
  }

  private static long allocateWithOther(ConcurrentBumpArena arena, CyclicBarrier bothCalled)
      throws Exception {
    bothCalled.await(1, TimeUnit.MINUTES);
    return arena.allocate(1000);
  }

  @Test
  @WithoutLetters
  void allocationLeavesNothingOnTheHeap() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (ConcurrentBumpArena arena = new ConcurrentBumpArena(budget, 256 << 20)) {
      long sum = 0;
      long heapBytes = 0;
      for (int round = 0; round < 3; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 200_000; i++) {
          sum += arena.allocate(40) + arena.allocateAligned(40);
        }
        heapBytes = threads.getCurrentThreadAllocatedBytes() - before;
      }
      assertTrue(heapBytes < 1000, "heapBytes=" + heapBytes + " sum=" + sum);
    }
  }

  @Test
  void closedArenaRefusesAndItsSegmentsThrow() {
    ConcurrentBumpArena arena = new ConcurrentBumpArena(budget, BLOCK_BYTES);
    MemorySegment segment = arena.allocateSegment(8, 8);
    MemorySegment view = arena.segments().allocate(8, 8);
    assertEquals(0, arena.segments().allocate(0, 8).byteSize());
    assertEquals(8, arena.segment(segment.address(), 8).byteSize());
    arena.close();
    arena.close();
    assertThrows(IllegalStateException.class, () -> segment.get(JAVA_BYTE, 0));
    assertThrows(IllegalStateException.class, () -> view.get(JAVA_BYTE, 0));
    assertThrows(IllegalStateException.class, () -> arena.allocate(8));
    assertThrows(IllegalStateException.class, () -> arena.allocateAligned(8));
    assertThrows(IllegalArgumentException.class, () -> arena.segment(segment.address(), 8));
    assertEquals(0, arena.memoryUsageBytes());
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void toStringSaysHowMuchItHolds() {
    try (ConcurrentBumpArena arena = new ConcurrentBumpArena(budget, 4096)) {
      arena.allocate(1);
      assertEquals("concurrent bump arena (4096 bytes in blocks of 4096)", arena.toString());
    }
  }

  @Test
  void badArgumentsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new ConcurrentBumpArena(budget, 100));
    try (ConcurrentBumpArena arena = new ConcurrentBumpArena(budget, BLOCK_BYTES)) {
      for (long bytes : new long[] {0, -1, Long.MIN_VALUE, (1 << 30) + 1, Long.MAX_VALUE}) {
        assertThrows(IllegalArgumentException.class, () -> arena.allocate(bytes));
        assertThrows(IllegalArgumentException.class, () -> arena.allocateAligned(bytes));
      }
      for (long alignment : new long[] {0, 3, 8192, -8, Long.MIN_VALUE, Long.MAX_VALUE}) {
        assertThrows(IllegalArgumentException.class, () -> arena.allocateAligned(8, alignment));
      }
    }
  }
}
