package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class BudgetCreditTest {
  private static final long LUMP = 100;

  private final MemoryBudget budget = MemoryBudget.root("store", 1000);

  @Test
  void memoryComesInLumps() {
    try (BudgetCredit credit = new BudgetCredit(budget, LUMP)) {
      assertTrue(credit.tryTake(1));
      assertEquals(100, budget.usedBytes());
      assertTrue(credit.tryTake(99));
      assertEquals(100, budget.usedBytes());
      assertTrue(credit.tryTake(250));
      assertEquals(400, budget.usedBytes());
      assertEquals(50, credit.leftBytes());
      assertEquals(350, credit.takenBytes());
      credit.giveBack(350);
    }
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void moreThanTwoLumpsLeftGoBackUpToOne() {
    try (BudgetCredit credit = new BudgetCredit(budget, LUMP)) {
      assertTrue(credit.tryTake(300));
      credit.giveBack(200);
      assertEquals(300, budget.usedBytes(), "two lumps are kept");
      credit.giveBack(1);
      assertEquals(199, budget.usedBytes(), "of more than two, one is kept");
      assertEquals(100, credit.leftBytes());
      credit.giveBack(99);
    }
  }

  @Test
  void lastBytesOfABudgetAreTakenWithoutALump() {
    try (BudgetCredit credit = new BudgetCredit(budget, LUMP)) {
      budget.reserve(950);
      assertTrue(credit.tryTake(30));
      assertTrue(credit.tryTake(20));
      assertFalse(credit.tryTake(1));
      assertEquals(50, credit.takenBytes());
      assertEquals(1000, budget.usedBytes());
      credit.giveBack(50);
      assertFalse(credit.tryTake(51));
      credit.trim();
      assertEquals(950, budget.usedBytes());
    }
  }

  @Test
  void ownersMistakesAreRefused() {
    BudgetCredit credit = new BudgetCredit(budget, LUMP);
    assertTrue(credit.tryTake(10));
    assertThrows(IllegalArgumentException.class, () -> credit.giveBack(11));
    assertThrows(IllegalArgumentException.class, () -> credit.giveBack(-1));
    assertThrows(IllegalArgumentException.class, () -> credit.tryTake(-1));
    assertThrows(IllegalStateException.class, credit::close);
    credit.giveBack(10);
    credit.close();
    credit.close();
    assertEquals(0, budget.usedBytes());
    assertThrows(IllegalArgumentException.class, () -> new BudgetCredit(budget, 0));
  }

  @Test
  void hugeRequestsDoNotOverflow() {
    MemoryBudget huge = MemoryBudget.root("huge", Long.MAX_VALUE);
    try (BudgetCredit credit = new BudgetCredit(huge, LUMP)) {
      assertTrue(credit.tryTake(Long.MAX_VALUE - 5));
      assertFalse(credit.tryTake(Long.MAX_VALUE));
      credit.giveBack(Long.MAX_VALUE - 5);
    }
    assertEquals(0, huge.usedBytes());
  }

  /** The error is exactly what is left, and what is left is at most two lumps per credit. */
  @Test
  void errorIsBoundedByTwoLumpsPerCreditAndTheBoundIsReached() throws Exception {
    long seed = 7;
    int threads = 4;
    int rounds = 300;
    MemoryBudget root = MemoryBudget.root("root", 6000);
    MemoryBudget pool = root.child("pool", 5000);
    BudgetCredit[] credits = new BudgetCredit[threads];
    AtomicReference<Throwable> failure = new AtomicReference<>();
    long[] largest = new long[1];
    CyclicBarrier barrier =
        new CyclicBarrier(
            threads,
            () -> {
              // All owners stand still: what the tree shows can be compared exactly.
              long taken = 0;
              long left = 0;
              for (BudgetCredit credit : credits) {
                taken += credit.takenBytes();
                left += credit.leftBytes();
              }
              assertEquals(taken + left, root.usedBytes());
              assertEquals(taken + left, pool.usedBytes());
              assertTrue(left <= 2 * LUMP * threads, "left=" + left);
              largest[0] = Math.max(largest[0], left);
            });
    List<Thread> running = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      BudgetCredit credit = new BudgetCredit(pool, LUMP);
      credits[i] = credit;
      Random random = new Random(seed + i);
      running.add(
          Thread.ofPlatform()
              .unstarted(
                  () -> {
                    try {
                      for (int round = 0; round < rounds; round++) {
                        churn(credit, random);
                        barrier.await(2, TimeUnit.MINUTES);
                        // Once in a while all leave as much as they may.
                        if (round % 10 == 0 && credit.tryTake(2 * LUMP - credit.leftBytes() + 1)) {
                          credit.giveBack(1);
                          credit.giveBack(
                              Math.min(credit.takenBytes(), 2 * LUMP - credit.leftBytes()));
                        }
                        barrier.await(2, TimeUnit.MINUTES);
                      }
                      credit.giveBack(credit.takenBytes());
                      credit.close();
                    } catch (Throwable e) {
                      failure.compareAndSet(null, e);
                      barrier.reset();
                    }
                  }));
    }
    running.forEach(Thread::start);
    for (Thread thread : running) {
      thread.join();
    }
    assertNull(failure.get(), () -> "seed=" + seed + " " + failure.get());
    assertEquals(2 * LUMP * threads, largest[0], "the bound is not a loose one");
    assertEquals(0, root.usedBytes());
  }

  private static void churn(BudgetCredit credit, Random random) {
    for (int i = 0; i < 50; i++) {
      long bytes = 1L + random.nextInt(400);
      if (random.nextBoolean()) {
        boolean taken = credit.tryTake(bytes);
        assertTrue(taken || credit.takenBytes() > 0 || credit.leftBytes() < bytes);
      } else {
        credit.giveBack(Math.min(bytes, credit.takenBytes()));
      }
      assertTrue(credit.leftBytes() >= 0 && credit.leftBytes() <= 2 * LUMP, credit.toString());
    }
  }

  @Test
  void whatACallbackTrimsWhileALumpIsTakenIsNotTakenTwice() {
    try (BudgetCredit credit = new BudgetCredit(budget, LUMP)) {
      assertTrue(credit.tryTake(10));
      try (BudgetWatermark _ = budget.watch(10, 150, credit::trim, () -> {})) {
        assertTrue(credit.tryTake(150));
        assertTrue(credit.leftBytes() >= 0, credit.toString());
        assertEquals(160 + credit.leftBytes(), budget.usedBytes());
      }
      credit.giveBack(160);
    }
    assertEquals(0, budget.usedBytes());
  }
}
