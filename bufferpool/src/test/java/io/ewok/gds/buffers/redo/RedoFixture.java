package io.ewok.gds.buffers.redo;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.buffers.CachedPageFile;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.PageSize;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A page file, its log and its manager, opened with redo. */
final class RedoFixture implements AutoCloseable {
  static final PageSize SIZE = PageSize.BYTES_512;
  static final int ID = 7;
  static final Path PAGES = Path.of("/pages");

  /** Adds a number to the long at an offset: offset (u32), number (i64). Not idempotent. */
  static final int ADD = 1;

  /** Fails, having changed something. */
  static final int FAIL = 2;

  private static final int FRAME_BYTES = 4096;
  private static final LogOptions LOG = new LogOptions(128 << 10, 8, 8 << 10);

  final WriteAheadLog log;
  final BufferManager manager;
  final LoggedFile file;

  private RedoFixture(IoEngine engine, WriteAheadLog log) throws IOException {
    this.log = log;
    this.manager = new BufferManager(engine, budget(), buffers(log));
    this.file = new LoggedFile(ID, manager.openPages(PAGES, SIZE, OpenMode.READ_WRITE));
  }

  static void create(IoEngine engine) throws IOException {
    try (BufferManager manager = new BufferManager(engine, budget(), buffers(null))) {
      manager.openPages(PAGES, SIZE, OpenMode.CREATE_NEW).close();
    }
  }

  static RedoFixture open(IoEngine engine) throws IOException {
    return open(engine, RedoFixture::redo, 1);
  }

  static RedoFixture open(IoEngine engine, PageRedo redo, int lanes) throws IOException {
    List<RedoFile> files = List.of(new RedoFile(ID, PAGES, SIZE));
    Redo opening = new Redo(engine, budget(), buffers(null), files, redo, lanes);
    return new RedoFixture(
        engine,
        opening.open(replay -> WriteAheadLog.open(engine, Path.of("/log"), LOG, budget(), replay)));
  }

  static MemoryBudget budget() {
    return MemoryBudget.root("redo test", 16 << 20);
  }

  static BufferOptions buffers(WriteAheadLog log) {
    return new BufferOptions(16L * FRAME_BYTES, FRAME_BYTES, log)
        .withWaitMax(Duration.ofSeconds(2));
  }

  static void redo(int code, MemorySegment page, MemorySegment arguments) {
    int offset = arguments.get(RedoFormat.INT, 0);
    long old = page.get(RedoFormat.LONG, offset);
    page.set(RedoFormat.LONG, offset, old + arguments.get(RedoFormat.LONG, Integer.BYTES));
    if (code == FAIL) {
      throw new IllegalStateException("does not work: offset=" + offset);
    }
  }

  static void add(ChangedPage page, int offset, long number) {
    page.apply(ADD, arguments(offset, number));
  }

  static MemorySegment arguments(int offset, long number) {
    MemorySegment arguments = MemorySegment.ofArray(new byte[Integer.BYTES + Long.BYTES]);
    arguments.set(RedoFormat.INT, 0, offset);
    arguments.set(RedoFormat.LONG, Integer.BYTES, number);
    return arguments;
  }

  Change newChange() {
    return new Change(manager, RedoFixture::redo);
  }

  CachedPageFile pages() {
    return file.pages();
  }

  long read(long page, int offset) throws IOException {
    try (Fix fix = new Fix()) {
      pages().fixShared(page, fix);
      return fix.segment().get(RedoFormat.LONG, offset);
    }
  }

  @Override
  public void close() throws IOException {
    try (log) {
      manager.close();
    }
  }
}
