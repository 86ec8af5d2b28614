package io.ewok.gds.buffers.eviction;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * How often each slot was asked for, counted up to three, more than which no policy tells apart.
 *
 * <p>Threads: any counts, without a lock; two that count at once may count one, and one that comes
 * late counts for what is in the slot by then. The policy alone takes marks away. Opaque access
 * suffices: nothing else is published by a count, it must only not be kept out of memory for ever.
 */
public final class ReferenceMarks {
  private static final int MAX = 3;
  private static final VarHandle COUNTS = MethodHandles.arrayElementVarHandle(long[].class);

  private final long[] counts;
  private final int first;
  private final int stride;
  private final int slotCount;

  /** Marks of so many slots, none yet. */
  public ReferenceMarks(int slotCount) {
    this(new long[slotCount], 0, 1, slotCount);
  }

  /**
   * Marks that lie among other things, zero now.
   *
   * @param first the place of that of slot 0
   * @param stride from one to the next
   */
  public ReferenceMarks(long[] counts, int first, int stride, int slotCount) {
    this.counts = counts;
    this.first = first;
    this.stride = stride;
    this.slotCount = slotCount;
  }

  int slotCount() {
    return slotCount;
  }

  /**
   * What is in a slot was asked for once more, and not by a scan. Writes only where that changes
   * something, so that a slot asked for again and again stays in the caches of all processors.
   */
  public void count(int slot) {
    count(counts, first + slot * stride);
  }

  /** The same for whoever knows the place. */
  public static void count(long[] counts, int place) {
    if (counts(counts, place)) {
      counts[place]++;
    }
  }

  /** Whether {@link #count} would change something, mostly not. */
  public static boolean counts(long[] counts, int place) {
    return counts[place] < MAX;
  }

  /** How often what is in a slot was asked for, as far as anybody knows. */
  public int get(int slot) {
    return (int) (long) COUNTS.getOpaque(counts, first + slot * stride);
  }

  void set(int slot, int count) {
    if (get(slot) != count) {
      COUNTS.setOpaque(counts, first + slot * stride, (long) count);
    }
  }
}
