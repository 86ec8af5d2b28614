package io.ewok.gds.lsm.shard;

import io.ewok.gds.lsm.Durability;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What one shard does for an epoch, as a task of its owner: first it holds keys and reads, then it
 * writes and lets the keys go.
 *
 * <p>Threads: the sequencer fills it, sends it and has it back; it runs on the owner.
 */
final class EpochPart extends OwnerTask {
  private enum Step {
    READ,
    APPLY
  }

  private final SortedSet<Integer> stripes = new TreeSet<>();
  private int[] held;
  final List<byte[]> reads = new ArrayList<>();

  /** Of the keys that are read, in their order; null for one without a value. */
  final List<byte[]> values = new ArrayList<>();

  final List<Operation> operations = new ArrayList<>();
  private long number;
  private Durability durability;
  private boolean isLogged;
  private Step step = Step.READ;

  EpochPart(Shard shard) {
    super(shard);
  }

  void add(byte[] key, boolean isRead) {
    stripes.add(KeyGuards.stripe(ShardMap.hash(MemorySegment.ofArray(key))));
    if (isRead) {
      reads.add(key);
    }
  }

  /** Begins to hold the keys, to sync what is there and to read. */
  void beginRead() {
    begin(Step.READ);
  }

  /** Begins to write. */
  void beginApply(long number, Durability durability, boolean isLogged) {
    this.number = number;
    this.durability = durability;
    this.isLogged = isLogged;
    begin(Step.APPLY);
  }

  private void begin(Step next) {
    step = next;
    begin();
  }

  @Override
  void work() throws IOException {
    switch (step) {
      case READ -> read();
      case APPLY -> shard.apply(operations, number, durability, isLogged);
    }
  }

  private void read() throws IOException {
    int[] wanted = stripes.stream().mapToInt(Integer::intValue).toArray();
    held = wanted; // also those that it has not come to when it fails
    shard.guards.hold(wanted);
    shard.syncPlainWrites();
    for (byte[] key : reads) {
      values.add(shard.store.get(key));
    }
  }

  /** Lets the keys go, if they are held. When the task has come back. */
  void free() {
    if (held != null) {
      shard.guards.free(held);
      held = null;
    }
  }
}
