package io.ewok.gds.pagestore;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * Layout of a file written by {@link AtomicFile}. Integers are little-endian. After the payload
 * come zeros up to the alignment of the file it was written through.
 *
 * <table>
 *   <caption>Envelope</caption>
 *   <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 *   <tr><td>0</td><td>magic</td><td>u32</td><td>the kind of file, chosen by its owner, not zero:
 *       guards against reading another kind</td></tr>
 *   <tr><td>4</td><td>version</td><td>u32</td><td>version of the payload's format, from 1</td></tr>
 *   <tr><td>8</td><td>length</td><td>u32</td><td>bytes of the payload: guards against a file cut
 *       short</td></tr>
 *   <tr><td>12</td><td>checksum</td><td>u32</td><td>CRC32C of bytes 0 to 11, then of the
 *       payload</td></tr>
 *   <tr><td>16</td><td>payload</td><td>bytes</td><td></td></tr>
 * </table>
 */
final class AtomicFileFormat {
  static final int MAGIC_OFFSET = 0;
  static final int VERSION_OFFSET = MAGIC_OFFSET + Integer.BYTES;
  static final int LENGTH_OFFSET = VERSION_OFFSET + Integer.BYTES;
  static final int CHECKSUM_OFFSET = LENGTH_OFFSET + Integer.BYTES;
  static final int HEADER_BYTES = CHECKSUM_OFFSET + Integer.BYTES;

  /** Far more than a small file has, and few enough to read in one transfer. */
  static final int PAYLOAD_BYTES_MAX = 256 << 20;

  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private AtomicFileFormat() {}

  static void encode(MemorySegment target, int magic, int version, byte[] payload) {
    target.set(INT, MAGIC_OFFSET, magic);
    target.set(INT, VERSION_OFFSET, version);
    target.set(INT, LENGTH_OFFSET, payload.length);
    MemorySegment.copy(payload, 0, target, ValueLayout.JAVA_BYTE, HEADER_BYTES, payload.length);
    target.set(INT, CHECKSUM_OFFSET, checksum(target, payload.length));
  }

  static int checksum(MemorySegment file, int payloadBytes) {
    CRC32C crc = new CRC32C();
    crc.update(file.asSlice(0, CHECKSUM_OFFSET).asByteBuffer());
    crc.update(file.asSlice(HEADER_BYTES, payloadBytes).asByteBuffer());
    return (int) crc.getValue();
  }
}
