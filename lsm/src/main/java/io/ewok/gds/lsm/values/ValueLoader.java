package io.ewok.gds.lsm.values;

import io.ewok.gds.buffers.BlockLoader;
import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.pagestore.CorruptFileException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * Checks entries of a value file, and its header, which stay as they are stored; or opens entries
 * that are sealed.
 *
 * <p>Threads: any.
 */
final class ValueLoader implements BlockLoader {
  private final long number;

  /** Whether what lies behind the header is the key, which is not known yet. */
  private volatile boolean awaitsKey;

  private volatile FileKey key;

  /** Of the file with this number. */
  ValueLoader(long number) {
    this.number = number;
  }

  /** Lets the key be read. */
  void awaitKey() {
    awaitsKey = true;
  }

  /** Lets entries be sealed, and no others. */
  void use(FileKey found) {
    key = found;
    awaitsKey = false;
  }

  /** The key of the file; null if it is not encrypted. */
  FileKey keyOrNull() {
    return key;
  }

  @Override
  public void load(Path path, long offset, MemorySegment stored, MemorySegment block)
      throws CorruptFileException {
    if (awaitsKey && offset == ValueFormat.HEADER_BYTES) {
      MemorySegment.copy(stored, 0, block, 0, block.byteSize()); // who reads it checks it
      return;
    }
    FileKey sealedWith = key;
    if (sealedWith != null && offset != 0) {
      String defect =
          sealedDefect(
              sealedWith, stored.address(), block.byteSize(), number, offset, block.address());
      if (defect != null) {
        throw new CorruptFileException(path, offset, "a sound " + defect, "another");
      }
      return;
    }
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
    int version = Memory.getInt(header + ValueFormat.VERSION_OFFSET);
    if (version != ValueFormat.VERSION && version != ValueFormat.VERSION_SEALED) {
      return "version";
    }
    return Memory.getLong(header + ValueFormat.NUMBER_OFFSET) == number ? null : "number";
  }

  /**
   * Opens a sealed entry.
   *
   * @param to where it goes, with zeros for the tag; may be where it is
   * @return what is wrong with it, or null
   */
  static String sealedDefect(
      FileKey key, long entry, long entryBytes, long number, long offset, long to) {
    long keyBytes = Memory.getInt(entry + ValueFormat.KEY_LENGTH_OFFSET);
    long valueBytes = Memory.getInt(entry + ValueFormat.VALUE_LENGTH_OFFSET);
    long plainBytes = ValueFormat.KEY_OFFSET + keyBytes + valueBytes;
    if (keyBytes < 0
        || keyBytes > Keys.BYTES_MAX
        || valueBytes < 1
        || entryBytes != plainBytes + ValueFormat.TAG_BYTES) {
      return "length of a value";
    }
    if (Memory.getInt(entry + ValueFormat.CHECKSUM_OFFSET)
        != ValueFormat.sealedChecksum(entry, number, offset)) {
      return "checksum of a value's lengths";
    }
    boolean isAuthentic =
        key.open(
            offset,
            ValueFormat.sealContext((int) keyBytes, (int) valueBytes),
            entry + ValueFormat.KEY_OFFSET,
            (int) (keyBytes + valueBytes),
            to + ValueFormat.KEY_OFFSET,
            entry + plainBytes);
    if (!isAuthentic) {
      return "seal of a value, which was damaged or tampered with";
    }
    Memory.copy(entry, to, ValueFormat.KEY_OFFSET);
    Memory.fill(to + plainBytes, ValueFormat.TAG_BYTES, (byte) 0);
    return null;
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
