package io.ewok.gds.lsm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Changes of a sound file that a fuzzer's input asks for: five bytes each, which say in which part
 * of the file, where in it, what is done there, and with what.
 */
public final class Patches {
  private static final int BYTES = 5;

  /** Headers are this long; half of the changes are made in them. */
  private static final int HEADER_BYTES = 48;

  private static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** A part of a file, at least 16 bytes long. */
  public record Part(long offset, int lengthBytes) {}

  private Patches() {}

  /** Makes the changes that the input asks for, from a position in it on. */
  public static void apply(byte[] input, int from, MemorySegment file, List<Part> parts) {
    for (int at = from; at + BYTES <= input.length; at += BYTES) {
      Part part = parts.get(unsigned(input[at]) % parts.size());
      int where = (unsigned(input[at + 1]) << Byte.SIZE) | unsigned(input[at + 2]);
      int last = part.lengthBytes() - Integer.BYTES;
      long offset =
          part.offset()
              + ((where & 1) == 0
                  ? ((where >>> 1) % Math.min(last, HEADER_BYTES)) & -Integer.BYTES
                  : (where >>> 1) % last);
      change(file, offset, unsigned(input[at + 3]), input[at + 4], part);
    }
  }

  private static void change(MemorySegment file, long offset, int how, byte value, Part part) {
    switch (how % 8) {
      case 0, 1 -> file.set(ValueLayout.JAVA_BYTE, offset, value);
      case 2 -> file.set(U32, offset, value);
      case 3 -> file.set(U32, offset, file.get(U32, offset) + value);
      case 4 -> file.set(U32, offset, 1 << value);
      case 5 -> file.set(U32, offset, Integer.MAX_VALUE - (value & 31));
      case 6 -> file.set(U32, offset, file.get(U32, part.offset() + (value & 12)));
      default -> {
        byte flipped = (byte) (file.get(ValueLayout.JAVA_BYTE, offset) ^ (1 << (value & 7)));
        file.set(ValueLayout.JAVA_BYTE, offset, flipped);
      }
    }
  }

  private static int unsigned(byte value) {
    return Byte.toUnsignedInt(value);
  }
}
