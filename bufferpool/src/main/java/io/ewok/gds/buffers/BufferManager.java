package io.ewok.gds.buffers;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.WorkClass;
import io.ewok.gds.reactor.LongLock;
import io.ewok.gds.reactor.Monitor;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Keeps pages and blocks of many files in one pool of frames.
 *
 * <p>Ownership: whoever made the manager closes it, after everything was unfixed and before the
 * engine, the log and the budget's owner go. It closes files that are still open. The pool is
 * charged to the budget, see {@link BufferOptions#memoryBytes}.
 *
 * <p>Threads: any, for all methods.
 *
 * {@snippet :
 * var blocks = manager.openBlocks(path, (file, offset, block) -> checkTrailer(file, offset, block));
 * blocks.fix(0, 4096, fix);
 * }
 *
 * <p>Errors: {@link IOException}s of files reach everybody who waited for the page, and leave no
 * trace: the next fix tries again. {@link PoolExhaustedException} and {@link LatchTimeoutException}
 * end waits that take too long. After close everything throws {@link IllegalStateException}.
 */
public final class BufferManager implements AutoCloseable {
  private final IoEngine engine;
  private final MemoryBudget budget;
  private final BufferOptions options;

  /** Registered, one for each partition. Not changed after construction. */
  private final List<Region> regions = new ArrayList<>();

  private final PageTable table;
  private final BatchRead batchRead;

  // Guarded by filesLock.
  private final Monitor filesLock = new Monitor();
  private final List<CachedFile> files = new ArrayList<>();
  private int filesOpened;
  private boolean closed;

  private final LongLock checkpointLock = new LongLock();

  /** A file that was closed and could not be written, or null. */
  private volatile Path unwritten;

  /** Made for the first page file. */
  private Staging staging;

  /**
   * Makes a manager with an empty pool.
   *
   * @throws io.ewok.gds.allocator.BudgetExceededException if the budget has no room for it
   */
  public BufferManager(IoEngine engine, MemoryBudget budget, BufferOptions options) {
    this.engine = Objects.requireNonNull(engine, "engine");
    this.budget = Objects.requireNonNull(budget, "budget");
    this.options = options;
    budget.reserve(options.metadataBytes());
    try {
      for (int i = 0; i < options.partitionCount(); i++) {
        regions.add(mapRegion(i));
      }
      this.table = new PageTable(regions, options);
      this.batchRead = new BatchRead(table, engine);
    } catch (Throwable e) {
      giveBack(e);
      throw e;
    }
  }

  private Region mapRegion(int partition) {
    long bytes = (long) options.framesPerPartition() * options.frameBytes();
    List<PlacementPolicy> placements = options.placements();
    Region mapped =
        Region.map(
            budget,
            RegionOptions.ofSize(bytes)
                .withHugePages(options.hugePages())
                .withPlacement(placements.get(partition % placements.size())));
    try {
      engine.register(mapped);
      return mapped;
    } catch (Throwable e) {
      mapped.close();
      throw e;
    }
  }

  /**
   * Opens or creates a file of pages, with {@link TornPages#AUTO}.
   *
   * @see #openPages(Path, PageSize, OpenMode, TornPages)
   */
  public CachedPageFile openPages(Path path, PageSize size, OpenMode mode) throws IOException {
    return openPages(path, size, mode, TornPages.AUTO);
  }

  /**
   * Opens or creates a file of pages. A new one is encrypted if the engine has a current key, see
   * {@link CachedPageFile#isEncrypted}.
   *
   * @param size of its pages; recorded in the file when it is created
   * @param mode CREATE_NEW makes the file durable before this returns; otherwise pages that a power
   *     cut has torn are repaired before this returns
   * @param tornPages what is done about torn pages; recorded in the file when it is created
   * @throws io.ewok.gds.pagestore.CorruptFileException if it is no page file
   * @throws io.ewok.gds.pagestore.UnknownKeyException if it is encrypted and the engine has not the
   *     key, and nothing is repaired then; or it is to be written, and the current key is not there
   * @throws io.ewok.gds.pagestore.WrongKeyException if the engine has another key; nothing is
   *     repaired
   * @throws io.ewok.gds.pagestore.PlainFileException if it is not encrypted, and nothing such is to
   *     be read
   * @throws io.ewok.gds.pagestore.MissingFileException if it is to be written and has lost its
   *     journal
   * @throws io.ewok.gds.pagestore.StorageException if the device cannot write pages of this size
   *     wholly or not at all, and is to; or if pages are torn and the file is not to be written
   * @throws IllegalArgumentException if its pages have another size, or it has another torn-page
   *     mode, other than AUTO
   */
  public CachedPageFile openPages(Path path, PageSize size, OpenMode mode, TornPages tornPages)
      throws IOException {
    Objects.requireNonNull(size, "size");
    Objects.requireNonNull(tornPages, "tornPages");
    IoFile io = engine.open(path, mode);
    CachedPageFile file = null;
    try {
      file = new CachedPageFile(this, io, nextFileNumber(), size);
      add(file);
      file.start(engine, mode, tornPages);
      return file;
    } catch (Throwable e) {
      abandon(file, io, e);
      if (mode == OpenMode.CREATE_NEW) {
        tryDelete(path, e);
      }
      throw e;
    }
  }

  /**
   * Opens or creates a file of pages as options say.
   *
   * @see #openPages(Path, PageSize, OpenMode, TornPages)
   */
  public CachedPageFile openPages(Path path, OpenMode mode, PageOptions options)
      throws IOException {
    return openPages(path, options.size(), mode, options.tornPages());
  }

  /**
   * Opens a file of immutable blocks, for reading.
   *
   * @param verifier checks every block that is read
   */
  public CachedBlockFile openBlocks(Path path, BlockVerifier verifier) throws IOException {
    Objects.requireNonNull(verifier, "verifier");
    return openReadOnly(path, (io, number) -> new CachedBlockFile(this, io, number, verifier));
  }

  /**
   * Opens a file of immutable blocks that are stored in another form, for reading.
   *
   * @param loader makes every block of what is read
   */
  public LoadedBlockFile openBlocks(Path path, BlockLoader loader) throws IOException {
    Objects.requireNonNull(loader, "loader");
    return openReadOnly(path, (io, number) -> new LoadedBlockFile(this, io, number, loader));
  }

  /** The keys of the engine, for those who open files with it here. */
  public KeySource keys() {
    return engine.keys();
  }

  private interface Opening<F extends CachedFile> {
    F open(IoFile io, int number);
  }

  private <F extends CachedFile> F openReadOnly(Path path, Opening<F> opening) throws IOException {
    IoFile io = engine.open(path, OpenMode.READ_ONLY);
    F file = null;
    try {
      file = opening.open(io, nextFileNumber());
      add(file);
      return file;
    } catch (Throwable e) {
      abandon(file, io, e);
      throw e;
    }
  }

  /**
   * Writes every page that is dirty now to its file and makes the files durable. Waits for pages
   * that are fixed exclusively, so the caller must hold none.
   *
   * @throws IOException if a write or sync failed; the pages concerned stay dirty
   */
  public void flush() throws IOException {
    for (CachedFile file : openFiles()) {
      file.flushAll();
    }
  }

  /**
   * Makes durable what was written to the files, and lets the log forget what is not needed to redo
   * the rest. Writes no page: {@link Cleaner} does, or {@link #flush}.
   *
   * <p>To be used if every record of the log is of a change of pages of this manager, appended
   * while they were fixed exclusively.
   *
   * @return the log's horizon: redo begins there
   * @throws IOException if a file could not be made durable, or one was closed with changes that
   *     could not be written: the log still has them, and keeps them
   * @throws IllegalStateException if there is no log
   */
  public long checkpoint() throws IOException {
    WriteAheadLog log = options.logOrNull();
    if (log == null) {
      throw new IllegalStateException("there is no log: logOrNull=null");
    }
    checkpointLock.lock();
    try {
      long redoLsn = table.redoLsn();
      for (CachedFile file : openFiles()) {
        if (file instanceof CachedPageFile pages) {
          pages.syncWritten();
        }
      }
      if (unwritten != null) {
        throw new StorageException("it has changes that are only in the log", unwritten);
      }
      log.sync(redoLsn);
      if (redoLsn > log.horizonLsn()) {
        log.truncate(redoLsn);
      }
      return log.horizonLsn();
    } finally {
      checkpointLock.unlock();
    }
  }

  /**
   * Writes pages whose changes begin before a position of the log, in the order of their files.
   *
   * @throws IOException the first failure, after all files
   */
  void clean(long beforeLsn) throws IOException {
    Throwable failure = null;
    for (CachedFile file : openFiles()) {
      if (file instanceof CachedPageFile pages) {
        failure = attempt(() -> pages.clean(beforeLsn, WorkClass.CLEANER), failure);
      }
    }
    throwFirst(failure);
  }

  /** Whether more than a part of the pool's pages is dirty. */
  boolean isDirty(int percent) {
    return table.dirtyCount() * 100L > (long) percent * options.frameCount();
  }

  /** The counters. Takes time in proportion to the number of frames. */
  public BufferStats stats() {
    return table.stats();
  }

  /** The options it was made with. */
  public BufferOptions options() {
    return options;
  }

  /**
   * Writes what has changed, closes the files and gives back the memory. Twice does nothing.
   *
   * @throws IllegalStateException if something is still fixed: the message says how much, and the
   *     manager stays open
   * @throws IOException if changes could not be written; everything is given back all the same, as
   *     it is after any other failure. The first is thrown, and the others are suppressed in it
   */
  @Override
  public void close() throws IOException {
    filesLock.lock();
    try {
      if (!table.close()) {
        return;
      }
      closed = true;
    } finally {
      filesLock.unlock();
    }
    Throwable failure = null;
    for (CachedFile file : openFiles()) {
      failure = attempt(() -> close(file), failure);
    }
    if (staging != null) {
      failure = attempt(staging::close, failure);
    }
    failure = attempt(table::end, failure);
    failure = giveBack(failure);
    throwFirst(failure);
  }

  private static void throwFirst(Throwable failure) throws IOException {
    switch (failure) {
      case null -> {}
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new AssertionError("no step throws such a thing", failure);
    }
  }

  PageTable table() {
    return table;
  }

  Staging staging() {
    filesLock.lock();
    try {
      if (staging == null) {
        staging = new Staging(engine, budget);
      }
      return staging;
    } finally {
      filesLock.unlock();
    }
  }

  BatchRead batchRead() {
    return batchRead;
  }

  void close(CachedFile file) throws IOException {
    if (!table.close(file)) {
      return;
    }
    try (file.io) {
      file.end();
    } finally {
      forget(file);
    }
  }

  /** A file is closed with changes that could not be written. */
  void keepLog(Path path) {
    unwritten = path;
  }

  private interface Step {
    void run() throws IOException;
  }

  /**
   * Runs a step that must not keep the next ones from running.
   *
   * @param before what failed before, or null
   * @return the first failure so far, or null
   */
  private static Throwable attempt(Step step, Throwable before) {
    try {
      step.run();
    } catch (Throwable e) {
      if (before == null) {
        return e;
      }
      if (e != before) { // nothing can be suppressed in itself
        before.addSuppressed(e);
      }
    }
    return before;
  }

  /** Gives back the pool, as far as there is one, and what is reserved for its metadata. */
  private Throwable giveBack(Throwable before) {
    Throwable failure = before;
    for (Region region : regions) {
      failure = attempt(() -> engine.unregister(region), failure);
      failure = attempt(region::close, failure);
    }
    return attempt(() -> budget.release(options.metadataBytes()), failure);
  }

  private void add(CachedFile file) {
    filesLock.lock();
    try {
      if (closed) {
        throw new IllegalStateException("the buffer manager is closed");
      }
      files.add(file);
    } finally {
      filesLock.unlock();
    }
  }

  private void forget(CachedFile file) {
    table.drop(file);
    filesLock.lock();
    try {
      files.remove(file);
    } finally {
      filesLock.unlock();
    }
  }

  private void abandon(CachedFile file, IoFile io, Throwable failure) {
    try (io) {
      if (file != null) {
        forget(file);
      }
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  private void tryDelete(Path path, Throwable failure) {
    try {
      engine.delete(path);
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  private List<CachedFile> openFiles() {
    filesLock.lock();
    try {
      return List.copyOf(files);
    } finally {
      filesLock.unlock();
    }
  }

  private int nextFileNumber() {
    filesLock.lock();
    try {
      return ++filesOpened;
    } finally {
      filesLock.unlock();
    }
  }
}
