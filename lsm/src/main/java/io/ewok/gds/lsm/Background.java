package io.ewok.gds.lsm;

import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.pagestore.OutOfSpaceException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.reactor.Monitor;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.System.Logger;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/**
 * The thread of a store that flushes, merges and removes what is no longer needed, and the place
 * where others wait for it.
 *
 * <p>What fails is not tried again by itself in a circle: it is tried when the next writer needs
 * the room, or somebody calls flush or compact. So work goes on when a full disk has space again,
 * and until then everybody who needs it gets the reason.
 *
 * <p>Threads: any, for the waits and signals. Its lock is the innermost: no I/O is done and no
 * other lock of the store is taken under it, but those of the conditions that are waited for.
 */
final class Background {
  private static final Logger LOGGER = System.getLogger(Background.class.getName());

  /**
   * Flushes interrupt a merge until there are this many times the tables that started it. From then
   * on it goes first and writers wait, since every table more makes every read slower.
   */
  private static final int TABLES_DURING_MERGE = 3;

  private final Path directory;
  private final VersionSet versions;
  private final TableSet tables;
  private final WriteAheadLog log;
  private final FlushJob flush;
  private final MergeJob merge;
  private final int tablesBeforeMerge;
  private final Thread thread;

  private final Monitor lock = new Monitor();
  private final Monitor.Line changed = lock.newLine();

  // Guarded by lock.
  private boolean retry;
  private Throwable flushFailure;
  private long flushFailures;
  private Throwable mergeFailure;
  private long mergesWanted;
  private long mergesEnded;

  /** What ended the thread before its time, or null. */
  private Throwable death;

  /** Written under the lock. */
  private volatile boolean closing;

  // Confined to the thread.
  private boolean logLags;
  private int mergeAtTables;

  Background(
      Path directory,
      VersionSet versions,
      TableSet tables,
      WriteAheadLog log,
      FlushJob flush,
      MergeJob merge,
      int tablesBeforeMerge) {
    this.directory = directory;
    this.versions = versions;
    this.tables = tables;
    this.log = log;
    this.flush = flush;
    this.merge = merge;
    this.tablesBeforeMerge = tablesBeforeMerge;
    this.mergeAtTables = tablesBeforeMerge;
    // A platform thread: its work is as long as the device is slow, and must not hold a carrier.
    this.thread =
        Thread.ofPlatform()
            .daemon()
            .name("gds-store-" + directory.getFileName())
            .unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /** Says that something may have changed that the thread or a waiter looks at. Any thread. */
  void signal() {
    lock.lock();
    try {
      changed.wakeAll();
    } finally {
      lock.unlock();
    }
  }

  // ---- waiting

  /**
   * Waits until a condition holds that flushing brings about.
   *
   * @param condition cheap, does no I/O, becomes true before a {@link #signal}
   * @param limit how long to wait at most, or null for as long as flushes succeed
   * @return whether it holds; false when time is up
   * @throws IOException if a flush failed meanwhile, with its reason
   * @throws IllegalStateException if the store is closed meanwhile
   */
  boolean await(BooleanSupplier condition, Duration limit) throws IOException {
    long start = System.nanoTime();
    lock.lock();
    try {
      long failuresBefore = flushFailures;
      retry |= flushFailure != null;
      changed.wakeAll();
      while (true) {
        if (closing) {
          throw VersionSet.closed();
        }
        if (condition.getAsBoolean()) {
          return true;
        }
        requireAlive();
        if (flushFailures > failuresBefore) {
          throw reason("what is in memory cannot be written as a table", flushFailure);
        }
        long left = limit == null ? Long.MAX_VALUE : limit.toNanos() - (System.nanoTime() - start);
        if (left <= 0) {
          return false;
        }
        boolean unused = changed.await(left);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Merges all tables; returns when that is done. */
  void compact() throws IOException {
    lock.lock();
    try {
      long mine = ++mergesWanted;
      changed.wakeAll();
      while (mergesEnded < mine) {
        if (closing) {
          throw VersionSet.closed();
        }
        requireAlive();
        changed.await();
      }
      if (mergeFailure != null) {
        throw reason("the tables cannot be merged", mergeFailure);
      }
    } finally {
      lock.unlock();
    }
  }

  private void requireAlive() throws IOException {
    if (death != null) {
      throw reason("the background thread has ended, open the store again", death);
    }
  }

  /** A new exception for each who waited, of the kind that its reason is. */
  private IOException reason(String what, Throwable failure) {
    return failure instanceof OutOfSpaceException
        ? new OutOfSpaceException(what, directory, failure)
        : new StorageException(what + ": " + failure.getMessage(), directory, failure);
  }

  // ---- the thread

  private void run() {
    try {
      while (awaitWork()) {
        tables.closeUnused();
        flushIfFrozen();
        mergeIfWanted();
      }
    } catch (Throwable e) {
      // Jobs catch their own failures; this is for those of the virtual machine. Nobody may wait
      // for ever.
      LOGGER.log(Logger.Level.ERROR, "the background thread ends: path=" + directory, e);
      lock.lock();
      try {
        death = e;
        changed.wakeAll();
      } finally {
        lock.unlock();
      }
    }
  }

  private boolean awaitWork() {
    lock.lock();
    try {
      while (!closing && !tables.hasUnused() && !mayFlush() && !mayMerge()) {
        changed.await();
      }
      return !closing;
    } finally {
      lock.unlock();
    }
  }

  private boolean mayFlush() {
    return (flushFailure == null || retry) && (logLags || versions.hasFrozen());
  }

  private boolean mayMerge() {
    return mergesEnded < mergesWanted || versions.level0Count() >= mergeAtTables;
  }

  private void flushIfFrozen() {
    lock.lock();
    try {
      if (!mayFlush()) {
        return;
      }
      retry = false;
      flushFailure = null;
    } finally {
      lock.unlock();
    }
    Throwable failure = null;
    try {
      flushFrozen();
    } catch (Throwable e) {
      failure = e;
      LOGGER.log(Logger.Level.WARNING, "a flush failed: path=" + directory + " reason=" + e);
    }
    lock.lock();
    try {
      if (failure != null) {
        flushFailure = failure;
        flushFailures++;
      }
      changed.wakeAll();
    } finally {
      lock.unlock();
    }
  }

  private void flushFrozen() throws IOException {
    Version version = versions.retain();
    try {
      Memtable frozen = version.frozen();
      if (frozen != null) {
        flush.run(frozen, log, versions, versions.oldestSequence());
        logLags = true;
      }
    } finally {
      versions.release(version);
    }
    versions.moveCursors();
    log.truncate(tables.manifest().horizonLsn());
    logLags = false;
  }

  private void mergeIfWanted() {
    long target;
    lock.lock();
    try {
      if (!mayMerge()) {
        return;
      }
      target = mergesWanted;
    } finally {
      lock.unlock();
    }
    Throwable failure = null;
    boolean ended = true;
    try {
      if (versions.level0Count() > 0) {
        ended = merge.run(versions, this::pause);
      }
      mergeAtTables = tablesBeforeMerge;
    } catch (Throwable e) {
      failure = e;
      // Every flush would try in vain: wait for some more tables.
      mergeAtTables = versions.level0Count() + tablesBeforeMerge;
      LOGGER.log(Logger.Level.WARNING, "a merge failed: path=" + directory + " reason=" + e);
    }
    lock.lock();
    try {
      if (ended) {
        mergesEnded = target;
        mergeFailure = failure;
      }
      changed.wakeAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Between two records of a merge: writers should not wait for the whole of it, if it keeps up.
   */
  private boolean pause() {
    if (versions.hasFrozen() && versions.level0Count() < TABLES_DURING_MERGE * tablesBeforeMerge) {
      flushIfFrozen();
    }
    return !closing;
  }

  /** Lets the thread finish a flush that is running, not a merge, and waits for its end. */
  void close() {
    lock.lock();
    try {
      closing = true;
      changed.wakeAll();
    } finally {
      lock.unlock();
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
