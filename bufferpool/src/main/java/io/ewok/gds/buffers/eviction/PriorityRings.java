package io.ewok.gds.buffers.eviction;

import java.util.function.IntPredicate;

/**
 * Keeps what has a priority apart from what any other policy decides about, in two rings. What
 * leaves them without leaving the cache passes on to the policy.
 *
 * <p>The cold ring, of what scans bring, is a small part of the cache, oldest out first. Who was
 * asked for by others while in there passes on.
 *
 * <p>The kept ring, of high priority, has a hand that goes round once while the cache is replaced
 * several times, and passes on what was not asked for since it last came by.
 */
final class PriorityRings implements EvictionPolicy {
  /** What each slot takes: its links and key, and which ring it is in. */
  static final int BYTES_PER_SLOT = 2 * Integer.BYTES + Long.BYTES + 1;

  /** Enough for what a scan reads ahead. */
  private static final int COLD_PART = 32;

  private static final int KEPT_PART = 2;

  /** How many times the cache is replaced while the hand goes round. */
  private static final int KEPT_TURNS = 8;

  private final EvictionPolicy policy;
  private final ReferenceMarks marks;
  private final int slotCount;

  // Guarded by the cache's lock.
  private final long[] keys;
  private final boolean[] isKept;
  private final SlotList links;
  private final SlotList.Ends cold = new SlotList.Ends();
  private final SlotList.Ends kept = new SlotList.Ends();

  /** How far the hand should have gone since its last step, in parts of one. */
  private long behind;

  /** The marks are those of the policy, too: a slot is in one of the rings, or there. */
  PriorityRings(ReferenceMarks marks, EvictionPolicy policy) {
    this.policy = policy;
    this.marks = marks;
    this.slotCount = marks.slotCount();
    this.keys = new long[slotCount];
    this.isKept = new boolean[slotCount];
    this.links = new SlotList(slotCount);
  }

  @Override
  public void admitted(int slot, long key, Priority priority) {
    if (priority == Priority.NORMAL) {
      policy.admitted(slot, key, priority);
      return;
    }
    keys[slot] = key;
    marks.set(slot, 0);
    isKept[slot] = priority == Priority.HIGH;
    links.addLast(isKept[slot] ? kept : cold, slot);
    // Others may ask for everything again and again: then there are still too many afterwards.
    for (int left = 2 * kept.size(); left > 0 && kept.size() > slotCount / KEPT_PART; left--) {
      moveHand();
    }
  }

  @Override
  public int victim(IntPredicate mayGo) {
    int coldMax = Math.max(1, slotCount / COLD_PART);
    for (int left = cold.size(); left > coldMax && marks.get(cold.first()) > 0; left--) {
      passOn(cold);
    }
    int victim = cold.size() > coldMax ? oldest(cold, mayGo) : -1;
    if (victim < 0) {
      victim = policy.victim(mayGo);
    }
    if (victim < 0) {
      victim = oldest(cold, mayGo);
    }
    return victim < 0 ? oldest(kept, mayGo) : victim;
  }

  @Override
  public void removed(int slot, boolean evicted) {
    if (links.contains(slot)) {
      links.remove(isKept[slot] ? kept : cold, slot);
    } else {
      policy.removed(slot, evicted);
    }
    behind += evicted ? kept.size() : 0;
    if (behind >= (long) KEPT_TURNS * slotCount) {
      behind -= (long) KEPT_TURNS * slotCount;
      moveHand();
    }
  }

  private void moveHand() {
    int slot = kept.first();
    if (marks.get(slot) > 0) {
      marks.set(slot, 0);
      links.remove(kept, slot);
      links.addLast(kept, slot);
    } else {
      passOn(kept);
    }
  }

  private void passOn(SlotList.Ends ring) {
    int slot = ring.first();
    links.remove(ring, slot);
    policy.admitted(slot, keys[slot], Priority.NORMAL);
  }

  private int oldest(SlotList.Ends ring, IntPredicate mayGo) {
    for (int left = ring.size(); left > 0; left--) {
      int slot = ring.first();
      if (mayGo.test(slot)) {
        return slot;
      }
      links.remove(ring, slot);
      links.addLast(ring, slot);
    }
    return -1;
  }
}
