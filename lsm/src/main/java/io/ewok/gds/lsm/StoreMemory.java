package io.ewok.gds.lsm;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.wal.LogOptions;

/**
 * How the one memory number of a store is made up, and the budget that holds it to it.
 *
 * @param root limited to {@link #totalBytes}
 * @param pool for the buffer manager
 * @param memtables for {@link MemtableSpace}
 * @param log for the log's buffers
 * @param writing for the buffers of {@link TableWriter} and of single puts
 */
record StoreMemory(
    MemoryBudget root,
    MemoryBudget pool,
    MemoryBudget memtables,
    MemoryBudget log,
    MemoryBudget writing) {

  /** One writer for flushes and one for merges, which go on while a memtable is flushed. */
  private static final int TABLE_WRITERS = 2;

  private static final int LOG_BUFFER_BYTES_MIN = 256 << 10;

  static StoreMemory of(StoreOptions options) {
    MemoryBudget root = MemoryBudget.root("store", totalBytes(options));
    return new StoreMemory(
        root,
        root.child("pool", bufferOptions(options).memoryBytes()),
        root.child("memtables", StoreOptions.MEMTABLES_MAX * memtableBytes(options)),
        // In a recovery after the sizes were made smaller, one large record may need more for a
        // moment.
        root.child("log", totalBytes(options)),
        root.child("writing", writingBytes(options)));
  }

  static long totalBytes(StoreOptions options) {
    return bufferOptions(options).memoryBytes()
        + StoreOptions.MEMTABLES_MAX * memtableBytes(options)
        + logOptions(options).memoryBytes()
        + writingBytes(options);
  }

  static long memtableBytes(StoreOptions options) {
    return TableFormat.padded(options.memtableBytes());
  }

  static long batchBufferBytes(StoreOptions options) {
    return TableFormat.padded(options.batchBytesMax());
  }

  private static long writingBytes(StoreOptions options) {
    return TABLE_WRITERS * TableWriter.bufferBytes(options) + batchBufferBytes(options);
  }

  static BufferOptions bufferOptions(StoreOptions options) {
    return new BufferOptions(options.poolBytes(), options.blockBytes(), null);
  }

  static LogOptions logOptions(StoreOptions options) {
    long bufferBytes =
        Math.min(
            options.logSegmentBytes(),
            TableFormat.padded(Math.max(LOG_BUFFER_BYTES_MIN, options.batchBytesMax() + 4096L)));
    return new LogOptions(options.logSegmentBytes(), options.logSegmentCount(), (int) bufferBytes);
  }
}
