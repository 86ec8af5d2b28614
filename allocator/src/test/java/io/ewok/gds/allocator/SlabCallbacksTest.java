package io.ewok.gds.allocator;

import static io.ewok.gds.allocator.SlabFixture.granted;
import static io.ewok.gds.allocator.SlabFixture.options;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Callbacks of a budget that use the allocator whose growth or trimming set them off. */
class SlabCallbacksTest {
  private static final long UNIT = Region.UNIT_BYTES;

  private final MemoryBudget budget = MemoryBudget.root("test", 64 * UNIT);

  @Test
  void twoNodesThatGrowMayBothBeToldToTrim() throws Exception {
    CountDownLatch firstGrows = new CountDownLatch(1);
    CyclicBarrier bothGrow = new CyclicBarrier(2);
    SlabOptions options = options().withTopology(SlabFixture.nodes(2));
    try (SlabAllocator allocator = new SlabAllocator(budget, options)) {
      FutureTask<Long> trimmedByFirst = new FutureTask<>(() -> trim(allocator, bothGrow));
      FutureTask<Long> trimmedBySecond = new FutureTask<>(() -> trim(allocator, bothGrow));
      Runnable first =
          () -> {
            firstGrows.countDown();
            trimmedByFirst.run();
          };
      try (BudgetWatermark _ = budget.watch(0, UNIT, first, () -> {});
          BudgetWatermark _ = budget.watch(UNIT, 2 * UNIT, trimmedBySecond, () -> {})) {
        FutureTask<Long> onFirst = allocateOn(allocator, 0);
        assertTrue(firstGrows.await(1, TimeUnit.MINUTES));
        FutureTask<Long> onSecond = allocateOn(allocator, 2);
        assertEquals(0, trimmedByFirst.get(1, TimeUnit.MINUTES));
        assertEquals(0, trimmedBySecond.get(1, TimeUnit.MINUTES));
        granted(onFirst.get());
        granted(onSecond.get());
      }
    }
  }

  private static long trim(SlabAllocator allocator, CyclicBarrier bothGrow) throws Exception {
    bothGrow.await(1, TimeUnit.MINUTES);
    return allocator.trim();
  }

  /** On a thread of its own, which a deadlock keeps. */
  private static FutureTask<Long> allocateOn(SlabAllocator allocator, int node) {
    FutureTask<Long> allocation = new FutureTask<>(() -> allocator.shard(node).allocate(100));
    Thread.ofPlatform().daemon().start(allocation);
    return allocation;
  }

  @Test
  void growingAllocatorServesWhoIsToldOfIt() {
    try (SlabAllocator allocator = new SlabAllocator(budget, options())) {
      List<Long> told = new ArrayList<>();
      Runnable allocate = () -> told.add(allocator.allocate(100));
      try (BudgetWatermark _ = budget.watch(0, UNIT, allocate, () -> {})) {
        long handle = granted(allocator.allocate(100));
        assertEquals(1, told.size());
        assertNotEquals(handle, granted(told.getFirst()));
        assertEquals(UNIT, budget.usedBytes());
        allocator.free(handle);
        allocator.free(told.getFirst());
      }
    }
  }

  @Test
  void trimmingAllocatorServesWhoIsToldOfItFromMemoryThatIsThere() {
    try (SlabAllocator allocator = new SlabAllocator(budget, options())) {
      List<Long> told = new ArrayList<>();
      Runnable allocate = () -> told.add(allocator.allocate(100));
      allocator.free(granted(allocator.allocate(100)));
      try (BudgetWatermark _ = budget.watch(0, UNIT, () -> {}, allocate)) {
        assertEquals(UNIT, allocator.trim());
      }
      assertEquals(1, told.size());
      assertEquals(UNIT, allocator.stats().committedBytes());
      assertEquals(UNIT, budget.usedBytes());
      allocator.segment(granted(told.getFirst())).set(JAVA_LONG, 0, 1);
      allocator.free(told.getFirst());
      assertEquals(UNIT, allocator.trim());
    }
  }

  @Test
  void shardIsNotConfusedBySomebodyToldOfItsGrowthWhoUsesIt() {
    try (SlabAllocator allocator = new SlabAllocator(budget, options());
        SlabShard shard = allocator.shard()) {
      Set<Long> live = new HashSet<>();
      Runnable use =
          () -> {
            for (int i = 0; i < 200; i++) {
              live.add(granted(shard.allocate(4096)));
            }
            for (int i = 0; i < 100; i++) {
              long handle = live.iterator().next();
              live.remove(handle);
              shard.free(handle);
            }
          };
      List<BudgetWatermark> watermarks = new ArrayList<>();
      for (int units = 1; units <= 8; units++) {
        watermarks.add(budget.watch((units - 1) * UNIT, units * UNIT, use, () -> {}));
      }
      int allocated = 0;
      while (budget.usedBytes() < 12 * UNIT) {
        assertTrue(live.add(granted(shard.allocate(4096))), "issued twice");
        allocated++;
      }
      assertEquals(allocated + 8 * 100, live.size());
      Set<Long> addresses = new HashSet<>();
      live.forEach(handle -> assertTrue(addresses.add(allocator.address(handle)), "in one place"));
      live.forEach(shard::free);
      watermarks.forEach(BudgetWatermark::close);
      shard.flush();
      long committed = budget.usedBytes();
      assertEquals(committed, allocator.trim(), "no cell is lost");
      assertEquals(0, budget.usedBytes());
    }
  }
}
