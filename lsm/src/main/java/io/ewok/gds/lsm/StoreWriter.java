package io.ewok.gds.lsm;

import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.memtable.MemtableSpace;
import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.reactor.Gate;
import io.ewok.gds.reactor.LongLock;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.wal.LogFullException;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Objects;
import java.util.function.BooleanSupplier;

/**
 * The way of a write: room is made, the batch goes to the log and to the active memtable and
 * becomes visible, all under one lock; then, outside of it, the writer waits for the log if it is
 * to be durable, so that others can join the same sync.
 *
 * <p>Threads: any.
 */
final class StoreWriter {
  /** How long a writer waits for memory that cursors and gets hold. */
  private static final Duration MEMORY_WAIT_DEFAULT = Duration.ofSeconds(10);

  /** A memtable is frozen when its records take this part of the log, though it is not full. */
  private static final double LOG_SHARE_MAX = 3.0 / 8;

  private final StoreFiles files;
  private final MemtableSpace space;
  private final VersionSet versions;
  private final Background background;
  private final WriteAheadLog log;
  private final StoreCounters counters;
  private final StoreEvents events;
  private final WriteDelay delay;
  private final long batchBytesMax;
  private final long logShareBytes;

  private final LongLock writeLock = new LongLock();

  // Guarded by writeLock.
  /** Holds the one operation of a put or delete. */
  private final WriteBatch single;

  private Memtable active;
  private long activeStartLsn;
  private Duration memoryWait = MEMORY_WAIT_DEFAULT;

  /** Those who wait for the log outside of the write lock are inside. */
  private final Gate syncing = new Gate();

  /** Why nothing can be written any more, or null. */
  private volatile Throwable logFailure;

  private volatile boolean closing;

  StoreWriter(StoreParts parts) {
    this.files = parts.files;
    this.space = parts.space;
    this.versions = parts.versions;
    this.background = parts.background;
    this.log = parts.log;
    this.counters = parts.counters;
    this.events = parts.events;
    this.delay = parts.delay;
    this.batchBytesMax = Math.min(parts.options.batchBytesMax(), log.recordBytesMax());
    this.logShareBytes =
        (long) (LOG_SHARE_MAX * log.options().segmentBytes() * log.options().segmentCount());
    this.single = new WriteBatch(parts.batchBuffer.segment());
    this.active = versions.active();
    this.activeStartLsn = log.horizonLsn();
  }

  /** See {@link Store#put}. */
  void put(MemorySegment key, MemorySegment value, Durability durability) throws IOException {
    writeSingle(key, Objects.requireNonNull(value, "value"), durability);
  }

  /** See {@link Store#delete}. */
  void delete(MemorySegment key, Durability durability) throws IOException {
    writeSingle(key, null, durability);
  }

  /** See {@link Store#write}. */
  void write(WriteBatch batch, Durability durability) throws IOException {
    Objects.requireNonNull(durability, "durability");
    requireMayWait();
    requireBatchBytes(batch.sizeBytes());
    delay(batch.sizeBytes());
    long lsn;
    writeLock.lock();
    try {
      lsn = append(batch);
      enterSyncing();
    } finally {
      writeLock.unlock();
    }
    finish(lsn, durability);
  }

  private void writeSingle(MemorySegment key, MemorySegment valueOrNull, Durability durability)
      throws IOException {
    Objects.requireNonNull(durability, "durability");
    requireMayWait();
    Keys.requireLength(key.byteSize());
    long valueBytes = valueOrNull == null ? 0 : valueOrNull.byteSize();
    requireBatchBytes(
        WriteBatch.BATCH_OVERHEAD_BYTES
            + BatchFormat.operationSizeBytes(key.byteSize(), valueBytes));
    delay(BatchFormat.operationSizeBytes(key.byteSize(), valueBytes));
    long lsn;
    writeLock.lock();
    try {
      checkWritable(); // Before the batch's memory is touched, which a close frees.
      single.clear();
      if (valueOrNull == null) {
        single.delete(key);
      } else {
        single.put(key, valueOrNull);
      }
      lsn = append(single);
      enterSyncing();
    } finally {
      writeLock.unlock();
    }
    finish(lsn, durability);
  }

  /**
   * A wait on the thread of a reactor itself lets other tasks run on top of it. One of those that
   * waited for the one below would never end.
   */
  static void requireMayWait() {
    if (!Thread.currentThread().isVirtual() && Reactor.current() != null) {
      throw new IllegalStateException(
          "a store is written and closed by fibers and threads that may wait: thread="
              + Thread.currentThread().getName());
    }
  }

  private void requireBatchBytes(long sizeBytes) {
    if (sizeBytes > batchBytesMax || sizeBytes < 0) {
      throw new IllegalArgumentException(
          "a batch with its overheads has at most %d bytes: sizeBytes=%d"
              .formatted(batchBytesMax, sizeBytes));
    }
  }

  /** Lets the background thread keep up. Before any lock is taken. */
  private void delay(long sizeBytes) {
    boolean unused = delay.await(sizeBytes, Long.MAX_VALUE); // no limit, so never refused
  }

  /** Logs, indexes and shows a batch. Returns the end of its record. Guarded by the write lock. */
  private long append(WriteBatch batch) throws IOException {
    checkWritable();
    int count = batch.count();
    if (count == 0) {
      return log.endLsn();
    }
    long first = versions.sequence() + 1;
    MemorySegment record = batch.record(first);
    makeRoom(batch.sizeBytes(), record.byteSize());
    Memtable entered = active;
    if (!entered.tryEnter(batch.sizeBytes())) {
      throw new IllegalStateException("no room that was made: sizeBytes=" + batch.sizeBytes());
    }
    try {
      long lsn = log.append(record);
      active.insert(record, first);
      active.setEnd(first + count - 1, lsn);
      versions.publish(first + count - 1);
      counters.operations.add(count);
      counters.userBytes.add(batch.userBytes());
      return lsn;
    } catch (LogFullException e) {
      throw e; // Nothing was appended.
    } catch (IOException | RuntimeException | Error e) {
      // The log and the memtable may differ now. Only a recovery makes them equal again.
      logFailure = e;
      throw e;
    } finally {
      entered.exit();
    }
  }

  /** Guarded by the write lock, as close is: whoever may write finds the gate open. */
  private void enterSyncing() {
    if (!syncing.tryEnter()) {
      throw VersionSet.closed();
    }
  }

  /** Ends a write outside of the write lock, so that other writers can join the same sync. */
  private void finish(long lsn, Durability durability) throws IOException {
    try {
      if (durability == Durability.SYNCED) {
        log.sync(lsn);
      }
    } catch (IOException | RuntimeException | Error e) {
      logFailure = e;
      throw e;
    } finally {
      syncing.exit();
    }
  }

  private void checkWritable() throws PoisonedFileException {
    if (closing) {
      throw VersionSet.closed();
    }
    if (logFailure != null) {
      throw new PoisonedFileException(files.log(), logFailure);
    }
  }

  // ---- room for writes, guarded by the write lock

  private void makeRoom(long sizeBytes, long recordBytes) throws IOException {
    while (!active.hasRoom(sizeBytes) || !log.hasRoomFor(recordBytes)) {
      if (!active.isEmpty()) {
        freezeActive();
      } else if (versions.hasFrozen()) {
        awaitFlush();
      } else {
        awaitStalled(StallReason.LOG, () -> log.hasRoomFor(recordBytes), "room in the log");
      }
    }
    // Early, so that the log does not become full while the next memtable is filled.
    boolean logHeavy = log.endLsn() - activeStartLsn > logShareBytes;
    if (logHeavy && !active.isEmpty() && !versions.hasFrozen() && space.free() > 0) {
      freezeActive();
    }
  }

  /** Freezes the active memtable, once the one before it is flushed, and starts a new one. */
  private void freezeActive() throws IOException {
    awaitFlush();
    Memtable next = space.tryCreate();
    if (next == null) {
      versions.moveCursors();
      awaitStalled(
          StallReason.READERS,
          () -> space.free() > 0,
          "memory that open cursors or running gets use");
      return; // The caller looks again.
    }
    versions.rotate(next);
    delay.frozen();
    next.release();
    active = next;
    activeStartLsn = log.endLsn();
    background.signal();
  }

  /** Shortens the wait of writers for memory that readers hold. For tests. */
  void setMemoryWait(Duration wait) {
    writeLock.lock();
    try {
      memoryWait = wait;
    } finally {
      writeLock.unlock();
    }
  }

  private void awaitFlush() throws IOException {
    if (versions.hasFrozen()) {
      awaitStalled(StallReason.FLUSH, () -> !versions.hasFrozen(), null);
    }
  }

  /**
   * Waits for the background thread.
   *
   * @param what is waited for, if not longer than the memory wait; null to wait while it works
   */
  private void awaitStalled(StallReason reason, BooleanSupplier condition, String what)
      throws IOException {
    WriteStallEvent event = new WriteStallEvent();
    event.begin();
    long start = System.nanoTime();
    try {
      if (!background.await(condition, what == null ? null : memoryWait)) {
        throw new StorageException(
            "a write waits in vain for " + what + ": waited=" + memoryWait, files.directory());
      }
    } finally {
      events.stalled(event, reason, System.nanoTime() - start);
    }
  }

  /** See {@link Store#flush}. */
  void flush() throws IOException {
    requireMayWait();
    Memtable last;
    writeLock.lock();
    try {
      checkWritable();
      Memtable before = active;
      while (active == before && !active.isEmpty()) {
        freezeActive();
      }
      last = versions.frozen();
    } finally {
      writeLock.unlock();
    }
    // Not until none is frozen: other writers may freeze one after the other.
    background.await(() -> last == null || versions.frozen() != last, null);
  }

  /**
   * Lets no more writes in, ends the waits of those that are stalled with an exception, and waits
   * for those that sync.
   */
  void close() {
    closing = true;
    background.close();
    writeLock.lock();
    try {
      boolean unused = syncing.close();
    } finally {
      writeLock.unlock();
    }
  }
}
