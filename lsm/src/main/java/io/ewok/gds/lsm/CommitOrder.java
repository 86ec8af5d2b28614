package io.ewok.gds.lsm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Makes writes visible in their order, whatever order they are done in. Writes have a place in the
 * log, and sequence numbers, positions in the log, behind the end of the one before and up to their
 * own end. Readers see all up to {@link #visible}.
 *
 * <p>Threads: any, without locks; nobody waits in here.
 */
class CommitOrder { // not final: a test comes between any two of its accesses
  /*
   * Who is done and finds that all before him is visible moves the end himself. Who finds that it is not leaves a mark
   * behind the end of the one before him, unless the slot is taken, and goes; whoever moves the end there takes the
   * mark away and goes on from its end.
   *
   *   leaving:  1 start of the slot is BUSY   compare-and-set from FREE
   *             2 its end
   *             3 its start                   volatile
   *             4 reads visible: if it has come to the start, tries to take the mark away himself
   *   moving:   1 visible                     volatile
   *             2 reads the start of the slot there: if it is visible, tries to take the mark away
   *
   * Each writes first what the other reads last, so one of them sees it; the compare-and-set decides if both do. So the
   * end moves from each place once. Whoever reads it sees what all have done whose writes it covers, by these volatile
   * writes and reads.
   *
   * If the slot is taken, the mark in it is that of another place. He tries again: either all before him becomes
   * visible, which needs nothing from him, or the slot becomes free.
   */
  private static final long FREE = 0;
  private static final long BUSY = -1;

  /** Enough for all writers that run, unless they fall upon the same one. */
  private static final int SLOTS = 1 << 10;

  /** Positions in the log are multiples of this. */
  private static final int POSITION_SHIFT = 3;

  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle VISIBLE;

  static {
    try {
      VISIBLE = MethodHandles.lookup().findVarHandle(CommitOrder.class, "visible", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final long[] starts;
  private final long[] ends;
  private volatile long visible;

  /** Starts with everything visible up to a position. */
  CommitOrder(long visible) {
    this(visible, SLOTS);
  }

  /** With a number of slots that is a power of two, at least 2. */
  CommitOrder(long visible, int slots) {
    this.visible = visible;
    starts = new long[slots];
    ends = new long[slots];
  }

  /** The newest sequence number that readers may see. */
  long visible() {
    return visible;
  }

  /**
   * Says that a write is done.
   *
   * @param start the end of the write before it
   * @param end greater than start
   * @return false if that could not be noted down: try again
   */
  boolean tryPublish(long start, long end) {
    if (visible() == start) {
      moveTo(end);
      return true;
    }
    int slot = slot(start);
    if (!changeStart(slot, FREE, BUSY)) {
      return false;
    }
    setEnd(slot, end);
    setStart(slot, start);
    if (visible() == start && changeStart(slot, start, FREE)) {
      moveTo(end);
    }
    return true;
  }

  private void moveTo(long end) {
    long at = end;
    while (true) {
      setVisible(at);
      int slot = slot(at);
      if (start(slot) != at) {
        return;
      }
      long next = end(slot);
      if (!changeStart(slot, at, FREE)) {
        return;
      }
      at = next;
    }
  }

  // ---- each access to what threads share

  void setVisible(long position) {
    VISIBLE.setVolatile(this, position);
  }

  long start(int slot) {
    return (long) WORD.getVolatile(starts, slot);
  }

  void setStart(int slot, long position) {
    WORD.setVolatile(starts, slot, position);
  }

  boolean changeStart(int slot, long from, long to) {
    return WORD.compareAndSet(starts, slot, from, to);
  }

  long end(int slot) {
    return ends[slot];
  }

  void setEnd(int slot, long position) {
    ends[slot] = position;
  }

  private int slot(long start) {
    long hash = (start >>> POSITION_SHIFT) * 0x9E3779B97F4A7C15L;
    return (int) (hash >>> (Long.SIZE - Integer.numberOfTrailingZeros(starts.length)));
  }
}
