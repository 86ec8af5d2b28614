package io.ewok.gds.lsm.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/** What holds for every key: its longest length and the order of all of them. */
public final class Keys {
  /** The longest key, in bytes. The shortest has none. */
  public static final int BYTES_MAX = 65_535;

  private Keys() {}

  /**
   * Checks the length of a key.
   *
   * @throws IllegalArgumentException if it is too long
   */
  public static void requireLength(long keyBytes) {
    if (keyBytes > BYTES_MAX) {
      throw new IllegalArgumentException(
          "a key has at most " + BYTES_MAX + " bytes: keyBytes=" + keyBytes);
    }
  }

  /** Orders keys: unsigned, bytewise, a prefix before what it begins. */
  public static int compare(MemorySegment a, MemorySegment b) {
    long at = a.mismatch(b);
    if (at < 0) {
      return 0;
    }
    if (at == a.byteSize() || at == b.byteSize()) {
      return Long.compare(a.byteSize(), b.byteSize());
    }
    return Byte.compareUnsigned(a.get(JAVA_BYTE, at), b.get(JAVA_BYTE, at));
  }
}
