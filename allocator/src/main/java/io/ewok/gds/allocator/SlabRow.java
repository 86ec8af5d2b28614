package io.ewok.gds.allocator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.Consumer;

/**
 * Places for 64 slabs of a {@link Bin}, and which of them may have cells.
 *
 * <p>Threads: any; {@link #add} and {@link #remove} under the growth lock of the heap.
 */
final class SlabRow {
  static final int PLACES = Long.SIZE;

  private static final VarHandle MARKS;

  static {
    try {
      MARKS = MethodHandles.lookup().findVarHandle(SlabRow.class, "marks", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** Setting a mark in {@link #add} releases the entry; seeing or clearing the mark acquires it. */
  private final Slab[] slabs = new Slab[PLACES];

  /**
   * Bit set: the slab in this place may have cells. Whoever puts a cell and then finds no mark sets
   * it; whoever finds no cell clears the mark and then looks again. All of it is volatile, so one
   * of the two sees the other.
   */
  private volatile long marks;

  /** There are cells in this place. */
  void mark(int place) {
    if ((marks & 1L << place) == 0) {
      setMark(place);
    }
  }

  private void setMark(int place) {
    MARKS.getAndBitwiseOr(this, 1L << place);
  }

  /**
   * Moves cells into the magazine until it is full or there are none; returns whether it is full.
   */
  boolean take(long[] magazine) {
    for (long left = marks; left != 0; left &= left - 1) {
      int place = Long.numberOfTrailingZeros(left);
      Slab slab = slabs[place];
      if (slab != null) {
        slab.take(magazine);
        if (Magazine.isFull(magazine)) {
          return true;
        }
      }
      clearMark(place);
    }
    return false;
  }

  private void clearMark(int place) {
    MARKS.getAndBitwiseAnd(this, ~(1L << place));
    // Not necessarily the slab that was empty: that one may have gone, and another come.
    Slab slab = slabs[place];
    if (slab != null && slab.hasCells()) {
      setMark(place);
    }
  }

  /** Returns a place without a slab, or -1. */
  int vacant() {
    for (int place = 0; place < PLACES; place++) {
      if (slabs[place] == null) {
        return place;
      }
    }
    return -1;
  }

  boolean has(Slab slab, int place) {
    return slabs[place] == slab;
  }

  void add(Slab slab, int place) {
    slabs[place] = slab;
    setMark(place);
  }

  void remove(int place) {
    slabs[place] = null;
  }

  /** Under the growth lock. */
  void forEach(Consumer<Slab> action) {
    for (Slab slab : slabs) {
      if (slab != null) {
        action.accept(slab);
      }
    }
  }
}
