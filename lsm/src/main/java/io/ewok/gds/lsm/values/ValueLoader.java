package io.ewok.gds.lsm.values;

import io.ewok.gds.buffers.BlockLoader;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.pagestore.CorruptFileException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * Checks entries of a value file, and its header, which stay as they are stored.
 *
 * <p>Threads: any.
 */
final class ValueLoader implements BlockLoader {
  private final long number;

  /** Of the file with this number. */
  ValueLoader(long number) {
    this.number = number;
  }

  @Override
  public void load(Path path, long offset, MemorySegment stored, MemorySegment block)
      throws CorruptFileException {
    String defect =
        offset == 0
            ? headerDefect(stored.address(), block.byteSize(), number)
            : entryDefect(stored.address(), block.byteSize(), number, offset);
    if (defect != null) {
      throw new CorruptFileException(path, offset, "a sound " + defect, "another");
    }
    MemorySegment.copy(stored, 0, block, 0, block.byteSize());
  }

  /** What is wrong with the header of a file, or null. */
  static String headerDefect(long header, long lengthBytes, long number) {
    if (lengthBytes != ValueFormat.HEADER_BYTES
        || Memory.getLong(header + ValueFormat.MAGIC_OFFSET) != ValueFormat.MAGIC) {
      return "header of a value file";
    }
    if (Memory.getInt(header + ValueFormat.CHECKSUM_OFFSET) != ValueFormat.headerChecksum(header)) {
      return "checksum of a header";
    }
    if (Memory.getInt(header + ValueFormat.VERSION_OFFSET) != ValueFormat.VERSION) {
      return "version";
    }
    return Memory.getLong(header + ValueFormat.NUMBER_OFFSET) == number ? null : "number";
  }

  /** What is wrong with an entry that lies whole at an address, or null. */
  static String entryDefect(long entry, long entryBytes, long number, long offset) {
    long keyBytes = Memory.getInt(entry + ValueFormat.KEY_LENGTH_OFFSET);
    long valueBytes = Memory.getInt(entry + ValueFormat.VALUE_LENGTH_OFFSET);
    if (keyBytes < 0
        || keyBytes > Keys.BYTES_MAX
        || valueBytes < 1
        || entryBytes != ValueFormat.KEY_OFFSET + keyBytes + valueBytes) {
      return "length of a value";
    }
    int expected = ValueFormat.entryChecksum(entry, entryBytes, number, offset);
    return Memory.getInt(entry + ValueFormat.CHECKSUM_OFFSET) == expected
        ? null
        : "checksum of a value";
  }
}
