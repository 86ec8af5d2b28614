package io.ewok.gds.lsm;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.reactor.LongLock;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongSupplier;

/**
 * An ordered, durable key-value store in one directory. Keys are ordered by their bytes, unsigned.
 *
 * <p>Ownership: whoever opened the store closes it. It owns its directory, its memory, two
 * background threads, and its I/O engine unless that was borrowed. Close makes all writes durable;
 * it ends cursors that are still open and waits for calls that are running.
 *
 * <p>Threads: any, platform or virtual, for all methods. Writers work beside each other; readers
 * wait for nobody. A get sees every write that returned before it began. The thread of a reactor
 * itself only reads; its fibers do all.
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
 *       IllegalStateException} after close, and where the thread of a reactor writes or closes.
 *   <li>{@link io.ewok.gds.pagestore.CorruptFileException} from whoever reads a damaged block: it
 *       names file and offset. Other records stay readable.
 *   <li>{@link io.ewok.gds.pagestore.OutOfSpaceException} from a write when the device is full and
 *       memory too. Nothing acknowledged is lost, reads go on, and the next write tries again.
 *   <li>{@link io.ewok.gds.buffers.PoolExhaustedException} from a read when the pool is full of
 *       blocks that cursors and gets stand on.
 *   <li>{@link MergeFailedException} from whoever reads a key whose operands cannot be merged.
 *   <li>{@link PoisonedFileException} from every write after the log could not be written or
 *       synced; whether the write that met the failure survives is open until the store is opened
 *       again. Reads go on.
 * </ul>
 */
public final class Store extends ReadView implements AutoCloseable {
  private final StoreParts parts;
  private final boolean ownsEngine;
  private final VersionSet versions;
  private final StoreWriter writer;
  private final LongLock closeLock = new LongLock();

  /** Guarded by closeLock. */
  private boolean closed;

  private Store(StoreParts parts, boolean ownsEngine) {
    super(parts.versions, parts.counters);
    this.parts = parts;
    this.ownsEngine = ownsEngine;
    this.versions = parts.versions;
    this.writer = new StoreWriter(parts);
  }

  /** For tests. */
  StoreWriter writer() {
    return writer;
  }

  /** For tests. */
  Background background() {
    return parts.background;
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
   * @throws io.ewok.gds.pagestore.StorageException if it has operands of another merge operator;
   *     nothing is changed
   */
  public static Store open(Path directory, StoreOptions options) throws IOException {
    Objects.requireNonNull(directory, "directory");
    return open(
        directory, options, IoEngines.open(options.engine()), true, System::currentTimeMillis);
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
    return open(directory, options, engine, System::currentTimeMillis);
  }

  /** The same with another clock, in milliseconds since the epoch. For tests. */
  static Store open(Path directory, StoreOptions options, IoEngine engine, LongSupplier clock)
      throws IOException {
    return open(directory, options, engine, false, clock);
  }

  private static Store open(
      Path directory, StoreOptions options, IoEngine engine, boolean ownsEngine, LongSupplier clock)
      throws IOException {
    StoreParts parts =
        new StoreParts(engine, new StoreFiles(directory.toAbsolutePath()), options, clock);
    if (ownsEngine) {
      parts.closeLater(engine::close);
    }
    try {
      StoreOpener.open(parts);
      return new Store(parts, ownsEngine);
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
    writer.put(key, value, WriteOptions.of(durability));
  }

  /**
   * As {@link #put(byte[], byte[], Durability)}, with all options.
   *
   * @throws WriteStalledException if it would have to wait longer than it may
   */
  public void put(MemorySegment key, MemorySegment value, WriteOptions options) throws IOException {
    writer.put(key, value, options);
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
    writer.delete(key, WriteOptions.of(durability));
  }

  /**
   * As {@link #delete(byte[], Durability)}, with all options.
   *
   * @throws WriteStalledException if it would have to wait longer than it may
   */
  public void delete(MemorySegment key, WriteOptions options) throws IOException {
    writer.delete(key, options);
  }

  /**
   * Removes a key that was put only once since it was removed last, or never: an entry of a queue,
   * say. For readers it is a delete in every case. But it looks for the put that it belongs to, and
   * both go with the flush or compaction in which they meet, while a delete stays until it has come
   * down to the deepest level that may have the key. If there are more puts beneath it, or the
   * filters that say that there are none are not in memory, it stays as long as a delete does.
   *
   * @throws IOException as for a put
   */
  public void singleDelete(byte[] key, Durability durability) throws IOException {
    singleDelete(MemorySegment.ofArray(key), WriteOptions.of(durability));
  }

  /**
   * As {@link #singleDelete(byte[], Durability)}, with all options; the segment is copied.
   *
   * @throws WriteStalledException if it would have to wait longer than it may
   */
  public void singleDelete(MemorySegment key, WriteOptions options) throws IOException {
    writer.singleDelete(key, options);
  }

  /**
   * Removes all keys from one, inclusive, to another, exclusive; there need not be any. It costs as
   * much as one delete, however many keys there are, and reads of what it has removed do not look
   * at it: tables that lie in the range as a whole are dropped unread.
   *
   * <p>A range delete stays until all that it hides is gone, and takes some hundred bytes of the
   * heap for so long: for few keys deletes are better.
   *
   * @throws IllegalArgumentException also if there can be no key in the range, since {@code end} is
   *     not behind {@code first}
   * @throws IOException as for a put
   */
  public void deleteRange(byte[] first, byte[] end, Durability durability) throws IOException {
    deleteRange(
        MemorySegment.ofArray(first), MemorySegment.ofArray(end), WriteOptions.of(durability));
  }

  /**
   * As {@link #deleteRange(byte[], byte[], Durability)}, with all options; both segments are
   * copied.
   *
   * @throws WriteStalledException if it would have to wait longer than it may
   */
  public void deleteRange(MemorySegment first, MemorySegment end, WriteOptions options)
      throws IOException {
    writer.write(new WriteBatch().deleteRange(first, end), options);
  }

  /**
   * Changes the value of a key by an operand, without reading it: what reads see is made of both by
   * the {@link MergeOperator} of {@link TreeOptions#mergeOperator}. A key without a value has one
   * afterwards.
   *
   * @param operand of 0 to {@link StoreOptions#valueBytesMax} bytes
   * @throws IllegalStateException also if the store was opened without an operator
   * @throws IOException as for a put
   */
  public void merge(byte[] key, byte[] operand, Durability durability) throws IOException {
    merge(MemorySegment.ofArray(key), MemorySegment.ofArray(operand), WriteOptions.of(durability));
  }

  /**
   * As {@link #merge(byte[], byte[], Durability)}, with all options; both segments are copied.
   *
   * @throws WriteStalledException if it would have to wait longer than it may
   */
  public void merge(MemorySegment key, MemorySegment operand, WriteOptions options)
      throws IOException {
    writer.merge(key, operand, options);
  }

  /**
   * Applies a batch: all of it or nothing, also after a crash. An empty batch writes nothing; with
   * {@link Durability#SYNCED} it makes all earlier writes durable.
   *
   * @throws IllegalArgumentException if {@link WriteBatch#sizeBytes} is above {@link
   *     StoreOptions#batchBytesMax}
   * @throws IllegalStateException also if it has operands, and the store was opened without an
   *     operator
   * @throws IOException as for a put
   */
  public void write(WriteBatch batch, Durability durability) throws IOException {
    writer.write(batch, WriteOptions.of(durability));
  }

  /**
   * As {@link #write(WriteBatch, Durability)}, with all options.
   *
   * @throws WriteStalledException if it would have to wait longer than it may
   */
  public void write(WriteBatch batch, WriteOptions options) throws IOException {
    writer.write(batch, options);
  }

  // ---- reading

  @Override
  long expiryFloor() {
    return versions.expiryFloor();
  }

  @Override
  long visibleSequence() {
    return versions.sequence();
  }

  /**
   * Returns the store as it is now, to be read while it changes.
   *
   * @throws IllegalStateException if the store is closed
   */
  public Snapshot snapshot() {
    return versions.openSnapshot(parts.counters);
  }

  /**
   * Returns a cursor that goes on when there is more behind its end. It is before the first record.
   *
   * @throws IllegalStateException if the store is closed
   */
  public TailingCursor tail(CursorOptions options) {
    return new TailingCursor(cursor(options), versions);
  }

  /**
   * Returns the writes behind a sequence number, in order, and those that are still to come.
   *
   * @param sequence of a {@link Snapshot}, or where an earlier reader of changes ended
   * @param durability how durable a write is before it is handed over, BUFFERED or SYNCED
   * @param budget is charged what the reader needs
   * @throws io.ewok.gds.wal.LogTruncatedException if they are not in the log any more
   * @throws IllegalArgumentException if nothing was written up to there, or the durability is NONE
   */
  public StoreChanges changes(long sequence, Durability durability, MemoryBudget budget)
      throws IOException {
    return changes(sequence, ChangesOptions.defaults().withDurability(durability), budget);
  }

  /**
   * As {@link #changes(long, Durability, MemoryBudget)}, with all options: the reader may hold the
   * log back.
   */
  public StoreChanges changes(long sequence, ChangesOptions options, MemoryBudget budget)
      throws IOException {
    Objects.requireNonNull(options, "options");
    return writer.changes(sequence, options, budget);
  }

  // ---- maintenance

  /**
   * Writes what is in memory as tables; returns when they are durable.
   *
   * @throws IOException if that fails; nothing is lost, and it may be tried again
   */
  public void flush() throws IOException {
    writer.flush();
  }

  /**
   * Flushes, then compacts all tables down to the deepest level, without shadowed records and
   * deletes, but for what open cursors see.
   *
   * @throws IOException if that fails; nothing is lost, and it may be tried again
   */
  public void compact() throws IOException {
    writer.flush();
    parts.background.compact(null, null);
  }

  /**
   * As {@link #compact()}, for the tables with keys from {@code firstKey} to {@code lastKey}, both
   * inclusive.
   *
   * @throws IOException as {@link #compact()}
   */
  public void compact(MemorySegment firstKey, MemorySegment lastKey) throws IOException {
    MemorySegment first = MemorySegment.ofArray(firstKey.toArray(ValueLayout.JAVA_BYTE));
    MemorySegment last = MemorySegment.ofArray(lastKey.toArray(ValueLayout.JAVA_BYTE));
    writer.flush();
    parts.background.compact(first, last);
  }

  /**
   * Changes settings while the store is open, all of them or none: those that {@link StoreSetting}
   * says can be, which also says when each takes effect. They hold until the store is closed.
   * Settings that are not named stay as they are.
   *
   * {@snippet :
   * store.change(Map.of("store.compression", "none,lz4", "throttle.compaction.write", "/20MB"));
   * }
   *
   * @param settings as for {@link StoreOptions#with(Map)}
   * @throws IllegalArgumentException that names the setting if there is no such, if it cannot be
   *     changed while the store is open, or not to that value; nothing has changed
   * @throws IllegalStateException if the store is closed
   */
  public void change(Map<String, String> settings) {
    closeLock.lock();
    try {
      if (closed) {
        throw VersionSet.closed();
      }
      parts.live.change(Map.copyOf(settings), ownsEngine ? parts.engine : null);
    } finally {
      closeLock.unlock();
    }
    parts.signalBackground();
  }

  /** Returns the options in force: those it was opened with, and what was changed since. */
  public StoreOptions options() {
    return parts.live.options();
  }

  /**
   * Returns the counters.
   *
   * @throws IllegalStateException if the store is closed
   */
  public StoreStats stats() {
    return StoreStatsReader.read(parts);
  }

  /**
   * Makes all writes durable and closes. Ends open cursors; calls that wait get an {@link
   * IllegalStateException}, calls that run come to their end first. Closing twice does nothing.
   *
   * @throws IllegalStateException if it is called by a consumer of {@link #get(MemorySegment,
   *     ValueConsumer)} or by a {@link CursorFilter}; the store stays open
   * @throws IOException if the log could not be made durable, or a file not be closed; the store is
   *     closed all the same
   */
  @Override
  public void close() throws IOException {
    if (versions.contexts().isInConsumer(Thread.currentThread())) {
      throw new IllegalStateException("a consumer of a get cannot close the store");
    }
    if (versions.isInFilter(Thread.currentThread())) {
      throw new IllegalStateException("a filter of a cursor cannot close the store");
    }
    StoreWriter.requireMayWait();
    closeLock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      writer.close();
      parts.close();
    } finally {
      closeLock.unlock();
    }
  }
}
