package io.ewok.gds.lsm;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.MissingFileException;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import io.ewok.gds.pagestore.WorkClass;
import io.ewok.gds.pagestore.WrongKeyException;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.LongConsumer;

/**
 * Reads the records of one file of an archive, and checks every byte of it on the way.
 *
 * <p>Ownership: whoever opened it closes it; has a block of memory until then, and room for the
 * longest record. Threads: confined to one.
 *
 * <p>Errors: {@link CorruptFileException} if the file is not what its name says, {@link
 * MissingFileException} if it is gone.
 */
final class ArchiveReader implements AutoCloseable {
  private final IoEngine engine;
  private final ArchivedLog archived;
  private final LongConsumer bytesRead;
  private final IoFile file;
  private final long sizeBytes;
  private final Region region;

  /** Of the block we are in. */
  private int payloadBytes;

  private int at;
  private boolean isLast;
  private long nextOffset;

  private FileKey key;
  private Arena arena = Arena.ofConfined();
  private MemorySegment memory = MemorySegment.NULL;
  private MemorySegment record = MemorySegment.NULL;
  private long endLsn;

  private ArchiveReader(
      IoEngine engine, ArchivedLog archived, LongConsumer bytesRead, IoFile file, Region region)
      throws IOException {
    this.engine = engine;
    this.archived = archived;
    this.bytesRead = bytesRead;
    this.file = file;
    this.sizeBytes = file.sizeBytes();
    this.region = region;
    this.endLsn = archived.fromLsn();
  }

  /**
   * Opens a file.
   *
   * @param bytesRead told of each part of it when it was read, in bytes
   */
  static ArchiveReader open(IoEngine engine, ArchivedLog archived, LongConsumer bytesRead)
      throws IOException {
    if (!engine.exists(archived.path())) {
      throw new MissingFileException(archived.path(), null);
    }
    IoFile file = engine.open(archived.path(), OpenMode.READ_ONLY);
    try {
      file.setWorkClass(WorkClass.BACKUP);
      Region region = ArchiveWriter.map();
      try {
        return new ArchiveReader(engine, archived, bytesRead, file, region);
      } catch (IOException | RuntimeException | Error e) {
        region.close();
        throw e;
      }
    } catch (IOException | RuntimeException | Error e) {
      try {
        file.close();
      } catch (IOException more) {
        e.addSuppressed(more);
      }
      throw e;
    }
  }

  /** Goes to the next record; false if there is none. */
  boolean next() throws IOException {
    if (!hasMore()) {
      if (endLsn != archived.toLsn()) {
        throw corrupt("records up to " + archived.toLsn(), "up to " + endLsn);
      }
      return false;
    }
    ByteBuffer header =
        read(ArchiveFormat.RECORD_HEADER_BYTES).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    long end = header.getLong();
    int length = header.getInt();
    long left = payloadBytes - at + (sizeBytes - nextOffset);
    if (length <= 0
        || length > left
        || end > archived.toLsn()
        || WriteAheadLog.startLsn(end, length) < endLsn) {
      throw corrupt("a record behind " + endLsn, "one of %d bytes up to %d".formatted(length, end));
    }
    record = read(length).asReadOnly();
    endLsn = end;
    String defect = BatchFormat.defect(record);
    if (defect != null) {
      throw corrupt("a batch before " + end, defect);
    }
    return true;
  }

  private CorruptFileException corrupt(String expected, String actual) {
    return new CorruptFileException(
        archived.path(), Math.max(0, nextOffset - ArchiveFormat.BLOCK_BYTES), expected, actual);
  }

  /** Where the record ends that it is at. */
  long endLsn() {
    return endLsn;
  }

  /** The record that it is at, a sound one; valid until the next one. */
  MemorySegment record() {
    return record;
  }

  private boolean hasMore() throws IOException {
    while (at == payloadBytes && !isLast) {
      loadBlock();
    }
    return at < payloadBytes;
  }

  private MemorySegment read(int bytes) throws IOException {
    if (memory.byteSize() < bytes) {
      arena.close();
      arena = Arena.ofConfined();
      memory = arena.allocate(Math.max(bytes, 2 * memory.byteSize()));
    }
    for (int done = 0; done < bytes; ) {
      if (!hasMore()) {
        throw corrupt("a whole record", "the end of the file");
      }
      int length = Math.min(bytes - done, payloadBytes - at);
      MemorySegment.copy(
          region.segment(), (long) ArchiveFormat.HEADER_BYTES + at, memory, done, length);
      at += length;
      done += length;
    }
    return memory.asSlice(0, bytes);
  }

  private void loadBlock() throws IOException {
    long offset = nextOffset;
    int length = (int) Math.min(ArchiveFormat.BLOCK_BYTES, sizeBytes - offset);
    if (length < ArchiveFormat.ALIGNMENT_BYTES || length % ArchiveFormat.ALIGNMENT_BYTES != 0) {
      throw new CorruptFileException(
          archived.path(), offset, "a block of an archive", length + " bytes");
    }
    file.readFully(offset, region, 0, length);
    bytesRead.accept(length);
    MemorySegment block = region.segment().asSlice(0, length);
    require(block, offset, ArchiveFormat.MAGIC_OFFSET, ArchiveFormat.MAGIC, "magic");
    require(
        block,
        offset,
        ArchiveFormat.CHECKSUM_OFFSET,
        ArchiveFormat.checksum(block),
        "checksum of a block");
    int version = block.get(ArchiveFormat.INT, ArchiveFormat.VERSION_OFFSET);
    if (version != ArchiveFormat.VERSION) {
      throw new UnsupportedFormatException(archived.path(), version, ArchiveFormat.VERSION);
    }
    requireLong(block, offset, ArchiveFormat.OFFSET_OFFSET, offset, "offset of the block");
    requireLong(block, offset, ArchiveFormat.HISTORY_OFFSET, archived.history(), "history");
    requireLong(block, offset, ArchiveFormat.FROM_OFFSET, archived.fromLsn(), "first position");
    isLast = offset + length == sizeBytes;
    require(block, offset, ArchiveFormat.LAST_OFFSET, isLast ? 1 : 0, "the last block");
    require(block, offset, ArchiveFormat.ZERO_OFFSET, 0, "zero");
    payloadBytes = block.get(ArchiveFormat.INT, ArchiveFormat.PAYLOAD_OFFSET);
    if (payloadBytes < 0 || payloadBytes > length - ArchiveFormat.HEADER_BYTES) {
      throw new CorruptFileException(
          archived.path(), offset, "a payload of " + length + " bytes at most", payloadBytes);
    }
    requireZeros(block, offset, ArchiveFormat.HEADER_BYTES + payloadBytes);
    open(block, offset);
    nextOffset = offset + length;
    at = 0;
  }

  private void open(MemorySegment block, long offset) throws IOException {
    ByteBuffer note = block.asSlice(ArchiveFormat.NOTE_OFFSET, FileKey.NOTE_BYTES).asByteBuffer();
    if (isZero(block.asSlice(ArchiveFormat.NOTE_OFFSET, FileKey.NOTE_BYTES))) {
      FileKey.acceptPlain(engine.keys(), archived.path());
      return;
    }
    if (key == null) {
      key =
          FileKey.read(
              engine.keys(),
              note,
              ArchiveFormat.KEY_PURPOSE,
              archived.path(),
              offset + ArchiveFormat.NOTE_OFFSET);
    }
    long payload = block.address() + ArchiveFormat.HEADER_BYTES;
    if (!key.open(
        offset,
        ArchiveFormat.context(archived.history(), archived.fromLsn(), isLast),
        payload,
        payloadBytes,
        payload,
        block.address() + ArchiveFormat.TAG_OFFSET)) {
      throw new WrongKeyException(archived.path(), key.id());
    }
  }

  private static boolean isZero(MemorySegment bytes) {
    return bytes.mismatch(MemorySegment.ofArray(new byte[(int) bytes.byteSize()])) < 0;
  }

  private void requireZeros(MemorySegment block, long offset, int from) throws IOException {
    if (!isZero(block.asSlice(from))) {
      throw new CorruptFileException(
          archived.path(), offset + from, "zeros to the block's end", "something else");
    }
  }

  private void require(MemorySegment block, long offset, int field, int expected, String what)
      throws IOException {
    int found = block.get(ArchiveFormat.INT, field);
    if (found != expected) {
      throw new CorruptFileException(
          archived.path(),
          offset + field,
          "%s 0x%08x".formatted(what, expected),
          "0x%08x".formatted(found));
    }
  }

  private void requireLong(MemorySegment block, long offset, int field, long expected, String what)
      throws IOException {
    long found = block.get(ArchiveFormat.LONG, field);
    if (found != expected) {
      throw new CorruptFileException(
          archived.path(), offset + field, what + " " + expected, Long.toString(found));
    }
  }

  @Override
  public void close() throws IOException {
    arena.close();
    try (region) {
      file.close();
    }
  }
}
