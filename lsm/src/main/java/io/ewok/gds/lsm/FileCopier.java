package io.ewok.gds.lsm;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.lsm.table.TableFormat;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.WorkClass;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.function.LongConsumer;

/**
 * Reads and copies tables and value files as they are, with the {@link FileChecksum} of each.
 * Transfers are of the work class BACKUP.
 *
 * <p>Has 1 MiB of memory from its creation until close. Threads: one at a time.
 */
final class FileCopier implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 20;

  private final IoEngine engine;
  private final LongConsumer bytesRead;
  private final Region buffer;
  private final ByteBuffer bytes;

  /**
   * Creates one.
   *
   * @param bytesRead told of each part of a file when it was read, in bytes
   */
  FileCopier(IoEngine engine, LongConsumer bytesRead) {
    this.engine = engine;
    this.bytesRead = bytesRead;
    this.buffer =
        Region.map(
            MemoryBudget.root("copies", BUFFER_BYTES),
            RegionOptions.ofSize(BUFFER_BYTES).withHugePages(HugePages.OFF));
    this.bytes = buffer.segment().asByteBuffer();
  }

  /** Takes a part of a file, which is in the buffer. */
  @FunctionalInterface
  private interface Part {
    void take(long offset, int length) throws IOException;
  }

  /**
   * Reads a file.
   *
   * @return its checksum
   * @throws CorruptFileException if it has another length
   */
  long checksum(Path path, long sizeBytes) throws IOException {
    return read(path, sizeBytes, (_, _) -> {});
  }

  /**
   * Copies a file to one that does not exist. The copy is synced, its name is not.
   *
   * @return the checksum of what was read
   * @throws CorruptFileException if it has another length
   */
  long copy(Path from, Path to, long sizeBytes) throws IOException {
    try (IoFile target = engine.open(to, OpenMode.CREATE_NEW)) {
      target.setWorkClass(WorkClass.BACKUP);
      long checksum =
          read(from, sizeBytes, (offset, length) -> target.write(offset, buffer, 0, length));
      target.sync();
      return checksum;
    }
  }

  private long read(Path path, long sizeBytes, Part part) throws IOException {
    FileChecksum checksum = new FileChecksum();
    try (IoFile file = engine.open(path, OpenMode.READ_ONLY)) {
      file.setWorkClass(WorkClass.BACKUP);
      long found = file.sizeBytes();
      if (found != sizeBytes || sizeBytes % TableFormat.FILE_ALIGNMENT_BYTES != 0) {
        throw new CorruptFileException(path, 0, sizeBytes + " bytes", found + " bytes");
      }
      for (long offset = 0; offset < sizeBytes; ) {
        int length = (int) Math.min(BUFFER_BYTES, sizeBytes - offset);
        file.readFully(offset, buffer, 0, length);
        checksum.add(bytes.limit(length).position(0));
        part.take(offset, length);
        offset += length;
        bytesRead.accept(length);
      }
    }
    return checksum.value();
  }

  @Override
  public void close() {
    buffer.close();
  }
}
