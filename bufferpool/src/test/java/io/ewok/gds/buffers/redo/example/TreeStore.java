package io.ewok.gds.buffers.redo.example;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.buffers.CachedPageFile;
import io.ewok.gds.buffers.PageSize;
import io.ewok.gds.buffers.TornPages;
import io.ewok.gds.buffers.redo.Change;
import io.ewok.gds.buffers.redo.LoggedFile;
import io.ewok.gds.buffers.redo.Redo;
import io.ewok.gds.buffers.redo.RedoFile;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Two trees in two files with pages of different sizes under one log: how everything is opened,
 * recovered, checkpointed and closed.
 */
final class TreeStore implements AutoCloseable {
  private final WriteAheadLog log;
  private final BufferManager manager;
  private final BTree first;
  private final BTree second;

  private TreeStore(WriteAheadLog log, BufferManager manager, BTree first, BTree second) {
    this.log = log;
    this.manager = manager;
    this.first = first;
    this.second = second;
  }

  /** What a store is made of. Small, so that much happens. */
  record Options(
      PageSize first, PageSize second, TornPages tornPages, int frames, LogOptions log, int lanes) {
    private static final int FRAME_BYTES = 4096;

    static Options small(PageSize first, PageSize second, TornPages tornPages) {
      return new Options(first, second, tornPages, 24, new LogOptions(32 << 10, 4, 8 << 10), 1);
    }

    Options withLanes(int lanes) {
      return new Options(first, second, tornPages, frames, log, lanes);
    }

    private BufferOptions buffers(WriteAheadLog log) {
      return new BufferOptions((long) frames * FRAME_BYTES, FRAME_BYTES, log);
    }

    private MemoryBudget budget() {
      return MemoryBudget.root("trees", buffers(null).memoryBytes() + log.memoryBytes());
    }

    private List<RedoFile> files(Path directory) {
      return List.of(
          new RedoFile(1, directory.resolve("first"), first),
          new RedoFile(2, directory.resolve("second"), second));
    }
  }

  /** Makes the files, if that has not been done to the end before, and durable. */
  static void create(IoEngine engine, Path directory, Options options) throws IOException {
    Path made = directory.resolve("made");
    engine.createDirectories(directory);
    if (engine.exists(made)) {
      return;
    }
    try (BufferManager manager =
        new BufferManager(engine, options.budget(), options.buffers(null))) {
      for (RedoFile file : options.files(directory)) {
        if (engine.exists(file.path())) {
          engine.delete(file.path());
        }
        manager
            .openPages(file.path(), file.size(), OpenMode.CREATE_NEW, options.tornPages())
            .close();
      }
    }
    engine.open(made, OpenMode.CREATE_NEW).close();
    engine.syncDirectory(directory);
  }

  static TreeStore open(IoEngine engine, Path directory, Options options) throws IOException {
    MemoryBudget budget = options.budget();
    Redo redo =
        new Redo(
            engine,
            budget,
            options.buffers(null),
            options.files(directory),
            BTreeNode::redo,
            options.lanes());
    WriteAheadLog log =
        redo.open(
            replay ->
                WriteAheadLog.open(
                    engine, directory.resolve("log"), options.log(), budget, replay));
    BufferManager manager = null;
    try {
      manager = new BufferManager(engine, budget, options.buffers(log));
      try (Change change = new Change(manager, BTreeNode::redo)) {
        BTree[] trees = new BTree[2];
        for (RedoFile file : options.files(directory)) {
          CachedPageFile pages = manager.openPages(file.path(), file.size(), OpenMode.READ_WRITE);
          trees[file.id() - 1] = BTree.open(new LoggedFile(file.id(), pages), change);
        }
        return new TreeStore(log, manager, trees[0], trees[1]);
      }
    } catch (Throwable e) {
      try (log;
          BufferManager _ = manager) {
        throw e;
      }
    }
  }

  /** All files of a store. */
  static List<Path> filesOf(IoEngine engine, Path directory) throws IOException {
    List<Path> files = new ArrayList<>(engine.list(directory));
    files.remove(directory.resolve("log"));
    files.addAll(engine.list(directory.resolve("log")));
    return files;
  }

  BTree first() {
    return first;
  }

  BTree second() {
    return second;
  }

  Change newChange() {
    return new Change(manager, BTreeNode::redo);
  }

  /** Makes everything durable that was committed. */
  void sync() throws IOException {
    log.sync(log.endLsn());
  }

  /** Makes the log's records superfluous, and forgets them. No change at the same time. */
  void checkpoint() throws IOException {
    long lsn = log.endLsn();
    log.sync(lsn);
    manager.flush();
    log.truncate(lsn);
  }

  /** Writes dirty pages, and keeps the log. */
  void flush() throws IOException {
    manager.flush();
  }

  @Override
  public void close() throws IOException {
    try (log;
        manager) {
      checkpoint();
    }
  }
}
