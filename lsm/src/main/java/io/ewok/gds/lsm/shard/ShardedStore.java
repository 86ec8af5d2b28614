package io.ewok.gds.lsm.shard;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.lsm.CursorOptions;
import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.reactor.LongLock;
import io.ewok.gds.reactor.Reactor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

/**
 * A key-value store in several shards, each a {@link Store} with a reactor of its own; the package
 * says how they work together.
 *
 * <p>Ownership: whoever opened it closes it. It owns its directory, its memory, its stores, and its
 * I/O engine unless that was borrowed. Where a borrowed engine has fewer reactors than there are
 * shards, it owns reactors, too.
 *
 * <p>Threads: any, platform or virtual, for all methods. The thread of a reactor itself only reads;
 * its fibers do all. Whoever wants the speed of several processors lets his own work run where its
 * keys are: {@link #submit}, or fibers of the {@link #owner}.
 *
 * {@snippet :
 * ShardedOptions options = ShardedOptions.defaults().withCount(4);
 * try (ShardedStore store = ShardedStore.open(directory, options)) {
 *   store.put(key, value, Durability.SYNCED);
 *   TransactionKeys keys = new TransactionKeys().updates(from, to);
 *   store.transact(keys, view -> move(view, from, to, 10), Durability.SYNCED);
 * }
 * }
 *
 * <p>From wherever it comes, a get into a segment leaves nothing on the heap, nor does a {@link
 * ShardCall} for one, and a put of segments less than 8 bytes on the average. Transactions and
 * batches live on the heap. What is not here, such as families, range deletes and snapshots, is not
 * there.
 *
 * <p>Errors: as those of {@link Store}. After a transaction that could not be written, the shards
 * that it writes to are not written any more until the store is opened again, which decides whether
 * it is there, as a whole.
 */
public final class ShardedStore implements AutoCloseable {
  private final ShardedOptions options;
  private final ShardMap map;
  private final Shard[] shards;
  private final Sequencer sequencer;
  private final MemoryBudget budget;
  private final Closings closings;
  private final CallPool calls = new CallPool(this);
  private final LongLock closeLock = new LongLock();

  /** Guarded by closeLock. */
  private boolean closed;

  private ShardedStore(ShardedOptions options, ShardedOpener opener, Closings closings)
      throws IOException {
    this.options = options;
    this.map = new ShardMap(options.partitioning(), options.count());
    this.shards = opener.shards;
    this.budget = opener.budget();
    this.closings = closings;
    this.sequencer = new Sequencer(shards, map, opener.log, opener.next());
  }

  /**
   * Opens a store with an I/O engine of its own, which has a reactor for each shard.
   *
   * @param directory of the store alone; created, for its owner only, if the options allow
   * @throws IllegalArgumentException if the store has another number of shards, or is partitioned
   *     in another way
   * @throws io.ewok.gds.lsm.NotAStoreException if the directory holds something else, or nothing
   *     and no store is to be created
   * @throws io.ewok.gds.lsm.StoreLockedException if the store is open already, here or in another
   *     process
   * @throws io.ewok.gds.pagestore.CorruptFileException if a file of the store is damaged or missing
   * @throws IOException also where reactors cannot be had, as the kernel refuses io_uring
   */
  public static ShardedStore open(Path directory, ShardedOptions options) throws IOException {
    Objects.requireNonNull(directory, "directory");
    IoEngine engine = IoEngines.open(options.storeWithReactors().engine());
    Closings closings = new Closings();
    closings.add(engine::close);
    return open(directory, options, engine, closings);
  }

  /**
   * Opens a store on a borrowed I/O engine, which stays open until after the store is closed. If
   * its reactors are used, of the first one a fiber is the store's as long as it is open, and of
   * each another one if owners compact: it has to have more fibers for tasks from outside than all
   * stores on it keep, or calls wait for ever.
   *
   * @throws IOException as {@link #open(Path, ShardedOptions)}
   */
  public static ShardedStore open(Path directory, ShardedOptions options, IoEngine engine)
      throws IOException {
    Objects.requireNonNull(directory, "directory");
    Objects.requireNonNull(engine, "engine");
    return open(directory, options, engine, new Closings());
  }

  private static ShardedStore open(
      Path directory, ShardedOptions options, IoEngine engine, Closings closings)
      throws IOException {
    try {
      ShardedOpener opener =
          new ShardedOpener(engine, directory.toAbsolutePath(), options, closings);
      opener.open();
      return new ShardedStore(options, opener, closings);
    } catch (IOException | RuntimeException | Error e) {
      try {
        closings.close();
      } catch (IOException | RuntimeException | Error closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  // ---- where things are

  /** Returns what it was opened with. */
  public ShardedOptions options() {
    return options;
  }

  /** Returns the number of the shard that a key is of, from 0. */
  public int shardOf(byte[] key) {
    return shardOf(MemorySegment.ofArray(key));
  }

  /** As {@link #shardOf(byte[])}. */
  public int shardOf(MemorySegment key) {
    return map.shardOf(key, ShardMap.hash(key));
  }

  Shard shard(MemorySegment key, long hash) {
    return shards[map.shardOf(key, hash)];
  }

  /** Returns the reactor of a shard. It ends with the store. */
  public Reactor owner(int shard) {
    return shards[shard].owner;
  }

  /**
   * Runs a function on a fiber of the owner of a shard: calls for its keys are done at once there.
   */
  public <T> CompletableFuture<T> submit(int shard, Callable<T> function) {
    return shards[shard].owner.submit(function);
  }

  // ---- reading

  /** Returns a copy of the value of a key, or null if it has none. */
  public byte[] get(byte[] key) throws IOException {
    MemorySegment segment = MemorySegment.ofArray(key);
    Shard shard = shard(segment, ShardMap.hash(segment));
    if (shard.isHere()) {
      return shard.store.get(key);
    }
    ShardCall call = calls.take();
    try {
      int unused = call.get(segment).await();
      return call.takeArray();
    } finally {
      calls.give(call);
    }
  }

  /**
   * Copies the value of a key to the beginning of a segment, if it is large enough.
   *
   * @param key like the segment of the heap, or such that all threads may use it
   * @return the length of the value in bytes, or {@link io.ewok.gds.lsm.ReadView#NOT_FOUND}; if
   *     that is more than the segment has, nothing is copied
   */
  public int get(MemorySegment key, MemorySegment into) throws IOException {
    Shard shard = shard(key, ShardMap.hash(key));
    if (shard.isHere()) {
      return shard.store.get(key, into);
    }
    ShardCall call = calls.take();
    try {
      return call.get(key, into).await();
    } finally {
      calls.give(call);
    }
  }

  /** Returns a copy of the value of a key, or null if it has none, when it is there. */
  public CompletableFuture<byte[]> getAsync(byte[] key) {
    byte[] copy = key.clone();
    return submit(shardOf(copy), () -> get(copy));
  }

  /**
   * Returns copies of the values of several keys, null for those without one. All shards are asked
   * at the same time; each answers as of one time.
   */
  public List<byte[]> multiGet(List<byte[]> keys) throws IOException {
    int[] owners = keys.stream().mapToInt(this::shardOf).toArray();
    byte[][] values = new byte[keys.size()][];
    List<Shard> asked = IntStream.of(owners).distinct().mapToObj(number -> shards[number]).toList();
    OwnerTask.runAll(asked, shard -> multiGet(shard, keys, owners, values));
    return Arrays.asList(values);
  }

  private static void multiGet(Shard shard, List<byte[]> keys, int[] owners, byte[][] values)
      throws IOException {
    int[] own = IntStream.range(0, owners.length).filter(i -> owners[i] == shard.number).toArray();
    List<byte[]> found = shard.store.multiGet(IntStream.of(own).mapToObj(keys::get).toList());
    for (int i = 0; i < own.length; i++) {
      values[own[i]] = found.get(i);
    }
  }

  /** Returns a scan of all records, or of those that the options say. It is not on one yet. */
  public ShardedScan scan(CursorOptions cursor) {
    boolean merges = options.partitioning().isHash();
    int first = 0;
    int last = shards.length - 1;
    if (!merges && cursor.lowerOrNull() != null) {
      first = shardOf(cursor.lowerOrNull());
    }
    if (!merges && cursor.upperOrNull() != null) {
      last = Math.max(first, shardOf(cursor.upperOrNull()));
    }
    ScanSource[] sources =
        IntStream.rangeClosed(first, last)
            .mapToObj(shard -> new ScanSource(shards[shard], cursor))
            .toArray(ScanSource[]::new);
    return new ShardedScan(sources, merges);
  }

  // ---- writing

  /**
   * Sets the value of a key.
   *
   * @throws IOException as {@link Store#put(byte[], byte[], Durability)}
   */
  public void put(byte[] key, byte[] value, Durability durability) throws IOException {
    put(MemorySegment.ofArray(key), MemorySegment.ofArray(value), durability);
  }

  /** As {@link #put(byte[], byte[], Durability)}; the segments as those of a get. */
  public void put(MemorySegment key, MemorySegment value, Durability durability)
      throws IOException {
    write(RecordKind.PUT, key, value, durability);
  }

  /**
   * Removes a key; it need not exist.
   *
   * @throws IOException as for a put
   */
  public void delete(byte[] key, Durability durability) throws IOException {
    delete(MemorySegment.ofArray(key), durability);
  }

  /** As {@link #delete(byte[], Durability)}; the segment as those of a get. */
  public void delete(MemorySegment key, Durability durability) throws IOException {
    write(RecordKind.DELETE, key, MemorySegment.NULL, durability);
  }

  /**
   * Changes the value of a key by an operand, see {@link Store#merge}.
   *
   * @throws IOException as for a put
   */
  public void merge(byte[] key, byte[] operand, Durability durability) throws IOException {
    merge(MemorySegment.ofArray(key), MemorySegment.ofArray(operand), durability);
  }

  /** As {@link #merge(byte[], byte[], Durability)}; the segments as those of a get. */
  public void merge(MemorySegment key, MemorySegment operand, Durability durability)
      throws IOException {
    write(RecordKind.OPERAND, key, operand, durability);
  }

  private void write(int kind, MemorySegment key, MemorySegment value, Durability durability)
      throws IOException {
    requireMayWrite();
    long hash = ShardMap.hash(key);
    Shard shard = shard(key, hash);
    if (shard.isHere()) {
      shard.write(kind, key, hash, value, durability);
      return;
    }
    ShardCall call = calls.take();
    try {
      int unused = call.write(kind, key, value, durability).await();
    } finally {
      calls.give(call);
    }
  }

  /** Returns an empty batch for this store. */
  public ShardedBatch newBatch() {
    return new ShardedBatch(this);
  }

  /** Returns a call for this store that was not begun yet. */
  public ShardCall newCall() {
    return new ShardCall(this);
  }

  /**
   * Applies a batch: all of it or nothing, also after a crash, on all shards.
   *
   * @param durability of a batch over several shards always SYNCED, whatever this says
   * @throws IllegalArgumentException if it is of another store, or too large: for a batch of each
   *     shard, see {@link io.ewok.gds.lsm.StoreOptions#batchBytesMax}, or for the sequence log
   * @throws IOException as for a put
   */
  public void write(ShardedBatch batch, Durability durability) throws IOException {
    requireMayWrite();
    Objects.requireNonNull(durability, "durability");
    if (batch.store() != this) {
      throw new IllegalArgumentException(
          "a batch is for the store that has made it: count=" + batch.count());
    }
    if (batch.count() == 0) {
      return;
    }
    if (!batch.isOfSeveral()) {
      writeToOne(shards[batch.only()], batch, durability);
      return;
    }
    TransactionKeys keys = new TransactionKeys();
    batch.operations().forEach(operation -> keys.writes(operation.key()));
    List<Operation> operations = List.copyOf(batch.operations());
    Void unused = await(new Submission<>(keys, view -> view.addAll(operations), durability, null));
  }

  private void writeToOne(Shard shard, ShardedBatch batch, Durability durability)
      throws IOException {
    if (shard.isHere()) {
      shard.write(batch.single(), batch.stripes(), durability);
      return;
    }
    ShardCall call = calls.take();
    try {
      int unused = call.write(shard, batch.single(), batch.stripes(), durability).await();
    } finally {
      calls.give(call);
    }
  }

  // ---- transactions

  /**
   * Runs a transaction in its turn, on keys that are named now: it is as if all transactions were
   * run one after the other, and no other write came in between.
   *
   * @param durability of one that writes to several shards always SYNCED; of another one what it
   *     says, or more
   * @return what the body returns, when the transaction has come so far
   * @throws IllegalArgumentException if it writes more than fits, as {@link #write} says
   * @throws IOException as for a put, and what the body throws; a checked exception of another kind
   *     comes as the cause of an {@link IllegalStateException}
   */
  public <T> T transact(TransactionKeys keys, SequencedBody<T> body, Durability durability)
      throws IOException {
    requireMayWrite();
    return await(submission(keys, body, durability, null));
  }

  /**
   * As {@link #transact}, without waiting; the future ends with the exception if there is one. What
   * follows on the future at once runs where bodies do, and does not write to the store: that is
   * for {@code thenApplyAsync} and the like.
   */
  public <T> CompletableFuture<T> transactAsync(
      TransactionKeys keys, SequencedBody<T> body, Durability durability) {
    CompletableFuture<T> future = new CompletableFuture<>();
    sequencer.submit(submission(keys, body, durability, future));
    return future;
  }

  private static <T> Submission<T> submission(
      TransactionKeys keys,
      SequencedBody<T> body,
      Durability durability,
      CompletableFuture<T> futureOrNull) {
    return new Submission<>(
        keys.copy(),
        Objects.requireNonNull(body, "body"),
        Objects.requireNonNull(durability, "durability"),
        futureOrNull);
  }

  private <T> T await(Submission<T> submission) throws IOException {
    sequencer.submit(submission);
    return submission.await();
  }

  void requireOutside() {
    sequencer.requireOutside();
  }

  /** As {@link Store} has it: a wait on the thread of a reactor lets others run on top of it. */
  private void requireMayWrite() {
    if (!Thread.currentThread().isVirtual() && Reactor.current() != null) {
      throw new IllegalStateException(
          "a store is written and closed by fibers and threads that may wait: thread="
              + Thread.currentThread().getName());
    }
    sequencer.requireOutside();
  }

  // ---- maintenance

  /**
   * Writes what is in memory as tables, in all shards; returns when they are durable.
   *
   * @throws IOException if that fails in one; nothing is lost, and it may be tried again
   */
  public void flush() throws IOException {
    requireMayWrite();
    OwnerTask.runAll(List.of(shards), shard -> shard.store.flush());
  }

  /**
   * Compacts all shards, see {@link Store#compact()}.
   *
   * @throws IOException if that fails in one; nothing is lost, and it may be tried again
   */
  public void compact() throws IOException {
    requireMayWrite();
    OwnerTask.runAll(List.of(shards), shard -> shard.store.compact());
  }

  /**
   * Waits until all shards are at rest, see {@link Store#awaitRest}.
   *
   * @return whether they are; false when time is up
   */
  public boolean awaitRest(Duration limit) throws IOException, InterruptedException {
    requireMayWrite();
    long start = System.nanoTime();
    for (Shard shard : shards) {
      if (!shard.store.awaitRest(limit.minusNanos(System.nanoTime() - start))) {
        return false;
      }
    }
    return true;
  }

  /**
   * Returns the counters.
   *
   * @throws IllegalStateException if the store is closed
   */
  public ShardedStats stats() {
    return new ShardedStats(
        sequencer.epochCount(),
        sequencer.transactionCount(),
        Arrays.stream(shards).map(shard -> shard.store.stats()).toList());
  }

  /** Returns the bytes of the budget that are in use. */
  public long usedBytes() {
    return budget.usedBytes();
  }

  /**
   * Makes all writes durable and closes. Calls that run come to their end first; transactions that
   * wait for their turn get an {@link IllegalStateException}. Closing twice does nothing.
   *
   * @throws IOException if something could not be made durable, or a file not be closed; the store
   *     is closed all the same
   */
  @Override
  public void close() throws IOException {
    requireMayWrite();
    if (Reactor.current() != null) {
      throw new IllegalStateException("a store is not closed by a fiber: it would wait for itself");
    }
    closeLock.lock();
    try {
      if (!closed) {
        closed = true;
        sequencer.close();
        closings.close();
      }
    } finally {
      closeLock.unlock();
    }
  }
}
