package io.ewok.gds.lsm;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.pagestore.OutOfSpaceException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.reactor.Monitor;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * The thread of a store that flushes, compacts and removes what is no longer needed, and the place
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
   * Flushes go first until level 0 has this many times the tables that start a compaction. Writers
   * are slowed down long before, so this is the last resort: from then on compactions go first.
   */
  private static final int LEVEL_0_EXCESS_MAX = 3;

  /** Level 0 goes before a compaction that somebody asked for when it is so much too large. */
  private static final int LEVEL_0_URGENT = 2;

  /** A store in which nothing was written for so long is at rest. */
  private static final long REST_NANOS = 1_000_000_000L;

  /** What a compaction does before the thread looks whether there is something to flush. */
  private static final long STEP_BYTES = 1 << 20;

  private final Path directory;
  private final VersionSet versions;
  private final TableSet tables;
  private final WriteAheadLog log;
  private final LogHolds holds;
  private final FlushJob flush;
  private final TableWriter compactionWriter;
  private final Region readBuffer;
  private final LiveOptions live;
  private final StoreCounters counters;
  private final WriteDelay delay;
  private final StoreEvents events;
  private final Expiration expiration;
  private final Thread thread;

  private final Monitor lock = new Monitor();
  private final Monitor.Line changed = lock.newLine();

  // Guarded by lock.
  private boolean retry;
  private Throwable flushFailure;
  private long flushFailures;
  private final Deque<ManualCompaction> manuals = new ArrayDeque<>();

  /** Whether somebody waits for an expiration. */
  private volatile boolean expireWanted;

  /** What ended the thread before its time, or null. */
  private Throwable death;

  /** Written under the lock. */
  private volatile boolean closing;

  private volatile long restNanos = REST_NANOS;

  // Confined to the thread.
  /** Those that were in force when it looked last. */
  private CompactionOptions options;

  private CompactionPicker picker;
  private boolean logLags;

  /** Whether the last expiration failed. */
  private boolean expirationFails;

  /** Whether nothing was written while the thread waited last. */
  private boolean isAtRest;

  /** What is being compacted, or null; and for whom, or null if by itself. */
  private Compaction running;

  private ManualCompaction runningManual;

  /** Whether there is something to compact in the version that was looked at last. */
  private boolean isDue;

  private Version lookedAt;

  /** After a failure: compactions start by themselves when level 0 has so many tables. */
  private int pausedUntilTables;

  Background(StoreParts parts, FlushJob flush, TableWriter compactionWriter) {
    this.directory = parts.files.directory();
    this.versions = parts.versions;
    this.tables = parts.tables;
    this.log = parts.log;
    this.holds = parts.holds;
    this.delay = parts.delay;
    this.events = parts.events;
    this.expiration = parts.expiration;
    this.counters = parts.counters;
    this.flush = flush;
    this.compactionWriter = compactionWriter;
    this.readBuffer = parts.readBuffer;
    this.live = parts.live;
    useLiveOptions();
    // A platform thread: its work is as long as the device is slow, and must not hold a carrier.
    this.thread =
        Thread.ofPlatform()
            .daemon()
            .name("gds-store-" + directory.getFileName())
            .unstarted(this::run);
  }

  /** What begins after a change goes by it. */
  private void useLiveOptions() {
    CompactionOptions next = live.compaction();
    if (!next.equals(options)) {
      options = next;
      picker = CompactionPicker.of(next);
      lookedAt = null;
    }
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

  /** Shortens what is waited for a store to be at rest, in nanoseconds. For tests. */
  void setRest(long nanos) {
    restNanos = nanos;
    signal();
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

  /**
   * Compacts a range of keys down to the deepest level; returns when that is done.
   *
   * @param firstKeyOrNull the smallest key, or null for all
   * @param lastKeyOrNull the greatest key, or null for all
   */
  void compact(MemorySegment firstKeyOrNull, MemorySegment lastKeyOrNull) throws IOException {
    ManualCompaction mine = new ManualCompaction(firstKeyOrNull, lastKeyOrNull);
    lock.lock();
    try {
      manuals.add(mine);
      changed.wakeAll();
      while (!mine.ended) {
        if (closing) {
          throw VersionSet.closed();
        }
        requireAlive();
        changed.await();
      }
      if (mine.failure != null) {
        throw reason("the tables cannot be merged", mine.failure);
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
      lookForWork();
      while (awaitWork()) {
        tables.closeUnused();
        expire();
        if (!isLevel0Full()) {
          flushIfFrozen();
        }
        compactStep();
        lookForWork();
      }
      endCompaction(null);
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
      while (!closing
          && !tables.hasUnused()
          && !mayFlush()
          && !mayCompact()
          && !mayExpire()
          && live.compaction().equals(options)) {
        awaitChangeOrRest();
      }
      return !closing;
    } finally {
      lock.unlock();
    }
  }

  /** Wakes up by itself only while there is something that could be done at rest. */
  private void awaitChangeOrRest() {
    if (pausedUntilTables > 0 || lookedAt == null || picker.pickAtRest(lookedAt) == null) {
      if (expiration.isOn()) {
        boolean unused = changed.await(TimeUnit.MILLISECONDS.toNanos(expiration.stepMillis()));
      } else {
        changed.await();
      }
      return;
    }
    long written = versions.sequence();
    if (!changed.await(restNanos)) {
      isAtRest = versions.sequence() == written;
    }
  }

  private boolean mayFlush() {
    return (flushFailure == null || retry)
        && (logLags || versions.hasFrozen() || holds.mayTruncate(horizonLsn()));
  }

  /** What is before this is in tables. */
  private long horizonLsn() {
    return tables.manifest().horizonLsn();
  }

  private boolean mayCompact() {
    return running != null || isDue || isAtRest || !manuals.isEmpty();
  }

  private boolean isLevel0Full() {
    return isDue && versions.level0Count() >= LEVEL_0_EXCESS_MAX * options.level0Tables();
  }

  // ---- expiration

  private boolean mayExpire() {
    return expiration.isDue() || expireWanted;
  }

  /** Looks at the clock now, and returns when all that has expired is dropped. For tests. */
  void awaitExpiration() {
    lock.lock();
    try {
      expireWanted = true;
      changed.wakeAll();
      while (expireWanted && !closing && death == null) {
        changed.await();
      }
    } finally {
      lock.unlock();
    }
  }

  private void expire() {
    if (!mayExpire()) {
      return;
    }
    try {
      long written = versions.sequence();
      expiration.advance(written);
      if (!expiration.times().equals(tables.manifest().writeTimes())) {
        // Else what is lost in a crash would give its numbers, and its age, to what comes after.
        log.sync(written);
        tables.install(tables.manifest().edit().withWriteTimes(expiration.times()));
      }
      if (running != null) {
        return; // when it is done
      }
      dropExpired();
      expirationFails = false;
    } catch (IOException | RuntimeException | Error e) {
      if (!expirationFails) { // once, since it is tried often
        expirationFails = true;
        LOGGER.log(
            Logger.Level.WARNING, "records cannot be dropped: path=" + directory + " reason=" + e);
        events.failed(e);
      }
    }
    lock.lock();
    try {
      expireWanted = false;
      changed.wakeAll();
    } finally {
      lock.unlock();
    }
  }

  /** Drops the tables whose records have all expired, without reading them. */
  private void dropExpired() throws IOException {
    long floor = versions.lowestExpiryFloor(tables.manifest());
    Version version = versions.retain();
    try {
      List<Table> dropped =
          version.levels().stream()
              .flatMap(List::stream)
              .filter(table -> table.meta().lastSequence() < floor)
              .toList();
      if (!dropped.isEmpty()) {
        tables.install(
            tables.manifest().edit().removing(dropped.stream().map(Table::meta).toList()));
        dropped.forEach(Table::setReplaced);
        versions.dropped(Set.copyOf(dropped));
      }
    } finally {
      versions.release(version);
    }
    tables.closeUnused();
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
      events.failed(e);
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
      if (version.frozen() != null) {
        flush.run(version, log, versions);
        logLags = true;
      }
    } finally {
      versions.release(version);
    }
    versions.moveCursors();
    holds.truncate(horizonLsn());
    logLags = false;
  }

  // ---- compactions

  private void lookForWork() {
    useLiveOptions();
    Version version = versions.currentOrNull();
    if (version != lookedAt) {
      lookedAt = version;
      delay.setTablePressure(version == null ? 0 : picker.pressure(version));
      isDue =
          version != null && version.level(0).size() >= pausedUntilTables && pick(version) != null;
    }
  }

  private CompactionInputs pick(Version version) {
    long oldestSequence = versions.oldestSequence();
    CompactionInputs hidden = CompactionPicker.pickHidden(version, oldestSequence);
    return hidden != null ? hidden : picker.pick(version, oldestSequence);
  }

  private void compactStep() {
    try {
      if (running == null) {
        running = next();
      }
      if (running != null && running.step(STEP_BYTES)) {
        running = null;
        pausedUntilTables = 0;
        lookedAt = null;
      }
    } catch (Throwable e) {
      LOGGER.log(Logger.Level.WARNING, "a compaction failed: path=" + directory + " reason=" + e);
      events.failed(e);
      endCompaction(e);
    }
  }

  /** The next compaction, or null; then one that somebody asked for has ended, if there was one. */
  private Compaction next() {
    useLiveOptions();
    Version version = versions.retain();
    try {
      boolean wasAtRest = isAtRest;
      isAtRest = false;
      ManualCompaction manual = firstManual();
      if (manual == null && !isDue) {
        return wasAtRest ? compaction(picker.pickAtRest(version)) : null;
      }
      boolean urgent = isDue && picker.score(version, 0) >= LEVEL_0_URGENT;
      runningManual = urgent ? null : manual;
      CompactionInputs inputs =
          runningManual == null ? pick(version) : picker.pick(version, manual, tables.nextNumber());
      if (inputs != null) {
        return compaction(inputs);
      }
      if (runningManual != null) {
        endManual(null);
      } else {
        isDue = false;
      }
      return null;
    } finally {
      versions.release(version);
    }
  }

  /** Null for null. The tables stay, since only this thread replaces any. */
  private Compaction compaction(CompactionInputs inputs) {
    return inputs == null
        ? null
        : new Compaction(
            inputs, versions, tables, compactionWriter, readBuffer, options, counters, events);
  }

  private ManualCompaction firstManual() {
    lock.lock();
    try {
      return manuals.peekFirst();
    } finally {
      lock.unlock();
    }
  }

  private void endManual(Throwable failure) {
    lock.lock();
    try {
      manuals.remove(runningManual);
      runningManual.ended = true;
      runningManual.failure = failure;
      changed.wakeAll();
    } finally {
      lock.unlock();
    }
    runningManual = null;
  }

  /** Gives up what is being compacted, because it failed or the store closes. */
  private void endCompaction(Throwable failure) {
    if (running != null) {
      running.abandon();
      running = null;
    }
    if (failure == null) {
      return;
    }
    if (runningManual != null) {
      endManual(failure);
    }
    // Every flush would make it try in vain: wait for some more tables.
    pausedUntilTables = versions.level0Count() + options.level0Tables();
    lookedAt = null;
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
