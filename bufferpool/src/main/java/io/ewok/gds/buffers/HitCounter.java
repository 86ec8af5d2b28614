package io.ewok.gds.buffers;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Counts hits so that threads do not meet. Each adds in a place of its own, with no atomic
 * operation: two that share one and come at the same moment may count as one.
 *
 * <p>Threads: any.
 */
final class HitCounter {
  /** Two cache lines: processors fetch pairs. */
  private static final int STRIDE = 16;

  private static final int PLACES =
      Integer.highestOneBit(Runtime.getRuntime().availableProcessors()) * 8;

  private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);

  /** How long it is. */
  static final int LONGS = (PLACES + 1) * STRIDE;

  private final long[] cells;

  /** A counter in the first of some longs, which are zero: whoever looks at the others is near. */
  HitCounter(long[] cells) {
    this.cells = cells;
  }

  /** Where a thread counts, in every counter. */
  static int place(Thread thread) {
    return ((int) thread.threadId() & PLACES - 1) * STRIDE + STRIDE;
  }

  /** Counts one. */
  void increment(int place) {
    increment(cells, place);
  }

  static void increment(long[] cells, int place) {
    cells[place]++;
  }

  long sum() {
    long sum = 0;
    for (int cell = 0; cell < LONGS; cell += STRIDE) {
      sum += (long) CELL.getOpaque(cells, cell);
    }
    return sum;
  }
}
