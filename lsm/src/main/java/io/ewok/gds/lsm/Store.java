package io.ewok.gds.lsm;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.reactor.LongLock;
import io.ewok.gds.reactor.Reactor;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * An ordered, durable key-value store in one directory. Keys are ordered by their bytes, unsigned.
 *
 * <p>It may have several {@linkplain Family families} of keys. What it has itself, as a family, is
 * its default one.
 *
 * <p>Ownership: whoever opened the store closes it. It owns its directory, its memory, two
 * background threads, one more if its log is archived, and its I/O engine unless that was borrowed.
 * Close makes all writes durable; it ends cursors that are still open and waits for calls that are
 * running.
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
public final class Store extends Family implements AutoCloseable {
  private final StoreParts parts;
  private final boolean ownsEngine;
  private final VersionSet versions;
  private final StoreWriter writer;
  private final Transactions transactions;
  private final LongLock closeLock = new LongLock();

  /** Guarded by closeLock. */
  private boolean closed;

  private Store(StoreParts parts, StoreWriter writer, boolean ownsEngine) {
    super(parts, writer, parts.families.main());
    this.parts = parts;
    this.ownsEngine = ownsEngine;
    this.versions = parts.versions;
    this.writer = writer;
    this.transactions = new Transactions(parts, writer);
  }

  StoreParts parts() {
    return parts;
  }

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

  /**
   * Opens a store on a borrowed I/O engine and under a budget that is that of others, too: its own
   * is a child of it, and leaves it when the store is closed.
   *
   * @param budget with room for {@link StoreOptions#memoryBytes}
   * @throws IOException as {@link #open(Path, StoreOptions)}
   */
  public static Store open(
      Path directory, StoreOptions options, IoEngine engine, MemoryBudget budget)
      throws IOException {
    return openUnder(directory, options, engine, budget, null);
  }

  /**
   * As {@link #open(Path, StoreOptions, IoEngine, MemoryBudget)}; and flushes and compactions are
   * done by a fiber of a reactor in the place of a thread, in short slices between its other tasks.
   * If there are many of these they have three quarters of its time, and less the more compactions
   * fall behind. A task that does not let others run holds up writers with it.
   *
   * @param owner open until the store is closed, and that not by a fiber of it
   * @throws IOException as {@link #open(Path, StoreOptions)}
   */
  public static Store open(
      Path directory, StoreOptions options, IoEngine engine, MemoryBudget budget, Reactor owner)
      throws IOException {
    return openUnder(directory, options, engine, budget, Objects.requireNonNull(owner, "owner"));
  }

  private static Store openUnder(
      Path directory,
      StoreOptions options,
      IoEngine engine,
      MemoryBudget budget,
      Reactor ownerOrNull)
      throws IOException {
    Objects.requireNonNull(engine, "engine");
    StoreMemory memory = StoreMemory.under(budget, options);
    StoreParts parts =
        new StoreParts(
            engine,
            new StoreFiles(directory.toAbsolutePath()),
            options,
            memory,
            ownerOrNull,
            System::currentTimeMillis);
    parts.closeLater(memory::close);
    return open(parts, false);
  }

  /** The same with another clock, in milliseconds since the epoch. For tests. */
  static Store open(Path directory, StoreOptions options, IoEngine engine, LongSupplier clock)
      throws IOException {
    return open(directory, options, engine, false, clock);
  }

  /**
   * Opens a store to read it only, with an I/O engine of its own: also while it is open here or in
   * another process, and where nothing can be written.
   *
   * @throws NotAStoreException if there is none
   * @throws io.ewok.gds.pagestore.StorageException as {@link #open(Path, StoreOptions)}, and if the
   *     log has more than two memtables hold
   */
  public static ReadOnlyStore openReadOnly(Path directory, StoreOptions options)
      throws IOException {
    StoreFiles files = new StoreFiles(directory.toAbsolutePath());
    IoEngine engine = IoEngines.open(options.engine());
    return ReadOnlyStore.open(files, options, engine, true, System::currentTimeMillis);
  }

  /**
   * The same on a borrowed I/O engine, which stays open until after the store is closed.
   *
   * @throws IOException as {@link #openReadOnly(Path, StoreOptions)}
   */
  public static ReadOnlyStore openReadOnly(Path directory, StoreOptions options, IoEngine engine)
      throws IOException {
    return openReadOnly(directory, options, engine, System::currentTimeMillis);
  }

  /** The same with another clock. For tests. */
  static ReadOnlyStore openReadOnly(
      Path directory, StoreOptions options, IoEngine engine, LongSupplier clock)
      throws IOException {
    Objects.requireNonNull(engine, "engine");
    StoreFiles files = new StoreFiles(directory.toAbsolutePath());
    return ReadOnlyStore.open(files, options, engine, false, clock);
  }

  private static Store open(
      Path directory, StoreOptions options, IoEngine engine, boolean ownsEngine, LongSupplier clock)
      throws IOException {
    StoreParts parts =
        new StoreParts(engine, new StoreFiles(directory.toAbsolutePath()), options, clock);
    if (ownsEngine) {
      parts.closeLater(engine::close);
    }
    return open(parts, ownsEngine);
  }

  private static Store open(StoreParts parts, boolean ownsEngine) throws IOException {
    try {
      StoreOpener.open(parts);
      StoreWriter writer = new StoreWriter(parts);
      Store store = new Store(parts, writer, ownsEngine);
      try {
        if (parts.archive != null) {
          parts.archive.start(writer);
        }
        store.transactions.preparedOnes().recover();
      } catch (IOException | RuntimeException | Error e) {
        writer.close();
        throw e;
      }
      return store;
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
   * Applies a batch: all of it or nothing, also after a crash, in all families. An empty batch
   * writes nothing; with {@link Durability#SYNCED} it makes all earlier writes durable.
   *
   * @throws IllegalArgumentException if {@link WriteBatch#sizeBytes} is above {@link
   *     StoreOptions#batchBytesMax}, or if it has families of another store
   * @throws IllegalStateException also if a family is dropped, or if it has operands of a family
   *     that has no operator
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

  /**
   * Applies a batch that was accepted before, and that a log of somebody else has kept, as {@link
   * #write(WriteBatch, Durability)} does: {@link StoreOptions#batchBytesMax} may have been larger
   * then, and does not limit it.
   *
   * @throws io.ewok.gds.pagestore.StorageException if a memtable has no room for it now, or the
   *     log: nothing is written, and with larger ones it can be; otherwise as for a put
   */
  public void redo(WriteBatch batch, Durability durability) throws IOException {
    writer.redo(batch, WriteOptions.of(durability));
  }

  /**
   * Returns the largest {@link WriteBatch#sizeBytes} that is accepted, in bytes: {@link
   * StoreOptions#batchBytesMax}, or less where the log was created for less.
   */
  public long batchBytesMax() {
    return writer.batchBytesMax();
  }

  /** Returns an empty batch that is read through before it is written. */
  public IndexedBatch indexedBatch() {
    return new IndexedBatch(parts, writer);
  }

  /** Returns what begins transactions. Those who do not use them do not pay for them. */
  public Transactions transactions() {
    return transactions;
  }

  // ---- reading

  /**
   * Returns the store as it is now, to be read while it changes.
   *
   * @throws IllegalStateException if the store is closed
   */
  public Snapshot snapshot() {
    return versions.openSnapshot(parts.counters);
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

  // ---- families

  /**
   * Creates a family, with the options that {@link StoreOptions#families} has for it, or else those
   * of the store itself.
   *
   * @throws IOException as {@link #createFamily(String, TreeOptions)}
   */
  public Family createFamily(String name) throws IOException {
    return createFamily(name, parts.live.options().tree(name));
  }

  /**
   * Creates a family. When this returns, that is durable. The options hold until the store is
   * closed; to open it again they are named in {@link StoreOptions#families}.
   *
   * @param name 1 to {@link Family#NAME_BYTES_MAX} bytes in UTF-8, without control characters
   * @param options of the family alone
   * @throws IllegalArgumentException if there is a family with this name, or no more may be, or its
   *     name or options are not possible here
   * @throws IOException if that fails; after a crash the family may be there, and empty
   */
  public Family createFamily(String name, TreeOptions options) throws IOException {
    Objects.requireNonNull(options, "options");
    FamilyChanges.requireName(name);
    if (name.equals(Transactions.FAMILY)) {
      throw new IllegalArgumentException("the name is kept for transactions: name=" + name);
    }
    StoreWriter.requireMayWait();
    parts.live.requirePossible(name, options);
    return handle(
        parts.background.run(
            () -> parts.familyChanges.create(name, options), FamilyChanges.FAILED));
  }

  /**
   * Clones a family, with its options as they are now.
   *
   * @throws IOException as {@link #cloneFamily(Family, String, TreeOptions)}
   */
  public Family cloneFamily(Family from, String name) throws IOException {
    return cloneFamily(from, name, parts.live.options().tree(from.name()));
  }

  /**
   * Creates a family that begins with all that another one shows at one moment during the call,
   * what was written before the call among it, also not synced. What is written to either of the
   * two from then on is not seen in the other. Nothing is copied: the two share files, until merges
   * of each have replaced those it has; so this takes a flush, and to open the tables. When it
   * returns, the clone is durable.
   *
   * <p>A snapshot that was taken before shows of the clone what the other family showed then.
   * Records are as old as they are: with a shorter time to live some may have expired.
   *
   * @param from a family of this store, which stays as it is; the default one, too
   * @param name 1 to {@link Family#NAME_BYTES_MAX} bytes in UTF-8, without control characters
   * @param options of the new family; with the same merge operator, if {@code from} has one
   * @throws IllegalArgumentException if there is a family with this name, or no more may be, or its
   *     name or options are not possible here, or {@code from} is of another store, or keeps
   *     prepared transactions
   * @throws IllegalStateException if {@code from} is dropped, or the store closed
   * @throws IOException if that fails; after a crash the clone may be there, whole
   */
  public Family cloneFamily(Family from, String name, TreeOptions options) throws IOException {
    Objects.requireNonNull(options, "options");
    FamilyState source = from.family();
    requireOwn(source);
    FamilyChanges.requireName(name);
    if (name.equals(Transactions.FAMILY) || source.name().equals(Transactions.FAMILY)) {
      throw new IllegalArgumentException(
          "the name is kept for transactions: name=" + Transactions.FAMILY);
    }
    source.requireThere();
    StoreWriter.requireMayWait();
    parts.live.requirePossible(name, options);
    writer.flush();
    try {
      return handle(
          parts.background.run(
              () -> parts.familyChanges.cloneOf(source, name, options), FamilyChanges.FAILED));
    } catch (IOException e) {
      source.requireThere(); // dropped meanwhile
      throw e;
    }
  }

  /**
   * Drops a family with all that is in it. When this returns, that is durable, and the name may be
   * used again. Cursors that are open on it go on as they are; other calls get an {@link
   * IllegalStateException}, those of snapshots too. Its files go when no cursor needs them.
   *
   * @throws IllegalArgumentException if it is the default family or of another store, or has
   *     prepared transactions
   * @throws IllegalStateException if it is dropped already
   * @throws IOException if that fails; the family is as it was, or if it is not known whether it is
   *     there after a crash, cannot be used but only be dropped again
   */
  public void dropFamily(Family family) throws IOException {
    FamilyState dropped = family.family();
    requireOwn(dropped);
    if (dropped.isMain()) {
      throw new IllegalArgumentException("the default family stays: name=" + dropped.name());
    }
    if (dropped.name().equals(Transactions.FAMILY) && transactions.preparedOnes().hasSome()) {
      throw new IllegalArgumentException(
          "there are prepared transactions, which it has: name=" + dropped.name());
    }
    StoreWriter.requireMayWait();
    parts.familyChanges.beginDrop(dropped);
    try {
      if (versions.hasCursorOn(dropped)) {
        // What a cursor sees of it in memory would keep that: nobody else writes it as tables.
        writer.flush();
      }
      FamilyState unused =
          parts.background.run(() -> parts.familyChanges.drop(dropped), FamilyChanges.FAILED);
    } finally {
      parts.familyChanges.endDrop(dropped);
    }
  }

  private void requireOwn(FamilyState family) {
    if (!parts.families.isOwn(family)) {
      throw new IllegalArgumentException("the family is of another store: name=" + family.name());
    }
  }

  /** Returns the family with a name, or nothing if there is none. */
  public Optional<Family> family(String name) {
    return Optional.ofNullable(parts.families.find(name)).map(this::handle);
  }

  /** Returns all families, the default one first, in the order in which they were created. */
  public List<Family> families() {
    return parts.families.all().stream().map(this::handle).toList();
  }

  private Family handle(FamilyState family) {
    return family.isMain() ? this : new Family(parts, writer, family);
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
   * Waits until the store is at rest: the memtable that was full is a table, nothing is to be
   * compacted, and what is merged while little is written is merged too. That begins when hardly
   * anything has been written for a second. What is in the active memtable stays there: {@link
   * #flush} comes before, where that is to be a table. Others may write meanwhile; as long as they
   * write much, the store is not at rest. Dropped families and tables that cursors still need do
   * not count.
   *
   * <p>Flushes and compactions that failed before are tried once more.
   *
   * {@snippet :
   * store.flush();
   * if (!store.awaitRest(Duration.ofMinutes(5))) {
   *   throw new IllegalStateException("the store is still at work: " + store.stats());
   * }
   * }
   *
   * @param limit how long to wait at most
   * @return whether it is; false when time is up
   * @throws IOException if a flush or a compaction failed meanwhile; nothing is lost
   * @throws InterruptedException if the thread is interrupted; the work goes on
   * @throws IllegalStateException if the store is closed, also meanwhile, and on the thread of a
   *     reactor itself
   */
  public boolean awaitRest(Duration limit) throws IOException, InterruptedException {
    Objects.requireNonNull(limit, "limit");
    StoreWriter.requireMayWait();
    return parts.background.awaitRest(limit);
  }

  /**
   * Makes a copy of the store as it is now, all families, to be opened as a store of its own. What
   * was written before the call is in it, as if {@link #flush} had been called, and it ends between
   * two writes; writers and readers go on meanwhile.
   *
   * <p>Tables, which never change, are not copied but linked where the file system can: then it
   * takes hardly any time and space, apart from a log of the size of this one's, and space is
   * needed later, for what this store replaces and the copy keeps. Into another file system they
   * are copied. A copy of links shares the blocks of the device: it is no backup, {@link Backups}
   * are.
   *
   * <p>The directory appears at once, and whole, and is durable on return. What is left of a call
   * that was cut off, under the same name and {@code .copying}, the next one removes. One that runs
   * while the store is closed ends with the table that it is at.
   *
   * @param directory does not exist yet; not inside of the store's
   * @return the sequence number up to which the writes are in it
   * @throws IllegalArgumentException if the directory is inside of the store's
   * @throws StoreLockedException if another call makes a copy of this name
   * @throws io.ewok.gds.pagestore.StorageException if there is something of this name
   * @throws IOException if that fails; there is no such directory then, unless the failure was in
   *     making its name durable
   */
  public long checkpoint(Path directory) throws IOException {
    return checkpoint(directory, _ -> {});
  }

  /**
   * As {@link #checkpoint(Path)}, and tells how far it has come.
   *
   * @param bytesRead told of tables that are copied, not linked, part by part, in bytes
   */
  public long checkpoint(Path directory, LongConsumer bytesRead) throws IOException {
    Objects.requireNonNull(directory, "directory");
    Objects.requireNonNull(bytesRead, "bytesRead");
    return Checkpoint.run(parts, writer, directory, bytesRead);
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
      for (String name : settings.keySet()) {
        String family = StoreSettings.familyOrNull(name);
        if (family != null && parts.families.find(family) == null) {
          throw new IllegalArgumentException(
              "there is no such family: %s=%s".formatted(name, settings.get(name)));
        }
      }
      parts.live.change(Map.copyOf(settings), ownsEngine ? parts.engine : null);
    } finally {
      closeLock.unlock();
    }
    parts.signalBackground();
  }

  /**
   * Archives what was written before the call, if the store's log is archived: without this the
   * archive has it when a file of the log is full, or a backup is made.
   *
   * @return the sequence number up to which all is in the archive, durable
   * @throws IllegalStateException if the log is not archived, or the store is closed
   * @throws IOException if the archive cannot be written; nothing is lost, the log keeps it and it
   *     is tried again
   */
  public long archiveLog() throws IOException {
    if (parts.archive == null) {
      throw new IllegalStateException("the log is not archived: path=" + parts.files.directory());
    }
    StoreWriter.requireMayWait();
    return parts.archive.archiveNow();
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
      if (parts.archive != null) {
        parts.archive.markClose();
      }
      writer.close();
      parts.close();
    } finally {
      closeLock.unlock();
    }
  }
}
