package io.ewok.gds.lsm.shard;

import io.ewok.gds.lsm.WriteBatch;
import io.ewok.gds.lsm.record.Keys;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Puts, deletes and operands that take effect together or not at all, in the order in which they
 * were added, on whatever shards their keys are.
 *
 * <p>If all keys are of one shard it is a batch of that store. Else it is a transaction that reads
 * nothing, and durable when {@link ShardedStore#write} returns, whatever was asked for: what is in
 * several logs can be whole after a crash only if it is durable in one before.
 *
 * <p>Ownership: the caller's; of one store. Keys and values are copied, to the heap. Threads:
 * confined to one at a time.
 *
 * {@snippet :
 * store.write(store.newBatch().put(from, balanceFrom).put(to, balanceTo), Durability.SYNCED);
 * }
 */
public final class ShardedBatch {
  private static final int SEVERAL = -2;
  private static final int NONE = -1;

  private final ShardedStore store;
  private final List<Operation> operations = new ArrayList<>();

  /** Of all keys, or one of the above. */
  private int only = NONE;

  ShardedBatch(ShardedStore store) {
    this.store = store;
  }

  /** Adds a put. */
  public ShardedBatch put(byte[] key, byte[] value) {
    return add(Operation.put(shardOf(key), key.clone(), value.clone()));
  }

  /** Adds a delete; the key need not exist. */
  public ShardedBatch delete(byte[] key) {
    return add(Operation.delete(shardOf(key), key.clone()));
  }

  /** Adds an operand, see {@link io.ewok.gds.lsm.Store#merge}. */
  public ShardedBatch merge(byte[] key, byte[] operand) {
    return add(Operation.merge(shardOf(key), key.clone(), operand.clone()));
  }

  private int shardOf(byte[] key) {
    Keys.requireLength(key.length);
    return store.shardOf(key);
  }

  private ShardedBatch add(Operation operation) {
    only = only == NONE || only == operation.shard() ? operation.shard() : SEVERAL;
    operations.add(operation);
    return this;
  }

  /** Removes all operations. */
  public void clear() {
    operations.clear();
    only = NONE;
  }

  /** Returns the number of operations. */
  public int count() {
    return operations.size();
  }

  ShardedStore store() {
    return store;
  }

  List<Operation> operations() {
    return operations;
  }

  /** Returns whether the keys are of several shards. */
  boolean isOfSeveral() {
    return only == SEVERAL;
  }

  /** Returns the shard that all keys are of. */
  int only() {
    return only;
  }

  /** Returns the same as a batch of a store. */
  WriteBatch single() {
    WriteBatch batch = new WriteBatch();
    operations.forEach(operation -> operation.addTo(batch));
    return batch;
  }

  /** Returns the stripes of the keys, ascending, each once. */
  int[] stripes() {
    return operations.stream()
        .mapToInt(
            operation -> KeyGuards.stripe(ShardMap.hash(MemorySegment.ofArray(operation.key()))))
        .sorted()
        .distinct()
        .toArray();
  }
}
