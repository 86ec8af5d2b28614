package io.ewok.gds.lsm.sst;

import io.ewok.gds.pagestore.CorruptFileException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Reads the integers and strings of these formats one after the other, never beyond its limit.
 *
 * <p>Confined to one thread. What does not fit is a {@link CorruptFileException} at the place in
 * the file where the structure starts that is being read.
 */
final class ByteReader {
  private final Path path;
  private final long fileOffset;
  private final byte[] bytes;
  private final int limit;
  private int position;

  ByteReader(Path path, long fileOffset, byte[] bytes, int from, int to) {
    this.path = path;
    this.fileOffset = fileOffset;
    this.bytes = bytes;
    this.position = from;
    this.limit = to;
  }

  Path path() {
    return path;
  }

  byte[] bytes() {
    return bytes;
  }

  int position() {
    return position;
  }

  int limit() {
    return limit;
  }

  int remaining() {
    return limit - position;
  }

  /** A reader of the same bytes from here on, up to the given position. */
  ByteReader to(int end) {
    return range(position, end);
  }

  /** A reader of a part of the same bytes. */
  ByteReader range(int from, int to) {
    return new ByteReader(path, fileOffset, bytes, from, to);
  }

  int u8() throws CorruptFileException {
    return bytes[take(1)] & 0xFF;
  }

  int u32() throws CorruptFileException {
    return (int) SstFormat.U32.get(bytes, take(Integer.BYTES));
  }

  long u64() throws CorruptFileException {
    return (long) SstFormat.U64.get(bytes, take(Long.BYTES));
  }

  /** A varint that is a length or a number below 2^31. */
  int length() throws CorruptFileException {
    long value = varint();
    if (value < 0 || value > Integer.MAX_VALUE) {
      throw corrupt("a length", Long.toUnsignedString(value));
    }
    return (int) value;
  }

  long varint() throws CorruptFileException {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      int next = u8();
      value |= (long) (next & 0x7F) << shift;
      if (next < 0x80) {
        return value;
      }
    }
    throw corrupt("a varint", "more than 10 bytes");
  }

  /** A varint whose lowest bit is the sign. */
  long signedVarint() throws CorruptFileException {
    long value = varint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** All bytes up to the limit, which are not passed over. */
  byte[] rest() {
    return Arrays.copyOfRange(bytes, position, limit);
  }

  byte[] lengthPrefixed() throws CorruptFileException {
    int length = length();
    int from = take(length);
    return Arrays.copyOfRange(bytes, from, from + length);
  }

  void skipLengthPrefixed() throws CorruptFileException {
    take(length());
  }

  /** Passes over bytes and returns where they start. */
  int take(int count) throws CorruptFileException {
    if (count < 0 || count > limit - position) {
      throw corrupt(count + " more bytes", remaining());
    }
    int from = position;
    position += count;
    return from;
  }

  CorruptFileException corrupt(Object expected, Object actual) {
    return new CorruptFileException(path, fileOffset, expected, actual);
  }

  UnsupportedContentException unsupported(String what) {
    return new UnsupportedContentException(path, what + ": offset=" + fileOffset);
  }
}
