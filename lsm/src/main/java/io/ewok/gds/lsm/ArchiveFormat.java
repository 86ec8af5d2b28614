package io.ewok.gds.lsm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * A file of an archive: the records of a store's log from one position to another. It consists of
 * blocks of {@link #BLOCK_BYTES}, the last of which may be shorter, a multiple of 4096. What the
 * blocks have, one after the other, is a stream of records. All integers are little-endian.
 *
 * <table>
 * <caption>Block</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>magic</td><td>u32</td><td>"GDSA" in ASCII</td></tr>
 * <tr><td>4</td><td>checksum</td><td>u32</td><td>CRC32C of the whole block but for this field: no byte is
 * without one</td></tr>
 * <tr><td>8</td><td>version</td><td>u32</td><td>1</td></tr>
 * <tr><td>12</td><td>payload</td><td>u32</td><td>bytes of the stream in this block; zeros follow</td></tr>
 * <tr><td>16</td><td>offset</td><td>u64</td><td>of the block in its file: guards against misdirected
 * reads</td></tr>
 * <tr><td>24</td><td>history</td><td>u64</td><td>see {@link ArchivedLog}, as well as the next</td></tr>
 * <tr><td>32</td><td>from</td><td>u64</td><td>where the block before the first record ends</td></tr>
 * <tr><td>40</td><td>last</td><td>u32</td><td>1 in the last block, else 0: so none can be missing at the
 * end</td></tr>
 * <tr><td>44</td><td>zero</td><td>u32</td><td></td></tr>
 * <tr><td>48</td><td>key note</td><td>24 bytes</td><td>of {@link io.ewok.gds.encryption.FileKey}, the same in
 * all blocks; zeros if the file is not encrypted</td></tr>
 * <tr><td>72</td><td>tag</td><td>16 bytes</td><td>of the sealed payload; zeros as well</td></tr>
 * <tr><td>88</td><td>payload</td><td></td><td></td></tr>
 * </table>
 *
 * <table>
 * <caption>Record of the stream</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>end</td><td>u64</td><td>position in the log just behind it: its sequence
 * number</td></tr>
 * <tr><td>8</td><td>length</td><td>u32</td><td>bytes</td></tr>
 * <tr><td>12</td><td>content</td><td></td><td>as {@link io.ewok.gds.lsm.record.BatchFormat} or {@link
 * LogMark} says</td></tr>
 * </table>
 */
final class ArchiveFormat {
  /** "GDSA" in ASCII. */
  static final int MAGIC = 0x4153_4447;

  static final int VERSION = 1;

  /** What keys of such files are for. */
  static final String KEY_PURPOSE = "archive";

  static final int BLOCK_BYTES = 256 << 10;
  static final int ALIGNMENT_BYTES = 4096;

  static final int MAGIC_OFFSET = 0;
  static final int CHECKSUM_OFFSET = MAGIC_OFFSET + Integer.BYTES;
  static final int VERSION_OFFSET = CHECKSUM_OFFSET + Integer.BYTES;
  static final int PAYLOAD_OFFSET = VERSION_OFFSET + Integer.BYTES;
  static final int OFFSET_OFFSET = PAYLOAD_OFFSET + Integer.BYTES;
  static final int HISTORY_OFFSET = OFFSET_OFFSET + Long.BYTES;
  static final int FROM_OFFSET = HISTORY_OFFSET + Long.BYTES;
  static final int LAST_OFFSET = FROM_OFFSET + Long.BYTES;
  static final int ZERO_OFFSET = LAST_OFFSET + Integer.BYTES;
  static final int NOTE_OFFSET = ZERO_OFFSET + Integer.BYTES;
  static final int TAG_OFFSET = NOTE_OFFSET + 24;
  static final int HEADER_BYTES = TAG_OFFSET + 16;

  static final int PAYLOAD_BYTES_MAX = BLOCK_BYTES - HEADER_BYTES;

  static final int RECORD_HEADER_BYTES = Long.BYTES + Integer.BYTES;

  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private ArchiveFormat() {}

  static int padded(int bytes) {
    return (bytes + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES;
  }

  /** The checksum that a block is to have. */
  static int checksum(MemorySegment block) {
    ByteBuffer bytes = block.asByteBuffer();
    CRC32C crc = new CRC32C();
    crc.update(bytes.slice(0, CHECKSUM_OFFSET));
    int behind = CHECKSUM_OFFSET + Integer.BYTES;
    crc.update(bytes.slice(behind, bytes.capacity() - behind));
    return (int) crc.getValue();
  }

  /** Who a payload belongs to, as its seal says. */
  static long context(long history, long fromLsn, boolean isLast) {
    return history ^ (fromLsn << 1 | (isLast ? 1 : 0));
  }
}
