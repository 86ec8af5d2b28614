package io.ewok.gds.lsm.values;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.encryption.BlockCipher;
import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.WorkClass;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Writes value files, one after the other: {@code start}, {@code add}, {@code finish} or {@code
 * abandon}.
 *
 * <p>Ownership: whoever made it closes it. It has memory from the first value on. A file that is
 * not finished must be abandoned: it is then closed and deleted. Threads: confined to one at a
 * time.
 */
public final class ValueFileWriter implements AutoCloseable {
  /** Memory of a writer, in bytes. */
  public static final int BUFFER_BYTES = 256 << 10;

  private final IoEngine engine;
  private final MemoryBudget budget;

  /** Null until the first value. */
  private Region buffer;

  /** Null if no file is being written. */
  private IoFile file;

  /** Of that file; null if it is not encrypted. */
  private FileKey key;

  /** Null until the first file that is encrypted. */
  private BlockCipher cipher;

  private long number;
  private int family;

  /** Where the buffer's first byte goes in the file. */
  private long fileOffset;

  private int pendingBytes;
  private long entries;
  private long entryBytes;
  private long bytesWritten;

  /**
   * Creates a writer.
   *
   * @param budget charged {@link #BUFFER_BYTES} when it is used first
   */
  public ValueFileWriter(IoEngine engine, MemoryBudget budget) {
    this.engine = engine;
    this.budget = budget;
  }

  /** Creates a file and starts it, for values of a family. */
  public void start(Path path, long fileNumber, int ofFamily) throws IOException {
    if (file != null) {
      throw new IllegalStateException("a value file is being written: path=" + file.path());
    }
    if (buffer == null) {
      buffer = Region.map(budget, RegionOptions.ofSize(BUFFER_BYTES).withHugePages(HugePages.OFF));
    }
    key = FileKey.createOrNull(engine.keys(), ValueFormat.keyPurpose(fileNumber), path);
    if (key != null && cipher == null) {
      cipher = new BlockCipher();
    }
    file = engine.open(path, OpenMode.CREATE_NEW);
    file.setWorkClass(WorkClass.COMPACTION);
    number = fileNumber;
    family = ofFamily;
    fileOffset = 0;
    entries = 0;
    entryBytes = 0;
    ValueFormat.putHeader(buffer.address(), fileNumber, ofFamily, key != null);
    pendingBytes = ValueFormat.HEADER_BYTES;
    if (key != null) {
      ValueFormat.putKey(buffer.address() + pendingBytes, key);
      pendingBytes += ValueFormat.KEY_BYTES;
    }
  }

  public boolean isStarted() {
    return file != null;
  }

  /** Bytes of the file so far. */
  public long sizeBytes() {
    return fileOffset + pendingBytes;
  }

  /** Bytes written to files since the writer was created. */
  public long bytesWritten() {
    return bytesWritten;
  }

  /**
   * Appends a value.
   *
   * @param valueBytes at least 1
   * @param reference where the reference to it is put, {@link ValueFormat#REFERENCE_BYTES} long
   */
  public void add(long keyAddress, int keyBytes, long valueAddress, int valueBytes, long reference)
      throws IOException {
    long bytes =
        ValueFormat.entryBytes(keyBytes, valueBytes) + (key == null ? 0 : ValueFormat.TAG_BYTES);
    pad((int) (ValueFormat.padded(sizeBytes(), ValueFormat.ENTRY_ALIGNMENT_BYTES) - sizeBytes()));
    if (BUFFER_BYTES - pendingBytes < ValueFormat.KEY_OFFSET) {
      write();
    }
    long offset = sizeBytes();
    long head = buffer.address() + pendingBytes;
    Memory.fill(head, ValueFormat.KEY_OFFSET, (byte) 0);
    Memory.putInt(head + ValueFormat.KEY_LENGTH_OFFSET, keyBytes);
    Memory.putInt(head + ValueFormat.VALUE_LENGTH_OFFSET, valueBytes);
    int checksum =
        key != null
            ? ValueFormat.sealedChecksum(head, number, offset)
            : ValueFormat.entryChecksum(
                head, keyAddress, keyBytes, valueAddress, valueBytes, number, offset);
    Memory.putInt(head + ValueFormat.CHECKSUM_OFFSET, checksum);
    pendingBytes += ValueFormat.KEY_OFFSET;
    if (key == null) {
      append(keyAddress, keyBytes);
      append(valueAddress, valueBytes);
    } else {
      key.begin(cipher, offset, ValueFormat.sealContext(keyBytes, valueBytes));
      seal(keyAddress, keyBytes);
      seal(valueAddress, valueBytes);
      endSeal();
    }
    ValueFormat.putReference(
        reference, number, offset, Math.toIntExact(bytes), valueBytes, checksum);
    entries++;
    entryBytes += bytes;
  }

  private void append(long address, int lengthBytes) throws IOException {
    for (int done = 0; done < lengthBytes; ) {
      if (pendingBytes == BUFFER_BYTES) {
        write();
      }
      int bytes = Math.min(lengthBytes - done, BUFFER_BYTES - pendingBytes);
      Memory.copy(address + done, buffer.address() + pendingBytes, bytes);
      pendingBytes += bytes;
      done += bytes;
    }
  }

  /** Appends what comes out of so many bytes: some stay in the cipher until the next. */
  private void seal(long address, int lengthBytes) throws IOException {
    for (int done = 0; done < lengthBytes; ) {
      requireRoom(2 * BlockCipher.END_BYTES_MAX);
      int room = BUFFER_BYTES - pendingBytes - BlockCipher.END_BYTES_MAX;
      int bytes = Math.min(lengthBytes - done, Math.min(room, BlockCipher.pieceBytesMax()));
      pendingBytes += cipher.update(address + done, bytes, buffer.address() + pendingBytes);
      done += bytes;
    }
  }

  private void endSeal() throws IOException {
    requireRoom(BlockCipher.END_BYTES_MAX);
    pendingBytes += cipher.end(buffer.address() + pendingBytes);
  }

  private void requireRoom(int bytes) throws IOException {
    if (BUFFER_BYTES - pendingBytes < bytes) {
      write();
    }
  }

  private void pad(int bytes) throws IOException {
    if (BUFFER_BYTES - pendingBytes < bytes) {
      write();
    }
    Memory.fill(buffer.address() + pendingBytes, bytes, (byte) 0);
    pendingBytes += bytes;
  }

  /** Writes what makes whole pages; the rest moves to the start of the buffer. */
  private void write() throws IOException {
    int lengthBytes = pendingBytes & -ValueFormat.FILE_ALIGNMENT_BYTES;
    if (lengthBytes > 0) {
      file.write(fileOffset, buffer, 0, lengthBytes);
      fileOffset += lengthBytes;
      bytesWritten += lengthBytes;
      pendingBytes -= lengthBytes;
      Memory.copy(buffer.address() + lengthBytes, buffer.address(), pendingBytes);
    }
  }

  /**
   * Completes the file, which has at least one value, and makes it durable; its name is durable
   * when the directory is synced.
   */
  public ValueFileMeta finish() throws IOException {
    pad((int) (ValueFormat.padded(pendingBytes, ValueFormat.FILE_ALIGNMENT_BYTES) - pendingBytes));
    write();
    file.sync();
    file.close();
    file = null;
    return new ValueFileMeta(number, family, fileOffset, entries, entryBytes);
  }

  /** Gives up a file that was started and not finished. Does nothing otherwise. */
  public void abandon() throws IOException {
    if (file == null) {
      return;
    }
    Path path = file.path();
    try (IoFile _ = file) {
      file = null;
    } finally {
      engine.delete(path);
    }
  }

  @Override
  public void close() {
    if (buffer != null) {
      buffer.close();
      buffer = null;
    }
  }
}
