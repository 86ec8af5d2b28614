package io.ewok.gds.lsm.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.ewok.gds.ffm.unchecked.Memory;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

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

  /** Returns a copy of a key on the heap. */
  public static MemorySegment copy(MemorySegment key) {
    return MemorySegment.ofArray(key.toArray(JAVA_BYTE));
  }

  /** The same of a key at an address. */
  public static MemorySegment copy(long address, int lengthBytes) {
    return copy(Memory.view(address, lengthBytes));
  }

  /** {@link SearchKey#head} of a key that may lie on the heap. */
  public static long head(MemorySegment key) {
    long head = 0;
    int bytes = (int) Math.min(key.byteSize(), Long.BYTES);
    for (int i = 0; i < bytes; i++) {
      head |= Byte.toUnsignedLong(key.get(JAVA_BYTE, i)) << (Long.SIZE - Byte.SIZE * (i + 1));
    }
    return head;
  }

  /** Returns the smallest key that is greater than a key, on the heap; null if that is the last. */
  public static MemorySegment successorOrNull(MemorySegment key) {
    byte[] bytes = key.toArray(JAVA_BYTE);
    if (bytes.length < BYTES_MAX) {
      return MemorySegment.ofArray(Arrays.copyOf(bytes, bytes.length + 1));
    }
    int last = bytes.length - 1;
    while (last >= 0 && bytes[last] == (byte) 0xFF) {
      last--;
    }
    if (last < 0) {
      return null;
    }
    byte[] next = Arrays.copyOf(bytes, last + 1);
    next[last]++;
    return MemorySegment.ofArray(next);
  }
}
