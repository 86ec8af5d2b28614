package io.ewok.gds.buffers.eviction;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class S3FifoPolicyTest {
  private static final int SLOTS = 20;

  private final ReferenceMarks marks = new ReferenceMarks(SLOTS);
  private final EvictionPolicy policy = new S3FifoPolicy(marks);

  @Test
  void whoWasAskedForTwiceIsProven() {
    admitAll();
    marks.count(0);
    marks.count(0);
    marks.count(1);
    assertEquals(1, evict());
    for (int slot = 2; slot < SLOTS; slot++) {
      assertEquals(slot, evictAndReplace(slot, 100 + slot));
    }
  }

  @Test
  void whoComesBackSoonIsProven() {
    admitAll();
    assertEquals(0, evictAndReplace(0, 100));
    assertEquals(1, evictAndReplace(1, 0)); // the key that has just left
    // The rest of the first comers go, then the new one that did not come back.
    for (int slot = 2; slot < SLOTS; slot++) {
      assertEquals(slot, evictAndReplace(slot, 100 + slot));
    }
    assertEquals(0, evict());
    assertEquals(2, evict());
  }

  @Test
  void whoCeasedToExistIsNotRemembered() {
    admitAll();
    policy.removed(0, false);
    policy.admitted(0, 0, Priority.NORMAL);
    for (int slot = 1; slot < SLOTS; slot++) {
      assertEquals(slot, evictAndReplace(slot, 100 + slot));
    }
    assertEquals(0, evict());
  }

  @Test
  void provenOnesGoWhenTheYoungAreFew() {
    admitAll();
    for (int slot = 0; slot < SLOTS; slot++) {
      marks.count(slot);
      marks.count(slot);
    }
    assertEquals(0, evict());
    // Two that have not had their turn yet are the tenth that may stay young.
    for (int slot = 1; slot < SLOTS - 2; slot++) {
      assertEquals(slot, evict(), "two of " + (SLOTS - slot) + " are young");
    }
  }

  private void admitAll() {
    for (int slot = 0; slot < SLOTS; slot++) {
      policy.admitted(slot, slot, Priority.NORMAL);
    }
  }

  private int evict() {
    int victim = policy.victim(_ -> true);
    policy.removed(victim, true);
    return victim;
  }

  private int evictAndReplace(int expected, long key) {
    int victim = evict();
    assertEquals(expected, victim);
    policy.admitted(victim, key, Priority.NORMAL);
    return victim;
  }
}
