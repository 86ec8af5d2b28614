package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What is set aside, limits that change, and closing: all without waiting. */
class BudgetReservationTest {
  private final MemoryBudget root = MemoryBudget.root("store", 100);

  @Test
  void whatIsSetAsideIsNeverRefused() {
    MemoryBudget log = root.child("log", 80, 30);
    assertEquals(30, root.usedBytes(), "counted from the start");
    root.reserve(70);
    assertFalse(root.tryReserve(1));
    log.reserve(30);
    assertEquals(100, root.usedBytes());
    BudgetExceededException e = assertThrows(BudgetExceededException.class, () -> log.reserve(1));
    assertTrue(e.getMessage().contains("budget=store"), e.getMessage());
    log.release(30);
    root.release(70);
    assertEquals(30, root.usedBytes());
  }

  @Test
  void onlyWhatIsBeyondIsTakenFromTheParent() {
    MemoryBudget log = root.child("log", 80, 30);
    log.reserve(50);
    assertEquals(50, root.usedBytes());
    log.release(25);
    assertEquals(30, root.usedBytes());
    log.release(25);
    assertEquals(30, root.usedBytes());
    assertEquals(0, log.usedBytes());
    assertEquals(50, root.peakBytes());
  }

  @Test
  void grandchildIsServedFromWhatItsParentHasSetAside() {
    MemoryBudget pool = root.child("pool", 100, 40);
    MemoryBudget frames = pool.child("frames", 100, 10);
    MemoryBudget staging = pool.child("staging", 100);
    assertEquals(10, pool.usedBytes());
    root.reserve(60);
    staging.reserve(30);
    assertEquals(40, pool.usedBytes());
    assertFalse(staging.tryReserve(1), "the rest belongs to frames");
    frames.reserve(10);
    assertEquals(100, root.usedBytes());
  }

  @Test
  void moreThanThereIsCannotBeSetAside() {
    root.reserve(80);
    assertThrows(BudgetExceededException.class, () -> root.child("log", 80, 21));
    assertEquals(List.of(), root.children());
    assertEquals(80, root.usedBytes());
    assertThrows(IllegalArgumentException.class, () -> root.child("log", 10, 11));
    assertThrows(IllegalArgumentException.class, () -> root.child("log", 10, -1));
    assertThrows(IllegalArgumentException.class, () -> root.child("log", -1));
  }

  @Test
  void parentCannotReleaseWhatItsChildReserved() {
    MemoryBudget log = root.child("log", 80, 30);
    log.reserve(50);
    assertThrows(IllegalArgumentException.class, () -> root.release(1));
    assertEquals(50, root.usedBytes());
  }

  @Test
  void limitBelowTheUseStopsReservationsUntilTheUseIsUnderIt() {
    root.reserve(60);
    root.setLimitBytes(50);
    assertEquals(60, root.usedBytes());
    assertFalse(root.tryReserve(1));
    root.release(10);
    assertFalse(root.tryReserve(1));
    root.release(1);
    assertTrue(root.tryReserve(1));
    assertFalse(root.tryReserve(1));
    root.setLimitBytes(70);
    assertTrue(root.tryReserve(20));
    assertFalse(root.tryReserve(1));
  }

  @Test
  void limitIsNotLoweredBelowWhatIsSetAside() {
    MemoryBudget log = root.child("log", 80, 30);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> log.setLimitBytes(29));
    assertTrue(e.getMessage().endsWith("limitBytes=29"), e.getMessage());
    log.setLimitBytes(30);
    root.setLimitBytes(0);
    assertTrue(log.tryReserve(30), "set aside, whatever becomes of the parent's limit");
  }

  @Test
  void closedChildGivesBackWhatWasSetAside() {
    MemoryBudget log = root.child("log", 80, 30);
    log.reserve(10);
    IllegalStateException e = assertThrows(IllegalStateException.class, log::close);
    assertTrue(e.getMessage().contains("reservedBytes=10"), e.getMessage());
    log.release(10);
    log.close();
    log.close();
    assertEquals(0, root.usedBytes());
    assertEquals(List.of(), root.children());
    assertThrows(IllegalStateException.class, () -> log.tryReserve(1));
    assertThrows(IllegalStateException.class, () -> log.child("segments", 1));
    assertThrows(IllegalStateException.class, () -> log.whenAvailable(1, () -> {}));
    assertTrue(root.tryReserve(100));
  }

  @Test
  void budgetWithOpenChildrenStaysOpen() {
    MemoryBudget pool = root.child("pool", 80);
    MemoryBudget frames = pool.child("frames", 80);
    assertThrows(IllegalStateException.class, pool::close);
    frames.close();
    pool.close();
  }
}
