package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Copies of records that follow each other, filled by {@link StoreCursor#fill}: cheaper than asking
 * a cursor for one after the other, and independent of it afterwards.
 *
 * <p>Ownership: the memory is the caller's; the batch is used again and again. Threads: confined to
 * one at a time.
 *
 * {@snippet :
 * RecordBatch batch = new RecordBatch(arena.allocate(64 << 10), 256);
 * for (cursor.first(); cursor.fill(batch) > 0; ) {
 *   for (int i = 0; i < batch.count(); i++) {
 *     use(batch.memory(), batch.valueOffset(i), batch.valueBytes(i));
 *   }
 * }
 * }
 */
public final class RecordBatch {
  private final MemorySegment memory;
  private final long[] offsets;
  private final int[] keyLengths;
  private final int[] valueLengths;
  private long endOffset;
  private int count;

  /**
   * An empty batch.
   *
   * @param memory for keys and values, of any kind
   * @param recordsMax the most records in it, at least 1
   */
  public RecordBatch(MemorySegment memory, int recordsMax) {
    this.memory = Objects.requireNonNull(memory, "memory");
    if (recordsMax < 1) {
      throw new IllegalArgumentException("a batch has records: recordsMax=" + recordsMax);
    }
    offsets = new long[recordsMax];
    keyLengths = new int[recordsMax];
    valueLengths = new int[recordsMax];
  }

  /** Returns the memory that keys and values are in. */
  public MemorySegment memory() {
    return memory;
  }

  /** Returns how many records there are. */
  public int count() {
    return count;
  }

  /** Returns where a key begins in the memory, in bytes. */
  public long keyOffset(int number) {
    return offsets[Objects.checkIndex(number, count)];
  }

  /** Returns the length of a key in bytes. */
  public int keyBytes(int number) {
    return keyLengths[Objects.checkIndex(number, count)];
  }

  /** Returns where a value begins in the memory, in bytes. */
  public long valueOffset(int number) {
    return keyOffset(number) + keyLengths[number];
  }

  /** Returns the length of a value in bytes. */
  public int valueBytes(int number) {
    return valueLengths[Objects.checkIndex(number, count)];
  }

  /** Returns a key as a slice of the memory. */
  public MemorySegment key(int number) {
    return memory.asSlice(keyOffset(number), keyBytes(number));
  }

  /** Returns a value as a slice of the memory. */
  public MemorySegment value(int number) {
    return memory.asSlice(valueOffset(number), valueBytes(number));
  }

  void clear() {
    count = 0;
    endOffset = 0;
  }

  /** Adds a copy of a record; returns false if there is no room for it. */
  boolean add(long keyAddress, int keyBytes, long valueAddress, int valueBytes) {
    long offset = endOffset;
    if (count == offsets.length || memory.byteSize() - offset - keyBytes < valueBytes) {
      return false;
    }
    Memory.copyTo(keyAddress, memory, offset, keyBytes);
    Memory.copyTo(valueAddress, memory, offset + keyBytes, valueBytes);
    offsets[count] = offset;
    keyLengths[count] = keyBytes;
    valueLengths[count] = valueBytes;
    endOffset = offset + keyBytes + valueBytes;
    count++;
    return true;
  }
}
