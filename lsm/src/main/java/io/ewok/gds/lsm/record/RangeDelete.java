package io.ewok.gds.lsm.record;

import java.lang.foreign.MemorySegment;

/**
 * A delete of all keys of a range: records of these keys with smaller sequence numbers are gone.
 *
 * @param first the smallest key of the range; like the next one on the heap, and never changed
 * @param end where the range ends: the smallest key behind it
 * @param sequence the number of the delete
 */
public record RangeDelete(MemorySegment first, MemorySegment end, long sequence) {

  /** Whether there may be a key between the two. */
  public static boolean isRange(MemorySegment first, MemorySegment end) {
    return Keys.compare(first, end) < 0;
  }

  /** The part of the range before a key. */
  public RangeDelete before(MemorySegment key) {
    return Keys.compare(end, key) <= 0 ? this : new RangeDelete(first, key, sequence);
  }
}
