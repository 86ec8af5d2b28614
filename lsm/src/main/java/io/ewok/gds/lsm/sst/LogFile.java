package io.ewok.gds.lsm.sst;

import io.ewok.gds.pagestore.CorruptFileException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.zip.CRC32C;

/**
 * The records of a file in the log format of LevelDB ({@code doc/log_format.md} there, {@code
 * db/log_format.h} in RocksDB): of a write-ahead log or a manifest. The file is cut into blocks of
 * {@link #BLOCK_BYTES}, and records into fragments that do not cross their borders.
 *
 * <table>
 * <caption>Fragment</caption>
 * <tr><td>checksum</td><td>u32, CRC32C of all that comes behind the length</td></tr>
 * <tr><td>length</td><td>u16, of the data</td></tr>
 * <tr><td>type</td><td>u8: a whole record, or its first, a middle or its last part; zero where
 * nothing was written</td></tr>
 * <tr><td>log</td><td>u32, only in files that are used again: the number of the log, as what is
 * left of another one is not of this one</td></tr>
 * <tr><td>data</td><td></td></tr>
 * </table>
 *
 * <p>A record that the file ends in was being written when the writer ended, and is none.
 *
 * <p>Confined to one thread; whoever opened it closes it.
 */
final class LogFile implements Closeable {
  private static final int BLOCK_BYTES = 32 << 10;
  private static final int LENGTH_OFFSET = Integer.BYTES;
  private static final int TYPE_OFFSET = LENGTH_OFFSET + Short.BYTES;
  private static final int HEADER_BYTES = TYPE_OFFSET + 1;
  private static final int RECYCLED_HEADER_BYTES = HEADER_BYTES + Integer.BYTES;

  private static final int FULL = 1;
  private static final int FIRST = 2;
  private static final int MIDDLE = 3;
  private static final int LAST = 4;

  /** Types with the number of the log are larger by this; two others have it too. */
  private static final int RECYCLED = 4;

  private static final Set<Integer> RECYCLED_EXTRAS = Set.of(11, 131);
  private static final int COMPRESSION = 9;
  private static final int IGNORED_FROM = 1 << 7;

  private final SstFile file;
  private final int logNumber;
  private byte[] block = {};
  private long blockOffset;
  private int position;

  /** What there is of a record whose last fragment is still to come. */
  private byte[] parts = {};

  private int partsBytes = -1;
  private long partsOffset;
  private boolean torn;

  /** Whether what comes behind the last fragment may be anything that was there before. */
  private boolean usedAgain;

  /**
   * Opens a file before its first record.
   *
   * @param number of the log; of its lower 32 bits only
   */
  LogFile(Path path, long number) throws IOException {
    this.file = new SstFile(path);
    this.logNumber = (int) number;
  }

  /** Whether the file ended within a record. */
  boolean isTorn() {
    return torn;
  }

  long sizeBytes() {
    return file.sizeBytes();
  }

  /** How far it is read. */
  long doneBytes() {
    return blockOffset + position;
  }

  /** The next record; null at the end. */
  ByteReader next() throws IOException {
    while (true) {
      if (block.length - position < HEADER_BYTES) {
        if (!readBlock()) {
          return end(partsBytes >= 0);
        }
        continue;
      }
      int start = position;
      int length = (short) SstFormat.U16.get(block, start + LENGTH_OFFSET) & 0xFFFF;
      int type = block[start + TYPE_OFFSET] & 0xFF;
      if (type == 0 && length == 0) {
        position = block.length;
        continue;
      }
      boolean recycled =
          (type > RECYCLED && type <= 2 * RECYCLED) || RECYCLED_EXTRAS.contains(type);
      int header = recycled ? RECYCLED_HEADER_BYTES : HEADER_BYTES;
      boolean fits = length <= block.length - start - header;
      if (!fits && !usedAgain && block.length < BLOCK_BYTES) {
        return end(true);
      }
      if (!fits || !isSound(start, header + length)) {
        if (usedAgain) {
          return end(partsBytes >= 0);
        }
        throw corrupt("a fragment with the right checksum", "another");
      }
      if (recycled && (int) SstFormat.U32.get(block, start + HEADER_BYTES) != logNumber) {
        return end(partsBytes >= 0);
      }
      usedAgain |= recycled;
      position = start + header + length;
      int plainType = type > RECYCLED && type <= 2 * RECYCLED ? type - RECYCLED : type;
      ByteReader record = take(plainType, start, start + header);
      if (record != null) {
        return record;
      }
    }
  }

  private ByteReader end(boolean withinRecord) {
    torn |= withinRecord;
    position = block.length;
    blockOffset = file.sizeBytes() - position;
    return null;
  }

  private boolean readBlock() throws IOException {
    long next = blockOffset + block.length;
    long length = Math.min(BLOCK_BYTES, file.sizeBytes() - next);
    if (length <= 0) {
      return false;
    }
    block = file.read(next, length);
    blockOffset = next;
    position = 0;
    return true;
  }

  private boolean isSound(int start, int lengthBytes) {
    CRC32C crc = new CRC32C();
    crc.update(block, start + TYPE_OFFSET, lengthBytes - TYPE_OFFSET);
    return (int) SstFormat.U32.get(block, start) == SstFormat.masked((int) crc.getValue());
  }

  /**
   * Takes a fragment, whose data reaches up to the position; returns a record that it completes.
   */
  private ByteReader take(int type, int start, int data) throws IOException {
    switch (type) {
      case FULL, FIRST -> {
        if (partsBytes >= 0) {
          throw corrupt("another part of a record", "a new record");
        }
        if (type == FULL) {
          return new ByteReader(file.path(), blockOffset + start, block, data, position);
        }
        partsOffset = blockOffset + start;
        partsBytes = 0;
        append(data);
      }
      case MIDDLE, LAST -> {
        if (partsBytes < 0) {
          throw corrupt("a new record", "a part of another");
        }
        append(data);
        if (type == LAST) {
          ByteReader record = new ByteReader(file.path(), partsOffset, parts, 0, partsBytes);
          parts = new byte[0];
          partsBytes = -1;
          return record;
        }
      }
      default -> requireHarmless(type, start, data);
    }
    return null;
  }

  private void requireHarmless(int type, int start, int data) throws IOException {
    boolean uncompressed =
        type == COMPRESSION
            && position - data >= Integer.BYTES
            && (int) SstFormat.U32.get(block, data) == 0;
    if (!uncompressed && type < IGNORED_FROM) {
      throw new UnsupportedContentException(
          file.path(),
          (type == COMPRESSION
                  ? "a log is compressed"
                  : "a fragment of a log is of a type that is not read here")
              + ": type=%d offset=%d".formatted(type, blockOffset + start));
    }
  }

  private void append(int data) throws IOException {
    int length = position - data;
    long needed = (long) partsBytes + length;
    if (needed > parts.length) {
      long doubled = Math.max(needed, Math.min(2 * needed, SstFormat.BLOCK_BYTES_MAX));
      byte[] larger = file.allocate(partsOffset, doubled);
      System.arraycopy(parts, 0, larger, 0, partsBytes);
      parts = larger;
    }
    System.arraycopy(block, data, parts, partsBytes, length);
    partsBytes = (int) needed;
  }

  private CorruptFileException corrupt(Object expected, Object actual) {
    return new CorruptFileException(file.path(), blockOffset + position, expected, actual);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
