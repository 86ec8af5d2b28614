package io.ewok.gds.lsm.shard;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.record.RecordKind;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Transactions that are done together: see the package for the steps.
 *
 * <p>Threads: confined to the sequencer, but for its parts.
 */
final class Epoch {
  /** Thrown out of a body: the transaction is to be one of the next epoch. */
  private static final class CutException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CutException() {
      super("the transaction is run once more, in the next epoch", null, false, false);
    }
  }

  private final Shard[] shards;
  private final ShardMap map;
  private final SequenceLog log;
  private final long first;
  private final boolean hasOperator;
  private final SortedMap<Integer, EpochPart> parts = new TreeMap<>();

  /** What the keys have that were read or written; null for one without a value. */
  private final Map<byte[], byte[]> values = new TreeMap<>(Arrays::compareUnsigned);

  /** Keys that have operands which nobody has merged yet. */
  private final SortedMap<byte[], Boolean> merged = new TreeMap<>(Arrays::compareUnsigned);

  private final List<Submission<?>> done = new ArrayList<>();
  private final List<Operation> operations = new ArrayList<>();
  private final Map<Integer, Long> batchBytes = new HashMap<>();
  private long recordBytes = SequenceFormat.HEADER_BYTES;
  private long next;

  /** Whether the body that runs has to be one of the next epoch. */
  private boolean isCut;

  /**
   * An epoch in which nothing was done yet.
   *
   * @param first the number of its first transaction
   */
  Epoch(Shard[] shards, ShardMap map, SequenceLog log, boolean hasOperator, long first) {
    this.shards = shards;
    this.map = map;
    this.log = log;
    this.hasOperator = hasOperator;
    this.first = first;
    this.next = first;
  }

  // ---- for views

  int shardOf(byte[] key) {
    MemorySegment segment = MemorySegment.ofArray(key);
    return map.shardOf(segment, ShardMap.hash(segment));
  }

  byte[] valueOrNull(byte[] key) {
    if (merged.containsKey(key)) {
      isCut = true; // whatever the body does about the exception
      throw new CutException();
    }
    return values.get(key);
  }

  void requireOperator() {
    if (!hasOperator) {
      throw new IllegalStateException("the store was opened without a merge operator");
    }
  }

  // ---- the steps

  /**
   * Holds the keys of transactions and reads.
   *
   * @throws IOException if a shard fails; what is held the caller lets go
   */
  void read(List<Submission<?>> submissions) throws IOException {
    for (Submission<?> submission : submissions) {
      submission
          .keys
          .uses()
          .forEach((key, use) -> part(shardOf(key)).add(key, use.reads() && !hasRead(key)));
    }
    try {
      for (EpochPart part : parts.values()) {
        part.beginRead();
      }
    } finally {
      OwnerTask.awaitAll(parts.values());
    }
    for (EpochPart part : parts.values()) {
      for (int i = 0; i < part.reads.size(); i++) {
        values.put(part.reads.get(i), part.values.get(i));
      }
    }
  }

  private boolean hasRead(byte[] key) {
    boolean hasRead = values.containsKey(key);
    values.put(key, null);
    return hasRead;
  }

  private EpochPart part(int shard) {
    return parts.computeIfAbsent(shard, number -> new EpochPart(shards[number]));
  }

  /** Runs transactions, one after the other, until one of them is to be in the next epoch. */
  void runAll(List<Submission<?>> submissions) {
    for (Submission<?> submission : submissions) {
      if (!run(submission)) {
        return;
      }
    }
  }

  /**
   * Runs the next transaction.
   *
   * @return false if it is to be one of the next epoch, since it needs what this one writes, or
   *     there is no room for it
   */
  private <T> boolean run(Submission<T> submission) {
    SequencedView view = new SequencedView(this, submission.keys, next);
    T result = null;
    Throwable failure = null;
    isCut = false;
    try {
      result = submission.body.run(view);
    } catch (Throwable e) {
      failure = e; // whatever it is, it is that of who wanted it
    }
    List<Operation> own = view.end();
    if (isCut) {
      return false;
    }
    if (failure == null && !fits(own)) {
      if (!done.isEmpty()) {
        return false;
      }
      failure = tooLarge();
    }
    submission.result = failure == null ? result : null;
    submission.failure = failure;
    next++;
    done.add(submission);
    if (failure == null) {
      own.forEach(this::add);
    }
    return true;
  }

  private IllegalArgumentException tooLarge() {
    return new IllegalArgumentException(
        "a transaction fits into a batch of each shard and a record of the sequence log:"
            + " recordBytesMax=%d batchBytesMax=%d"
                .formatted(
                    log.recordBytesMax(),
                    Arrays.stream(shards)
                        .mapToLong(shard -> shard.store.batchBytesMax())
                        .min()
                        .orElseThrow()));
  }

  private boolean fits(List<Operation> own) {
    long record = recordBytes;
    Map<Integer, Long> batches = new HashMap<>(batchBytes);
    for (Operation operation : own) {
      record += SequenceFormat.bytes(operation);
      long bytes =
          batches.merge(operation.shard(), operation.sizeBytes(), Long::sum)
              + Shard.overheadBytes();
      if (bytes > shards[operation.shard()].store.batchBytesMax()) {
        return false;
      }
    }
    return record <= log.recordBytesMax();
  }

  private void add(Operation operation) {
    operations.add(operation);
    part(operation.shard()).operations.add(operation);
    recordBytes += SequenceFormat.bytes(operation);
    batchBytes.merge(operation.shard(), operation.sizeBytes(), Long::sum);
    switch (operation.kind()) {
      case RecordKind.OPERAND -> merged.put(operation.key(), true);
      case RecordKind.PUT -> set(operation.key(), operation.value());
      default -> set(operation.key(), null);
    }
  }

  private void set(byte[] key, byte[] valueOrNull) {
    merged.remove(key);
    values.put(key, valueOrNull);
  }

  /** How many transactions have had their turn. */
  int count() {
    return done.size();
  }

  /** The number behind that of the last one. */
  long next() {
    return next;
  }

  /**
   * Writes what was done: to one shard, or to the log and then to each.
   *
   * @return false if the log is full; nothing was written, and it may be tried again
   * @throws IOException if it is not known what of it will be there when the store is opened again;
   *     no shard that it writes to is written until then
   */
  boolean write() throws IOException {
    List<EpochPart> writing =
        parts.values().stream().filter(part -> !part.operations.isEmpty()).toList();
    if (writing.isEmpty()) {
      return true;
    }
    boolean isLogged = writing.size() > 1;
    Durability durability = Durability.NONE;
    try {
      if (!isLogged) {
        durability = strongest();
      } else if (!log.append(new SequenceFormat.Content(first, next - 1, operations))) {
        return false;
      }
      try {
        for (EpochPart part : writing) {
          part.beginApply(next - 1, durability, isLogged);
        }
      } finally {
        OwnerTask.awaitAll(parts.values());
      }
    } catch (Throwable e) {
      writing.forEach(part -> part.shard.fail(e));
      throw e;
    }
    return true;
  }

  private Durability strongest() {
    return done.stream()
        .filter(submission -> submission.failure == null)
        .map(submission -> submission.durability)
        .max(Durability::compareTo)
        .orElse(Durability.NONE);
  }

  /** Lets all keys go. */
  void free() {
    parts.values().forEach(EpochPart::free);
  }

  /**
   * Tells those who wait.
   *
   * @param failureOrNull why it is not known what was written; null if all was
   */
  void end(Throwable failureOrNull) {
    for (Submission<?> submission : done) {
      submission.end(submission.failure == null ? failureOrNull : submission.failure);
    }
  }
}
