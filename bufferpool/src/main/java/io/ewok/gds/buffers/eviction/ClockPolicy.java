package io.ewok.gds.buffers.eviction;

import java.util.function.IntPredicate;

/** CLOCK: the hand passes slots by number. What may not go when it comes by keeps its mark. */
final class ClockPolicy implements EvictionPolicy {
  /** What each slot takes: whether it is resident. */
  static final int BYTES_PER_SLOT = 1;

  private final ReferenceMarks marks;

  // Guarded by the cache's lock.
  private final boolean[] resident;
  private int hand;

  ClockPolicy(ReferenceMarks marks) {
    this.marks = marks;
    this.resident = new boolean[marks.slotCount()];
  }

  @Override
  public void admitted(int slot, long key, Priority priority) {
    marks.set(slot, 0);
    resident[slot] = true;
  }

  @Override
  public int victim(IntPredicate mayGo) {
    // The first round takes the marks, the second finds what has none, unless it was asked for
    // meanwhile: then the last step takes what it finds.
    int last = -1;
    for (long step = 0; step < 2L * resident.length; step++) {
      int slot = hand;
      hand = slot + 1 == resident.length ? 0 : slot + 1;
      if (resident[slot] && mayGo.test(slot)) {
        if (marks.get(slot) == 0) {
          return slot;
        }
        marks.set(slot, 0);
        last = slot;
      }
    }
    return last;
  }

  @Override
  public void removed(int slot, boolean evicted) {
    resident[slot] = false;
  }
}
