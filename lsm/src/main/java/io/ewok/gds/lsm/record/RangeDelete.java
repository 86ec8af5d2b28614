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

  /**
   * Checks that there may be a key between the two.
   *
   * @throws IllegalArgumentException also if one of them is too long
   */
  public static void requireRange(MemorySegment first, MemorySegment end) {
    Keys.requireLength(first.byteSize());
    Keys.requireLength(end.byteSize());
    if (!isRange(first, end)) {
      throw noRange(first.byteSize(), end.byteSize());
    }
  }

  /** What there is to say of two keys of such lengths that are none. */
  public static IllegalArgumentException noRange(long firstBytes, long endBytes) {
    return new IllegalArgumentException(
        "a range ends behind its first key: firstBytes=%d endBytes=%d"
            .formatted(firstBytes, endBytes));
  }

  /** The part of the range before a key. */
  public RangeDelete before(MemorySegment key) {
    return Keys.compare(end, key) <= 0 ? this : new RangeDelete(first, key, sequence);
  }
}
