package io.ewok.gds.buffers.eviction;

import java.util.function.IntPredicate;

/**
 * Resident slots in two queues: the <em>young</em>, who came once, and the <em>proven</em>, who
 * were asked for again. Both are passed like a clock's hand passes: nothing moves when it is asked
 * for, only when its turn to go has come.
 *
 * <p>Guarded by the cache's lock.
 */
final class TwoQueues {
  /** What each slot takes: its links and its queue. */
  static final int BYTES = 2 * Integer.BYTES + 1;

  private final ReferenceMarks marks;
  private final int marksMax;
  private final int marksOfProven;
  private final boolean[] isProven;
  private final SlotList links;
  private final SlotList.Ends young = new SlotList.Ends();
  private final SlotList.Ends proven = new SlotList.Ends();

  /**
   * Two empty queues.
   *
   * @param marksMax how many times of being asked for are told apart, at most three
   * @param marksOfProven how many of these make young ones proven
   */
  TwoQueues(ReferenceMarks marks, int marksMax, int marksOfProven) {
    int slotCount = marks.slotCount();
    this.marks = marks;
    this.marksMax = marksMax;
    this.marksOfProven = marksOfProven;
    this.isProven = new boolean[slotCount];
    this.links = new SlotList(slotCount);
  }

  int youngCount() {
    return young.size();
  }

  int provenCount() {
    return proven.size();
  }

  void add(int slot, boolean asProven) {
    marks.set(slot, 0);
    isProven[slot] = asProven;
    links.addLast(asProven ? proven : young, slot);
  }

  /** Removes a slot; returns whether it was proven. */
  boolean remove(int slot) {
    links.remove(isProven[slot] ? proven : young, slot);
    return isProven[slot];
  }

  /**
   * Names a slot that should go: the oldest young one that has not proved itself while there are
   * more than {@code youngMax}, else the oldest proven one without a mark. What may not go when its
   * turn has come goes to the end of its queue with its marks.
   *
   * @return -1 if none may go
   */
  int victim(IntPredicate mayGo, int youngMax) {
    int refused = 0; // in a row
    int residents = young.size() + proven.size();
    // Each round takes a mark of everybody who may go; only who is asked for meanwhile has one
    // after that, and has to go all the same.
    long stepsMax = (marksMax + 2L) * residents;
    for (long step = 0; refused < residents; step++) {
      boolean preferYoung = young.size() > youngMax;
      int preferred = preferYoung ? young.size() : proven.size();
      SlotList.Ends queue = preferYoung == refused < preferred ? young : proven;
      int slot = queue.first();
      if (!mayGo.test(slot)) {
        refused++;
        move(slot, queue, queue);
        continue;
      }
      refused = 0;
      int count = Math.min(marks.get(slot), marksMax);
      if (count < (queue == young ? marksOfProven : 1) || step >= stepsMax) {
        return slot;
      }
      marks.set(slot, queue == young ? 0 : count - 1);
      isProven[slot] = true;
      move(slot, queue, proven);
    }
    return -1;
  }

  private void move(int slot, SlotList.Ends from, SlotList.Ends to) {
    links.remove(from, slot);
    links.addLast(to, slot);
  }
}
