package io.ewok.gds.lsm;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * How objects of one type become bytes and come back, for {@link TypedStore}. As the codec of keys
 * it also says how they are ordered: as their bytes are, unsigned.
 *
 * <p>Threads: any.
 *
 * @param <T> the type
 */
public interface Codec<T> {
  /** Returns the bytes of an object, which are then the caller's. */
  byte[] encode(T object);

  /**
   * Returns the object of some bytes.
   *
   * @param bytes where they lie, during the call only
   * @throws IllegalArgumentException if they are none of this type
   */
  T decode(MemorySegment bytes);

  /** Returns the codec of byte strings as they are. */
  static Codec<byte[]> bytes() {
    return new Codec<>() {
      @Override
      public byte[] encode(byte[] object) {
        return object.clone();
      }

      @Override
      public byte[] decode(MemorySegment bytes) {
        return bytes.toArray(ValueLayout.JAVA_BYTE);
      }
    };
  }

  /** Returns the codec of texts in UTF-8, ordered by code point. */
  static Codec<String> strings() {
    return new Codec<>() {
      @Override
      public byte[] encode(String object) {
        return object.getBytes(UTF_8);
      }

      @Override
      public String decode(MemorySegment bytes) {
        return new String(bytes.toArray(ValueLayout.JAVA_BYTE), UTF_8);
      }
    };
  }

  /** Returns the codec of signed numbers in 8 bytes, ordered as numbers are. */
  static Codec<Long> longs() {
    return new Codec<>() {
      private static final ValueLayout.OfLong LAYOUT =
          ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

      @Override
      public byte[] encode(Long object) {
        byte[] bytes = new byte[Long.BYTES];
        // The sign turned round, negative numbers come first among unsigned ones.
        MemorySegment.ofArray(bytes).set(LAYOUT, 0, object ^ Long.MIN_VALUE);
        return bytes;
      }

      @Override
      public Long decode(MemorySegment bytes) {
        if (bytes.byteSize() != Long.BYTES) {
          throw new IllegalArgumentException(
              "a number has 8 bytes: lengthBytes=" + bytes.byteSize());
        }
        return bytes.get(LAYOUT, 0) ^ Long.MIN_VALUE;
      }
    };
  }
}
