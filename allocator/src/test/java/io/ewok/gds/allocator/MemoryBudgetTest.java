package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class MemoryBudgetTest {
  @Test
  void reservationCountsInEveryAncestor() {
    MemoryBudget root = MemoryBudget.root("store", 100);
    MemoryBudget child = root.child("pool", 80);
    child.reserve(30);
    assertEquals(30, root.usedBytes());
    assertEquals(30, child.usedBytes());
    child.release(10);
    assertEquals(20, root.usedBytes());
    assertEquals(30, root.peakBytes());
    assertEquals(List.of(child), root.children());
  }

  @Test
  void limitOfAnAncestorHoldsAndTheErrorNamesIt() {
    MemoryBudget root = MemoryBudget.root("store", 100);
    MemoryBudget pool = root.child("pool", 80);
    MemoryBudget log = root.child("log", 80);
    pool.reserve(60);
    BudgetExceededException e = assertThrows(BudgetExceededException.class, () -> log.reserve(50));
    assertTrue(e.getMessage().contains("budget=store"), e.getMessage());
    assertEquals(0, log.usedBytes(), "nothing stays reserved after a refusal");
    assertTrue(log.tryReserve(40));
    assertFalse(log.tryReserve(1));
  }

  @Test
  void releasingMoreThanReservedIsRefused() {
    MemoryBudget root = MemoryBudget.root("store", 100);
    root.reserve(5);
    assertThrows(IllegalArgumentException.class, () -> root.release(6));
    assertThrows(IllegalArgumentException.class, () -> root.release(-1));
    assertThrows(IllegalArgumentException.class, () -> root.reserve(-1));
    assertEquals(5, root.usedBytes());
  }

  @Test
  void hugeRequestDoesNotOverflow() {
    MemoryBudget root = MemoryBudget.root("store", Long.MAX_VALUE);
    root.reserve(Long.MAX_VALUE - 1);
    assertFalse(root.tryReserve(Long.MAX_VALUE));
    assertTrue(root.tryReserve(1));
  }

  @Test
  void concurrentReservationsNeverPassTheLimit() throws InterruptedException {
    MemoryBudget root = MemoryBudget.root("store", 10);
    MemoryBudget child = root.child("pool", 100);
    AtomicBoolean passed = new AtomicBoolean();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int round = 0; round < 20_000; round++) {
                      if (child.tryReserve(4)) {
                        if (root.usedBytes() > 10) {
                          passed.set(true);
                        }
                        child.release(4);
                      }
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertFalse(passed.get());
    assertEquals(0, root.usedBytes());
    assertTrue(root.peakBytes() <= 10, root.toString());
  }
}
