package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;

/**
 * What a {@link MergeOperator} merges: operands of one key, oldest first, and the value before
 * them. Copies in one piece of memory, outside of the heap; reading them by offset makes no
 * garbage.
 *
 * <p>Ownership: the store's; of use during a call of the operator. Threads: confined to one.
 */
public final class Operands {
  private static final int CAPACITY_BYTES_MIN = 256;

  /** More is given back after use. */
  private static final int CAPACITY_BYTES_KEPT = 1 << 20;

  private static final int COUNT_MIN = 8;

  private MemorySegment buffer = MemorySegment.NULL;
  private MemorySegment readOnly = MemorySegment.NULL;
  private long endOffset;

  // Newest first, as they are found.
  private long[] stamps = new long[COUNT_MIN];
  private long[] offsets = new long[COUNT_MIN];
  private int[] lengths = new int[COUNT_MIN];
  private int count;

  private long baseOffset;

  /** Below zero if there is none. */
  private int baseBytes = -1;

  Operands() {}

  /** Returns the memory that all of them are in, read-only. */
  public MemorySegment memory() {
    return readOnly;
  }

  /** Returns how many operands there are, at least 1. */
  public int count() {
    return count;
  }

  /**
   * Returns where an operand begins in the memory, in bytes.
   *
   * @param number from 0, the oldest, on
   */
  public long offset(int number) {
    return offsets[count - 1 - Objects.checkIndex(number, count)];
  }

  /** Returns the length of an operand in bytes. */
  public int bytes(int number) {
    return lengths[count - 1 - Objects.checkIndex(number, count)];
  }

  /** Returns an operand as a slice of the memory. */
  public MemorySegment operand(int number) {
    return readOnly.asSlice(offset(number), bytes(number));
  }

  /** Returns whether the key had a value before them. */
  public boolean hasBase() {
    return baseBytes >= 0;
  }

  /**
   * Returns where that value begins in the memory, in bytes.
   *
   * @throws IllegalStateException if there is none, as the next two
   */
  public long baseOffset() {
    requireBase();
    return baseOffset;
  }

  /** Returns the length of that value in bytes. */
  public int baseBytes() {
    requireBase();
    return baseBytes;
  }

  /** Returns that value as a slice of the memory. */
  public MemorySegment base() {
    requireBase();
    return readOnly.asSlice(baseOffset, baseBytes);
  }

  private void requireBase() {
    if (baseBytes < 0) {
      throw new IllegalStateException("there was no value before the operands");
    }
  }

  // ---- filling

  void clear() {
    count = 0;
    endOffset = 0;
    baseBytes = -1;
    if (buffer.byteSize() > CAPACITY_BYTES_KEPT) {
      buffer = MemorySegment.NULL;
      readOnly = MemorySegment.NULL;
    }
  }

  /** Copies the operand that comes before those that are there. */
  void addOlder(long stamp, long address, int lengthBytes) {
    if (count == offsets.length) {
      stamps = Arrays.copyOf(stamps, 2 * count);
      offsets = Arrays.copyOf(offsets, 2 * count);
      lengths = Arrays.copyOf(lengths, 2 * count);
    }
    stamps[count] = stamp;
    offsets[count] = endOffset;
    lengths[count] = lengthBytes;
    append(address, lengthBytes);
    count++;
  }

  /** Copies the value before all of them. */
  void setBase(long address, int lengthBytes) {
    baseOffset = endOffset;
    append(address, lengthBytes);
    baseBytes = lengthBytes;
  }

  void clearBase() {
    baseBytes = -1;
  }

  private void append(long address, int lengthBytes) {
    long end = endOffset + lengthBytes;
    if (end > buffer.byteSize()) {
      long capacity = Math.max(CAPACITY_BYTES_MIN, Math.max(end, 2 * buffer.byteSize()));
      MemorySegment larger = Arena.ofAuto().allocate(capacity, Long.BYTES);
      MemorySegment.copy(buffer, 0, larger, 0, endOffset);
      buffer = larger;
      readOnly = larger.asReadOnly();
    }
    Memory.copy(address, buffer.address() + endOffset, lengthBytes);
    endOffset = end;
  }

  /** Bytes of all of them. */
  long sizeBytes() {
    return endOffset;
  }

  /** The stamp of an operand, counted from the newest on. */
  long stampOfNewest(int number) {
    return stamps[number];
  }

  /** Its address, as long as nothing is added. */
  long addressOfNewest(int number) {
    return buffer.address() + offsets[number];
  }

  /** Its length in bytes. */
  int bytesOfNewest(int number) {
    return lengths[number];
  }
}
