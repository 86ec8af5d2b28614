package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.BlockLoader;
import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.pagestore.CorruptFileException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * Makes blocks of a table of what is stored of them: checks where it belongs and its checksum,
 * decrypts and decompresses it, and checks what came out with {@link BlockCheck}.
 *
 * <p>Threads: any.
 */
final class TableLoader implements BlockLoader {
  private final long number;

  /** Until it is known no block leads anywhere. */
  private volatile long fileBytes;

  /** For the one kind of compression that the footer names; until that is known none. */
  private volatile BlockCodec codec;

  private volatile int codecNumber;

  /** Of an encrypted table; null until its footer is known. */
  private volatile FileKey key;

  /** See {@link TableMeta#addedSequence}. */
  private volatile long addedSequence;

  /** A loader for the table of this number; of its blocks, for the footer alone at first. */
  TableLoader(long number) {
    this.number = number;
  }

  /** Lets blocks be compressed this way, and lead to others in a file of this length. */
  void use(BlockCodec codec, int codecNumber, long fileBytes) {
    this.fileBytes = fileBytes;
    this.codec = codec;
    this.codecNumber = codecNumber;
  }

  /** Lets blocks before the footer be sealed, and no others. */
  void use(FileKey key) {
    this.key = key;
  }

  /** The key of the table; null if it is not encrypted. */
  FileKey keyOrNull() {
    return key;
  }

  /** Adds something to the sequence numbers of all records of blocks from now on. */
  void addSequence(long added) {
    this.addedSequence = added;
  }

  @Override
  public void load(Path path, long offset, MemorySegment stored, MemorySegment block)
      throws CorruptFileException {
    long address = stored.address();
    int lengthBytes = (int) block.byteSize();
    long payloadBytes = Memory.getInt(address + TableFormat.STORED_LENGTH_OFFSET);
    require(
        payloadBytes > 0 && payloadBytes <= stored.byteSize() - TableFormat.STORED_HEADER_BYTES,
        path,
        offset,
        "stored length");
    int storedBytes = (int) payloadBytes + TableFormat.STORED_HEADER_BYTES;
    int expected = TableFormat.checksum(address, storedBytes, number, offset);
    int actual = Memory.getInt(address + TableFormat.CHECKSUM_OFFSET);
    if (expected != actual) {
      throw new CorruptFileException(
          path, offset, "checksum " + Integer.toHexString(expected), Integer.toHexString(actual));
    }
    require(
        Memory.getInt(address + TableFormat.LENGTH_OFFSET) == lengthBytes, path, offset, "length");
    int form = Memory.getInt(address + TableFormat.COMPRESSION_OFFSET);
    FileKey sealedWith = offset < TableFormat.footerOffset(fileBytes) ? key : null;
    int compression = form & ~TableFormat.SEALED_BIT;
    require((form != compression) == (sealedWith != null), path, offset, "seal");
    payloadBytes -= sealedWith == null ? 0 : TableFormat.TAG_BYTES;
    require(payloadBytes > 0, path, offset, "stored length");
    MemorySegment payload = stored.asSlice(TableFormat.STORED_HEADER_BYTES, payloadBytes);
    if (sealedWith != null) {
      // What is compressed is opened where it lies, since it is needed for a moment only.
      require(compression != 0 || payloadBytes == lengthBytes, path, offset, "stored length");
      long to = compression == 0 ? block.address() : payload.address();
      open(sealedWith, path, offset, compression, payload, lengthBytes, to);
    }
    if (compression == 0) {
      require(payloadBytes == lengthBytes, path, offset, "stored length");
      if (sealedWith == null) {
        MemorySegment.copy(payload, 0, block, 0, lengthBytes);
      }
    } else {
      require(codec != null && compression == codecNumber, path, offset, "compression");
      require(decompress(payload, block) == lengthBytes, path, offset, "compressed block");
    }
    String defect = BlockCheck.defect(block.address(), lengthBytes, fileBytes);
    require(defect == null, path, offset, defect);
    if (addedSequence > 0) {
      addSequence(path, offset, block.address());
    }
  }

  private static void open(
      FileKey key,
      Path path,
      long offset,
      int compression,
      MemorySegment payload,
      int lengthBytes,
      long to)
      throws CorruptFileException {
    long from = payload.address();
    int bytes = (int) payload.byteSize();
    long context = TableFormat.sealContext(lengthBytes, compression);
    if (!key.open(offset, context, from, bytes, to, from + bytes)) {
      throw new CorruptFileException(
          path, offset, "an authentic block", "one that was tampered with");
    }
  }

  /**
   * Each block says what is to be added to its stamps; so none of them is touched, and whoever
   * reads the block knows nothing of it.
   */
  private void addSequence(Path path, long offset, long block) throws CorruptFileException {
    int type = TableFormat.type(block);
    if (!TableFormat.hasStamps(type)) {
      // Such a table has no range deletes; filter and footer have nothing to add to.
      require(type != TableFormat.TYPE_RANGES, path, offset, "table without range deletes");
      return;
    }
    long base = Memory.getLong(block + TableFormat.STAMP_BASE_OFFSET);
    require(
        RecordKind.sequence(base) <= RecordKind.SEQUENCE_MAX - addedSequence,
        path,
        offset,
        "stamp base");
    Memory.putLong(
        block + TableFormat.STAMP_BASE_OFFSET, base + RecordKind.stamp(addedSequence, 0));
  }

  private int decompress(MemorySegment payload, MemorySegment block) {
    try {
      return codec.decompress(payload, block);
    } catch (IllegalArgumentException malformed) {
      return -1; // what it says is of no more use than that
    }
  }

  private static void require(boolean sound, Path path, long offset, String what)
      throws CorruptFileException {
    if (!sound) {
      throw new CorruptFileException(path, offset, "a sound " + what, "another");
    }
  }
}
