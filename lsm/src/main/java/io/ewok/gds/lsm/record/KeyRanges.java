package io.ewok.gds.lsm.record;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;

/**
 * Ranges of keys in their order, none of which meets another: where each begins, itself included,
 * and where it ends, itself not included. The last one may have no end.
 *
 * <p>All bounds lie one behind the other in one array, so that a range costs little more than its
 * keys have bytes.
 *
 * <p>Threads: confined to one at a time; any, as long as nothing is added.
 */
public final class KeyRanges {
  private static final int BYTES_MIN = 256;
  private static final int BOUNDS_MIN = 16;

  private MemorySegment bytes;

  /** Where each bound begins: two of each range, and one more. */
  private int[] offsets;

  private int count;

  /** Whether the last one has no end; then its second bound is empty. */
  private boolean isOpen;

  /** None yet. */
  public KeyRanges() {
    this(new byte[BYTES_MIN], new int[BOUNDS_MIN + 1], 0, false);
  }

  private KeyRanges(byte[] bytes, int[] offsets, int count, boolean isOpen) {
    this.bytes = MemorySegment.ofArray(bytes);
    this.offsets = offsets;
    this.count = count;
    this.isOpen = isOpen;
  }

  /** Returns the same ranges, which stay as they are when more are added here. */
  public KeyRanges copy() {
    int[] copied = Arrays.copyOf(offsets, 2 * count + 1);
    byte[] bounds = new byte[endOffset()];
    MemorySegment.copy(bytes, 0, MemorySegment.ofArray(bounds), 0, bounds.length);
    return new KeyRanges(bounds, copied, count, isOpen);
  }

  public int count() {
    return count;
  }

  private int endOffset() {
    return offsets[2 * count];
  }

  /**
   * Adds a range behind all others; both keys are copied.
   *
   * @param upperOrNull null for a range without an end
   * @throws IllegalArgumentException if it can have no key, or does not lie behind the others, or a
   *     key is too long; nothing is added then
   */
  public void add(MemorySegment lower, MemorySegment upperOrNull) {
    Objects.requireNonNull(lower, "lower");
    Keys.requireLength(lower.byteSize());
    if (upperOrNull != null) {
      Keys.requireLength(upperOrNull.byteSize());
      if (Keys.compare(lower, upperOrNull) >= 0) {
        throw new IllegalArgumentException("a range ends behind its first key: number=" + count);
      }
    }
    if (isOpen || (count > 0 && Keys.compare(bound(2 * count - 1), lower) > 0)) {
      throw new IllegalArgumentException("a range lies behind the ones before: number=" + count);
    }
    int start = endOffset();
    int lowerBytes = (int) lower.byteSize();
    int upperBytes = upperOrNull == null ? 0 : (int) upperOrNull.byteSize();
    int end = Math.addExact(start, lowerBytes + upperBytes);
    if (end > bytes.byteSize()) {
      long grown = Math.min(Integer.MAX_VALUE - Long.BYTES, Math.max(end, 2 * bytes.byteSize()));
      MemorySegment larger = MemorySegment.ofArray(new byte[Math.max(end, (int) grown)]);
      MemorySegment.copy(bytes, 0, larger, 0, start);
      bytes = larger;
    }
    if (2 * count + 2 >= offsets.length) {
      offsets = Arrays.copyOf(offsets, Math.max(BOUNDS_MIN, 2 * offsets.length));
    }
    MemorySegment.copy(lower, 0, bytes, start, lowerBytes);
    if (upperOrNull != null) {
      MemorySegment.copy(upperOrNull, 0, bytes, (long) start + lowerBytes, upperBytes);
    }
    // Last, so that a segment that its owner has closed leaves all as it was.
    offsets[2 * count + 1] = start + lowerBytes;
    offsets[2 * count + 2] = end;
    count++;
    isOpen = upperOrNull == null;
  }

  /** Takes all away, and keeps the memory. */
  public void clear() {
    count = 0;
    isOpen = false;
  }

  private MemorySegment bound(int number) {
    return bytes.asSlice(offsets[number], (long) offsets[number + 1] - offsets[number]);
  }

  /** Whether a range has an end. */
  public boolean hasUpper(int range) {
    return !isOpen || range < count - 1;
  }

  /** Has a key be that with which a range begins. */
  public SearchKey lower(int range, SearchKey into) {
    return set(2 * Objects.checkIndex(range, count), into);
  }

  /** Has a key be that with which a range ends, if it does. */
  public SearchKey upper(int range, SearchKey into) {
    return set(2 * Objects.checkIndex(range, count) + 1, into);
  }

  private SearchKey set(int bound, SearchKey into) {
    return into.set(bytes, offsets[bound], offsets[bound + 1] - offsets[bound]);
  }

  /** Where all of them begin; there is one. */
  public MemorySegment first() {
    return bound(0);
  }

  /** Where all of them end, or null if they do not; there is one. */
  public MemorySegment endOrNull() {
    return isOpen ? null : bound(2 * count - 1);
  }
}
