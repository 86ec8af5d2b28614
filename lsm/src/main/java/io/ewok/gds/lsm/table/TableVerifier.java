package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.BlockVerifier;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.pagestore.CorruptFileException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * Checks every block of a table when it comes from the device: its checksum, its place and its
 * structure, down to each length and the order of the keys. What follows may trust it, so that no
 * file, however it came about, leads to a wild read or an endless loop.
 *
 * <p>Threads: any.
 */
final class TableVerifier implements BlockVerifier {
  private final long number;

  /** A verifier for the table of this number. */
  TableVerifier(long number) {
    this.number = number;
  }

  @Override
  public void verify(Path path, long offset, MemorySegment block) throws CorruptFileException {
    long lengthBytes = block.byteSize();
    if (lengthBytes <= 0
        || lengthBytes > Integer.MAX_VALUE
        || lengthBytes % TableFormat.BLOCK_ALIGNMENT_BYTES != 0) {
      throw new CorruptFileException(
          path, offset, "a block in multiples of 4096 bytes", lengthBytes + " bytes");
    }
    long address = block.address();
    long end = address + lengthBytes;
    int expected = TableFormat.checksum(address, (int) lengthBytes, number, offset);
    int actual = Memory.getInt(end - TableFormat.CHECKSUM_BACK);
    if (expected != actual) {
      throw new CorruptFileException(
          path, offset, "checksum " + Integer.toHexString(expected), Integer.toHexString(actual));
    }
    require(
        Memory.getInt(end - TableFormat.LENGTH_BACK) == lengthBytes, path, offset, "block length");
    int type = Memory.getInt(end - TableFormat.TYPE_BACK);
    int count = Memory.getInt(end - TableFormat.COUNT_BACK);
    int bodyEnd = Memory.getInt(end - TableFormat.BODY_END_BACK);
    long bytesMax = lengthBytes - TableFormat.TRAILER_BYTES;
    require(bodyEnd >= 0 && bodyEnd <= bytesMax, path, offset, "end of the body");
    if (type == TableFormat.TYPE_FOOTER) {
      require(
          count == 0
              && bodyEnd == TableFormat.FOOTER_BODY_BYTES
              && lengthBytes == TableFormat.FOOTER_BYTES,
          path,
          offset,
          "size of the footer");
      return;
    }
    require(type >= TableFormat.TYPE_DATA && type <= TableFormat.TYPE_RANGE, path, offset, "type");
    require(
        count >= 1 && count <= (bytesMax - bodyEnd) / Integer.BYTES, path, offset, "entry count");
    verifyEntries(path, offset, address, type, count, bodyEnd);
  }

  private static void verifyEntries(
      Path path, long offset, long address, int type, int count, int bodyEnd)
      throws CorruptFileException {
    long position = 0;
    long dataEnd = 0;
    long before = 0;
    for (int i = 0; i < count; i++) {
      long start = Memory.getInt(address + bodyEnd + (long) i * Integer.BYTES);
      require(
          start == position && start <= bodyEnd - TableFormat.ENTRY_HEADER_BYTES,
          path,
          offset,
          "entry offset");
      long entry = address + start;
      int valueBytes = BlockView.valueBytes(entry);
      position = start + TableFormat.ENTRY_HEADER_BYTES + BlockView.keyBytes(entry) + valueBytes;
      require(valueBytes >= 0 && position <= bodyEnd, path, offset, "entry length");
      require(i == 0 || isOrdered(before, entry), path, offset, "order of the entries");
      require(isValueSound(type, entry, valueBytes), path, offset, "kind of the entry");
      if (type == TableFormat.TYPE_INDEX) {
        long blockBytes = BlockView.indexedBytes(entry);
        require(
            BlockView.indexedOffset(entry) == dataEnd
                && blockBytes > 0
                && blockBytes % TableFormat.BLOCK_ALIGNMENT_BYTES == 0,
            path,
            offset,
            "place of a data block");
        dataEnd += blockBytes;
      }
      before = entry;
    }
    require(position == bodyEnd, path, offset, "end of the entries");
    if (type == TableFormat.TYPE_INDEX) {
      require(dataEnd == offset, path, offset, "end of the data blocks");
    }
    require(type != TableFormat.TYPE_RANGE || count <= 2, path, offset, "entries of the range");
  }

  private static boolean isOrdered(long before, long entry) {
    int order = BlockView.compareKeys(before, entry);
    return order < 0
        || (order == 0
            && RecordKind.compareStamps(BlockView.stamp(before), BlockView.stamp(entry)) < 0);
  }

  private static boolean isValueSound(int type, long entry, int valueBytes) {
    int kind = RecordKind.kind(BlockView.stamp(entry));
    if (!RecordKind.isValid(kind)) {
      return false;
    }
    return switch (type) {
      case TableFormat.TYPE_DATA -> kind != RecordKind.DELETE || valueBytes == 0;
      case TableFormat.TYPE_INDEX -> valueBytes == TableFormat.INDEX_VALUE_BYTES;
      default -> valueBytes == 0;
    };
  }

  private static void require(boolean sound, Path path, long offset, String what)
      throws CorruptFileException {
    if (!sound) {
      throw new CorruptFileException(path, offset, "a sound " + what, "another");
    }
  }
}
