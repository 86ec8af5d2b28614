package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.KeyRanges;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Ranges of keys that a {@link RangesCursor} goes over: in the order of their keys, and none meets
 * another. They may lie side by side.
 *
 * <p>Ownership: whoever made them; a cursor has a copy. All keys lie on the heap in one array, and
 * take little more there than their bytes. {@link #clear} keeps it.
 *
 * <p>Threads: confined to one at a time.
 *
 * {@snippet :
 * ScanRanges accounts = new ScanRanges();
 * for (byte[] account : sorted) {
 *   accounts.addPrefix(account);
 * }
 * }
 *
 * <p>Errors: {@link IllegalArgumentException} for a range that can have no key or does not lie
 * behind the one before, and for a key that is too long; nothing is added then.
 */
public final class ScanRanges {
  private final KeyRanges ranges = new KeyRanges();

  /** None yet. */
  public ScanRanges() {}

  /** Adds the keys from one, inclusive, to another, exclusive, behind all others; copies both. */
  public ScanRanges add(byte[] lower, byte[] upper) {
    return add(MemorySegment.ofArray(lower), MemorySegment.ofArray(upper));
  }

  /** As {@link #add(byte[], byte[])}. */
  public ScanRanges add(MemorySegment lower, MemorySegment upper) {
    ranges.add(lower, Objects.requireNonNull(upper, "upper"));
    return this;
  }

  /** Adds all keys from one on, itself included; copies it. Nothing can be added behind that. */
  public ScanRanges addFrom(byte[] lower) {
    ranges.add(MemorySegment.ofArray(lower), null);
    return this;
  }

  /** Adds the keys that begin with a prefix. */
  public ScanRanges addPrefix(byte[] prefix) {
    CursorOptions bounds = CursorOptions.defaults().withPrefix(prefix);
    ranges.add(bounds.lowerOrNull(), bounds.upperOrNull());
    return this;
  }

  /** Returns how many there are. */
  public int count() {
    return ranges.count();
  }

  /** Takes all away. */
  public void clear() {
    ranges.clear();
  }

  /** The same as they are now. */
  KeyRanges copy() {
    return ranges.copy();
  }
}
