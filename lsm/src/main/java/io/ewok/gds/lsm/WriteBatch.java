package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RecordKind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Puts, deletes, range deletes and operands that take effect together or not at all, in the order
 * in which they were added.
 *
 * <p>Keys and values are copied once, here, in the form in which they go to the log. {@link
 * Store#write} leaves the batch as it is: write it again, or {@link #clear} it and fill it anew,
 * which keeps its memory.
 *
 * <p>Ownership: a batch belongs to whoever made it and knows no store. Its memory is outside of the
 * heap, grows by doubling, is not charged to a store's budget, and is freed by the garbage
 * collector; there is nothing to close.
 *
 * <p>Threads: confined to one at a time.
 *
 * {@snippet :
 * WriteBatch batch = new WriteBatch();
 * batch.put(from, balanceFrom);
 * batch.put(to, balanceTo);
 * store.write(batch, Durability.SYNCED);
 * }
 *
 * <p>Errors: {@link IllegalArgumentException} for a key or batch that is too large; the batch is
 * then as before.
 */
public final class WriteBatch {
  /** The longest key, in bytes. The shortest has none. */
  public static final int KEY_BYTES_MAX = Keys.BYTES_MAX;

  /**
   * What an operation counts in {@link #sizeBytes} besides its key and value: its header in the log
   * and its place in the memtable.
   */
  public static final int OPERATION_OVERHEAD_BYTES = BatchFormat.OPERATION_OVERHEAD_BYTES;

  /** What a batch counts in {@link #sizeBytes} besides its operations. */
  public static final int BATCH_OVERHEAD_BYTES = BatchFormat.HEADER_BYTES;

  /** Far above what a store takes: keeps the arithmetic inside an int. */
  private static final long RECORD_BYTES_MAX = 1L << 30;

  private static final int INITIAL_BYTES = 512;

  private MemorySegment buffer;
  private long endOffset;
  private int count;
  private boolean hasOperands;

  /** Creates an empty batch. */
  public WriteBatch() {
    this(Arena.ofAuto().allocate(INITIAL_BYTES, Long.BYTES));
  }

  /** A batch that starts in memory of the caller's and leaves it only when it outgrows it. */
  WriteBatch(MemorySegment buffer) {
    this.buffer = buffer;
    clear();
  }

  /** Adds a put. Key and value are copied. */
  public WriteBatch put(byte[] key, byte[] value) {
    return put(MemorySegment.ofArray(key), MemorySegment.ofArray(value));
  }

  /** Adds a put. Key and value are copied. */
  public WriteBatch put(MemorySegment key, MemorySegment value) {
    return add(RecordKind.PUT, key, value);
  }

  /** Adds a delete; the key need not exist. The key is copied. */
  public WriteBatch delete(byte[] key) {
    return delete(MemorySegment.ofArray(key));
  }

  /** Adds a delete; the key need not exist. The key is copied. */
  public WriteBatch delete(MemorySegment key) {
    return add(RecordKind.DELETE, key, MemorySegment.NULL);
  }

  /** Adds a {@linkplain Store#singleDelete single delete}. The key is copied. */
  public WriteBatch singleDelete(byte[] key) {
    return singleDelete(MemorySegment.ofArray(key));
  }

  /** Adds a {@linkplain Store#singleDelete single delete}. The key is copied. */
  public WriteBatch singleDelete(MemorySegment key) {
    return add(RecordKind.SINGLE_DELETE, key, MemorySegment.NULL);
  }

  /** Adds an operand, see {@link Store#merge}. Key and operand are copied. */
  public WriteBatch merge(byte[] key, byte[] operand) {
    return merge(MemorySegment.ofArray(key), MemorySegment.ofArray(operand));
  }

  /** Adds an operand, see {@link Store#merge}. Key and operand are copied. */
  public WriteBatch merge(MemorySegment key, MemorySegment operand) {
    return add(RecordKind.OPERAND, key, operand);
  }

  /** Adds a {@linkplain Store#deleteRange range delete}. Both keys are copied. */
  public WriteBatch deleteRange(byte[] first, byte[] end) {
    return deleteRange(MemorySegment.ofArray(first), MemorySegment.ofArray(end));
  }

  /**
   * Adds a {@linkplain Store#deleteRange range delete}. Both keys are copied.
   *
   * @throws IllegalArgumentException also if there can be no key in the range
   */
  public WriteBatch deleteRange(MemorySegment first, MemorySegment end) {
    Keys.requireLength(end.byteSize());
    long start = endOffset;
    WriteBatch added = add(RecordKind.RANGE_DELETE, first, end);
    // Of the copies: what is in the log is in order, whatever the caller does meanwhile.
    long firstOffset = start + BatchFormat.OPERATION_HEADER_BYTES;
    long firstBytes = first.byteSize();
    if (!RangeDelete.isRange(
        buffer.asSlice(firstOffset, firstBytes),
        buffer.asSlice(firstOffset + firstBytes, endOffset - firstOffset - firstBytes))) {
      endOffset = start;
      count--;
      throw new IllegalArgumentException(
          "a range ends behind its first key: firstBytes=%d endBytes=%d"
              .formatted(firstBytes, end.byteSize()));
    }
    return added;
  }

  /** Removes all operations and keeps the memory. */
  public void clear() {
    hasOperands = false;
    endOffset = BatchFormat.HEADER_BYTES;
    count = 0;
  }

  /** Returns the number of operations. */
  public int count() {
    return count;
  }

  /**
   * Returns what the batch counts against {@link StoreOptions#batchBytesMax}: the bytes of its keys
   * and values, {@link #OPERATION_OVERHEAD_BYTES} for each operation and {@link
   * #BATCH_OVERHEAD_BYTES}.
   */
  public long sizeBytes() {
    return endOffset
        + (long) count * (OPERATION_OVERHEAD_BYTES - BatchFormat.OPERATION_HEADER_BYTES);
  }

  boolean hasOperands() {
    return hasOperands;
  }

  /** Returns the bytes of keys and values. */
  long userBytes() {
    return endOffset - BatchFormat.HEADER_BYTES - (long) count * BatchFormat.OPERATION_HEADER_BYTES;
  }

  /** Completes the header and returns the record for the log, valid until the batch changes. */
  MemorySegment record() {
    BatchFormat.putHeader(buffer, count);
    return buffer.asSlice(0, endOffset);
  }

  WriteBatch add(int kind, MemorySegment key, MemorySegment value) {
    long keyBytes = key.byteSize();
    long valueBytes = value.byteSize();
    Keys.requireLength(keyBytes);
    long end = Math.addExact(endOffset + BatchFormat.OPERATION_HEADER_BYTES + keyBytes, valueBytes);
    if (end > RECORD_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a batch is encoded in at most " + RECORD_BYTES_MAX + " bytes: encodedBytes=" + end);
    }
    ensureCapacity(end);
    BatchFormat.putOperationHeader(buffer, endOffset, kind, (int) keyBytes, (int) valueBytes);
    long keyOffset = endOffset + BatchFormat.OPERATION_HEADER_BYTES;
    MemorySegment.copy(key, 0, buffer, keyOffset, keyBytes);
    MemorySegment.copy(value, 0, buffer, keyOffset + keyBytes, valueBytes);
    // Last, so that a segment closed by its owner meanwhile leaves the batch as it was.
    endOffset = end;
    hasOperands |= kind == RecordKind.OPERAND;
    count++;
    return this;
  }

  private void ensureCapacity(long bytes) {
    if (bytes <= buffer.byteSize()) {
      return;
    }
    long grown = Math.max(bytes, 2 * buffer.byteSize());
    MemorySegment larger = Arena.ofAuto().allocate(grown, Long.BYTES);
    MemorySegment.copy(buffer, 0, larger, 0, endOffset);
    buffer = larger;
  }
}
