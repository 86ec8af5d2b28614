package io.ewok.gds.lsm.shard;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Family;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.WriteBatch;
import io.ewok.gds.lsm.WriteOptions;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.reactor.Reactor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * A store and its owner, and what keeps plain writes and epochs apart there.
 *
 * <p>The number of the newest epoch that has written to a shard is the value of the key {@code
 * applied} in the family {@link #FAMILY}, 8 bytes, little-endian. It is in the batch of the epoch.
 *
 * <p>Threads: any; the owner's tasks, mostly.
 */
final class Shard {
  /** The family that has the number of the newest epoch. */
  static final String FAMILY = "gds.sequence";

  private static final byte[] APPLIED = "applied".getBytes(StandardCharsets.US_ASCII);

  final int number;
  final Path directory;
  final Store store;
  final Reactor owner;
  final KeyGuards guards = new KeyGuards();
  private final Family sequence;

  /**
   * Whether something was written that may not be durable, by others than epochs in the sequence
   * log. Set by writers before they leave their stripes, so whoever holds these sees it.
   */
  private volatile boolean unsynced;

  /** Why nothing can be written any more; null if it can. */
  private volatile Throwable failure;

  Shard(int number, Path directory, Store store, Family sequence, Reactor owner) {
    this.number = number;
    this.directory = directory;
    this.store = store;
    this.sequence = sequence;
    this.owner = owner;
  }

  /** Returns whether this thread is the owner's, or a fiber of it. */
  boolean isHere() {
    return Reactor.current() == owner;
  }

  // ---- plain writes

  /**
   * Writes one record.
   *
   * @param kind as of an {@link Operation}
   * @param value not looked at for a delete
   */
  void write(int kind, MemorySegment key, long hash, MemorySegment value, Durability durability)
      throws IOException {
    int stripe = KeyGuards.stripe(hash);
    guards.enter(stripe);
    boolean isDurable = false;
    try {
      requireWritable();
      switch (kind) {
        case RecordKind.PUT -> store.put(key, value, durability);
        case RecordKind.DELETE -> store.delete(key, WriteOptions.of(durability));
        default -> store.merge(key, value, WriteOptions.of(durability));
      }
      isDurable = durability == Durability.SYNCED;
    } finally {
      written(isDurable);
      guards.exit(stripe);
    }
  }

  /**
   * Writes a batch of this shard.
   *
   * @param stripes of its keys, ascending, each once
   */
  void write(WriteBatch batch, int[] stripes, Durability durability) throws IOException {
    guards.enter(stripes);
    boolean isDurable = false;
    try {
      requireWritable();
      store.write(batch, durability);
      isDurable = durability == Durability.SYNCED;
    } finally {
      written(isDurable);
      guards.exit(stripes);
    }
  }

  /**
   * Something may have been written.
   *
   * @param isDurable not if it failed: a write whose sync fails is visible all the same
   */
  private void written(boolean isDurable) {
    if (!isDurable && !unsynced) {
      unsynced = true;
    }
  }

  private void requireWritable() throws StorageException {
    Throwable cause = failure;
    if (cause != null) {
      throw new StorageException(
          "an epoch could not be written, open the store again: " + cause.getMessage(),
          directory,
          cause);
    }
  }

  /** Lets nobody write any more, until the store is opened again. Reads go on. */
  void fail(Throwable cause) {
    failure = cause;
  }

  // ---- epochs

  /** Makes durable what others have written, as far as it is not. */
  void syncPlainWrites() throws IOException {
    requireWritable();
    if (unsynced) {
      unsynced = false; // who writes from here on sets it again before anybody stands on it
      try {
        sync();
      } catch (IOException | RuntimeException | Error e) {
        unsynced = true;
        throw e;
      }
    }
  }

  /**
   * Makes everything durable.
   *
   * @throws StorageException if it lacks what an epoch has decided, though the store itself may be
   *     sound: then nobody forgets an epoch
   */
  void sync() throws IOException {
    requireWritable();
    store.write(new WriteBatch(), Durability.SYNCED);
  }

  /**
   * Writes the part of an epoch and its number, as a whole.
   *
   * @param isLogged whether the sequence log has it, so that it is never lost
   */
  void apply(List<Operation> operations, long number, Durability durability, boolean isLogged)
      throws IOException {
    store.write(batch(operations, number), durability);
    if (!isLogged) {
      written(durability == Durability.SYNCED);
    }
  }

  /** Writes what it has lost of an epoch. With other options than then it may be a large batch. */
  void redo(List<Operation> operations, long number) throws IOException {
    store.redo(batch(operations, number), Durability.NONE);
  }

  private WriteBatch batch(List<Operation> operations, long number) {
    WriteBatch batch = new WriteBatch();
    operations.forEach(operation -> operation.addTo(batch));
    return batch.put(sequence, APPLIED, numberBytes(number));
  }

  /** What such a batch counts besides its operations. */
  static long overheadBytes() {
    return WriteBatch.BATCH_OVERHEAD_BYTES + Operation.numberBytes(APPLIED);
  }

  /** Returns the number of the newest epoch that the store has; 0 if it has none. */
  long applied() throws IOException {
    byte[] value = sequence.get(APPLIED);
    if (value == null) {
      return 0;
    }
    long applied =
        value.length == Long.BYTES
            ? ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).getLong()
            : 0;
    if (applied <= 0) {
      throw new CorruptFileException(
          directory, 0, "the number of an epoch in 8 bytes", value.length + " bytes: " + applied);
    }
    return applied;
  }

  private static byte[] numberBytes(long number) {
    return ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(number).array();
  }
}
