package io.ewok.gds.wal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
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
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private static final int INCARNATION = Long.BYTES;
  private static final int LENGTH = INCARNATION + Long.BYTES;
  private static final int SEED_BYTES = LENGTH + Integer.BYTES;

  private final CRC32C crc = new CRC32C();
  private final byte[] seed = new byte[SEED_BYTES];

  /** As below, of any memory. */
  int of(long lsn, long incarnation, MemorySegment content) {
    boolean viewable = content.isNative() || content.heapBase().orElse(null) instanceof byte[];
    return of(
        lsn,
        incarnation,
        viewable
            ? content.asByteBuffer()
            : ByteBuffer.wrap(content.toArray(ValueLayout.JAVA_BYTE)));
  }

  /**
   * The checksum of the record that starts at {@code lsn} and whose content is what remains in the
   * buffer.
   */
  int of(long lsn, long incarnation, ByteBuffer content) {
    LONG.set(seed, 0, lsn);
    LONG.set(seed, INCARNATION, incarnation);
    INT.set(seed, LENGTH, content.remaining());
    crc.reset();
    crc.update(seed, 0, SEED_BYTES);
    crc.update(content);
    return (int) crc.getValue();
  }
}
