package io.ewok.gds.buffers.redo;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.wal.RecordConsumer;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Brings page files up to date with the log of the {@link Change}s made to them. The log is read
 * once; each page is redone in its own order, different pages at the same time. A page whose
 * position says that it has a change already is left as it is, so redo that is cut off at any place
 * and begun again ends with the same pages.
 *
 * <p>Ownership: it keeps nothing open. While {@link #open} runs it has a pool of its own, charged
 * to the budget, so the caller's manager is made afterwards.
 *
 * <p>Threads: any; one open at a time for the same files.
 *
 * {@snippet :
 * var redo = new Redo(engine, budget, new BufferOptions(64 << 20, 8192, null),
 *     List.of(new RedoFile(1, tree, PageSize.BYTES_8192)), BTreeRedo::apply, 16);
 * WriteAheadLog log = redo.open(replay -> WriteAheadLog.open(engine, dir, logOptions, budget, replay));
 * var manager = new BufferManager(engine, budget, new BufferOptions(64 << 20, 8192, log));
 * }
 *
 * <p>Errors: whatever stops it leaves the log as it was, with some pages further than before; it
 * can be begun again. {@link io.ewok.gds.pagestore.CorruptFileException} names the page that cannot
 * be redone, or that has a change from after the log's end: the log is another one then, or was cut
 * off before that change ({@link io.ewok.gds.wal.RecoveryMode#POINT_IN_TIME}).
 */
public final class Redo {
  /** How a log is opened. */
  @FunctionalInterface
  public interface LogOpener {
    /**
     * Opens the log.
     *
     * @param replay takes its records
     */
    WriteAheadLog open(RecordConsumer replay) throws IOException;
  }

  private final IoEngine engine;
  private final MemoryBudget budget;
  private final BufferOptions options;
  private final List<RedoFile> files;
  private final PageRedo redo;
  private final int lanes;

  /**
   * Says what is to be redone, and how.
   *
   * @param options of the pool meanwhile, without a log: what is redone is in the log already
   * @param files all that the log knows; one whose records are still in the log is not left out
   * @param redo as that of the changes
   * @param lanes how many pages are redone at the same time, 1 to the number of frames. Each lane
   *     is a virtual thread, so that many reads are in flight; with 1 all is done by the caller
   */
  public Redo(
      IoEngine engine,
      MemoryBudget budget,
      BufferOptions options,
      List<RedoFile> files,
      PageRedo redo,
      int lanes) {
    this.engine = Objects.requireNonNull(engine, "engine");
    this.budget = Objects.requireNonNull(budget, "budget");
    this.redo = Objects.requireNonNull(redo, "redo");
    this.options = options;
    this.files = List.copyOf(files);
    this.lanes = lanes;
    if (options.logOrNull() != null) {
      throw new IllegalArgumentException(
          "what is redone waits for no log: logOrNull=" + options.logOrNull().options());
    }
    if (lanes < 1 || lanes > options.frameCount()) {
      throw new IllegalArgumentException(
          "there is 1 lane to one for each frame: frameCount=%d lanes=%d"
              .formatted(options.frameCount(), lanes));
    }
  }

  /**
   * Opens the log, redoes what it holds, makes the files durable and forgets the log's records.
   *
   * @return the log, the caller's to close
   * @throws IOException as those of the log, the manager and the files
   */
  public WriteAheadLog open(LogOpener opener) throws IOException {
    WriteAheadLog log = null;
    try {
      try (BufferManager manager = new BufferManager(engine, budget, options)) {
        Map<Integer, LoggedFile> opened = new HashMap<>();
        for (RedoFile file : files) {
          LoggedFile before =
              opened.put(
                  file.id(),
                  new LoggedFile(
                      file.id(), manager.openPages(file.path(), file.size(), OpenMode.READ_WRITE)));
          if (before != null) {
            throw new IllegalArgumentException("two files have the same number: id=" + file.id());
          }
        }
        try (RedoReplay replay = new RedoReplay(opened, redo, lanes)) {
          log = opener.open(replay);
          replay.finish(log.endLsn());
        }
      }
      log.truncate(log.durableLsn());
      return log;
    } catch (Throwable e) {
      closeAfter(log, e);
      throw e;
    }
  }

  private static void closeAfter(WriteAheadLog log, Throwable failure) {
    try (log) {
      // nothing else: its owner never had it
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }
}
