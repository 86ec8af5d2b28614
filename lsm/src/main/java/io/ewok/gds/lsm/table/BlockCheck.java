package io.ewok.gds.lsm.table;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.values.ValueFormat;

/**
 * Checks the structure of decompressed blocks, down to each length and the order of the keys. What
 * follows may trust it, so that no file, however it came about, leads to a wild read or an endless
 * loop.
 */
final class BlockCheck {
  private BlockCheck() {}

  /**
   * Looks at a block.
   *
   * @param tableEnd where the last block of the table ends that a handle may lead to
   * @return what is wrong with it, or null
   */
  static String defect(long block, long lengthBytes, long tableEnd) {
    if (lengthBytes < TableFormat.HEADS_OFFSET || lengthBytes > TableFormat.BLOCK_BYTES_MAX) {
      return "length";
    }
    return switch (TableFormat.type(block)) {
      case TableFormat.TYPE_DATA,
          TableFormat.TYPE_INDEX,
          TableFormat.TYPE_ROOT,
          TableFormat.TYPE_BOUNDS ->
          entriesDefect(block, lengthBytes, tableEnd);
      case TableFormat.TYPE_FILTER -> filterDefect(block, lengthBytes);
      case TableFormat.TYPE_RANGES -> RangesBlock.defect(block, lengthBytes, tableEnd);
      case TableFormat.TYPE_FOOTER -> lengthBytes == TableFormat.FOOTER_BYTES ? null : "footer";
      case TableFormat.TYPE_KEY -> lengthBytes == TableFormat.KEY_BYTES ? null : "key";
      default -> "type";
    };
  }

  private static String filterDefect(long block, long lengthBytes) {
    int probes = Byte.toUnsignedInt(Memory.getByte(block + TableFormat.PROBES_OFFSET));
    long lines = Memory.getInt(block + TableFormat.COUNT_OFFSET);
    boolean sound =
        probes >= 1
            && probes <= TableFormat.FILTER_PROBES_MAX
            && lines >= 1
            && lengthBytes
                == TableFormat.FILTER_LINES_OFFSET + lines * TableFormat.FILTER_LINE_BYTES;
    return sound ? null : "filter";
  }

  private static String entriesDefect(long block, long lengthBytes, long tableEnd) {
    int width = Memory.getByte(block + TableFormat.WIDTH_OFFSET);
    long count = Memory.getInt(block + TableFormat.COUNT_OFFSET);
    long prefix = Memory.getInt(block + TableFormat.PREFIX_LENGTH_OFFSET);
    if (width != 0 && width != Integer.BYTES && width != Long.BYTES) {
      return "stamp width";
    }
    long longestKey = Memory.getInt(block + TableFormat.LONGEST_KEY_OFFSET);
    if (count < 1 || count > lengthBytes) {
      return "entry count";
    }
    if (prefix < 0 || prefix > longestKey || longestKey > Keys.BYTES_MAX) {
      return "key lengths";
    }
    long columns = TableFormat.columnsBytes((int) count, width, prefix, 0);
    if (columns > lengthBytes - TableFormat.SLACK_BYTES) {
      return "size of the columns";
    }
    BlockView view = new BlockView();
    view.attach(block);
    String defect = columnsDefect(view, columns, lengthBytes);
    for (int i = 0; i < count && defect == null; i++) {
      defect = entryDefect(view, i, TableFormat.type(block), tableEnd);
    }
    return defect;
  }

  /** Whether tails and values follow each other and end where they should. */
  private static String columnsDefect(BlockView view, long tailsStart, long lengthBytes) {
    long end = lengthBytes - TableFormat.SLACK_BYTES;
    long tail = tailsStart;
    for (int i = 0; i < view.count(); i++) {
      if (view.tailOffset(i) != tail || view.headBytes(i) > TableFormat.HEAD_BYTES) {
        return "key offset";
      }
      tail = view.tailOffset(i + 1);
      if (tail < view.tailOffset(i) || tail > end) {
        return "key length";
      }
    }
    if (view.headBytes(view.count()) != 0) {
      return "end of the keys";
    }
    long value = tail;
    for (int i = 0; i < view.count(); i++) {
      if (view.valueOffset(i) != value) {
        return "value offset";
      }
      value = view.valueOffset(i + 1);
      if (value < view.valueOffset(i) || value > end) {
        return "value length";
      }
    }
    return lengthBytes == TableFormat.blockBytes(value, 0) ? null : "end of the values";
  }

  private static String entryDefect(BlockView view, int ordinal, int type, long tableEnd) {
    int headBytes = view.headBytes(ordinal);
    int keyBytes = view.keyBytes(ordinal);
    boolean isShort = headBytes < TableFormat.HEAD_BYTES;
    if (isShort && keyBytes != view.prefixBytes() + headBytes) {
      return "head length";
    }
    if (isShort && (view.head(ordinal) & (-1L >>> (Byte.SIZE * headBytes))) != 0) {
      return "head";
    }
    if (keyBytes > view.longestKeyBytes()) {
      return "key length";
    }
    if (ordinal > 0 && view.compareEntries(ordinal - 1, ordinal) >= 0) {
      return "order of the entries";
    }
    return valueDefect(view, ordinal, type, tableEnd);
  }

  private static String valueDefect(BlockView view, int ordinal, int type, long tableEnd) {
    int valueBytes = view.valueBytes(ordinal);
    long value = view.valueAddress(ordinal);
    boolean sound =
        switch (type) {
          case TableFormat.TYPE_DATA ->
              isRecord(view.stamp(ordinal), view.keyBytes(ordinal), value, valueBytes);
          case TableFormat.TYPE_INDEX ->
              valueBytes == TableFormat.HANDLE_BYTES && isHandle(value, tableEnd);
          case TableFormat.TYPE_ROOT ->
              valueBytes == 2 * TableFormat.HANDLE_BYTES
                  && isHandle(value, tableEnd)
                  && (isNoHandle(value + TableFormat.HANDLE_BYTES)
                      || isHandle(value + TableFormat.HANDLE_BYTES, tableEnd));
          default ->
              valueBytes == 0
                  || (ordinal == 0
                      && (valueBytes == TableFormat.RANGES_VALUE_BYTES
                          || valueBytes == TableFormat.RANGES_VALUE_BYTES_WITHOUT_NEWEST)
                      && isHandle(value, tableEnd));
        };
    return sound ? null : "value of an entry";
  }

  private static boolean isRecord(long stamp, int keyBytes, long value, int valueBytes) {
    int kind = RecordKind.kind(stamp);
    return kind == RecordKind.VALUE_REFERENCE
        ? valueBytes == ValueFormat.REFERENCE_BYTES && ValueFormat.isReference(value, keyBytes)
        : RecordKind.isSound(kind, valueBytes);
  }

  /** Whether a handle leads to a place in the table where a block may be. */
  static boolean isHandle(long handle, long tableEnd) {
    long offset = TableFormat.handleOffset(handle);
    long storedBytes = TableFormat.handleStoredBytes(handle);
    long lengthBytes = TableFormat.handleLengthBytes(handle);
    return offset >= 0
        && offset % TableFormat.BLOCK_ALIGNMENT_BYTES == 0
        && storedBytes > TableFormat.STORED_HEADER_BYTES
        && offset <= tableEnd - storedBytes
        && lengthBytes >= TableFormat.HEADS_OFFSET
        && lengthBytes <= TableFormat.BLOCK_BYTES_MAX;
  }

  static boolean isNoHandle(long handle) {
    return TableFormat.handleOffset(handle) == 0
        && TableFormat.handleStoredBytes(handle) == 0
        && TableFormat.handleLengthBytes(handle) == 0;
  }
}
