package io.ewok.gds.lsm;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.WorkClass;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * Writes one file of an archive, see {@link ArchiveFormat}.
 *
 * <p>Ownership: whoever opened it closes it; has a block of memory until then. Threads: one at a
 * time.
 */
final class ArchiveWriter implements AutoCloseable {
  private final long history;
  private final long fromLsn;
  private final FileKey keyOrNull;
  private final IoFile file;
  private final Region region;
  private final MemorySegment block;
  private final FileChecksum checksum = new FileChecksum();

  private int payloadBytes;
  private long offset;
  private long endLsn;

  private ArchiveWriter(IoFile file, Region region, FileKey key, long history, long fromLsn) {
    this.file = file;
    this.region = region;
    this.block = region.segment().asSlice(0, ArchiveFormat.BLOCK_BYTES);
    this.keyOrNull = key;
    this.history = history;
    this.fromLsn = fromLsn;
    this.endLsn = fromLsn;
  }

  /**
   * Begins a file.
   *
   * @param path does not exist
   * @param fromLsn records behind this position are added
   */
  static ArchiveWriter open(IoEngine engine, Path path, long history, long fromLsn)
      throws IOException {
    FileKey key = FileKey.createOrNull(engine.keys(), ArchiveFormat.KEY_PURPOSE, path);
    Region region = map();
    try {
      IoFile file = engine.open(path, OpenMode.CREATE_NEW);
      try {
        file.setWorkClass(WorkClass.BACKUP);
        return new ArchiveWriter(file, region, key, history, fromLsn);
      } catch (RuntimeException | Error e) {
        try {
          file.close();
        } catch (IOException more) {
          e.addSuppressed(more);
        }
        throw e;
      }
    } catch (IOException | RuntimeException | Error e) {
      region.close();
      throw e;
    }
  }

  /** Memory for a block. */
  static Region map() {
    return Region.map(
        MemoryBudget.root("archive", ArchiveFormat.BLOCK_BYTES),
        RegionOptions.ofSize(ArchiveFormat.BLOCK_BYTES).withHugePages(HugePages.OFF));
  }

  /** Adds a record, which ends behind all before it. */
  void add(long end, MemorySegment record) throws IOException {
    ByteBuffer header =
        ByteBuffer.allocate(ArchiveFormat.RECORD_HEADER_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(end)
            .putInt(Math.toIntExact(record.byteSize()));
    put(MemorySegment.ofArray(header.array()));
    put(record);
    endLsn = end;
  }

  private void put(MemorySegment bytes) throws IOException {
    long done = 0;
    while (done < bytes.byteSize()) {
      if (payloadBytes == ArchiveFormat.PAYLOAD_BYTES_MAX) {
        writeBlock(false);
      }
      long length =
          Math.min(bytes.byteSize() - done, ArchiveFormat.PAYLOAD_BYTES_MAX - payloadBytes);
      MemorySegment.copy(
          bytes, done, block, (long) ArchiveFormat.HEADER_BYTES + payloadBytes, length);
      payloadBytes += (int) length;
      done += length;
    }
  }

  private void writeBlock(boolean isLast) throws IOException {
    int used = ArchiveFormat.HEADER_BYTES + payloadBytes;
    int length = isLast ? ArchiveFormat.padded(used) : ArchiveFormat.BLOCK_BYTES;
    MemorySegment whole = block.asSlice(0, length);
    whole.asSlice(used).fill((byte) 0);
    whole.asSlice(0, ArchiveFormat.HEADER_BYTES).fill((byte) 0);
    whole.set(ArchiveFormat.INT, ArchiveFormat.MAGIC_OFFSET, ArchiveFormat.MAGIC);
    whole.set(ArchiveFormat.INT, ArchiveFormat.VERSION_OFFSET, ArchiveFormat.VERSION);
    whole.set(ArchiveFormat.INT, ArchiveFormat.PAYLOAD_OFFSET, payloadBytes);
    whole.set(ArchiveFormat.LONG, ArchiveFormat.OFFSET_OFFSET, offset);
    whole.set(ArchiveFormat.LONG, ArchiveFormat.HISTORY_OFFSET, history);
    whole.set(ArchiveFormat.LONG, ArchiveFormat.FROM_OFFSET, fromLsn);
    whole.set(ArchiveFormat.INT, ArchiveFormat.LAST_OFFSET, isLast ? 1 : 0);
    if (keyOrNull != null) {
      keyOrNull.putNote(
          whole.asSlice(ArchiveFormat.NOTE_OFFSET, FileKey.NOTE_BYTES).asByteBuffer());
      long payload = whole.address() + ArchiveFormat.HEADER_BYTES;
      keyOrNull.seal(
          offset,
          ArchiveFormat.context(history, fromLsn, isLast),
          payload,
          payloadBytes,
          payload,
          whole.address() + ArchiveFormat.TAG_OFFSET);
    }
    whole.set(ArchiveFormat.INT, ArchiveFormat.CHECKSUM_OFFSET, ArchiveFormat.checksum(whole));
    file.write(offset, region, 0, length);
    checksum.add(whole.asByteBuffer());
    offset += length;
    payloadBytes = 0;
  }

  /** How much it has become so far, in bytes. */
  long sizeBytes() {
    return offset + payloadBytes;
  }

  /** Where the last record ends that was added. */
  long endLsn() {
    return endLsn;
  }

  /**
   * Ends the file, which has a record at least. It is synced, its name is not.
   *
   * @return what it is to be called in a directory
   */
  ArchivedLog finish(Path directory) throws IOException {
    writeBlock(true);
    file.sync();
    return ArchivedLog.in(directory, history, fromLsn, endLsn, checksum.value());
  }

  @Override
  public void close() throws IOException {
    try (region) {
      file.close();
    }
  }
}
