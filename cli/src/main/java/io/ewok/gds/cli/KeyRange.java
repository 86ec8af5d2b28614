package io.ewok.gds.cli;

import java.util.Arrays;

/**
 * The keys from one (inclusive) to another (exclusive).
 *
 * @param from the first key, empty for the first there is
 * @param to the key after the last, or null when there is no end
 */
@SuppressWarnings("ArrayRecordComponent") // Made once per command and never compared.
record KeyRange(byte[] from, byte[] to) {

  /**
   * The keys that are in the range and start with the prefix.
   *
   * @param from null for no lower bound
   * @param to null for no upper bound
   * @param prefix null for any
   */
  static KeyRange of(byte[] from, byte[] to, byte[] prefix) {
    byte[] low = from == null ? new byte[0] : from;
    if (prefix == null) {
      return new KeyRange(low, to);
    }
    byte[] end = afterPrefix(prefix);
    byte[] high = to == null || (end != null && compare(end, to) < 0) ? end : to;
    return new KeyRange(compare(prefix, low) > 0 ? prefix : low, high);
  }

  /** Whether the range ends before this key. */
  boolean endsBefore(byte[] key) {
    return to != null && compare(key, to) >= 0;
  }

  boolean startsAfter(byte[] key) {
    return compare(key, from) < 0;
  }

  /** The smallest key greater than all with the prefix; null when there is none: all bytes 0xFF. */
  private static byte[] afterPrefix(byte[] prefix) {
    for (int last = prefix.length - 1; last >= 0; last--) {
      if (prefix[last] != (byte) 0xFF) {
        byte[] end = Arrays.copyOf(prefix, last + 1);
        end[last]++;
        return end;
      }
    }
    return null;
  }

  private static int compare(byte[] left, byte[] right) {
    return Arrays.compareUnsigned(left, right);
  }
}
