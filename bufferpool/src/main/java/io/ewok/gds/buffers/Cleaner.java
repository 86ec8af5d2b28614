package io.ewok.gds.buffers;

import io.ewok.gds.reactor.Monitor;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.Optional;

/**
 * Writes changed pages of a manager in the background, so that who needs room need not, and moves
 * the horizon of its log, so that there is never much to be redone after a crash: a checkpoint that
 * never ends and never stops anybody.
 *
 * <p>Pages with the oldest changes go first, those of a file in the order of their places, in
 * batches. Each is copied and may change while the copy is written. What it writes is of the class
 * {@link io.ewok.gds.pagestore.WorkClass#CLEANER}, for limits of the engine.
 *
 * <p>Ownership: whoever started it closes it, before the manager. It has one thread.
 *
 * <p>Threads: any, for all methods.
 *
 * {@snippet :
 * try (var cleaner = Cleaner.start(manager, CleanerOptions.defaults().withRedoBytesMax(16 << 20))) {
 *   work();
 * }
 * }
 *
 * <p>Errors: what cannot be written is tried again in the next round, and told by {@link #failure}
 * and in the program's log; the log's horizon stays meanwhile.
 */
public final class Cleaner implements AutoCloseable {
  private static final System.Logger LOGGER = System.getLogger(Cleaner.class.getName());

  private final BufferManager manager;
  private final CleanerOptions options;
  private final Thread thread;

  private final Monitor lock = new Monitor();
  private final Monitor.Line changed = lock.newLine();

  // Guarded by lock.
  private boolean closing;
  private boolean ended;

  /** That of the last round, or null. */
  private volatile Exception failure;

  private Cleaner(BufferManager manager, CleanerOptions options) {
    this.manager = manager;
    this.options = options;
    this.thread = Thread.ofPlatform().daemon().name("gds-cleaner").unstarted(this::run);
  }

  /** Starts to clean. */
  public static Cleaner start(BufferManager manager, CleanerOptions options) {
    Cleaner cleaner = new Cleaner(manager, options);
    cleaner.thread.start();
    return cleaner;
  }

  /** What went wrong in the last round, if something did. */
  public Optional<Exception> failure() {
    return Optional.ofNullable(failure);
  }

  private void run() {
    try {
      do {
        tryRound();
      } while (!awaitClosing());
    } finally {
      lock.lock();
      ended = true;
      changed.wakeAll();
      lock.unlock();
    }
  }

  private void tryRound() {
    try {
      round(manager, options);
      failure = null;
    } catch (IOException | RuntimeException e) {
      if (failure == null) {
        LOGGER.log(Level.WARNING, "changed pages cannot be written, and will be tried again", e);
      }
      failure = e;
    }
  }

  /** Waits for the next round; returns whether there is none. */
  private boolean awaitClosing() {
    lock.lock();
    try {
      if (!closing) {
        boolean unused = changed.await(options.interval().toNanos());
      }
      return closing;
    } finally {
      lock.unlock();
    }
  }

  /** Does what there is to do now, if anything. */
  static void round(BufferManager manager, CleanerOptions options) throws IOException {
    WriteAheadLog log = manager.options().logOrNull();
    long target = options.redoBytesMax() / 2; // the rest is for what comes during a round
    if (log != null && log.endLsn() - log.horizonLsn() > target) {
      manager.clean(log.endLsn() - target / 2);
      manager.checkpoint();
    }
    if (manager.isDirty(options.dirtyPercentMax())) {
      manager.clean(Long.MAX_VALUE);
    }
  }

  /** Ends after the round that goes on. Twice does nothing. */
  @Override
  public void close() {
    lock.lock();
    try {
      closing = true;
      changed.wakeAll();
      while (!ended) {
        changed.await();
      }
    } finally {
      lock.unlock();
    }
  }
}
