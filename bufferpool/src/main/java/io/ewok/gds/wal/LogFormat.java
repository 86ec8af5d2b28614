package io.ewok.gds.wal;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Blocks and records as they lie in the log's segments. Integers are little-endian.
 *
 * <p>A block starts at a multiple of 4096 in the stream, never crosses a segment's end, and begins
 * with a header that has this size and this checksum in every version:
 *
 * <table>
 * <caption>Block header, 64 bytes</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>magic</td><td>u32</td><td>the bytes {@code GDLB}</td></tr>
 * <tr><td>4</td><td>checksum</td><td>u32</td><td>CRC32C of the 64 bytes with this field zero</td></tr>
 * <tr><td>8</td><td>version</td><td>u32</td><td>1, or 2 if the records are sealed</td></tr>
 * <tr><td>12</td><td>payload</td><td>u32</td><td>bytes of records that follow the header</td></tr>
 * <tr><td>16</td><td>lsn</td><td>u64</td><td>this block's position: what a segment held on its last lap is no block</td></tr>
 * <tr><td>24</td><td>incarnation</td><td>u64</td><td>who wrote it: blocks cut off by a recovery stay cut off</td></tr>
 * <tr><td>32</td><td>durable</td><td>u64</td><td>durable position known when it was written: an unreadable record below it
 *   is corruption, not the end</td></tr>
 * <tr><td>40</td><td>previous end</td><td>u64</td><td>where the content before this block ends: proves that nothing is
 *   missing in between, also where a recovery cut a block short</td></tr>
 * <tr><td>48</td><td>extent</td><td>u32</td><td>bytes from here to the next block, a multiple of 4096</td></tr>
 * <tr><td>52</td><td>key</td><td>u32</td><td>number of the master key, or 0</td></tr>
 * <tr><td>56</td><td>salt</td><td>u64</td><td>of the key of this life of the log, or 0; see {@link LogKey}</td></tr>
 * </table>
 *
 * <p>The extent is header and payload rounded up to 4096, or, in a block without payload, all that
 * is left of the segment. The payload is a sequence of records, each at a multiple of 8:
 *
 * <table>
 * <caption>Record</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>length</td><td>u32</td><td>bytes of content, never zero</td></tr>
 * <tr><td>4</td><td>checksum</td><td>u32</td><td>CRC32C of the record's position (u64), the incarnation (u64), the length
 *   (u32) and the content</td></tr>
 * <tr><td>8</td><td>content</td><td>bytes</td><td>contiguous; zero bytes up to the next multiple of 8 follow</td></tr>
 * </table>
 *
 * <p>The content of a sealed record is a tag of 16 bytes, then what the owner appended, encrypted;
 * the checksum is of that, so damage is found without the key. The tag comes first so that the
 * position of what the owner appended, counted back from where it ends, does not depend on it.
 */
final class LogFormat {
  static final int BLOCK_ALIGNMENT = 4096;
  static final int BLOCK_HEADER_BYTES = 64;
  static final int RECORD_HEADER_BYTES = 8;
  static final int VERSION = 1;

  /** Of a block whose records are sealed. */
  static final int VERSION_SEALED = 2;

  static final int MAGIC = 0x424C4447;

  private static final int RECORD_ALIGNMENT = 8;

  static final int CHECKSUM = Integer.BYTES;
  static final int CHECKSUM_BYTES = Integer.BYTES;

  private static final int BLOCK_VERSION = CHECKSUM + CHECKSUM_BYTES;
  private static final int PAYLOAD = BLOCK_VERSION + Integer.BYTES;
  private static final int LSN = PAYLOAD + Integer.BYTES;
  private static final int INCARNATION = LSN + Long.BYTES;
  private static final int DURABLE = INCARNATION + Long.BYTES;
  private static final int PREVIOUS_END = DURABLE + Long.BYTES;
  private static final int EXTENT = PREVIOUS_END + Long.BYTES;
  private static final int KEY = EXTENT + Integer.BYTES;
  private static final int SALT = KEY + Integer.BYTES;

  private static final int RECORD_CHECKSUM = Integer.BYTES;

  static final ValueLayout.OfInt INT = JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LONG = JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private LogFormat() {}

  static long alignToBlock(long bytes) {
    return (bytes + BLOCK_ALIGNMENT - 1) & -BLOCK_ALIGNMENT;
  }

  /** What a record of so many bytes takes in a block. */
  static long recordExtent(long contentBytes) {
    return (RECORD_HEADER_BYTES + contentBytes + RECORD_ALIGNMENT - 1) & -RECORD_ALIGNMENT;
  }

  /** What a block of so many payload bytes takes in the stream. */
  static long blockExtent(long payloadBytes) {
    return alignToBlock(BLOCK_HEADER_BYTES + payloadBytes);
  }

  static void writeHeader(MemorySegment block, HeaderChecksum checksum, BlockHeader header) {
    writeHeader(
        block,
        checksum,
        header.lsn(),
        header.incarnation(),
        header.extentBytes(),
        header.payloadBytes(),
        header.durableLsn(),
        header.previousEndLsn(),
        header.keyId(),
        header.salt());
  }

  /** The same with the components of {@link BlockHeader} by themselves, which needs no object. */
  static void writeHeader(
      MemorySegment block,
      HeaderChecksum checksum,
      long lsn,
      long incarnation,
      int extentBytes,
      int payloadBytes,
      long durableLsn,
      long previousEndLsn,
      int keyId,
      long salt) {
    block.set(INT, 0, MAGIC);
    block.set(INT, BLOCK_VERSION, keyId == 0 ? VERSION : VERSION_SEALED);
    block.set(INT, PAYLOAD, payloadBytes);
    block.set(LONG, LSN, lsn);
    block.set(LONG, INCARNATION, incarnation);
    block.set(LONG, DURABLE, durableLsn);
    block.set(LONG, PREVIOUS_END, previousEndLsn);
    block.set(INT, EXTENT, extentBytes);
    block.set(INT, KEY, keyId);
    block.set(LONG, SALT, salt);
    block.set(INT, CHECKSUM, checksum.of(block));
  }

  /** Whether a block header of any version is here. */
  static boolean isHeader(MemorySegment block) {
    return block.get(INT, 0) == MAGIC && block.get(INT, CHECKSUM) == new HeaderChecksum().of(block);
  }

  static int version(MemorySegment block) {
    return block.get(INT, BLOCK_VERSION);
  }

  /** Reads a header that {@link #isHeader} has accepted. */
  static BlockHeader readHeader(MemorySegment block) {
    return new BlockHeader(
        block.get(LONG, LSN),
        block.get(LONG, INCARNATION),
        block.get(INT, EXTENT),
        block.get(INT, PAYLOAD),
        block.get(LONG, DURABLE),
        block.get(LONG, PREVIOUS_END),
        block.get(INT, KEY),
        block.get(LONG, SALT));
  }

  static int recordLength(MemorySegment block, long offset) {
    return block.get(INT, offset);
  }

  static int recordChecksum(MemorySegment block, long offset) {
    return block.get(INT, offset + RECORD_CHECKSUM);
  }

  static void writeRecordHeader(MemorySegment block, long offset, int length, int checksum) {
    block.set(INT, offset, length);
    block.set(INT, offset + RECORD_CHECKSUM, checksum);
  }
}
