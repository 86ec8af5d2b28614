package io.ewok.gds.lsm;

import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RecordKind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Puts, deletes, range deletes and operands that take effect together or not at all, in the order
 * in which they were added; in one family of a store or in several.
 *
 * <p>Keys and values are copied once, here, in the form in which they go to the log. {@link
 * Store#write} leaves the batch as it is: write it again, or {@link #clear} it and fill it anew,
 * which keeps its memory.
 *
 * <p>Ownership: a batch belongs to whoever made it and knows no store, but for the families that
 * operations name. Its memory is outside of the heap, grows by doubling, is not charged to a
 * store's budget, and is freed by the garbage collector; there is nothing to close.
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

  /**
   * What each family that was named, but the first, counts in {@link #sizeBytes} besides its
   * operations: its place in the memtable.
   */
  public static final int FAMILY_OVERHEAD_BYTES = Memtable.FAMILY_BYTES;

  /** Far above what a store takes: keeps the arithmetic inside an int. */
  private static final long RECORD_BYTES_MAX = 1L << 30;

  private static final int INITIAL_BYTES = 512;

  private MemorySegment buffer;
  private long endOffset;

  /** Of the last operation. */
  private long lastKeyOffset;

  /** Operations, and among them family marks. */
  private int count;

  private int marks;

  /** The number of the family that the last operation is of. */
  private int family;

  private boolean hasOperands;

  /** Whether there is anything but deletes. */
  private boolean hasValues;

  /** Those that were named. */
  private final Set<FamilyState> families = new LinkedHashSet<>();

  /** Those of them that have operands. */
  private final Set<FamilyState> familiesWithOperands = new LinkedHashSet<>();

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
    return add(null, RecordKind.PUT, key, value);
  }

  /** Adds a delete; the key need not exist. The key is copied. */
  public WriteBatch delete(byte[] key) {
    return delete(MemorySegment.ofArray(key));
  }

  /** Adds a delete; the key need not exist. The key is copied. */
  public WriteBatch delete(MemorySegment key) {
    return add(null, RecordKind.DELETE, key, MemorySegment.NULL);
  }

  /** Adds a {@linkplain Store#singleDelete single delete}. The key is copied. */
  public WriteBatch singleDelete(byte[] key) {
    return singleDelete(MemorySegment.ofArray(key));
  }

  /** Adds a {@linkplain Store#singleDelete single delete}. The key is copied. */
  public WriteBatch singleDelete(MemorySegment key) {
    return add(null, RecordKind.SINGLE_DELETE, key, MemorySegment.NULL);
  }

  /** Adds an operand, see {@link Store#merge}. Key and operand are copied. */
  public WriteBatch merge(byte[] key, byte[] operand) {
    return merge(MemorySegment.ofArray(key), MemorySegment.ofArray(operand));
  }

  /** Adds an operand, see {@link Store#merge}. Key and operand are copied. */
  public WriteBatch merge(MemorySegment key, MemorySegment operand) {
    return add(null, RecordKind.OPERAND, key, operand);
  }

  /** Adds a put in a family. Key and value are copied. */
  public WriteBatch put(Family in, byte[] key, byte[] value) {
    return put(in, MemorySegment.ofArray(key), MemorySegment.ofArray(value));
  }

  /** Adds a put in a family. Key and value are copied. */
  public WriteBatch put(Family in, MemorySegment key, MemorySegment value) {
    return add(in.family(), RecordKind.PUT, key, value);
  }

  /** Adds a delete in a family; the key need not exist. The key is copied. */
  public WriteBatch delete(Family in, byte[] key) {
    return delete(in, MemorySegment.ofArray(key));
  }

  /** Adds a delete in a family; the key need not exist. The key is copied. */
  public WriteBatch delete(Family in, MemorySegment key) {
    return add(in.family(), RecordKind.DELETE, key, MemorySegment.NULL);
  }

  /** Adds a {@linkplain Family#singleDelete single delete} in a family. The key is copied. */
  public WriteBatch singleDelete(Family in, byte[] key) {
    return singleDelete(in, MemorySegment.ofArray(key));
  }

  /** Adds a {@linkplain Family#singleDelete single delete} in a family. The key is copied. */
  public WriteBatch singleDelete(Family in, MemorySegment key) {
    return add(in.family(), RecordKind.SINGLE_DELETE, key, MemorySegment.NULL);
  }

  /** Adds an operand in a family, see {@link Family#merge}. Key and operand are copied. */
  public WriteBatch merge(Family in, byte[] key, byte[] operand) {
    return merge(in, MemorySegment.ofArray(key), MemorySegment.ofArray(operand));
  }

  /** Adds an operand in a family, see {@link Family#merge}. Key and operand are copied. */
  public WriteBatch merge(Family in, MemorySegment key, MemorySegment operand) {
    return add(in.family(), RecordKind.OPERAND, key, operand);
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
    return addRange(null, first, end);
  }

  /** Adds a {@linkplain Family#deleteRange range delete} in a family. Both keys are copied. */
  public WriteBatch deleteRange(Family in, byte[] first, byte[] end) {
    return deleteRange(in, MemorySegment.ofArray(first), MemorySegment.ofArray(end));
  }

  /**
   * Adds a {@linkplain Family#deleteRange range delete} in a family. Both keys are copied.
   *
   * @throws IllegalArgumentException also if there can be no key in the range
   */
  public WriteBatch deleteRange(Family in, MemorySegment first, MemorySegment end) {
    return addRange(in.family(), first, end);
  }

  WriteBatch addRange(FamilyState inOrNull, MemorySegment first, MemorySegment end) {
    // Of the copies: what is in the log is in order, whatever the caller does meanwhile.
    MemorySegment firstCopy = copyOfKey(first);
    MemorySegment endCopy = copyOfKey(end);
    RangeDelete.requireRange(firstCopy, endCopy);
    return add(inOrNull, RecordKind.RANGE_DELETE, firstCopy, endCopy);
  }

  private static MemorySegment copyOfKey(MemorySegment key) {
    Keys.requireLength(key.byteSize());
    return Keys.copy(key);
  }

  /** What a batch had at some time, to go back to. */
  record Mark(
      long endOffset,
      int count,
      int marks,
      int family,
      boolean hasOperands,
      boolean hasValues,
      int families,
      int familiesWithOperands) {}

  /** What it has now. */
  Mark mark() {
    return new Mark(
        endOffset,
        count,
        marks,
        family,
        hasOperands,
        hasValues,
        families.size(),
        familiesWithOperands.size());
  }

  /** Takes away what was added since. */
  void reset(Mark mark) {
    endOffset = mark.endOffset();
    count = mark.count();
    marks = mark.marks();
    family = mark.family();
    hasOperands = mark.hasOperands();
    hasValues = mark.hasValues();
    keepFirst(families, mark.families());
    keepFirst(familiesWithOperands, mark.familiesWithOperands());
  }

  private static void keepFirst(Set<FamilyState> all, int count) {
    if (all.size() > count) { // they are in the order in which they came
      all.retainAll(all.stream().limit(count).toList());
    }
  }

  /**
   * The memory that all operations lie in. When it has been outgrown it stays as it is, for as long
   * as anybody knows it.
   */
  MemorySegment memory() {
    return buffer;
  }

  /** Where the key of the last operation lies, at least 8 bytes before the end of the memory. */
  long lastKeyAddress() {
    return buffer.address() + lastKeyOffset;
  }

  /** Removes all operations and keeps the memory. */
  public void clear() {
    hasOperands = false;
    hasValues = false;
    endOffset = BatchFormat.HEADER_BYTES;
    count = 0;
    marks = 0;
    family = Manifest.MAIN;
    families.clear();
    familiesWithOperands.clear();
  }

  /** Returns the number of operations. */
  public int count() {
    return count - marks;
  }

  /**
   * Returns what the batch counts against {@link StoreOptions#batchBytesMax}: the bytes of its keys
   * and values, {@link #OPERATION_OVERHEAD_BYTES} for each operation and each change from one
   * family to another, {@link #FAMILY_OVERHEAD_BYTES} for each family that was named, and {@link
   * #BATCH_OVERHEAD_BYTES}. The first family and the change to it count nothing, so that as much
   * fits in each as in the default one.
   */
  public long sizeBytes() {
    long firstMark = marks == 0 ? 0 : OPERATION_OVERHEAD_BYTES;
    return countedBytes(count)
        - firstMark
        + Math.max(0, families.size() - 1L) * FAMILY_OVERHEAD_BYTES;
  }

  /**
   * Returns what the operations take of a memtable, without the places of families. That is not
   * what the batch counts: a change from one family to another is in the log alone.
   */
  long memtableBytes() {
    return countedBytes(count - marks) - (long) marks * BatchFormat.OPERATION_HEADER_BYTES;
  }

  private long countedBytes(int counted) {
    return endOffset
        + (long) counted * (OPERATION_OVERHEAD_BYTES - BatchFormat.OPERATION_HEADER_BYTES);
  }

  /** Whether there is anything but deletes. */
  boolean hasValues() {
    return hasValues;
  }

  /** Whether there are operands that name no family. */
  boolean hasOperands() {
    return hasOperands;
  }

  /** The families that were named. */
  Set<FamilyState> families() {
    return families;
  }

  /** Those of them that have operands. */
  Set<FamilyState> familiesWithOperands() {
    return familiesWithOperands;
  }

  /** Whether there are operations of other families than the default one. */
  boolean hasMarks() {
    return marks > 0;
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

  /** Adds an operation in a family; null for the default one of whatever store. */
  WriteBatch add(FamilyState inOrNull, int kind, MemorySegment key, MemorySegment value) {
    int in = inOrNull == null ? Manifest.MAIN : inOrNull.id();
    long markBytes = in == family ? 0 : BatchFormat.OPERATION_HEADER_BYTES;
    long keyBytes = key.byteSize();
    long valueBytes = value.byteSize();
    Keys.requireLength(keyBytes);
    long offset = endOffset + markBytes;
    long end = Math.addExact(offset + BatchFormat.OPERATION_HEADER_BYTES + keyBytes, valueBytes);
    if (end > RECORD_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a batch is encoded in at most " + RECORD_BYTES_MAX + " bytes: encodedBytes=" + end);
    }
    ensureCapacity(end + Long.BYTES); // words can be read at the end of a key
    if (markBytes > 0) {
      BatchFormat.putFamilyMark(buffer, endOffset, in);
    }
    BatchFormat.putOperationHeader(buffer, offset, kind, (int) keyBytes, (int) valueBytes);
    long keyOffset = offset + BatchFormat.OPERATION_HEADER_BYTES;
    MemorySegment.copy(key, 0, buffer, keyOffset, keyBytes);
    MemorySegment.copy(value, 0, buffer, keyOffset + keyBytes, valueBytes);
    // Last, so that a segment closed by its owner meanwhile leaves the batch as it was.
    endOffset = end;
    lastKeyOffset = keyOffset;
    if (markBytes > 0) {
      family = in;
      marks++;
      count++;
    }
    count++;
    hasValues |= RecordKind.hasValue(kind);
    boolean isOperand = kind == RecordKind.OPERAND;
    if (inOrNull == null) {
      hasOperands |= isOperand;
    } else {
      families.add(inOrNull);
      if (isOperand) {
        familiesWithOperands.add(inOrNull);
      }
    }
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
