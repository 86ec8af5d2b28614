package io.ewok.gds.lsm.shard;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.ReadView;
import io.ewok.gds.lsm.WriteBatch;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.reactor.Task;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.concurrent.ExecutionException;

/**
 * A call that is begun, and awaited later: meanwhile its caller does something else, or begins
 * others. Used again and again it makes no garbage.
 *
 * <p>Ownership: the caller's; but from begin to {@link #await} it and the memory of key and value
 * are the store's.
 *
 * <p>Threads: one at a time. The memory is the heap's, or such that all threads may use it: the
 * call is done on another one.
 *
 * {@snippet :
 * ShardCall first = store.newCall().get(key, into);       // both are on their way
 * ShardCall second = store.newCall().get(otherKey, otherInto);
 * int bytes = first.await();
 * int otherBytes = second.await();
 * }
 *
 * <p>Errors: {@link IllegalStateException} if it is begun anew before it was awaited, whether it
 * has ended or not, if it is awaited before it was begun, or if the store is closed; what the call
 * itself throws, by {@link #await}.
 */
public final class ShardCall {
  private enum Kind {
    NONE,
    GET,
    GET_ARRAY,
    RECORD,
    BATCH
  }

  private enum State {
    NEW,
    BEGUN,
    AWAITED
  }

  private final ShardedStore store;
  private final Work work = new Work();

  /** The caller's. */
  private State state = State.NEW;

  // Of the call that was begun.
  private Kind kind = Kind.NONE;
  private int recordKind;
  private Shard shard;
  private long hash;
  private MemorySegment key;
  private MemorySegment value;
  private byte[] arrayOrNull;
  private WriteBatch batch;
  private int[] stripes;
  private Durability durability;
  private int result;

  private final class Work extends Task {
    Work() {
      super(Task.Kind.FIBER, Scratch.NONE);
    }

    @Override
    protected void run() throws IOException {
      call();
    }
  }

  ShardCall(ShardedStore store) {
    this.store = store;
  }

  /**
   * Begins to get the value of a key, to the beginning of a segment.
   *
   * @param into if the value is longer than it, nothing is copied
   * @return this
   */
  public ShardCall get(MemorySegment key, MemorySegment into) {
    prepare(Kind.GET, key);
    value = Objects.requireNonNull(into, "into");
    return begin();
  }

  /** Begins a {@link #get(MemorySegment, MemorySegment)} with the value as a new array. */
  ShardCall get(MemorySegment key) {
    prepare(Kind.GET_ARRAY, key);
    return begin();
  }

  /** Begins to set the value of a key. Returns this. */
  public ShardCall put(MemorySegment key, MemorySegment value, Durability durability) {
    return write(RecordKind.PUT, key, value, durability);
  }

  /** Begins to remove a key. Returns this. */
  public ShardCall delete(MemorySegment key, Durability durability) {
    return write(RecordKind.DELETE, key, MemorySegment.NULL, durability);
  }

  /** Begins to change the value of a key by an operand. Returns this. */
  public ShardCall merge(MemorySegment key, MemorySegment operand, Durability durability) {
    return write(RecordKind.OPERAND, key, operand, durability);
  }

  /** Begins to write a record of a kind that an {@link Operation} has. */
  ShardCall write(int kindOfRecord, MemorySegment key, MemorySegment value, Durability durability) {
    store.requireOutside();
    prepare(Kind.RECORD, key);
    this.recordKind = kindOfRecord;
    this.value = Objects.requireNonNull(value, "value");
    this.durability = Objects.requireNonNull(durability, "durability");
    return begin();
  }

  /** Begins to write a batch of one shard. */
  ShardCall write(Shard shard, WriteBatch batch, int[] stripes, Durability durability) {
    requireAwaited();
    this.kind = Kind.BATCH;
    this.shard = shard;
    this.batch = batch;
    this.stripes = stripes;
    this.durability = durability;
    return begin();
  }

  private void prepare(Kind kind, MemorySegment key) {
    requireAwaited();
    long keyHash = ShardMap.hash(key);
    this.hash = keyHash;
    this.shard = store.shard(key, keyHash);
    this.key = key;
    this.kind = kind;
  }

  /** Returns whether it can be begun: it was not, or its end was awaited. */
  boolean isIdle() {
    return state != State.BEGUN && work.isDone();
  }

  private void requireAwaited() {
    if (!isIdle()) {
      throw new IllegalStateException("the call was begun already and not awaited: kind=" + kind);
    }
  }

  private ShardCall begin() {
    result = ReadView.NOT_FOUND;
    arrayOrNull = null;
    state = State.NEW;
    shard.owner.post(work);
    state = State.BEGUN;
    return this;
  }

  private void call() throws IOException {
    switch (kind) {
      case GET -> result = shard.store.get(key, value);
      case GET_ARRAY -> arrayOrNull = getArray();
      case RECORD -> shard.write(recordKind, key, hash, value, durability);
      case BATCH -> shard.write(batch, stripes, durability);
      case NONE -> throw new AssertionError("nothing was begun");
    }
  }

  private byte[] getArray() throws IOException {
    return shard.store.get(key.toArray(ValueLayout.JAVA_BYTE));
  }

  /** Returns whether it has ended, so that {@link #await} does not wait. */
  public boolean isDone() {
    return work.isDone();
  }

  /**
   * Waits for the end: on a fiber without its thread. Awaited once more it says the same.
   *
   * @return of a get the length of the value in bytes, or {@link ReadView#NOT_FOUND}; of others
   *     nothing that means anything
   * @throws IllegalStateException if nothing was begun
   * @throws IOException as the method of the same name of {@link io.ewok.gds.lsm.Store}
   */
  public int await() throws IOException {
    if (state == State.NEW) {
      throw new IllegalStateException("the call was not begun");
    }
    try {
      work.await();
    } catch (ExecutionException e) {
      Failures.rethrow(e.getCause());
    } finally {
      if (work.isDone()) { // not if too many waits are inside of each other
        state = State.AWAITED;
        key = null; // whoever keeps the call keeps nothing else
        value = null;
        batch = null;
      }
    }
    return result;
  }

  /** The array of a get that was awaited; null if the key has no value. */
  byte[] takeArray() {
    byte[] taken = arrayOrNull;
    arrayOrNull = null;
    return taken;
  }
}
