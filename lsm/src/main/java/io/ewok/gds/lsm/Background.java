package io.ewok.gds.lsm;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.lsm.values.ValueFileWriter;
import io.ewok.gds.pagestore.OutOfSpaceException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.reactor.Monitor;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.Task;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;

/**
 * The thread of a store that flushes, compacts and removes what is no longer needed, and the place
 * where others wait for it. Where the store has an owner, a fiber of that one is the thread, which
 * lets its other tasks run in between ({@link BackgroundPace}).
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

  /** A store in which no more than a little was written for so long is at rest. */
  private static final long REST_NANOS = 1_000_000_000L;

  /** A little is this part of a memtable: then the next flush is some seconds away. */
  private static final int REST_SHARE = 4;

  /** An interrupt does not end a wait of a monitor: how often those look who are interruptible. */
  private static final long INTERRUPT_NANOS = 10_000_000;

  /** Tables are dropped in one step. */
  private static final long STEP_BYTES = 1 << 20;

  private final Path directory;
  private final VersionSet versions;
  private final TableSet tables;
  private final WriteAheadLog log;
  private final LogHolds holds;
  private final FlushJob flush;
  private final TableWriter compactionWriter;
  private final ValueFileWriter compactionValues;
  private final Region readBuffer;
  private final Families families;
  private final CompactionPlan plan;
  private final StoreCounters counters;
  private final WriteDelay delay;
  private final StoreEvents events;
  private final WatchedStats watched;
  private final BackgroundPace pace;
  private final SpaceReserve reserve;

  /** Which does the work, or null if a thread does. */
  private final Reactor ownerOrNull;

  /** Null if a task does the work. */
  private final Thread thread;

  private final Task task = new Work();

  private final Monitor lock = new Monitor();
  private final Monitor.Line changed = lock.newLine();

  // Guarded by lock.
  private boolean retry;
  private Throwable flushFailure;
  private long flushFailures;
  private Throwable compactionFailure;
  private long compactionFailures;

  /** How often somebody asked for rest; how many of these the thread knows of, and has answered. */
  private long restsAsked;

  private long restsSeen;
  private long restsReached;
  private final Deque<ManualCompaction> manuals = new ArrayDeque<>();
  private final Deque<Waiting<?>> errands = new ArrayDeque<>();

  /** Whether somebody waits for an expiration. */
  private volatile boolean expireWanted;

  /** What ended the thread before its time, or null. */
  private Throwable death;

  /** Written under the lock. */
  private volatile boolean closing;

  private volatile long restNanos = REST_NANOS;

  private final long restBytesMax;

  // Confined to the thread.
  private boolean logLags;

  /** Whether the last expiration failed. */
  private boolean expirationFails;

  /** Whether nothing was written while the thread waited last. */
  private boolean isAtRest;

  /** Whether what could be done at rest had to wait for readers when the thread looked last. */
  private boolean isHeldBack;

  /** Whether one of them has left since. */
  private volatile boolean readerLeft;

  /** What is being compacted, or null; and for whom, or null if by itself. */
  private Compaction running;

  private ManualCompaction runningManual;

  /** An errand that somebody waits for. Guarded by the lock. */
  private static final class Waiting<T> {
    final Errand<T> errand;
    T result;
    Throwable failure;
    boolean ended;

    Waiting(Errand<T> errand) {
      this.errand = errand;
    }
  }

  /** What is done for somebody else between steps, as nobody else changes the manifest then. */
  @FunctionalInterface
  interface Errand<T> {
    T run() throws IOException;
  }

  Background(
      StoreParts parts,
      WatchedStats watched,
      FlushJob flush,
      TableWriter compactionWriter,
      ValueFileWriter compactionValues) {
    this.directory = parts.files.directory();
    this.versions = parts.versions;
    this.tables = parts.tables;
    this.log = parts.log;
    this.holds = parts.holds;
    this.delay = parts.delay;
    this.events = parts.events;
    this.watched = watched;
    this.families = parts.families;
    this.plan = new CompactionPlan(parts);
    this.counters = parts.counters;
    this.flush = flush;
    this.compactionWriter = compactionWriter;
    this.compactionValues = compactionValues;
    this.readBuffer = parts.readBuffer;
    this.restBytesMax = parts.options.memtableBytes() / REST_SHARE;
    this.pace = parts.pace;
    this.reserve = parts.reserve;
    this.ownerOrNull = parts.ownerOrNull;
    // A platform thread: its work is as long as the device is slow, and must not hold a carrier.
    this.thread =
        ownerOrNull != null
            ? null
            : Thread.ofPlatform()
                .daemon()
                .name("gds-store-" + directory.getFileName())
                .unstarted(this::run);
  }

  /** The same as the thread, on a fiber. */
  private final class Work extends Task {
    Work() {
      super(Kind.FIBER, Scratch.NONE);
    }

    @Override
    protected void run() {
      Background.this.run();
    }
  }

  void start() {
    if (thread == null) {
      ownerOrNull.post(task);
    } else {
      thread.start();
    }
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
        requireFlushed(failuresBefore);
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

  private void requireFlushed(long failuresBefore) throws IOException {
    if (flushFailures > failuresBefore) {
      throw reason("what is in memory cannot be written as a table", flushFailure);
    }
  }

  /**
   * Waits until there is nothing to do any more, what is done at rest included. What failed before
   * is tried once more.
   *
   * @return whether that is so; false when time is up
   * @throws IOException if a flush or a compaction failed meanwhile, with its reason
   * @throws IllegalStateException if the store is closed meanwhile
   */
  boolean awaitRest(Duration limit) throws IOException, InterruptedException {
    long start = System.nanoTime();
    lock.lock();
    try {
      long flushFailuresBefore = flushFailures;
      long compactionFailuresBefore = compactionFailures;
      long mine = ++restsAsked;
      retry |= flushFailure != null;
      changed.wakeAll();
      while (true) {
        if (Thread.interrupted()) {
          throw new InterruptedException("waiting for a store to be at rest");
        }
        if (closing) {
          throw VersionSet.closed();
        }
        requireAlive();
        requireFlushed(flushFailuresBefore);
        if (compactionFailures > compactionFailuresBefore) {
          throw reason("the tables cannot be merged", compactionFailure);
        }
        if (restsReached >= mine) {
          return true;
        }
        long left = TimeUnit.NANOSECONDS.convert(limit) - (System.nanoTime() - start);
        if (left <= 0) {
          return false;
        }
        boolean unused = changed.await(Math.min(left, INTERRUPT_NANOS));
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
  void compact(FamilyState family, MemorySegment firstKeyOrNull, MemorySegment lastKeyOrNull)
      throws IOException {
    ManualCompaction mine = new ManualCompaction(family, firstKeyOrNull, lastKeyOrNull);
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
        family.requireThere();
        throw reason("the tables cannot be merged", mine.failure);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Has something done that is short; returns when it is.
   *
   * @param failed what is said if it fails
   * @return what the errand does
   * @throws IllegalArgumentException if the errand does
   */
  <T> T run(Errand<T> errand, String failed) throws IOException {
    Waiting<T> mine = new Waiting<>(errand);
    lock.lock();
    try {
      errands.add(mine);
      changed.wakeAll();
      while (!mine.ended) {
        if (closing && errands.remove(mine)) { // else the thread is at it, and comes to its end
          throw VersionSet.closed();
        }
        requireAlive();
        changed.await();
      }
      if (mine.failure instanceof IllegalArgumentException refused) {
        throw refused;
      }
      if (mine.failure != null) {
        throw reason(failed, mine.failure);
      }
      return mine.result;
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
      pace.begin();
      lookForWork();
      while (awaitWork()) {
        watched.publishIfDue();
        tables.closeUnused();
        runErrands();
        expire();
        seeRests();
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
          && errands.isEmpty()
          && !plan.hasNewOptions()
          && !watched.isDue()
          && !plan.hasNewlyOld()
          && restsSeen == restsAsked) {
        answerRests();
        awaitChangeOrRest();
      }
      return !closing;
    } finally {
      lock.unlock();
    }
  }

  /** There is nothing to do now, but perhaps later, or what has failed. */
  private void answerRests() {
    if (restsReached < restsAsked && !versions.hasFrozen() && !plan.hasWorkAtRest()) {
      restsReached = restsAsked;
      changed.wakeAll();
    }
  }

  /** Has what failed tried once more for those who wait for rest. */
  private void seeRests() {
    lock.lock();
    try {
      if (restsSeen == restsAsked) {
        return;
      }
      restsSeen = restsAsked;
    } finally {
      lock.unlock();
    }
    plan.retry();
    lookForWork();
  }

  /**
   * Wakes up by itself only while there is something that could be done at rest, and to look
   * whether somebody watches.
   */
  private void awaitChangeOrRest() {
    if (!plan.hasWorkAtRest() || (isHeldBack && !readerLeft)) {
      long stepMillis =
          LongStream.concat(
                  families.all().stream()
                      .map(FamilyState::expiration)
                      .filter(Expiration::isOn)
                      .mapToLong(Expiration::stepMillis),
                  LongStream.of(plan.oldStepMillis()).filter(millis -> millis > 0))
              .min()
              .orElse(0);
      long step = stepMillis > 0 ? TimeUnit.MILLISECONDS.toNanos(stepMillis) : Long.MAX_VALUE;
      long look = watched.nanosLeft();
      if (changed.await(Math.min(step, look)) || step <= look) {
        isHeldBack = false; // whatever it was
      }
      return;
    }
    isHeldBack = false;
    long written = versions.sequence();
    if (!changed.await(restNanos)) {
      isAtRest = versions.sequence() - written <= restBytesMax;
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
    return running != null || plan.isDue() || isAtRest || !manuals.isEmpty();
  }

  /**
   * Flushes go first until then. Writers are slowed down long before, so this is the last resort.
   */
  private boolean isLevel0Full() {
    return plan.isLevel0Full(flush.usualBytes(), running);
  }

  // ---- expiration

  private boolean mayExpire() {
    return expireWanted || families.all().stream().anyMatch(family -> family.expiration().isDue());
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
      advance();
      if (running != null) {
        return; // when it is done
      }
      dropExpired();
      expirationFails = false;
    } catch (IOException | RuntimeException | Error e) {
      if (!expirationFails) { // once, since it is tried often
        expirationFails = true;
        LOGGER.log(
            Logger.Level.WARNING,
            "records cannot be dropped: path=" + directory + " reason=" + reason(e));
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

  private void advance() throws IOException {
    long written = versions.sequence();
    ManifestEdit edit = tables.manifest().edit();
    boolean isNew = false;
    for (FamilyState family : families.all()) {
      family.expiration().advance(written);
      FamilyEdit known = tables.manifest().family(family.id()).about();
      WriteTimes times = family.expiration().times();
      if (!times.equals(known.writeTimes())) {
        edit = edit.withFamily(known.withWriteTimes(times));
        isNew = true;
      }
    }
    if (isNew) {
      // Else what is lost in a crash would give its numbers, and its age, to what comes after.
      log.sync(written);
      tables.install(edit);
    }
  }

  /** Drops the tables whose records have all expired, without reading them. */
  private void dropExpired() throws IOException {
    plan.useLiveOptions();
    Version version = versions.retain();
    try {
      for (FamilyState family : families.all()) {
        long floor = versions.expiryBounds(family, tables.manifest().family(family.id())).lowest();
        Levels levels = version.levels(family);
        List<Table> expired =
            levels.tables().stream().filter(table -> table.meta().lastSequence() < floor).toList();
        if (!expired.isEmpty()) {
          boolean unused =
              compaction(plan.find(family), CompactionInputs.drop(levels, expired))
                  .step(STEP_BYTES);
        }
      }
    } finally {
      versions.release(version);
    }
    tables.closeUnused();
  }

  // ---- errands

  private void runErrands() {
    for (Waiting<?> next = nextErrand(); next != null; next = nextErrand()) {
      run(next);
    }
    lookForWork();
  }

  private <T> void run(Waiting<T> next) {
    T result = null;
    Throwable failure = null;
    try {
      result = next.errand.run();
    } catch (Throwable e) {
      failure = e;
    }
    // A family may have gone, or come.
    if (running != null && families.find(running.family().id()) != running.family()) {
      endCompaction(null);
      if (runningManual != null) {
        endManual(runningManual.family.dropped());
      }
    }
    plan.forgetVersion();
    lock.lock();
    try {
      next.result = result;
      next.failure = failure;
      next.ended = true;
      changed.wakeAll();
    } finally {
      lock.unlock();
    }
  }

  private Waiting<?> nextErrand() {
    lock.lock();
    try {
      return errands.poll();
    } finally {
      lock.unlock();
    }
  }

  /** Writes the frozen memtable as tables, if there is one. For errands. */
  void flushNow() throws IOException {
    flushFrozen();
  }

  /**
   * Gives up what is being compacted if it may write tables that overlap with these keys of a
   * family; it is chosen anew. For errands that add tables.
   */
  void endCompactionOf(FamilyState family, MemorySegment firstKey, MemorySegment lastKey) {
    if (running != null && running.family() == family) {
      List<Table> inputs = running.inputs().tables();
      if (Keys.compare(firstKey, CompactionInputs.lastKey(inputs)) <= 0
          && Keys.compare(lastKey, CompactionInputs.firstKey(inputs)) >= 0) {
        endCompaction(null);
      }
    }
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
      flushWithReserve();
    } catch (Throwable e) {
      failure = e;
      LOGGER.log(
          Logger.Level.WARNING, "a flush failed: path=" + directory + " reason=" + reason(e));
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

  private void flushWithReserve() throws IOException {
    try {
      flushFrozen();
    } catch (OutOfSpaceException e) {
      if (!reserve.giveUp()) {
        throw e;
      }
      flushFrozen();
    }
  }

  /** What a failure says; of one that is not of I/O its kind, too. */
  private static String reason(Throwable failure) {
    return failure instanceof IOException && failure.getMessage() != null
        ? failure.getMessage()
        : failure.toString();
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
    plan.look(versions.currentOrNull());
    double pressure = plan.pressure(flush.usualBytes(), running);
    delay.setTablePressure(pressure);
    pace.setPressure(pressure);
  }

  private void compactStep() {
    try {
      if (running == null) {
        running = next();
      }
      if (running != null) {
        boolean isDone = running.step(pace.stepBytes());
        pace.passed(pace.stepBytes());
        if (isDone) {
          plan.done(running.family());
          running = null;
          boolean unused = reserve.tryTake(); // there may be room now
        }
      }
    } catch (Throwable e) {
      if (e instanceof OutOfSpaceException && reserve.giveUp()) {
        endCompaction(null); // it is begun anew
        return;
      }
      LOGGER.log(
          Logger.Level.WARNING, "a compaction failed: path=" + directory + " reason=" + reason(e));
      events.failed(e);
      endCompaction(e);
      lock.lock();
      try {
        compactionFailure = e;
        compactionFailures++;
        changed.wakeAll();
      } finally {
        lock.unlock();
      }
    }
  }

  /** The next compaction, or null; then one that somebody asked for has ended, if there was one. */
  private Compaction next() {
    plan.useLiveOptions();
    runningManual = null;
    Version version = versions.retain();
    try {
      boolean wasAtRest = isAtRest;
      isAtRest = false;
      ManualCompaction manual = firstManual();
      if (manual == null && !plan.isDue()) {
        CompactionPlan.Part part = wasAtRest ? nextAtRest(version) : null;
        return part == null
            ? null
            : compaction(
                part,
                part.picker()
                    .pickAtRest(version.levels(part.family), versions.oldestSequence(part.family)));
      }
      return manual == null || plan.isUrgent(version) ? nextDue(version) : nextOf(manual, version);
    } finally {
      versions.release(version);
    }
  }

  private CompactionPlan.Part nextAtRest(Version version) {
    readerLeft = false;
    versions.tellWhenReaderLeaves(
        () -> {
          readerLeft = true; // before the signal: the thread looks at it under the lock
          signal();
        });
    CompactionPlan.Part part = plan.nextAtRest(version);
    isHeldBack = part == null;
    if (!isHeldBack) {
      versions.tellWhenReaderLeaves(null);
    }
    return part;
  }

  private Compaction nextDue(Version version) {
    CompactionPlan.Part part = plan.next(version);
    CompactionInputs inputs = plan.pickDue(part, version);
    if (inputs == null) {
      plan.nothingDue(part);
      return null;
    }
    return compaction(part, inputs);
  }

  private Compaction nextOf(ManualCompaction manual, Version version) {
    runningManual = manual;
    CompactionPlan.Part part = plan.find(manual.family);
    CompactionInputs inputs =
        part == null
            ? null
            : part.picker().pick(version.levels(part.family), manual, tables.nextNumber());
    if (inputs == null) {
      endManual(part == null ? manual.family.dropped() : null);
      return null;
    }
    return compaction(part, inputs);
  }

  /** The tables stay, since only this thread replaces any. */
  private Compaction compaction(CompactionPlan.Part part, CompactionInputs inputs) {
    return new Compaction(
        part.family,
        inputs,
        versions,
        tables,
        compactionWriter,
        compactionValues,
        readBuffer,
        part.options(),
        counters,
        events);
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

  /** Gives up what is being compacted, because it failed or is not wanted any more. */
  private void endCompaction(Throwable failure) {
    FamilyState family = null;
    if (running != null) {
      family = running.family();
      running.abandon();
      running = null;
    }
    if (failure == null) {
      return;
    }
    if (runningManual != null) {
      endManual(failure);
    }
    if (family != null) {
      plan.failed(family);
    } else {
      families.all().forEach(plan::failed); // it could not even be chosen
    }
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
    if (thread == null) {
      awaitTask();
    } else {
      awaitThread();
    }
  }

  /** One that could not be started has ended, and so has one whose reactor has. */
  private void awaitTask() {
    try {
      task.await();
    } catch (ExecutionException | CancellationException e) {
      LOGGER.log(Logger.Level.DEBUG, "the background task was ended: path=" + directory, e);
    }
  }

  private void awaitThread() {
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
