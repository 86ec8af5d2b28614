package io.ewok.gds.lsm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.SearchKey;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;

/**
 * What a cursor shows of a store.
 *
 * {@snippet :
 * CursorOptions users = CursorOptions.defaults().withPrefix("user/".getBytes(UTF_8));
 * }
 *
 * @param lowerOrNull where the keys begin, itself included; default null: with the first. Copied.
 * @param upperOrNull where the keys end, itself not included; default null: after the last. Copied.
 *     A bound costs a comparison for each move, and saves looking at what lies beyond, such as many
 *     deleted keys
 * @param scan whether blocks that are read from the device are of little use to others afterwards;
 *     default false. True keeps a scan from taking more than a small part of the pool
 * @param filterOrNull chooses among the records; default null: all. It costs a call for each record
 *     within the bounds
 */
@TakesEffect(StoreSetting.Effect.EACH_CALL)
public record CursorOptions(
    MemorySegment lowerOrNull, MemorySegment upperOrNull, boolean scan, CursorFilter filterOrNull) {
  private static final CursorOptions DEFAULTS = new CursorOptions(null, null, false, null);

  /**
   * Checks and copies the bounds.
   *
   * @throws IllegalArgumentException if one is longer than a key can be
   */
  public CursorOptions {
    lowerOrNull = copy(lowerOrNull);
    upperOrNull = copy(upperOrNull);
  }

  private static MemorySegment copy(MemorySegment boundOrNull) {
    if (boundOrNull == null) {
      return null;
    }
    Keys.requireLength(boundOrNull.byteSize());
    return MemorySegment.ofArray(boundOrNull.toArray(JAVA_BYTE)).asReadOnly();
  }

  /** Returns the defaults: everything. */
  public static CursorOptions defaults() {
    return DEFAULTS;
  }

  /** Returns these options with keys from one on. */
  public CursorOptions withLower(byte[] lower) {
    return new CursorOptions(MemorySegment.ofArray(lower), upperOrNull, scan, filterOrNull);
  }

  /** Returns these options with keys before one. */
  public CursorOptions withUpper(byte[] upper) {
    return new CursorOptions(lowerOrNull, MemorySegment.ofArray(upper), scan, filterOrNull);
  }

  /** Returns these options with the keys that begin with a prefix; replaces both bounds. */
  public CursorOptions withPrefix(byte[] prefix) {
    return new CursorOptions(MemorySegment.ofArray(prefix), endOrNull(prefix), scan, filterOrNull);
  }

  /** What comes after all keys that begin with a prefix; null if nothing can. */
  private static MemorySegment endOrNull(byte[] prefix) {
    int last = prefix.length - 1;
    while (last >= 0 && prefix[last] == (byte) 0xFF) {
      last--;
    }
    if (last < 0) {
      return null;
    }
    byte[] following = Arrays.copyOf(prefix, last + 1);
    following[last]++;
    return MemorySegment.ofArray(following);
  }

  /** Returns these options with keeping out of the pool switched on or off. */
  public CursorOptions withScan(boolean scan) {
    return new CursorOptions(lowerOrNull, upperOrNull, scan, filterOrNull);
  }

  /** Returns these options with a filter in the place of the one that there was. */
  public CursorOptions withFilter(CursorFilter filter) {
    return new CursorOptions(
        lowerOrNull, upperOrNull, scan, Objects.requireNonNull(filter, "filter"));
  }

  /** The prefix that all keys within the bounds have, if the bounds say no more than that. */
  SearchKey prefixKeyOrNull() {
    if (lowerOrNull == null || upperOrNull == null) {
      return null;
    }
    MemorySegment end = endOrNull(lowerOrNull.toArray(JAVA_BYTE));
    return end != null && end.mismatch(upperOrNull) < 0 ? lowerKeyOrNull() : null;
  }

  SearchKey lowerKeyOrNull() {
    return lowerOrNull == null ? null : new SearchKey().set(lowerOrNull);
  }

  SearchKey upperKeyOrNull() {
    return upperOrNull == null ? null : new SearchKey().set(upperOrNull);
  }
}
