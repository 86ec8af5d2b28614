package io.ewok.gds.lsm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * A stream of the records of a store, to be kept or to be brought into another one: no versions, no
 * deletes, no sequence numbers, but what a reader sees of each family, in the order of the keys. It
 * begins with a header; then come frames, of which the last is an end. All integers are
 * little-endian, without alignment.
 *
 * <table>
 * <caption>Header, 16 bytes</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>magic</td><td>u64</td><td>"GDSEXPRT" in ASCII</td></tr>
 * <tr><td>8</td><td>version</td><td>u32</td><td>1</td></tr>
 * <tr><td>12</td><td>zero</td><td>u32</td><td>0</td></tr>
 * </table>
 *
 * <table>
 * <caption>Frame</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>checksum</td><td>u32</td><td>CRC32C of all that follows of the frame, then of its
 * offset in the stream as u64: so that none can be missing, or be in another place</td></tr>
 * <tr><td>4</td><td>type</td><td>u32</td><td>1 family, 2 records, 3 end; no others</td></tr>
 * <tr><td>8</td><td>length</td><td>u32</td><td>bytes of the body, at most 2^27</td></tr>
 * <tr><td>12</td><td>body</td><td></td><td></td></tr>
 * </table>
 *
 * <p>A family has its name in UTF-8, 1 to 255 bytes: the records that follow are of it. One comes
 * before the first records, also of the default family, and each name comes once. Records are one
 * or more: length of the key (u32), length of the value (u32), key, value. An end has the number of
 * all records, u64: a stream without it was cut off.
 */
final class ExportFormat {
  /** "GDSEXPRT" in ASCII. */
  static final long MAGIC = 0x5452_5058_4553_4447L;

  static final int VERSION = 1;

  static final int MAGIC_OFFSET = 0;
  static final int VERSION_OFFSET = MAGIC_OFFSET + Long.BYTES;
  static final int HEADER_BYTES = VERSION_OFFSET + 2 * Integer.BYTES;

  static final int CHECKSUM_OFFSET = 0;
  static final int TYPE_OFFSET = CHECKSUM_OFFSET + Integer.BYTES;
  static final int LENGTH_OFFSET = TYPE_OFFSET + Integer.BYTES;
  static final int FRAME_HEADER_BYTES = LENGTH_OFFSET + Integer.BYTES;

  static final int TYPE_FAMILY = 1;
  static final int TYPE_RECORDS = 2;
  static final int TYPE_END = 3;

  /** More than the largest value and key that there may be. */
  static final int BODY_BYTES_MAX = 1 << 27;

  static final int RECORD_HEADER_BYTES = 2 * Integer.BYTES;

  private ExportFormat() {}

  /** A header. */
  static byte[] header() {
    return ByteBuffer.allocate(HEADER_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(MAGIC)
        .putInt(VERSION)
        .array();
  }

  /**
   * The checksum of a frame.
   *
   * @param frame header and body
   * @param bytes how many these are
   * @param offset where the frame is in the stream
   */
  static int checksum(byte[] frame, int bytes, long offset) {
    CRC32C crc = new CRC32C();
    crc.update(frame, TYPE_OFFSET, bytes - TYPE_OFFSET);
    crc.update(
        ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(offset).flip());
    return (int) crc.getValue();
  }
}
