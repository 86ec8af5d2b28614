package io.ewok.gds.lsm;

import io.ewok.gds.buffers.BufferStats;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.IoStats;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.wal.LogFullException;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.StampedLock;
import java.util.function.BooleanSupplier;

/**
 * An ordered, durable key-value store in one directory. Keys are ordered by their bytes, unsigned.
 *
 * <p>Ownership: whoever opened the store closes it. It owns its directory, its memory, one
 * background thread, and its I/O engine unless that was borrowed. Close makes all writes durable;
 * it ends cursors that are still open and waits for calls that are running.
 *
 * <p>Threads: any, platform or virtual, for all methods. Writers take turns; readers wait for
 * nobody. A get sees every write that returned before it began.
 *
 * {@snippet :
 * try (Store store = Store.open(directory, StoreOptions.defaults())) {
 *   store.put(key, value, Durability.SYNCED);
 *   byte[] found = store.get(key);
 * }
 * }
 *
 * <p>Limits: keys of 0 to {@link WriteBatch#KEY_BYTES_MAX} bytes, values of 0 to {@link
 * StoreOptions#valueBytesMax} bytes.
 *
 * <p>Errors:
 *
 * <ul>
 *   <li>{@link IllegalArgumentException} for keys, values and batches that are too large; {@link
 *       IllegalStateException} after close.
 *   <li>{@link io.ewok.gds.pagestore.CorruptFileException} from whoever reads a damaged block: it
 *       names file and offset. Other records stay readable.
 *   <li>{@link io.ewok.gds.pagestore.OutOfSpaceException} from a write when the device is full and
 *       memory too. Nothing acknowledged is lost, reads go on, and the next write tries again.
 *   <li>{@link io.ewok.gds.buffers.PoolExhaustedException} from a read when the pool is full of
 *       blocks that cursors and gets stand on.
 *   <li>{@link PoisonedFileException} from every write after the log could not be written or
 *       synced; whether the write that met the failure survives is open until the store is opened
 *       again. Reads go on.
 * </ul>
 */
public final class Store implements AutoCloseable {
  /** How long a writer waits for memory that cursors and gets hold. */
  private static final Duration MEMORY_WAIT_DEFAULT = Duration.ofSeconds(10);

  /** A memtable is frozen when its records take this part of the log, though it is not full. */
  private static final double LOG_SHARE_MAX = 3.0 / 8;

  private final StoreParts parts;
  private final VersionSet versions;
  private final Background background;
  private final WriteAheadLog log;
  private final StoreCounters counters;
  private final long batchBytesMax;
  private final long logShareBytes;
  private final ReadContexts contexts = new ReadContexts();

  private final ReentrantLock writeLock = new ReentrantLock();

  // Guarded by writeLock.
  private final WriteBatch single;
  private Memtable active;
  private long activeStartLsn;
  private Duration memoryWait = MEMORY_WAIT_DEFAULT;

  /** Held shared by those who wait for the log outside of the write lock; close takes it whole. */
  private final StampedLock syncing = new StampedLock();

  /** Why nothing can be written any more, or null. */
  private volatile Throwable logFailure;

  private final ReentrantLock closeLock = new ReentrantLock();
  private volatile boolean closing;

  private Store(StoreParts parts) {
    this.parts = parts;
    this.versions = parts.versions;
    this.background = parts.background;
    this.log = parts.log;
    this.counters = parts.counters;
    this.batchBytesMax = Math.min(parts.options.batchBytesMax(), log.recordBytesMax());
    this.logShareBytes =
        (long) (LOG_SHARE_MAX * log.options().segmentBytes() * log.options().segmentCount());
    this.single = new WriteBatch(parts.batchBuffer.segment());
    this.active = versions.active();
    this.activeStartLsn = log.horizonLsn();
  }

  /**
   * Opens a store with an I/O engine of its own.
   *
   * @param directory of the store alone; created, for its owner only, if the options allow
   * @throws NotAStoreException if the directory holds something else, or nothing and no store is to
   *     be created
   * @throws StoreLockedException if the store is open already, here or in another process
   * @throws io.ewok.gds.pagestore.CorruptFileException if a file of the store is damaged; nothing
   *     is changed
   * @throws io.ewok.gds.pagestore.UnsupportedFormatException if a newer version wrote the store;
   *     nothing is changed
   */
  public static Store open(Path directory, StoreOptions options) throws IOException {
    Objects.requireNonNull(directory, "directory");
    return open(directory, options, IoEngines.open(options.engine()), true);
  }

  /**
   * Opens a store on a borrowed I/O engine, which stays open until after the store is closed.
   *
   * @throws IOException as {@link #open(Path, StoreOptions)}
   */
  public static Store open(Path directory, StoreOptions options, IoEngine engine)
      throws IOException {
    Objects.requireNonNull(directory, "directory");
    Objects.requireNonNull(engine, "engine");
    return open(directory, options, engine, false);
  }

  private static Store open(
      Path directory, StoreOptions options, IoEngine engine, boolean ownsEngine)
      throws IOException {
    StoreParts parts = new StoreParts(engine, new StoreFiles(directory.toAbsolutePath()), options);
    if (ownsEngine) {
      parts.closeLater(engine::close);
    }
    try {
      StoreOpener.open(parts);
      return new Store(parts);
    } catch (IOException | RuntimeException | Error e) {
      try {
        parts.close();
      } catch (IOException | RuntimeException | Error closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  // ---- writing

  /**
   * Sets the value of a key.
   *
   * @throws IOException see the type; the write may or may not survive then, never in part
   */
  public void put(byte[] key, byte[] value, Durability durability) throws IOException {
    put(MemorySegment.ofArray(key), MemorySegment.ofArray(value), durability);
  }

  /** As {@link #put(byte[], byte[], Durability)}; both segments are copied. */
  public void put(MemorySegment key, MemorySegment value, Durability durability)
      throws IOException {
    writeSingle(key, Objects.requireNonNull(value, "value"), durability);
  }

  /**
   * Removes a key; it need not exist.
   *
   * @throws IOException as for a put
   */
  public void delete(byte[] key, Durability durability) throws IOException {
    delete(MemorySegment.ofArray(key), durability);
  }

  /** As {@link #delete(byte[], Durability)}; the segment is copied. */
  public void delete(MemorySegment key, Durability durability) throws IOException {
    writeSingle(key, null, durability);
  }

  /**
   * Applies a batch: all of it or nothing, also after a crash. An empty batch writes nothing; with
   * {@link Durability#SYNCED} it makes all earlier writes durable.
   *
   * @throws IllegalArgumentException if {@link WriteBatch#sizeBytes} is above {@link
   *     StoreOptions#batchBytesMax}
   * @throws IOException as for a put
   */
  public void write(WriteBatch batch, Durability durability) throws IOException {
    Objects.requireNonNull(durability, "durability");
    requireBatchBytes(batch.sizeBytes());
    long stamp;
    long lsn;
    writeLock.lock();
    try {
      lsn = append(batch);
      stamp = syncing.readLock();
    } finally {
      writeLock.unlock();
    }
    finish(lsn, stamp, durability);
  }

  private void writeSingle(MemorySegment key, MemorySegment valueOrNull, Durability durability)
      throws IOException {
    Objects.requireNonNull(durability, "durability");
    WriteBatch.requireKeyBytes(key.byteSize());
    long valueBytes = valueOrNull == null ? 0 : valueOrNull.byteSize();
    requireBatchBytes(
        WriteBatch.BATCH_OVERHEAD_BYTES
            + WriteBatch.operationSizeBytes(key.byteSize(), valueBytes));
    long stamp;
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
      stamp = syncing.readLock();
    } finally {
      writeLock.unlock();
    }
    finish(lsn, stamp, durability);
  }

  private void requireBatchBytes(long sizeBytes) {
    if (sizeBytes > batchBytesMax || sizeBytes < 0) {
      throw new IllegalArgumentException(
          "a batch with its overheads has at most %d bytes: sizeBytes=%d"
              .formatted(batchBytesMax, sizeBytes));
    }
  }

  /** Logs, indexes and shows a batch. Returns the end of its record. Guarded by the write lock. */
  private long append(WriteBatch batch) throws IOException {
    checkWritable();
    if (batch.count() == 0) {
      return log.endLsn();
    }
    long first = versions.sequence() + 1;
    MemorySegment record = batch.record(first);
    makeRoom(batch.sizeBytes(), record.byteSize());
    try {
      long lsn = log.append(record);
      active.insert(record, lsn);
      versions.publish(first + batch.count() - 1);
      counters.operations.add(batch.count());
      counters.userBytes.add(batch.userBytes());
      return lsn;
    } catch (LogFullException e) {
      throw e; // Nothing was appended.
    } catch (IOException | RuntimeException | Error e) {
      // The log and the memtable may differ now. Only a recovery makes them equal again.
      logFailure = e;
      throw e;
    }
  }

  /** Ends a write outside of the write lock, so that other writers can join the same sync. */
  private void finish(long lsn, long stamp, Durability durability) throws IOException {
    try {
      if (durability == Durability.SYNCED) {
        log.sync(lsn);
      }
    } catch (IOException | RuntimeException | Error e) {
      logFailure = e;
      throw e;
    } finally {
      syncing.unlockRead(stamp);
    }
  }

  private void checkWritable() throws PoisonedFileException {
    if (closing) {
      throw VersionSet.closed();
    }
    if (logFailure != null) {
      throw new PoisonedFileException(parts.files.log(), logFailure);
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
        awaitStalled(() -> log.hasRoomFor(recordBytes), "room in the log");
      }
    }
    // Early, so that the log does not become full while the next memtable is filled.
    boolean logHeavy = log.endLsn() - activeStartLsn > logShareBytes;
    if (logHeavy && !active.isEmpty() && !versions.hasFrozen() && parts.space.free() > 0) {
      freezeActive();
    }
  }

  /** Freezes the active memtable, once the one before it is flushed, and starts a new one. */
  private void freezeActive() throws IOException {
    awaitFlush();
    Memtable next = parts.space.tryCreate();
    if (next == null) {
      versions.moveCursors();
      awaitStalled(() -> parts.space.free() > 0, "memory that open cursors or running gets use");
      return; // The caller looks again.
    }
    versions.rotate(next);
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
      awaitStalled(() -> !versions.hasFrozen(), null);
    }
  }

  /**
   * Waits for the background thread.
   *
   * @param what is waited for, if not longer than the memory wait; null to wait while it works
   */
  private void awaitStalled(BooleanSupplier condition, String what) throws IOException {
    long start = System.nanoTime();
    try {
      if (!background.await(condition, what == null ? null : memoryWait)) {
        throw new StorageException(
            "a write waits in vain for " + what + ": waited=" + memoryWait,
            parts.files.directory());
      }
    } finally {
      counters.stalls.increment();
      counters.stallNanos.add(System.nanoTime() - start);
    }
  }

  // ---- reading

  /**
   * Returns a copy of the value of a key, or null if it has none.
   *
   * @throws IOException if a table cannot be read, or is corrupt
   */
  public byte[] get(byte[] key) throws IOException {
    MemorySegment wanted = MemorySegment.ofArray(key);
    Version version = versions.retain();
    ReadContext context = contexts.take();
    try {
      MemorySegment value = find(version, wanted, context);
      return value == null ? null : value.toArray(ValueLayout.JAVA_BYTE);
    } finally {
      end(version, context);
    }
  }

  /**
   * Hands the value of a key to a consumer, without a copy. The consumer may use the store, but not
   * close it.
   *
   * @return whether the key has a value
   * @throws IOException if a table cannot be read, or is corrupt
   */
  public boolean get(MemorySegment key, ValueConsumer consumer) throws IOException {
    Objects.requireNonNull(key, "key");
    Objects.requireNonNull(consumer, "consumer");
    Version version = versions.retain();
    ReadContext context = contexts.take();
    try {
      MemorySegment value = find(version, key, context);
      if (value == null) {
        return false;
      }
      context.consumerThread = Thread.currentThread();
      consumer.accept(value);
      return true;
    } finally {
      context.consumerThread = null;
      end(version, context);
    }
  }

  private void end(Version version, ReadContext context) {
    context.unfix();
    contexts.give(context);
    versions.release(version);
  }

  /**
   * Returns the value where it lies, fixed by the context if it is in a table; null if there is
   * none.
   */
  private MemorySegment find(Version version, MemorySegment key, ReadContext context)
      throws IOException {
    WriteBatch.requireKeyBytes(key.byteSize());
    counters.gets.increment();
    long stamp = RecordKind.searchStamp(versions.sequence());
    for (Memtable memtable = version.active();
        memtable != null;
        memtable = memtable == version.active() ? version.frozen() : null) {
      long node = memtable.findAtOrAfter(key, stamp);
      if (node != Memtable.NONE && Memtable.compareKey(node, key) == 0) {
        return RecordKind.kind(NodeFormat.stamp(node)) == RecordKind.DELETE
            ? null
            : memtable.segment(NodeFormat.valueAddress(node), NodeFormat.valueBytes(node));
      }
    }
    for (Table table : version.level0()) {
      if (table.meta().mayContain(key) && table.find(key, stamp, context)) {
        return context.value();
      }
    }
    Table table = version.tableOfRun(key);
    return table != null && table.find(key, stamp, context) ? context.value() : null;
  }

  /**
   * Returns a cursor on the store as it is now. It is not on a record yet.
   *
   * @throws IllegalStateException if the store is closed
   */
  public StoreCursor cursor() {
    return versions.openCursor();
  }

  // ---- maintenance

  /**
   * Writes what is in memory as tables; returns when they are durable.
   *
   * @throws IOException if that fails; nothing is lost, and it may be tried again
   */
  public void flush() throws IOException {
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
   * Flushes, then merges all tables into one run, without shadowed records and deletes.
   *
   * @throws IOException if that fails; nothing is lost, and it may be tried again
   */
  public void compact() throws IOException {
    flush();
    background.compact();
  }

  /**
   * Returns the counters.
   *
   * @throws IllegalStateException if the store is closed
   */
  public StoreStats stats() {
    Version version = versions.retain();
    List<StoreStats.Level> levels;
    try {
      levels = List.of(level(version.level0()), level(version.level1()));
    } finally {
      versions.release(version);
    }
    IoStats io = parts.engine.stats();
    BufferStats blocks = parts.buffers.stats();
    return new StoreStats(
        parts.engine.name(),
        parts.engine.description(),
        versions.sequence(),
        new StoreStats.Written(
            counters.operations.sum(),
            counters.userBytes.sum(),
            log.stats().bytesWritten(),
            counters.flushBytes.sum(),
            counters.mergeBytes.sum()),
        new StoreStats.Read(
            counters.gets.sum(), io.reads(), io.bytesRead(), blocks.hits(), blocks.misses()),
        levels,
        new StoreStats.Memory(
            parts.memory.root().usedBytes(),
            parts.memory.root().peakBytes(),
            parts.memory.root().limitBytes()),
        new StoreStats.Stalls(counters.stalls.sum(), counters.stallNanos.sum()),
        counters.flushes.sum(),
        counters.merges.sum(),
        versions.openCursors().size());
  }

  private static StoreStats.Level level(List<Table> tables) {
    long bytes = 0;
    long entries = 0;
    for (Table table : tables) {
      bytes += table.meta().sizeBytes();
      entries += table.meta().entries();
    }
    return new StoreStats.Level(tables.size(), bytes, entries);
  }

  /**
   * Makes all writes durable and closes. Ends open cursors; calls that wait get an {@link
   * IllegalStateException}, calls that run come to their end first. Closing twice does nothing.
   *
   * @throws IllegalStateException if it is called by a consumer of {@link #get(MemorySegment,
   *     ValueConsumer)}; the store stays open
   * @throws IOException if the log could not be made durable, or a file not be closed; the store is
   *     closed all the same
   */
  @Override
  public void close() throws IOException {
    if (contexts.isInConsumer(Thread.currentThread())) {
      throw new IllegalStateException("a consumer of a get cannot close the store");
    }
    closeLock.lock();
    try {
      if (closing) {
        return;
      }
      closing = true;
      // Ends the waits of writers, so that the write lock becomes free.
      background.close();
      writeLock.lock();
      try {
        long stamp = syncing.writeLock();
        syncing.unlockWrite(stamp);
      } finally {
        writeLock.unlock();
      }
      parts.close();
    } finally {
      closeLock.unlock();
    }
  }
}
