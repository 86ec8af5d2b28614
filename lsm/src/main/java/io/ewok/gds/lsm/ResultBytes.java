package io.ewok.gds.lsm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * Takes what a {@link MergeOperator} or {@link CompactionFilter} makes. What was given last counts.
 *
 * <p>Ownership: the store's; of use during a call. Threads: confined to one.
 *
 * <p>Errors: {@link IllegalArgumentException} for a result that is too long.
 */
public final class ResultBytes {
  private static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int CAPACITY_BYTES_MIN = 64;

  /** More is given back before the next use. */
  private static final int CAPACITY_BYTES_KEPT = 1 << 20;

  private MemorySegment buffer = MemorySegment.NULL;
  private MemorySegment readOnly = MemorySegment.NULL;
  private long lengthBytesMax;

  /** Below zero if there is none yet. */
  private int lengthBytes = -1;

  ResultBytes() {}

  /**
   * Returns memory for a result of this length, which may have any bytes before.
   *
   * @param resultBytes length in bytes
   */
  public MemorySegment reserve(long resultBytes) {
    if (resultBytes < 0 || resultBytes > lengthBytesMax) {
      throw new IllegalArgumentException(
          "a value has at most %d bytes here: resultBytes=%d"
              .formatted(lengthBytesMax, resultBytes));
    }
    if (resultBytes > buffer.byteSize() || buffer.byteSize() == 0) {
      long capacity =
          Math.max(CAPACITY_BYTES_MIN, Long.highestOneBit(Math.max(1, resultBytes - 1)) << 1);
      buffer = Arena.ofAuto().allocate(capacity, Long.BYTES);
      readOnly = buffer.asReadOnly();
    }
    lengthBytes = (int) resultBytes;
    return buffer.asSlice(0, resultBytes);
  }

  /** Gives a copy of bytes, such as those of an operand. */
  public void set(MemorySegment from, long offset, long bytes) {
    Objects.checkFromIndexSize(offset, bytes, from.byteSize());
    MemorySegment.copy(from, offset, reserve(bytes), 0, bytes);
  }

  /** Gives a number as 8 bytes, little-endian. */
  public void setLong(long value) {
    reserve(Long.BYTES).set(U64, 0, value);
  }

  // ---- for the store

  /** Forgets the result, and sets the length of the next one at most. */
  void clear(long resultBytesMax) {
    lengthBytes = -1;
    lengthBytesMax = resultBytesMax;
    if (buffer.byteSize() > CAPACITY_BYTES_KEPT) {
      buffer = MemorySegment.NULL;
      readOnly = MemorySegment.NULL;
    }
  }

  boolean isGiven() {
    return lengthBytes >= 0;
  }

  /** Where the result lies until the next one. */
  long address() {
    return buffer.address();
  }

  int lengthBytes() {
    return lengthBytes;
  }

  /** The memory that it lies in, read-only. */
  MemorySegment memory() {
    return readOnly;
  }
}
