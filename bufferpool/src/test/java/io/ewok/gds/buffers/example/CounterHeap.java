package io.ewok.gds.buffers.example;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.buffers.BufferStats;
import io.ewok.gds.buffers.CachedPageFile;
import io.ewok.gds.buffers.CleanerOptions;
import io.ewok.gds.buffers.CleanerRounds;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.PageFormat;
import io.ewok.gds.buffers.PageSize;
import io.ewok.gds.buffers.TornPages;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * A worked example on the public interface alone: counters in pages, each change logged before the
 * page may be written, redone after a crash. One thread.
 *
 * <p>A log record is what to write where: page (8 bytes), offset in the page (8), value (8). Redo
 * writes it again, unless the page's position says that the page has it already.
 */
final class CounterHeap implements AutoCloseable {
  static final int COUNTERS_PER_PAGE = 50;

  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int FRAME_BYTES = 4096;
  private static final int POOL_BYTES = 8 * FRAME_BYTES;
  private static final int COUNTERS_OFFSET = 24;
  private static final CleanerOptions CLEANING =
      CleanerOptions.defaults().withRedoBytesMax(8 << 10).withDirtyPercentMax(50);

  private final WriteAheadLog log;
  private final BufferManager manager;
  private final CachedPageFile pages;
  private final Fix fix = new Fix();
  private final MemorySegment record = MemorySegment.ofArray(new byte[3 * Long.BYTES]);

  private CounterHeap(WriteAheadLog log, BufferManager manager, CachedPageFile pages) {
    this.log = log;
    this.manager = manager;
    this.pages = pages;
  }

  /** Makes the page file, which must not exist. */
  static void create(IoEngine engine, Path directory, PageSize size, TornPages tornPages)
      throws IOException {
    engine.createDirectories(directory);
    try (BufferManager manager = manager(engine, null);
        CachedPageFile pages =
            manager.openPages(pageFile(directory), size, OpenMode.CREATE_NEW, tornPages)) {
      pages.flush();
    }
  }

  /** Redoes what the log has, and opens. */
  static CounterHeap open(IoEngine engine, Path directory, PageSize size) throws IOException {
    LogOptions options = new LogOptions(16 << 10, 4, 8 << 10);
    WriteAheadLog log;
    // What is redone is in the log already, so this manager need not wait for the log.
    try (BufferManager manager = manager(engine, null);
        CachedPageFile pages = manager.openPages(pageFile(directory), size, OpenMode.READ_WRITE);
        Fix fix = new Fix()) {
      log =
          WriteAheadLog.open(
              engine,
              directory.resolve("log"),
              options,
              MemoryBudget.root("log", options.memoryBytes()),
              (lsn, record) -> redo(pages, fix, lsn, record));
    }
    BufferManager manager = manager(engine, log);
    CachedPageFile pages = manager.openPages(pageFile(directory), size, OpenMode.READ_WRITE);
    return new CounterHeap(log, manager, pages);
  }

  private static void redo(CachedPageFile pages, Fix fix, long lsn, MemorySegment record)
      throws IOException {
    long page = record.get(LONG, 0);
    pages.extendTo(page + 1);
    pages.fixExclusive(page, fix);
    MemorySegment bytes = fix.segment();
    if (PageFormat.isNeverWritten(bytes)) {
      PageFormat.format(bytes, pages.pageSize());
    }
    if (PageFormat.lsn(bytes) < lsn) {
      bytes.set(LONG, record.get(LONG, 8), record.get(LONG, 16));
      fix.markDirty(lsn);
    }
    fix.unfix();
  }

  /** Sets a counter; durable after {@link #sync}. */
  void set(int counter, long value) throws IOException {
    long page = 1L + counter / COUNTERS_PER_PAGE;
    long offset = offset(pages, counter);
    while (pages.pageCount() <= page) {
      pages.create(fix);
      fix.unfix();
    }
    record.set(LONG, 0, page);
    record.set(LONG, 8, offset);
    record.set(LONG, 16, value);
    pages.fixExclusive(page, fix);
    fix.markDirty(log.append(record));
    fix.segment().set(LONG, offset, value);
    fix.unfix();
  }

  long get(int counter) throws IOException {
    long page = 1L + counter / COUNTERS_PER_PAGE;
    if (page >= pages.pageCount()) {
      return 0;
    }
    pages.fixShared(page, fix);
    long value = fix.segment().get(LONG, offset(pages, counter));
    fix.unfix();
    return value;
  }

  void sync() throws IOException {
    log.sync(log.endLsn());
  }

  boolean isLogNearlyFull() {
    return log.spaceLeftBytes() < 16 << 10;
  }

  /** Makes the log's records superfluous, and forgets them. */
  void checkpoint() throws IOException {
    long lsn = log.endLsn();
    log.sync(lsn);
    manager.flush();
    log.truncate(lsn);
  }

  /** Writes some pages, and forgets what the log is not needed for any more. */
  void clean() throws IOException {
    CleanerRounds.run(manager, CLEANING);
  }

  long redoBytes() {
    return log.endLsn() - log.horizonLsn();
  }

  BufferStats stats() {
    return manager.stats();
  }

  @Override
  public void close() throws IOException {
    try (log;
        manager) {
      checkpoint();
    }
  }

  /** Spread over the whole page. */
  private static long offset(CachedPageFile pages, int counter) {
    int room = (pages.pageSize().bytes() - COUNTERS_OFFSET) / COUNTERS_PER_PAGE;
    return COUNTERS_OFFSET + (long) (counter % COUNTERS_PER_PAGE) * room;
  }

  private static Path pageFile(Path directory) {
    return directory.resolve("counters");
  }

  private static BufferManager manager(IoEngine engine, WriteAheadLog log) {
    BufferOptions options = new BufferOptions(POOL_BYTES, FRAME_BYTES, log);
    return new BufferManager(engine, MemoryBudget.root("counters", options.memoryBytes()), options);
  }
}
