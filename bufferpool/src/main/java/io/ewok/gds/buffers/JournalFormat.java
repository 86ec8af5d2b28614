package io.ewok.gds.buffers;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * Layout of the journal of a page file: one block that says what it is, then two halves. Integers
 * are little-endian.
 *
 * <table>
 * <caption>First block</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>magic</td><td>u64</td><td>the bytes {@code GDSJOURN}</td></tr>
 * <tr><td>8</td><td>version</td><td>u32</td><td>1</td></tr>
 * <tr><td>12</td><td>block</td><td>u32</td><td>bytes of a block, to which everything here is aligned</td></tr>
 * <tr><td>16</td><td>half</td><td>u64</td><td>bytes of a half, whole blocks</td></tr>
 * <tr><td>24</td><td>file</td><td>u64</td><td>the page file's: guards against the journal of another file</td></tr>
 * <tr><td>32</td><td>checksum</td><td>u32</td><td>CRC32C of what is before</td></tr>
 * </table>
 *
 * <p>A half holds batches, one after the other from its start. The images of a batch follow its
 * header block, one after the other, and the rest of the last block is anything.
 *
 * <table>
 * <caption>Header of a batch</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>magic</td><td>u32</td><td>the bytes {@code GDSJ}</td></tr>
 * <tr><td>4</td><td>count</td><td>u32</td><td>of entries</td></tr>
 * <tr><td>8</td><td>file</td><td>u64</td><td>as above</td></tr>
 * <tr><td>16</td><td>epoch</td><td>u64</td><td>from 1; when one begins, the pages of those before are durable</td></tr>
 * <tr><td>24</td><td>sequence</td><td>u32</td><td>of the batch in its epoch, from 0</td></tr>
 * <tr><td>28</td><td>checksum</td><td>u32</td><td>CRC32C of what is before, then of the entries</td></tr>
 * <tr><td>32</td><td>entries</td><td>20 bytes each</td><td>offset in the page file u64, length u32, CRC32C of the image
 *   u32, CRC32C of what was then written to the page file u32</td></tr>
 * </table>
 */
final class JournalFormat {
  static final int VERSION = 1;

  /** Blocks are at least this long, so that a file can move to a device with larger sectors. */
  static final int BLOCK_BYTES_MIN = 4096;

  static final int FILE_BYTES = 36;

  private static final long MAGIC_VALUE = 0x4E52554F4A534447L;
  private static final int MAGIC = 0;
  private static final int FILE_VERSION = MAGIC + Long.BYTES;
  private static final int BLOCK = FILE_VERSION + Integer.BYTES;
  private static final int HALF = BLOCK + Integer.BYTES;
  private static final int FILE_ID = HALF + Long.BYTES;
  private static final int FILE_CHECKSUM = FILE_ID + Long.BYTES;

  private static final int BATCH_MAGIC_VALUE = 0x4A534447;
  private static final int COUNT = MAGIC + Integer.BYTES;
  private static final int BATCH_ID = COUNT + Integer.BYTES;
  private static final int EPOCH = BATCH_ID + Long.BYTES;
  private static final int SEQUENCE = EPOCH + Long.BYTES;
  private static final int BATCH_CHECKSUM = SEQUENCE + Integer.BYTES;
  private static final int ENTRIES = BATCH_CHECKSUM + Integer.BYTES;

  private static final int LENGTH = Long.BYTES;
  private static final int IMAGE_CHECKSUM = LENGTH + Integer.BYTES;
  private static final int NEXT_CHECKSUM = IMAGE_CHECKSUM + Integer.BYTES;
  private static final int ENTRY_BYTES = NEXT_CHECKSUM + Integer.BYTES;

  private JournalFormat() {}

  /**
   * What the first block says.
   *
   * @param blockBytes a power of two
   * @param halfBytes a multiple of it
   * @param fileId the page file's
   */
  record Shape(int blockBytes, long halfBytes, long fileId) {
    long sizeBytes() {
      return blockBytes + 2 * halfBytes;
    }
  }

  /** One image. */
  record Entry(long offset, int length, int imageChecksum, int nextChecksum) {}

  static void writeShape(MemorySegment block, Shape shape) {
    block.fill((byte) 0);
    block.set(PageFormat.LONG, MAGIC, MAGIC_VALUE);
    block.set(PageFormat.INT, FILE_VERSION, VERSION);
    block.set(PageFormat.INT, BLOCK, shape.blockBytes());
    block.set(PageFormat.LONG, HALF, shape.halfBytes());
    block.set(PageFormat.LONG, FILE_ID, shape.fileId());
    block.set(PageFormat.INT, FILE_CHECKSUM, checksum(block.asSlice(0, FILE_CHECKSUM)));
  }

  static Shape readShape(MemorySegment block, Path path) throws StorageException {
    int expected = checksum(block.asSlice(0, FILE_CHECKSUM));
    int found = block.get(PageFormat.INT, FILE_CHECKSUM);
    if (block.get(PageFormat.LONG, MAGIC) != MAGIC_VALUE || found != expected) {
      throw new CorruptFileException(
          path,
          0,
          "the journal of a page file with checksum 0x%08x".formatted(expected),
          "0x%08x".formatted(found));
    }
    int version = block.get(PageFormat.INT, FILE_VERSION);
    if (version != VERSION) {
      throw new UnsupportedFormatException(path, version, VERSION);
    }
    Shape shape =
        new Shape(
            block.get(PageFormat.INT, BLOCK),
            block.get(PageFormat.LONG, HALF),
            block.get(PageFormat.LONG, FILE_ID));
    if (shape.blockBytes() < BLOCK_BYTES_MIN
        || Integer.bitCount(shape.blockBytes()) != 1
        || shape.halfBytes() < shape.blockBytes()
        || shape.halfBytes() % shape.blockBytes() != 0
        || shape.halfBytes() > Integer.MAX_VALUE) {
      throw new CorruptFileException(path, BLOCK, "whole blocks", shape);
    }
    return shape;
  }

  /** How many images a batch can have. */
  static int entriesMax(int blockBytes) {
    return (blockBytes - ENTRIES) / ENTRY_BYTES;
  }

  static void writeEntry(MemorySegment block, int index, Entry entry) {
    long at = ENTRIES + (long) index * ENTRY_BYTES;
    block.set(PageFormat.LONG, at, entry.offset());
    block.set(PageFormat.INT, at + LENGTH, entry.length());
    block.set(PageFormat.INT, at + IMAGE_CHECKSUM, entry.imageChecksum());
    block.set(PageFormat.INT, at + NEXT_CHECKSUM, entry.nextChecksum());
  }

  static Entry entry(MemorySegment block, int index) {
    long at = ENTRIES + (long) index * ENTRY_BYTES;
    return new Entry(
        block.get(PageFormat.LONG, at),
        block.get(PageFormat.INT, at + LENGTH),
        block.get(PageFormat.INT, at + IMAGE_CHECKSUM),
        block.get(PageFormat.INT, at + NEXT_CHECKSUM));
  }

  /** Completes a block that has its entries. */
  static void sealBatch(MemorySegment block, long fileId, long epoch, int sequence, int count) {
    block.set(PageFormat.INT, MAGIC, BATCH_MAGIC_VALUE);
    block.set(PageFormat.INT, COUNT, count);
    block.set(PageFormat.LONG, BATCH_ID, fileId);
    block.set(PageFormat.LONG, EPOCH, epoch);
    block.set(PageFormat.INT, SEQUENCE, sequence);
    block.set(PageFormat.INT, BATCH_CHECKSUM, batchChecksum(block, count));
  }

  /** The epoch of the batch that starts here, or 0 if none does, or not this one. */
  static long epoch(MemorySegment block, long fileId, int sequence) {
    int count = count(block);
    boolean valid =
        block.get(PageFormat.INT, MAGIC) == BATCH_MAGIC_VALUE
            && count >= 0
            && count <= entriesMax((int) block.byteSize())
            && block.get(PageFormat.LONG, BATCH_ID) == fileId
            && block.get(PageFormat.INT, SEQUENCE) == sequence
            && block.get(PageFormat.INT, BATCH_CHECKSUM) == batchChecksum(block, count);
    return valid ? block.get(PageFormat.LONG, EPOCH) : 0;
  }

  static int count(MemorySegment block) {
    return block.get(PageFormat.INT, COUNT);
  }

  /** CRC32C of all of it. */
  static int checksum(MemorySegment bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.asByteBuffer());
    return (int) crc.getValue();
  }

  private static int batchChecksum(MemorySegment block, int count) {
    ByteBuffer bytes = block.asByteBuffer();
    CRC32C crc = new CRC32C();
    crc.update(bytes.slice(0, BATCH_CHECKSUM));
    crc.update(bytes.slice(ENTRIES, count * ENTRY_BYTES));
    return (int) crc.getValue();
  }
}
