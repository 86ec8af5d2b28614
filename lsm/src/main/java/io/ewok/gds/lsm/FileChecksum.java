package io.ewok.gds.lsm;

import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;

/**
 * The checksum of all bytes of a file, by which copies are named: CRC32C above CRC32, as one number
 * of 64 bits.
 *
 * <p>Threads: one at a time.
 */
final class FileChecksum {
  private final CRC32C crc32c = new CRC32C();
  private final CRC32 crc32 = new CRC32();

  /** Adds what comes next, all that remains in the buffer, whose position stays. */
  void add(ByteBuffer bytes) {
    crc32c.update(bytes.duplicate());
    crc32.update(bytes.duplicate());
  }

  /** That of what was added so far. */
  long value() {
    return crc32c.getValue() << Integer.SIZE | crc32.getValue();
  }
}
