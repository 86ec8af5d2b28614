package io.ewok.gds.wal;

import io.ewok.gds.pagestore.AtomicFile;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * What a log must know before it reads a segment; kept in the file {@code log.header}, which is
 * replaced atomically.
 *
 * <table>
 * <caption>Payload of the file, 48 bytes, little-endian; magic, version and checksum are {@link AtomicFile}'s</caption>
 * <tr><th>offset</th><th>field</th><th>type</th></tr>
 * <tr><td>0</td><td>segmentBytes</td><td>u64</td></tr>
 * <tr><td>8</td><td>segmentCount</td><td>u32</td></tr>
 * <tr><td>12</td><td>reserved, zero</td><td>u32</td></tr>
 * <tr><td>16</td><td>incarnation</td><td>u64</td></tr>
 * <tr><td>24</td><td>startLsn</td><td>u64</td></tr>
 * <tr><td>32</td><td>cutLsn</td><td>u64</td></tr>
 * <tr><td>40</td><td>horizonLsn</td><td>u64</td></tr>
 * </table>
 *
 * @param segmentBytes size of a segment
 * @param segmentCount number of segments in the ring
 * @param incarnation counts recoveries, from 1
 * @param startLsn the first block of this incarnation is here; everything before it was durable
 *     when this was written
 * @param cutLsn the content before {@code startLsn} ends here; what follows in its block was cut
 *     off
 * @param horizonLsn the owner needs nothing before this
 */
record LogHeader(
    long segmentBytes,
    int segmentCount,
    long incarnation,
    long startLsn,
    long cutLsn,
    long horizonLsn) {
  static final int MAGIC = 0x484C4447;
  static final int VERSION = 1;
  static final int BYTES = 48;

  /** No log gets here; what it is compared with is calculated without overflow. */
  private static final long LSN_MAX = 1L << 62;

  private static final String FILE = "log.header";

  /** That of a log that begins at a position, which is that of a segment. */
  static LogHeader first(LogOptions options, long lsn) {
    return new LogHeader(options.segmentBytes(), options.segmentCount(), 1, lsn, lsn, lsn);
  }

  LogHeader recovered(long startLsn, long cutLsn) {
    return new LogHeader(segmentBytes, segmentCount, incarnation + 1, startLsn, cutLsn, horizonLsn);
  }

  LogHeader withHorizon(long lsn) {
    return new LogHeader(segmentBytes, segmentCount, incarnation, startLsn, cutLsn, lsn);
  }

  static Path file(Path directory) {
    return directory.resolve(FILE);
  }

  void write(IoEngine engine, Path directory) throws IOException {
    AtomicFile.write(engine, file(directory), MAGIC, VERSION, encode());
  }

  static LogHeader read(IoEngine engine, Path directory) throws IOException {
    Path file = file(directory);
    return decode(file, AtomicFile.read(engine, file, MAGIC, VERSION));
  }

  byte[] encode() {
    return ByteBuffer.allocate(BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(segmentBytes)
        .putInt(segmentCount)
        .putInt(0)
        .putLong(incarnation)
        .putLong(startLsn)
        .putLong(cutLsn)
        .putLong(horizonLsn)
        .array();
  }

  static LogHeader decode(Path file, byte[] payload) throws CorruptFileException {
    if (payload.length != BYTES) {
      throw new CorruptFileException(file, 0, BYTES + " bytes", payload.length + " bytes");
    }
    ByteBuffer in = ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
    long segmentBytes = in.getLong();
    int segmentCount = in.getInt();
    in.getInt();
    LogHeader header =
        new LogHeader(
            segmentBytes, segmentCount, in.getLong(), in.getLong(), in.getLong(), in.getLong());
    header.check(file);
    return header;
  }

  private void check(Path file) throws CorruptFileException {
    try {
      // The options know what a ring may look like; the buffer's size plays no part.
      var unused = new LogOptions(segmentBytes, segmentCount, LogFormat.BLOCK_ALIGNMENT);
    } catch (IllegalArgumentException e) {
      throw new CorruptFileException(file, 0, "a possible ring", e.getMessage());
    }
    boolean ordered = 0 <= horizonLsn && 0 <= cutLsn && cutLsn <= startLsn;
    boolean possible = horizonLsn < LSN_MAX && startLsn < LSN_MAX;
    if (!ordered
        || !possible
        || incarnation < 1
        || startLsn % LogFormat.BLOCK_ALIGNMENT != 0
        || startLsn - cutLsn > segmentBytes) {
      throw new CorruptFileException(file, 0, "positions in order", toString());
    }
  }
}
