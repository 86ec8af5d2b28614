package io.ewok.gds.lsm;

import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.memtable.MemtableSpace;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.reactor.Baton;
import io.ewok.gds.reactor.LongLock;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/**
 * Room for writes: lets them into the active memtable, and when that is full, or the log, freezes
 * it and puts a new one in its place. What a write waits for here, it waits for before it has
 * anything that others need.
 *
 * <p>Threads: any. The lock is held for as long as it takes those who are in a memtable to leave
 * it, never for a flush.
 */
final class WriteRoom {
  /** How long a writer waits for memory that cursors and gets hold. */
  private static final Duration MEMORY_WAIT_DEFAULT = Duration.ofSeconds(10);

  /** A memtable is frozen when its records take this part of the log, though it is not full. */
  private static final double LOG_SHARE_MAX = 3.0 / 8;

  private static final int YIELDS = 64;
  private static final long LOOK_NANOS = 20_000;

  /** Finds out whether anything can be written, or throws. */
  @FunctionalInterface
  interface Check {
    void run() throws IOException;
  }

  private final StoreFiles files;
  private final MemtableSpace space;
  private final VersionSet versions;
  private final Background background;
  private final WriteAheadLog log;
  private final LogHolds holds;
  private final StoreEvents events;
  private final WriteDelay delay;
  private final Check writable;
  private final long logShareBytes;
  private final LongLock lock = new LongLock();

  /** Written with the lock, when nobody is in the one before. Partner of the read in enter. */
  private volatile Memtable active;

  /** Written with the lock. */
  private volatile long activeStartLsn;

  /** What the log had room for when the active memtable began. Written with the lock. */
  private volatile long activeLogBytes;

  private volatile Duration memoryWait = MEMORY_WAIT_DEFAULT;

  WriteRoom(StoreParts parts, Check writable) {
    this.files = parts.files;
    this.space = parts.space;
    this.versions = parts.versions;
    this.background = parts.background;
    this.log = parts.log;
    this.holds = parts.holds;
    this.events = parts.events;
    this.delay = parts.delay;
    this.writable = writable;
    this.logShareBytes =
        (long) (LOG_SHARE_MAX * log.options().segmentBytes() * log.options().segmentCount());
    this.active = versions.active();
    this.activeStartLsn = holds.flushedLsn();
    this.activeLogBytes = log.spaceLeftBytes();
    Memtable frozen = versions.frozen();
    if (frozen != null) {
      delay.frozen(frozen.takenBytes()); // by the recovery
    }
  }

  /** Shortens the wait of writers for memory that readers hold. For tests. */
  void setMemoryWait(Duration wait) {
    memoryWait = wait;
  }

  /**
   * Comes into a memtable that has room for a write, and waits for that if need be.
   *
   * @param family that all of it belongs to
   * @param recordOrNull says instead which families it belongs to
   */
  Memtable enter(long sizeBytes, int family, MemorySegment recordOrNull, WriteOptions options)
      throws IOException {
    writable.run();
    Duration limit = options.stallMaxOrNull();
    if (!delay.await(sizeBytes, filled(), limit == null ? Long.MAX_VALUE : limit.toNanos())) {
      throw new WriteStalledException(limit, files.directory());
    }
    freezeEarly();
    Memtable memtable = active;
    while (!(recordOrNull == null
        ? memtable.tryEnter(sizeBytes, family)
        : memtable.tryEnter(sizeBytes, recordOrNull, _ -> true))) {
      replace(memtable, options);
      memtable = active;
    }
    return memtable;
  }

  /**
   * Comes into the active memtable, without anything to write there, or returns null if that takes
   * no writers at the moment.
   */
  Memtable tryEnter() {
    Memtable memtable = active;
    return memtable.tryEnter(0) ? memtable : null;
  }

  /**
   * What part writers have filled, 0 to 1, of what they have until the frozen memtable is flushed;
   * 0 if none is frozen.
   */
  private double filled() {
    if (!versions.hasFrozen()) {
      return 0;
    }
    double ofLog = (double) (versions.sequence() - activeStartLsn) / Math.max(1, activeLogBytes);
    return Math.min(1, Math.max(active.takenShare(), ofLog));
  }

  /**
   * Where in the log the active memtable begins: for who is inside, all that is newer is in there.
   */
  long activeStartLsn() {
    return activeStartLsn;
  }

  /** Brings it about that the log has room for a record; may have to be called again. */
  void makeInLog(Memtable memtable, long recordBytes, WriteOptions options) throws IOException {
    writable.run();
    if (log.hasRoomFor(recordBytes)) {
      return;
    }
    if (holds.isHeldBack()) {
      awaitReaders(recordBytes, options);
    } else if (!memtable.isEmpty() || versions.sequence() > activeStartLsn) {
      replace(memtable, options);
    } else if (versions.hasFrozen()) {
      awaitStalled(StallReason.FLUSH, () -> !versions.hasFrozen(), null, options);
    } else {
      awaitStalled(StallReason.LOG, () -> log.hasRoomFor(recordBytes), "room in the log", options);
    }
  }

  /** A flush would give no room: readers of changes, or the archive, hold what it would give. */
  private void awaitReaders(long recordBytes, WriteOptions options) throws IOException {
    if (holds.isHeldBackBy(Thread.currentThread())) {
      throw new WriteStalledException(
          "a write would wait for its own thread, which has changes to read that hold the log back",
          files.directory());
    }
    holds.wantRoom();
    awaitStalled(
        holds.reason(), () -> !holds.isHeldBack() || log.hasRoomFor(recordBytes), null, options);
  }

  /** Freezes a memtable early, so that the log does not become full while the next is filled. */
  private void freezeEarly() throws IOException {
    if (!active.isEmpty() // what was recovered may take more than that share
        && versions.sequence() - activeStartLsn > logShareBytes
        && !versions.hasFrozen()
        && space.free() > 0) {
      boolean unused = tryReplace(active);
    }
  }

  /** Writes what is in memory as tables. */
  void flush() throws IOException {
    Memtable last = active;
    if (last.isEmpty()) {
      last = versions.frozen();
    } else {
      while (active == last) {
        replace(last, WriteOptions.of(Durability.NONE));
      }
    }
    Memtable frozen = last;
    if (frozen != null) {
      background.await(() -> versions.frozen() != frozen, null);
    }
  }

  /** Replaces the active memtable, if it still is, or waits for what that needs. */
  private void replace(Memtable full, WriteOptions options) throws IOException {
    if (active != full || tryReplace(full)) {
      return;
    }
    writable.run();
    BooleanSupplier replaced = () -> active != full;
    if (versions.hasFrozen()) {
      awaitStalled(
          StallReason.FLUSH, () -> !versions.hasFrozen() || replaced.getAsBoolean(), null, options);
    } else if (space.free() == 0) {
      versions.moveCursors();
      awaitStalled(
          StallReason.READERS,
          () -> space.free() > 0 || replaced.getAsBoolean(),
          "memory that open cursors or running gets use",
          options);
    }
  }

  /**
   * Freezes the active memtable, and does something before it ends, when nobody is in it and nobody
   * can come into the next: what takes a place in the log then is between all writes that are in
   * the one and all that come into the other.
   *
   * @return whether that was done; not if a memtable is frozen, or there is no memory for another
   */
  boolean tryFreeze(Check between) throws IOException {
    boolean[] isDone = {false};
    boolean unused =
        tryReplace(
            active,
            () -> {
              between.run();
              isDone[0] = true;
            });
    return isDone[0];
  }

  /** Replaces the active memtable, if there is memory for the next and the last is flushed. */
  private boolean tryReplace(Memtable full) throws IOException {
    return tryReplace(full, () -> {});
  }

  private boolean tryReplace(Memtable full, Check between) throws IOException {
    lock.lock();
    try {
      writable.run();
      if (active != full) {
        return true;
      }
      Memtable next = versions.hasFrozen() ? null : space.tryCreate();
      if (next == null) {
        return false;
      }
      try {
        full.closeToWriters();
        awaitNoWriter(full);
        writable.run();
        between.run();
        long end = versions.sequence();
        full.setEnd(end, end);
        delay.frozen(full.takenBytes());
        activeLogBytes = log.spaceLeftBytes();
        versions.rotate(next);
      } finally {
        next.release();
      }
      activeStartLsn = full.endLsn();
      active = next;
    } finally {
      lock.unlock();
    }
    background.signal();
    return true;
  }

  /** Those inside wait for nothing but their turn to run, or the device that writes the log. */
  @SuppressWarnings("ThreadPriorityCheck")
  private static void awaitNoWriter(Memtable memtable) {
    for (int tries = 0; !memtable.hasNoWriter(); tries++) {
      if (tries < YIELDS) {
        Thread.yield();
      } else {
        boolean unused = new Baton().await(LOOK_NANOS);
      }
    }
  }

  /**
   * Waits for the background thread.
   *
   * @param what is waited for, if not longer than the memory wait; null to wait while it works
   */
  private void awaitStalled(
      StallReason reason, BooleanSupplier condition, String what, WriteOptions options)
      throws IOException {
    Duration limit = options.stallMaxOrNull();
    Duration memoryLimit = what == null ? null : memoryWait;
    boolean mine = limit != null && (memoryLimit == null || limit.compareTo(memoryLimit) < 0);
    WriteStallEvent event = new WriteStallEvent();
    event.begin();
    long start = System.nanoTime();
    try {
      if (!background.await(condition, mine ? limit : memoryLimit)) {
        if (mine) {
          throw new WriteStalledException(limit, files.directory());
        }
        throw new StorageException(
            "a write waits in vain for " + what + ": waited=" + memoryLimit, files.directory());
      }
    } finally {
      events.stalled(event, reason, System.nanoTime() - start);
    }
  }

  /** Ends the waits here with an exception. */
  void close() {
    background.close();
  }
}
