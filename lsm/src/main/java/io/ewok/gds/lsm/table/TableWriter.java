package io.ewok.gds.lsm.table;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.WorkClass;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * Writes tables, one after the other: {@code start}, {@code add} in order, {@code finish} or {@code
 * abandon}. Blocks are built in a buffer and leave it in large aligned writes.
 *
 * <p>Ownership: the buffer is the caller's. A table that is not finished must be abandoned: its
 * file is then closed and deleted.
 *
 * <p>Threads: confined to one at a time.
 */
public final class TableWriter {
  /** What a block grows to at least before it is closed for the sake of less padding. */
  private static final int PADDING_MATTERS_BYTES = 4 * TableFormat.BLOCK_ALIGNMENT_BYTES;

  private static final int WRITE_BYTES_MIN = 256 << 10;
  private static final int INDEX_BYTES_MIN = 192 << 10;
  private static final int INDEX_BYTES_MAX = 1 << 20;

  private final IoEngine engine;
  private final Region buffer;
  private final int blockBytes;
  private final long writeBytes;
  private final BlockBuilder data = new BlockBuilder();
  private final BlockBuilder index = new BlockBuilder();

  private IoFile file;
  private long number;

  /** Where the buffer's first byte goes in the file. */
  private long fileOffset;

  /** Finished blocks in the buffer; the open block starts here. */
  private long pending;

  private long entries;
  private long deletes;
  private long firstSequence;
  private long lastSequence;
  private long firstStamp;
  private MemorySegment firstKey;
  private long bytesWritten;

  /**
   * Creates a writer.
   *
   * @param buffer of {@link #bufferBytes} bytes
   */
  public TableWriter(IoEngine engine, Region buffer, TableOptions options) {
    this.engine = engine;
    this.buffer = buffer;
    this.blockBytes = options.blockBytes();
    this.writeBytes = writeBytes(options);
  }

  /** Size of the buffer that a writer needs, in bytes. */
  public static long bufferBytes(TableOptions options) {
    return writeBytes(options) + indexBytes(options);
  }

  /** The longest block that a table with these options has, in bytes. */
  public static long blockBytesMax(TableOptions options) {
    // A block is closed when the next record would make it longer and little padding is lost by
    // that.
    return Math.max(options.blockBytes(), PADDING_MATTERS_BYTES)
        + TableFormat.blockBytes(0, options.recordBytesMax());
  }

  private static long writeBytes(TableOptions options) {
    return Math.max(WRITE_BYTES_MIN, blockBytesMax(options));
  }

  private static long indexBytes(TableOptions options) {
    return TableFormat.padded(
        Math.clamp(options.indexBytesMax(), INDEX_BYTES_MIN, INDEX_BYTES_MAX));
  }

  /** Creates the file and starts a table. */
  public void start(Path path, long number) throws IOException {
    if (file != null) {
      throw new IllegalStateException("a table is being written: path=" + file.path());
    }
    file = engine.open(path, OpenMode.CREATE_NEW);
    file.setWorkClass(WorkClass.COMPACTION);
    this.number = number;
    fileOffset = 0;
    pending = 0;
    entries = 0;
    deletes = 0;
    firstSequence = Long.MAX_VALUE;
    lastSequence = 0;
    firstKey = null;
    startBlock();
    index.start(buffer.address() + writeBytes, buffer.sizeBytes() - writeBytes);
  }

  public boolean isStarted() {
    return file != null;
  }

  /**
   * Whether the table must be finished because its index is as large as an index may be. To be
   * asked before each record: one more, and the end of the table, close two blocks at most.
   */
  public boolean isIndexFull() {
    return !index.hasRoom(
        2 * Keys.BYTES_MAX, 2 * TableFormat.INDEX_VALUE_BYTES + TableFormat.ENTRY_OVERHEAD_BYTES);
  }

  /** Bytes of the table so far. */
  public long sizeBytes() {
    return fileOffset + pending + data.sizeBytes();
  }

  /** Bytes written to files since the writer was created. */
  public long bytesWritten() {
    return bytesWritten;
  }

  /**
   * Appends a record.
   *
   * @throws StorageException if it does not follow the last one in order: each block that a merge
   *     reads is checked, but forged files may contradict each other
   */
  public void add(long stamp, long keyAddress, int keyBytes, long valueAddress, int valueBytes)
      throws IOException {
    requireOrder(stamp, keyAddress, keyBytes);
    if (data.count() > 0 && isWellFilled(keyBytes, valueBytes)) {
      finishBlock();
    }
    if (!data.hasRoom(keyBytes, valueBytes)) {
      if (data.count() > 0) {
        finishBlock();
      }
      writePending();
    }
    data.add(stamp, keyAddress, keyBytes, valueAddress, valueBytes);
    if (entries == 0) {
      firstKey = copyOf(keyAddress, keyBytes);
      firstStamp = stamp;
    }
    entries++;
    if (RecordKind.kind(stamp) == RecordKind.DELETE) {
      deletes++;
    }
    firstSequence = Math.min(firstSequence, RecordKind.sequence(stamp));
    lastSequence = Math.max(lastSequence, RecordKind.sequence(stamp));
  }

  private void requireOrder(long stamp, long keyAddress, int keyBytes) throws StorageException {
    if (data.count() + index.count() == 0) {
      return;
    }
    long last = data.count() > 0 ? data.lastEntry() : index.lastEntry();
    int order =
        Memory.compareUnsigned(
            BlockView.keyAddress(last), BlockView.keyBytes(last), keyAddress, keyBytes);
    if (order > 0 || (order == 0 && RecordKind.compareStamps(BlockView.stamp(last), stamp) >= 0)) {
      throw new StorageException("records come out of order, a source is corrupt", file.path());
    }
  }

  /**
   * Whether the block is to be closed before such a record: it would outgrow its size, and closing
   * it as it is wastes at most a quarter.
   */
  private boolean isWellFilled(long keyBytes, long valueBytes) {
    if (data.sizeBytesWith(keyBytes, valueBytes) <= blockBytes) {
      return false;
    }
    long sizeBytes = data.sizeBytes();
    long padded = TableFormat.padded(sizeBytes);
    return padded >= PADDING_MATTERS_BYTES || padded - sizeBytes <= padded / 4;
  }

  private void startBlock() {
    data.start(buffer.address() + pending, writeBytes - pending);
  }

  private void finishBlock() throws IOException {
    long last = data.lastEntry();
    long offset = fileOffset + pending;
    int lengthBytes = data.finish(TableFormat.TYPE_DATA, number, offset);
    index.addIndex(
        BlockView.stamp(last),
        BlockView.keyAddress(last),
        BlockView.keyBytes(last),
        offset,
        lengthBytes);
    pending += lengthBytes;
    if (pending == writeBytes) {
      writePending();
    }
    startBlock();
  }

  private void writePending() throws IOException {
    if (pending > 0) {
      write(0, pending);
    }
    pending = 0;
    startBlock();
  }

  private void write(long bufferOffset, long lengthBytes) throws IOException {
    file.write(fileOffset, buffer, bufferOffset, (int) lengthBytes);
    fileOffset += lengthBytes;
    bytesWritten += lengthBytes;
  }

  /**
   * Completes the table, which has at least one record, and makes the file durable; its name is
   * durable when the directory is synced.
   */
  public TableMeta finish() throws IOException {
    if (data.count() > 0) {
      finishBlock();
    }
    writePending();
    long last = index.lastEntry();
    MemorySegment lastKey = copyOf(BlockView.keyAddress(last), BlockView.keyBytes(last));
    long lastStamp = BlockView.stamp(last);
    long indexOffset = fileOffset;
    write(writeBytes, index.finish(TableFormat.TYPE_INDEX, number, indexOffset));

    long rangeOffset = fileOffset;
    data.start(buffer.address(), writeBytes);
    addRange(firstKey, firstStamp);
    if (entries > 1) {
      addRange(lastKey, lastStamp);
    }
    pending = data.finish(TableFormat.TYPE_RANGE, number, rangeOffset);
    long footerOffset = rangeOffset + pending;
    putFooter(buffer.address() + pending, indexOffset, rangeOffset, footerOffset);
    write(0, pending + TableFormat.FOOTER_BYTES);
    file.sync();
    file.close();
    file = null;
    return new TableMeta(
        number, fileOffset, entries, deletes, firstSequence, lastSequence, firstKey, lastKey);
  }

  private void addRange(MemorySegment key, long stamp) {
    // Keys on the heap have no address: they pass through the free part of the index's buffer.
    long scratch = buffer.address() + writeBytes;
    Memory.copyFrom(key, 0, scratch, key.byteSize());
    data.add(stamp, scratch, (int) key.byteSize(), scratch, 0);
  }

  private void putFooter(long footer, long indexOffset, long rangeOffset, long footerOffset) {
    Memory.fill(footer, TableFormat.FOOTER_BYTES, (byte) 0);
    Memory.putLong(footer + TableFormat.MAGIC_OFFSET, TableFormat.MAGIC);
    Memory.putInt(footer + TableFormat.VERSION_OFFSET, TableFormat.VERSION);
    Memory.putLong(footer + TableFormat.NUMBER_OFFSET, number);
    Memory.putLong(footer + TableFormat.ENTRIES_OFFSET, entries);
    Memory.putLong(footer + TableFormat.DELETES_OFFSET, deletes);
    Memory.putLong(footer + TableFormat.FIRST_SEQUENCE_OFFSET, firstSequence);
    Memory.putLong(footer + TableFormat.LAST_SEQUENCE_OFFSET, lastSequence);
    Memory.putLong(footer + TableFormat.INDEX_OFFSET_OFFSET, indexOffset);
    Memory.putLong(footer + TableFormat.RANGE_OFFSET_OFFSET, rangeOffset);
    Memory.putLong(footer + TableFormat.FOOTER_OFFSET_OFFSET, footerOffset);
    TableFormat.putTrailer(
        footer,
        TableFormat.FOOTER_BYTES,
        TableFormat.TYPE_FOOTER,
        0,
        TableFormat.FOOTER_BODY_BYTES,
        number,
        footerOffset);
  }

  /** Gives up a table that was started and not finished. Does nothing otherwise. */
  public void abandon() throws IOException {
    if (file == null) {
      return;
    }
    Path path = file.path();
    try {
      file.close();
    } finally {
      file = null;
      engine.delete(path);
    }
  }

  private static MemorySegment copyOf(long address, int lengthBytes) {
    byte[] copy = new byte[lengthBytes];
    MemorySegment.copy(
        Memory.view(address, lengthBytes), ValueLayout.JAVA_BYTE, 0, copy, 0, lengthBytes);
    return MemorySegment.ofArray(copy);
  }
}
