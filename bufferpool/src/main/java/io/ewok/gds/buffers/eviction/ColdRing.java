package io.ewok.gds.buffers.eviction;

import java.util.function.IntPredicate;

/**
 * Keeps what scans bring apart from what any other policy decides about: a small part of the cache,
 * oldest out first. Who was asked for by others while in there passes on to the policy.
 */
final class ColdRing implements EvictionPolicy {
  /** What each slot takes: its links, key and mark, and whether it is here. */
  static final int BYTES_PER_SLOT = 2 * Integer.BYTES + Long.BYTES + 2;

  /** Enough for what a scan reads ahead. */
  private static final int PART = 32;

  private final EvictionPolicy policy;
  private final ReferenceMarks marks;

  // Guarded by the cache's lock.
  private final long[] keys;
  private final SlotList links;
  private final SlotList.Ends ring = new SlotList.Ends();
  private final int ringMax;

  ColdRing(int slotCount, EvictionPolicy policy) {
    this.policy = policy;
    this.marks = new ReferenceMarks(slotCount, 1);
    this.keys = new long[slotCount];
    this.links = new SlotList(slotCount);
    this.ringMax = Math.max(1, slotCount / PART);
  }

  @Override
  public void admitted(int slot, long key, boolean cold) {
    if (cold) {
      keys[slot] = key;
      marks.set(slot, 0);
      links.addLast(ring, slot);
    } else {
      policy.admitted(slot, key, false);
    }
  }

  /** Both are told: which of them has the slot is known under the lock only. */
  @Override
  public void hit(int slot) {
    marks.count(slot);
    policy.hit(slot);
  }

  @Override
  public int victim(IntPredicate mayGo) {
    passOn();
    int victim = ring.size() > ringMax ? oldest(mayGo) : -1;
    if (victim < 0) {
      victim = policy.victim(mayGo);
    }
    return victim < 0 ? oldest(mayGo) : victim;
  }

  @Override
  public void removed(int slot, boolean evicted) {
    if (links.contains(slot)) {
      links.remove(ring, slot);
    } else {
      policy.removed(slot, evicted);
    }
  }

  private void passOn() {
    for (int left = ring.size(); left > ringMax && marks.get(ring.first()) > 0; left--) {
      int slot = ring.first();
      links.remove(ring, slot);
      policy.admitted(slot, keys[slot], false);
    }
  }

  private int oldest(IntPredicate mayGo) {
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
