package io.ewok.gds.lsm;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.ffm.LinuxMemory;
import io.ewok.gds.ffm.NativeLibrary;
import io.ewok.gds.lsm.cache.RecordCache;
import io.ewok.gds.lsm.table.TableFormat;
import io.ewok.gds.lsm.table.TableOptions;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.lsm.values.ValueFileWriter;
import io.ewok.gds.wal.LogOptions;

/**
 * How the one memory number of a store is made up, and the budget that holds it to it.
 *
 * @param root limited to {@link #totalBytes}
 * @param pool for the buffer manager
 * @param records for {@link RecordCache}
 * @param memtables for {@link MemtableSpace}
 * @param log for the log's buffers
 * @param writing for the buffers of {@link TableWriter} and {@link ValueFileWriter}
 */
record StoreMemory(
    MemoryBudget root,
    MemoryBudget pool,
    MemoryBudget records,
    MemoryBudget memtables,
    MemoryBudget log,
    MemoryBudget writing) {

  /** One writer for flushes and one for merges, which go on while a memtable is flushed. */
  private static final int TABLE_WRITERS = 2;

  private static final int READ_BUFFER_PART = 16;
  private static final long READ_BUFFER_BYTES_MAX = 4 << 20;

  private static final int LOG_BUFFER_BYTES_MIN = 256 << 10;

  /**
   * Under a budget of its own.
   *
   * @throws IllegalArgumentException if the machine lacks a node that the options name
   */
  static StoreMemory of(StoreOptions options) {
    options.memory().requireNodes();
    return of(options, MemoryBudget.root("store", totalBytes(options)));
  }

  /**
   * Under a budget of somebody else's.
   *
   * @throws IllegalArgumentException if the machine lacks a node that the options name
   */
  static StoreMemory under(MemoryBudget parent, StoreOptions options) {
    options.memory().requireNodes();
    return of(options, parent.child("store", totalBytes(options)));
  }

  private static StoreMemory of(StoreOptions options, MemoryBudget root) {
    return new StoreMemory(
        root,
        root.child("pool", poolBytes(options)),
        root.child("records", recordCacheBytes(options)),
        root.child("memtables", StoreOptions.MEMTABLES_MAX * memtableBytes(options)),
        // In a recovery after the sizes were made smaller, one large record may need more for a
        // moment.
        root.child("log", totalBytes(options)),
        root.child("writing", writingBytes(options)));
  }

  /** Takes it out of the tree that it may be in, unless somebody still has something of it. */
  void close() {
    for (MemoryBudget child : root.children()) {
      if (child.usedBytes() == 0) {
        child.close();
      }
    }
    if (root.children().isEmpty()) {
      root.close();
    }
  }

  static long totalBytes(StoreOptions options) {
    NativeLibrary.load(); // it is asked for the size of pages
    return poolBytes(options)
        + recordCacheBytes(options)
        + StoreOptions.MEMTABLES_MAX * memtableBytes(options)
        + mapped(logOptions(options).memoryBytes())
        + writingBytes(options);
  }

  private static long recordCacheBytes(StoreOptions options) {
    return mapped(options.recordCacheBytes());
  }

  static RegionOptions recordCache(StoreOptions options) {
    return options.memory().recordCache(recordCacheBytes(options));
  }

  static long memtableBytes(StoreOptions options) {
    return mapped(options.memtableBytes());
  }

  static RegionOptions memtable(StoreOptions options) {
    return options.memory().memtable(memtableBytes(options));
  }

  private static long writingBytes(StoreOptions options) {
    return TABLE_WRITERS
            * (mapped(TableWriter.bufferBytes(tableOptions(options)))
                + mapped(ValueFileWriter.BUFFER_BYTES))
        + readBufferBytes(options);
  }

  /** What a compaction reads ahead. */
  static long readBufferBytes(StoreOptions options) {
    return mapped(Math.min(options.poolBytes() / READ_BUFFER_PART, READ_BUFFER_BYTES_MAX));
  }

  private static long poolBytes(StoreOptions options) {
    return mapped(bufferOptions(options).blockMemoryBytes());
  }

  /** What a region of this size takes: whole pages of the operating system. */
  private static long mapped(long bytes) {
    long pageBytes = LinuxMemory.pageSizeBytes();
    return (bytes + pageBytes - 1) / pageBytes * pageBytes;
  }

  static BufferOptions bufferOptions(StoreOptions options) {
    return new BufferOptions(options.poolBytes(), options.blockBytesMin(), null)
        .withPlacements(options.memory().pool())
        .withHugePages(options.memory().hugePages());
  }

  static TableOptions tableOptions(StoreOptions options) {
    return new TableOptions(
        options.blockBytesMax(),
        options.batchBytesMax(),
        // The root of an index is a block, and no block is longer than a part of the pool.
        options.poolBytes() / options.memory().pool().size() / 32);
  }

  static LogOptions logOptions(StoreOptions options) {
    long bufferBytes =
        Math.min(
            options.logSegmentBytes(),
            TableFormat.padded(Math.max(LOG_BUFFER_BYTES_MIN, options.batchBytesMax() + 4096L)));
    return new LogOptions(options.logSegmentBytes(), options.logSegmentCount(), (int) bufferBytes)
        .withRecovery(options.recovery())
        .withHugePages(options.memory().hugePages())
        .withPlacement(options.memory().buffers());
  }
}
