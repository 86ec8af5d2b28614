package io.ewok.gds.wal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.zip.CRC32C;

/** Computes the checksums of block headers without allocating. One thread at a time. */
final class HeaderChecksum {
  private final CRC32C crc = new CRC32C();
  private final byte[] header = new byte[LogFormat.BLOCK_HEADER_BYTES];

  /**
   * The checksum of the header that a block begins with, whatever its field for it holds. All of
   * its bytes count: a later version may give the reserved ones a meaning, and its headers must
   * still be known as such.
   */
  int of(MemorySegment block) {
    MemorySegment.copy(block, ValueLayout.JAVA_BYTE, 0, header, 0, header.length);
    for (int i = 0; i < LogFormat.CHECKSUM_BYTES; i++) {
      header[LogFormat.CHECKSUM + i] = 0;
    }
    crc.reset();
    crc.update(header, 0, header.length);
    return (int) crc.getValue();
  }
}
