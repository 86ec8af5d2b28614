package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Budgets under real threads. The invariants of the tree are asserted inside, at each change. */
class BudgetStressTest {
  private static final long LONG_NANOS = TimeUnit.MINUTES.toNanos(2);
  private static final int THREADS = 4;

  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  private interface Body {
    void run(int thread) throws Exception;
  }

  private void inThreads(int count, Thread.Builder builder, Body body) throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int thread = i;
      threads.add(
          builder.start(
              () -> {
                try {
                  body.run(thread);
                } catch (Throwable e) {
                  failure.compareAndSet(null, e);
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertNull(failure.get(), () -> String.valueOf(failure.get()));
  }

  @Test
  void limitsHoldAndNothingIsLostUnderAnyMixOfCalls() throws Exception {
    long seed = 20_25;
    MemoryBudget root = MemoryBudget.root("root", 1000);
    MemoryBudget a = root.child("a", 700, 100);
    MemoryBudget b = root.child("b", 600);
    MemoryBudget a1 = a.child("a1", 300, 50);
    List<MemoryBudget> budgets = List.of(root, a, b, a1);
    AtomicInteger aboveMinusBelow = new AtomicInteger();
    BudgetWatermark watermark =
        root.watch(500, 800, aboveMinusBelow::incrementAndGet, aboveMinusBelow::decrementAndGet);
    AtomicBoolean done = new AtomicBoolean();
    Thread observer =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!done.get()) {
                    for (MemoryBudget budget : budgets) {
                      long used = budget.usedBytes();
                      if (used < 0 || used > budget.limitBytes()) {
                        failure.compareAndSet(null, new AssertionError(budget.toString()));
                      }
                    }
                  }
                });
    inThreads(
        THREADS,
        Thread.ofPlatform(),
        thread -> {
          Random random = new Random(seed + thread);
          for (int i = 0; i < 4_000; i++) {
            MemoryBudget budget = budgets.get(random.nextInt(budgets.size()));
            long bytes = 1L + random.nextInt(200);
            switch (random.nextInt(4)) {
              case 0 -> {
                if (budget.tryReserve(bytes)) {
                  LockSupport.parkNanos(1);
                  budget.release(bytes);
                }
              }
              case 1 -> {
                if (budget.tryReserve(bytes, random.nextInt(200_000))) {
                  budget.release(bytes);
                }
              }
              case 2 -> budget.whenAvailable(bytes, () -> budget.release(bytes));
              default -> {
                BudgetRequest request = budget.whenAvailable(bytes, () -> {});
                LockSupport.parkNanos(1);
                if (!request.cancel()) {
                  budget.release(bytes);
                }
              }
            }
          }
        });
    done.set(true);
    observer.join();
    String replay = "seed=" + seed;
    assertEquals(150, a.setAsideBytes() + a1.setAsideBytes());
    assertEquals(100, root.usedBytes(), replay);
    assertEquals(50, a.usedBytes(), replay);
    assertEquals(0, b.usedBytes(), replay);
    assertEquals(0, a1.usedBytes(), replay);
    for (MemoryBudget budget : budgets) {
      assertEquals(0, budget.waitingCount(), replay);
      assertTrue(budget.peakBytes() <= budget.limitBytes(), replay);
    }
    assertEquals(watermark.isAbove() ? 1 : 0, aboveMinusBelow.get(), replay);
  }

  @Test
  void wakeUpIsNotLostWhenAReleaseRacesWithTheStartOfAWait() throws Exception {
    int rounds = 10_000;
    MemoryBudget root = MemoryBudget.root("root", 10);
    CyclicBarrier barrier = new CyclicBarrier(2);
    root.reserve(10);
    inThreads(
        2,
        Thread.ofPlatform(),
        thread -> {
          for (int i = 0; i < rounds; i++) {
            barrier.await(2, TimeUnit.MINUTES);
            if (thread == 0) {
              root.release(10);
            } else {
              assertTrue(root.tryReserve(10, LONG_NANOS), "lost in round " + i);
            }
          }
        });
    assertEquals(10, root.usedBytes());
  }

  @Test
  void requestIsGrantedOrCanceledWhenBothRace() throws Exception {
    int rounds = 20_000;
    MemoryBudget root = MemoryBudget.root("root", 10);
    BudgetRequest[] request = new BudgetRequest[1];
    AtomicInteger calls = new AtomicInteger();
    AtomicInteger canceled = new AtomicInteger();
    CyclicBarrier barrier = new CyclicBarrier(2);
    root.reserve(10);
    inThreads(
        2,
        Thread.ofPlatform(),
        thread -> {
          for (int i = 0; i < rounds; i++) {
            if (thread == 0) {
              request[0] = root.whenAvailable(10, calls::incrementAndGet);
            }
            barrier.await(2, TimeUnit.MINUTES);
            if (thread == 0) {
              root.release(10);
            } else if (request[0].cancel()) {
              canceled.incrementAndGet();
            }
            barrier.await(2, TimeUnit.MINUTES);
            if (thread == 0) {
              assertEquals(request[0].isGranted() ? 10 : 0, root.usedBytes());
              if (!request[0].isGranted()) {
                root.reserve(10);
              }
            }
          }
        });
    assertEquals(rounds, calls.get() + canceled.get());
  }

  @Test
  void thousandsOfVirtualThreadsTakeTurns() throws Exception {
    int count = 10_000;
    MemoryBudget root = MemoryBudget.root("root", 8);
    AtomicInteger inside = new AtomicInteger();
    inThreads(
        count,
        Thread.ofVirtual(),
        thread -> {
          assertTrue(root.tryReserve(1 + thread % 4, LONG_NANOS));
          int now = inside.incrementAndGet();
          assertTrue(now <= 8, "now=" + now);
          LockSupport.parkNanos(1);
          inside.decrementAndGet();
          root.release(1 + thread % 4);
        });
    assertEquals(0, root.usedBytes());
    assertEquals(0, root.waitingCount());
  }
}
