package io.ewok.gds.wal;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * Computes the checksums of records without allocating. One thread at a time.
 *
 * <p>The seed is what makes a record valid in one place of one incarnation only, see {@link
 * LogFormat}.
 */
final class RecordChecksum {
  private final CRC32C crc = new CRC32C();
  private final ByteBuffer seed =
      ByteBuffer.allocate(2 * Long.BYTES + Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);

  /** As below, of memory: native, or an array of bytes. */
  int of(long lsn, long incarnation, MemorySegment content) {
    return of(lsn, incarnation, content.asByteBuffer());
  }

  /**
   * The checksum of the record that starts at {@code lsn} and whose content is what remains in the
   * buffer.
   */
  int of(long lsn, long incarnation, ByteBuffer content) {
    seed.clear().putLong(lsn).putLong(incarnation).putInt(content.remaining()).flip();
    crc.reset();
    crc.update(seed);
    crc.update(content);
    return (int) crc.getValue();
  }
}
