package io.ewok.gds.buffers.eviction;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ClockPolicyTest {
  private final ReferenceMarks marks = new ReferenceMarks(4);
  private final EvictionPolicy policy = new ClockPolicy(marks);

  @Test
  void oldestGoesFirst() {
    admitAll();
    assertEquals(0, policy.victim(slot -> true));
    assertEquals(1, policy.victim(slot -> true));
  }

  @Test
  void whatWasAskedForGetsOneMoreChance() {
    admitAll();
    marks.count(0);
    marks.count(1);
    assertEquals(2, policy.victim(slot -> true));
    assertEquals(3, policy.victim(slot -> true));
    assertEquals(0, policy.victim(slot -> true));
  }

  @Test
  void whatMayNotGoKeepsItsChance() {
    admitAll();
    marks.count(0);
    assertEquals(1, policy.victim(slot -> slot != 0));
    assertEquals(2, policy.victim(slot -> true));
    assertEquals(3, policy.victim(slot -> true));
    assertEquals(1, policy.victim(slot -> true));
  }

  @Test
  void chanceDoesNotPassToTheNextInTheSlot() {
    admitAll();
    marks.count(0);
    policy.removed(0, false);
    marks.count(0);
    policy.admitted(0, 9, Priority.NORMAL);
    assertEquals(0, policy.victim(slot -> true));
  }

  private void admitAll() {
    for (int slot = 0; slot < 4; slot++) {
      policy.admitted(slot, slot, Priority.NORMAL);
    }
  }
}
