package io.ewok.gds.lsm.table;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RecordKind;
import java.util.List;

/**
 * Blocks of range deletes: makes them, checks them, and reads what has passed that. See {@link
 * TableFormat}.
 */
final class RangesBlock {
  private static final int SEQUENCE_OFFSET = 0;
  private static final int FIRST_LENGTH_OFFSET = SEQUENCE_OFFSET + Long.BYTES;
  private static final int END_LENGTH_OFFSET = FIRST_LENGTH_OFFSET + Integer.BYTES;
  private static final int KEYS_OFFSET = END_LENGTH_OFFSET + Integer.BYTES;

  private RangesBlock() {}

  /** Length of a block with one such range delete, in bytes. */
  static long blockBytes(RangeDelete delete) {
    return TableFormat.blockBytes(TableFormat.RANGES_OFFSET, bytes(delete));
  }

  private static long bytes(RangeDelete delete) {
    return KEYS_OFFSET + delete.first().byteSize() + delete.end().byteSize();
  }

  /**
   * How many of the first of some range deletes fit into a block.
   *
   * @param blockBytesMax what a block of more than one has at most
   */
  static int fitting(List<RangeDelete> deletes, long blockBytesMax) {
    long bytes = 0;
    int count = 0;
    for (RangeDelete delete : deletes) {
      bytes += bytes(delete);
      if (count > 0 && TableFormat.blockBytes(TableFormat.RANGES_OFFSET, bytes) > blockBytesMax) {
        break;
      }
      count++;
    }
    return count;
  }

  /**
   * Makes a block at an address.
   *
   * @param before where the handle of the block before lies, or zeros
   * @return its length in bytes
   */
  static int put(long block, long before, List<RangeDelete> deletes) {
    Memory.putInt(block + TableFormat.TYPE_OFFSET, TableFormat.TYPE_RANGES);
    Memory.putInt(block + TableFormat.COUNT_OFFSET, deletes.size());
    Memory.copy(before, block + TableFormat.RANGES_BEFORE_OFFSET, TableFormat.HANDLE_BYTES);
    long at = block + TableFormat.RANGES_OFFSET;
    for (RangeDelete delete : deletes) {
      int firstBytes = (int) delete.first().byteSize();
      int endBytes = (int) delete.end().byteSize();
      Memory.putLong(at + SEQUENCE_OFFSET, delete.sequence());
      Memory.putInt(at + FIRST_LENGTH_OFFSET, firstBytes);
      Memory.putInt(at + END_LENGTH_OFFSET, endBytes);
      Memory.copyFrom(delete.first(), 0, at + KEYS_OFFSET, firstBytes);
      Memory.copyFrom(delete.end(), 0, at + KEYS_OFFSET + firstBytes, endBytes);
      at += bytes(delete);
    }
    int lengthBytes = (int) TableFormat.blockBytes(at - block, 0);
    Memory.fill(at, block + lengthBytes - at, (byte) 0);
    return lengthBytes;
  }

  /** As {@link BlockCheck#defect}, of a block of this type. */
  static String defect(long block, long lengthBytes, long tableEnd) {
    long before = block + TableFormat.RANGES_BEFORE_OFFSET;
    int count = Memory.getInt(block + TableFormat.COUNT_OFFSET);
    if (count < 1
        || lengthBytes < TableFormat.RANGES_OFFSET + TableFormat.SLACK_BYTES
        || !(BlockCheck.isNoHandle(before) || BlockCheck.isHandle(before, tableEnd))) {
      return "block of range deletes";
    }
    long end = block + lengthBytes - TableFormat.SLACK_BYTES;
    long at = block + TableFormat.RANGES_OFFSET;
    for (int i = 0; i < count; i++) {
      if (end - at < KEYS_OFFSET) {
        return "number of range deletes";
      }
      long sequence = Memory.getLong(at + SEQUENCE_OFFSET);
      int firstBytes = Memory.getInt(at + FIRST_LENGTH_OFFSET);
      int endBytes = Memory.getInt(at + END_LENGTH_OFFSET);
      if (sequence < 0
          || sequence > RecordKind.SEQUENCE_MAX
          || firstBytes < 0
          || firstBytes > Keys.BYTES_MAX
          || endBytes < 0
          || endBytes > Keys.BYTES_MAX
          || (long) firstBytes + endBytes > end - at - KEYS_OFFSET
          || Memory.compareUnsigned(
                  at + KEYS_OFFSET, firstBytes, at + KEYS_OFFSET + firstBytes, endBytes)
              >= 0) {
        return "range delete";
      }
      at += KEYS_OFFSET + firstBytes + endBytes;
    }
    return lengthBytes == TableFormat.blockBytes(at - block, 0) ? null : "end of the range deletes";
  }

  /** Adds the range deletes of a block that is sound to a list. */
  static void read(long block, List<RangeDelete> to) {
    long at = block + TableFormat.RANGES_OFFSET;
    for (int i = Memory.getInt(block + TableFormat.COUNT_OFFSET); i > 0; i--) {
      int firstBytes = Memory.getInt(at + FIRST_LENGTH_OFFSET);
      int endBytes = Memory.getInt(at + END_LENGTH_OFFSET);
      to.add(
          new RangeDelete(
              Keys.copy(at + KEYS_OFFSET, firstBytes),
              Keys.copy(at + KEYS_OFFSET + firstBytes, endBytes),
              Memory.getLong(at + SEQUENCE_OFFSET)));
      at += KEYS_OFFSET + firstBytes + endBytes;
    }
  }
}
