package io.ewok.gds.buffers.eviction;

import java.util.Arrays;

/**
 * Doubly linked lists of slots, as many as wanted over the same slots: a slot is in one of them at
 * most. Confined to one thread, or guarded by a lock.
 */
final class SlotList {
  private static final int NONE = -1;
  private static final int NOWHERE = -2;

  /** NOWHERE for a slot that is in no list. */
  private final int[] next;

  private final int[] previous;

  SlotList(int slotCount) {
    this.next = new int[slotCount];
    this.previous = new int[slotCount];
    Arrays.fill(next, NOWHERE);
  }

  /** Where one of the lists starts and ends. */
  static final class Ends {
    private int first = NONE;
    private int last = NONE;
    private int size;

    /** The slot that was added before all others; -1 if there is none. */
    int first() {
      return first;
    }

    int size() {
      return size;
    }
  }

  /** Whether a slot is in a list. */
  boolean contains(int slot) {
    return next[slot] != NOWHERE;
  }

  void addLast(Ends list, int slot) {
    next[slot] = NONE;
    previous[slot] = list.last;
    if (list.last == NONE) {
      list.first = slot;
    } else {
      next[list.last] = slot;
    }
    list.last = slot;
    list.size++;
  }

  void remove(Ends list, int slot) {
    int before = previous[slot];
    int after = next[slot];
    if (before == NONE) {
      list.first = after;
    } else {
      next[before] = after;
    }
    if (after == NONE) {
      list.last = before;
    } else {
      previous[after] = before;
    }
    next[slot] = NOWHERE;
    list.size--;
  }
}
