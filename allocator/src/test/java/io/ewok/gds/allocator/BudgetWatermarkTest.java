package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class BudgetWatermarkTest {
  private final MemoryBudget root = MemoryBudget.root("store", 100);
  private final List<String> calls = new ArrayList<>();

  private BudgetWatermark watch(MemoryBudget budget, long lowBytes, long highBytes) {
    return budget.watch(lowBytes, highBytes, () -> calls.add("above"), () -> calls.add("below"));
  }

  @Test
  void crossingIsReportedOnceInEachDirection() {
    BudgetWatermark watermark = watch(root, 50, 80);
    root.reserve(79);
    assertEquals(List.of(), calls);
    root.reserve(1);
    assertEquals(List.of("above"), calls);
    assertTrue(watermark.isAbove());
    root.release(20);
    root.reserve(25);
    assertEquals(List.of("above"), calls, "in between nothing is called");
    root.release(35);
    assertEquals(List.of("above", "below"), calls);
    assertFalse(watermark.isAbove());
    root.reserve(30);
    assertEquals(List.of("above", "below", "above"), calls);
  }

  @Test
  void useByAChildCounts() {
    watch(root, 50, 80);
    MemoryBudget child = root.child("pool", 100, 80);
    assertEquals(List.of("above"), calls);
    child.close();
    assertEquals(List.of("above", "below"), calls);
  }

  @Test
  void useThatIsAboveAlreadyIsReportedAtOnce() {
    root.reserve(80);
    watch(root, 50, 80);
    assertEquals(List.of("above"), calls);
  }

  @Test
  void refusedReservationCrossesNothing() {
    watch(root, 50, 80);
    MemoryBudget small = root.child("pool", 90);
    root.reserve(20);
    assertFalse(small.tryReserve(85));
    assertEquals(List.of(), calls);
  }

  @Test
  void closedWatermarkIsSilent() {
    BudgetWatermark watermark = watch(root, 50, 80);
    watermark.close();
    watermark.close();
    root.reserve(90);
    assertEquals(List.of(), calls);
  }

  @Test
  void callbackRunsOnTheThreadThatCrossedAndUnderNoLock() throws Exception {
    List<Thread> threads = new ArrayList<>();
    root.watch(
        50,
        80,
        () -> {
          threads.add(Thread.currentThread());
          // Another thread gets through meanwhile: nothing is locked.
          FutureTask<Boolean> other = new FutureTask<>(() -> root.tryReserve(1));
          Thread.ofPlatform().start(other);
          try {
            assertTrue(other.get(60, TimeUnit.SECONDS));
          } catch (Exception e) {
            throw new AssertionError(e);
          }
          threads.add(Thread.currentThread());
        },
        () -> {});
    root.reserve(80);
    assertEquals(2, threads.size());
    assertSame(Thread.currentThread(), threads.getFirst());
    assertEquals(81, root.usedBytes());
  }

  @Test
  void throwingCallbackHarmsNobody() {
    root.watch(
        50,
        80,
        () -> {
          throw new AssertionError("thrown on purpose");
        },
        () -> {
          throw new IllegalStateException("thrown on purpose");
        });
    watch(root, 50, 80);
    root.reserve(80);
    root.release(80);
    assertEquals(List.of("above", "below"), calls);
    assertEquals(0, root.usedBytes());
  }

  @Test
  void callbackMayReserveReleaseAndWatch() {
    root.watch(
        10,
        80,
        () -> {
          calls.add("evict");
          root.release(75);
          root.watch(1, 2, () -> calls.add("inner"), () -> {});
        },
        () -> calls.add("evicted"));
    root.reserve(80);
    assertEquals(List.of("evict", "evicted", "inner"), calls);
    assertEquals(5, root.usedBytes());
  }

  @Test
  void badMarksAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> watch(root, 80, 80));
    assertThrows(IllegalArgumentException.class, () -> watch(root, -1, 80));
  }
}
