package io.ewok.gds.lsm.record;

import io.ewok.gds.ffm.unchecked.Memory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A hash of 64 bits for keys: one for each key, from which filters and indexes take what they need.
 * It is part of the format of tables and never changes.
 *
 * <p>With {@code fold(a, b)} the exclusive or of both halves of the 128-bit product of two unsigned
 * numbers, all numbers little-endian, and {@code h} the length times {@link #LENGTH} at first:
 * while more than 16 bytes are left, {@code h = fold(first ^ FIRST, second ^ h)} of the next two
 * words. Of the last n bytes the words are their first and their last 8 if n is 8 or more; the
 * first and the last 4 if n is 4 or more; else one word of the first, the middle and the last byte,
 * {@code first | middle << 8 | last << 16}, and zero. They are folded in as the others; the hash is
 * {@code fold(h ^ LAST, LENGTH)}.
 */
public final class KeyHash {
  private static final long LENGTH = 0x9E37_79B9_7F4A_7C15L;
  private static final long FIRST = 0xD1B5_4A32_D192_ED03L;
  private static final long LAST = 0x8CB9_2BA7_2F3D_8DD7L;

  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private KeyHash() {}

  /** Returns the hash of the bytes at an address. */
  public static long of(long address, int lengthBytes) {
    long hash = lengthBytes * LENGTH;
    long at = address;
    int left = lengthBytes;
    for (; left > 2 * Long.BYTES; left -= 2 * Long.BYTES) {
      hash = step(hash, Memory.getLong(at), Memory.getLong(at + Long.BYTES));
      at += 2 * Long.BYTES;
    }
    if (left >= Long.BYTES) {
      hash = step(hash, Memory.getLong(at), Memory.getLong(at + left - Long.BYTES));
    } else if (left >= Integer.BYTES) {
      hash = step(hash, unsigned(at), unsigned(at + left - Integer.BYTES));
    } else if (left > 0) {
      long bytes =
          Byte.toUnsignedLong(Memory.getByte(at))
              | Byte.toUnsignedLong(Memory.getByte(at + left / 2)) << 8
              | Byte.toUnsignedLong(Memory.getByte(at + left - 1)) << 16;
      hash = step(hash, bytes, 0);
    }
    return fold(hash ^ LAST, LENGTH);
  }

  /**
   * Returns the same hash of the bytes of a segment, which may lie on the heap. Makes no garbage.
   */
  public static long of(MemorySegment bytes) {
    long lengthBytes = bytes.byteSize();
    long hash = lengthBytes * LENGTH;
    long at = 0;
    for (; lengthBytes - at > 2 * Long.BYTES; at += 2 * Long.BYTES) {
      hash = step(hash, bytes.get(LONG, at), bytes.get(LONG, at + Long.BYTES));
    }
    long left = lengthBytes - at;
    if (left >= Long.BYTES) {
      hash = step(hash, bytes.get(LONG, at), bytes.get(LONG, lengthBytes - Long.BYTES));
    } else if (left >= Integer.BYTES) {
      hash = step(hash, unsigned(bytes, at), unsigned(bytes, lengthBytes - Integer.BYTES));
    } else if (left > 0) {
      long three =
          unsignedByte(bytes, at)
              | unsignedByte(bytes, at + left / 2) << 8
              | unsignedByte(bytes, lengthBytes - 1) << 16;
      hash = step(hash, three, 0);
    }
    return fold(hash ^ LAST, LENGTH);
  }

  private static long unsigned(MemorySegment bytes, long at) {
    return Integer.toUnsignedLong(bytes.get(INT, at));
  }

  private static long unsignedByte(MemorySegment bytes, long at) {
    return Byte.toUnsignedLong(bytes.get(ValueLayout.JAVA_BYTE, at));
  }

  private static long unsigned(long address) {
    return Integer.toUnsignedLong(Memory.getInt(address));
  }

  private static long step(long hash, long first, long second) {
    return fold(first ^ FIRST, second ^ hash);
  }

  private static long fold(long a, long b) {
    return a * b ^ Math.unsignedMultiplyHigh(a, b);
  }
}
