package io.ewok.gds.lsm.record;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.function.IntConsumer;

/**
 * A batch of operations as one record of the log. The log checksums it and says how long it is. Its
 * place in the log says which sequence numbers it has: the first operation has the position behind
 * that of the record's start, the others follow. All integers are little-endian, without alignment.
 *
 * <table>
 * <caption>Record</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>count</td><td>u32</td><td>number of operations, at least 1; 0 in a void
 * record</td></tr>
 * <tr><td>4</td><td>type</td><td>u32</td><td>1, a batch; 2, void: a writer had its place in the log
 * and could not fill it, the rest means nothing; 3, a mark: no operations, but something that is to
 * be known where the log is archived; other numbers are kept for other records</td></tr>
 * <tr><td>8</td><td>operations</td><td></td><td>one after the other, to the end of the
 * record</td></tr>
 * </table>
 *
 * <table>
 * <caption>Operation</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>kind</td><td>u8</td><td>see {@link RecordKind}; or 128, a family mark</td></tr>
 * <tr><td>1</td><td>key length</td><td>u24</td><td>bytes; 0 in a family mark</td></tr>
 * <tr><td>4</td><td>value length</td><td>u32</td><td>bytes, 0 for a delete; in a family mark the number
 * of a family, which the operations behind it belong to</td></tr>
 * <tr><td>8</td><td>key</td><td></td><td></td></tr>
 * <tr><td>8 + key length</td><td>value</td><td></td><td>of a range delete, whose key is the first of
 * the range, the smallest key behind the range</td></tr>
 * </table>
 *
 * <p>The operations before the first family mark belong to the default family, number 0. A mark
 * counts as an operation and has a sequence number, but is a record of no family.
 */
public final class BatchFormat {
  public static final int COUNT_OFFSET = 0;
  public static final int TYPE_OFFSET = COUNT_OFFSET + Integer.BYTES;
  public static final int HEADER_BYTES = TYPE_OFFSET + Integer.BYTES;

  public static final int TYPE_BATCH = 1;
  public static final int TYPE_VOID = 2;
  public static final int TYPE_MARK = 3;

  /** The kind of a family mark. */
  public static final int KIND_FAMILY = 128;

  public static final int KIND_OFFSET = 0;
  public static final int KEY_LENGTH_OFFSET = KIND_OFFSET + Byte.BYTES;
  public static final int VALUE_LENGTH_OFFSET = KIND_OFFSET + Integer.BYTES;
  public static final int OPERATION_HEADER_BYTES = VALUE_LENGTH_OFFSET + Integer.BYTES;

  private static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /**
   * What an operation counts in the size of a batch besides its key and value: its header in the
   * log and its place in the memtable.
   */
  public static final int OPERATION_OVERHEAD_BYTES = 66;

  private BatchFormat() {}

  /**
   * Returns what the operations of a sound record take of a memtable; family marks take nothing.
   */
  public static long memtableBytes(MemorySegment record) {
    long bytes = HEADER_BYTES;
    long offset = HEADER_BYTES;
    for (int i = 0; i < count(record); i++) {
      if (!isFamilyMark(record, offset)) {
        bytes += operationSizeBytes(keyBytes(record, offset), valueBytes(record, offset));
      }
      offset += operationBytes(record, offset);
    }
    return bytes;
  }

  /** Returns what one operation counts in the size of a batch. */
  public static long operationSizeBytes(long keyBytes, long valueBytes) {
    return OPERATION_OVERHEAD_BYTES + keyBytes + valueBytes;
  }

  /** Returns what a record of one operation takes, in bytes. */
  public static long recordBytes(long keyBytes, long valueBytes) {
    return HEADER_BYTES + OPERATION_HEADER_BYTES + keyBytes + valueBytes;
  }

  /** The header of a record as one number. */
  public static long header(int count) {
    return ((long) TYPE_BATCH << Integer.SIZE) | Integer.toUnsignedLong(count);
  }

  /** The header of a void record as one number. */
  public static long voidHeader() {
    return (long) TYPE_VOID << Integer.SIZE;
  }

  /** The header of a mark as one number; what it says follows. */
  public static long markHeader() {
    return (long) TYPE_MARK << Integer.SIZE;
  }

  /** Whether a sound record is a mark. */
  public static boolean isMark(MemorySegment record) {
    return record.get(U32, TYPE_OFFSET) == TYPE_MARK;
  }

  /** The header of an operation as one number. */
  public static long operationHeader(int kind, long keyBytes, long valueBytes) {
    return (valueBytes << Integer.SIZE) | (keyBytes << Byte.SIZE) | kind;
  }

  /** A family mark as one number. */
  public static long familyMark(int family) {
    return operationHeader(KIND_FAMILY, 0, family);
  }

  public static void putFamilyMark(MemorySegment record, long offset, int family) {
    record.set(U64, offset + KIND_OFFSET, familyMark(family));
  }

  public static void putHeader(MemorySegment record, int count) {
    record.set(U64, COUNT_OFFSET, header(count));
  }

  public static void putOperationHeader(
      MemorySegment record, long offset, int kind, int keyBytes, int valueBytes) {
    record.set(U64, offset + KIND_OFFSET, operationHeader(kind, keyBytes, valueBytes));
  }

  public static int count(MemorySegment record) {
    return record.get(U32, COUNT_OFFSET);
  }

  public static int kind(MemorySegment record, long offset) {
    return Byte.toUnsignedInt(record.get(ValueLayout.JAVA_BYTE, offset + KIND_OFFSET));
  }

  public static int keyBytes(MemorySegment record, long offset) {
    return record.get(U32, offset + KIND_OFFSET) >>> Byte.SIZE;
  }

  public static int valueBytes(MemorySegment record, long offset) {
    return record.get(U32, offset + VALUE_LENGTH_OFFSET);
  }

  /** Whether an operation is none but a family mark. */
  public static boolean isFamilyMark(MemorySegment record, long offset) {
    return kind(record, offset) == KIND_FAMILY;
  }

  /** The number of the family that a mark names. */
  public static int family(MemorySegment record, long offset) {
    return record.get(U32, offset + VALUE_LENGTH_OFFSET);
  }

  /** Returns what an operation takes of its record, in bytes. */
  public static long operationBytes(MemorySegment record, long offset) {
    return isFamilyMark(record, offset)
        ? OPERATION_HEADER_BYTES
        : OPERATION_HEADER_BYTES + (long) keyBytes(record, offset) + valueBytes(record, offset);
  }

  /** Shows the numbers that the family marks of a sound record have. */
  public static void forEachFamily(MemorySegment record, IntConsumer to) {
    long offset = HEADER_BYTES;
    for (int i = 0; i < count(record); i++) {
      if (isFamilyMark(record, offset)) {
        to.accept(family(record, offset));
      }
      offset += operationBytes(record, offset);
    }
  }

  /**
   * Checks a record read from the log. When this returns null, the accessors above may walk its
   * operations without leaving it.
   *
   * @return what is wrong, as a message that ends in {@code name=value}, or null
   */
  public static String defect(MemorySegment record) {
    long end = record.byteSize();
    if (end < HEADER_BYTES) {
      return "a record is shorter than its header: recordBytes=" + end;
    }
    int type = record.get(U32, TYPE_OFFSET);
    int count = count(record);
    if (type == TYPE_VOID || type == TYPE_MARK) {
      return count == 0 ? null : "a void record or a mark has no operations: count=" + count;
    }
    if (type != TYPE_BATCH) {
      return "unknown record: type=" + type;
    }
    if (count < 1) {
      return "a batch has operations: count=" + count;
    }
    long offset = HEADER_BYTES;
    for (int i = 0; i < count; i++) {
      if (offset > end - OPERATION_HEADER_BYTES) {
        return "a batch ends within an operation: operation=" + i;
      }
      int kind = kind(record, offset);
      int valueBytes = valueBytes(record, offset);
      if (kind == KIND_FAMILY) {
        if (valueBytes < 0 || keyBytes(record, offset) != 0) {
          return "a family mark is malformed: operation=" + i;
        }
        offset += OPERATION_HEADER_BYTES;
        continue;
      }
      long next =
          offset + OPERATION_HEADER_BYTES + keyBytes(record, offset) + Math.max(0, valueBytes);
      if (keyBytes(record, offset) > Keys.BYTES_MAX
          || next > end
          || !(kind == RecordKind.RANGE_DELETE
              ? isRange(record, offset, valueBytes)
              : RecordKind.isSound(kind, valueBytes))) {
        return "an operation is malformed: operation=" + i + " kind=" + kind;
      }
      offset = next;
    }
    return offset == end ? null : "bytes follow the last operation: operationsEnd=" + offset;
  }

  /** Whether an operation, which lies inside of the record, has two keys in order. */
  private static boolean isRange(MemorySegment record, long offset, int endBytes) {
    int firstBytes = keyBytes(record, offset);
    long first = offset + OPERATION_HEADER_BYTES;
    return endBytes >= 0
        && endBytes <= Keys.BYTES_MAX
        && RangeDelete.isRange(
            record.asSlice(first, firstBytes), record.asSlice(first + firstBytes, endBytes));
  }
}
