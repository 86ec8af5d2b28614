package io.ewok.gds.lsm.shard;

import io.ewok.gds.lsm.record.RecordKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * The store as a transaction sees it that has its turn: as all before it in the order have left it,
 * and with what it has written itself.
 *
 * <p>Ownership: of the body that it is given to, while that runs.
 *
 * <p>Errors: {@link IllegalArgumentException} for a key that was not named for this, {@link
 * IllegalStateException} when the body has ended.
 */
public final class SequencedView {
  private final Epoch epoch;
  private final TransactionKeys keys;
  private final long number;
  private final List<Operation> operations = new ArrayList<>();
  private final Map<byte[], Operation> own = new TreeMap<>(Arrays::compareUnsigned);
  private boolean ended;

  SequencedView(Epoch epoch, TransactionKeys keys, long number) {
    this.epoch = epoch;
    this.keys = keys;
    this.number = number;
  }

  /**
   * Returns the number of the transaction, greater than that of all before it; there are gaps. A
   * body that is run once more has another one then.
   */
  public long number() {
    return number;
  }

  /**
   * Returns a copy of the value of a key, or null if it has none.
   *
   * @throws IllegalStateException also if the transaction has merged something into it
   */
  public byte[] get(byte[] key) {
    TransactionKeys.Use use = use(key);
    if (!use.reads()) {
      throw new IllegalArgumentException("the key was not named to be read: key=" + text(key));
    }
    Operation written = own.get(key);
    if (written != null && written.kind() == RecordKind.OPERAND) {
      throw new IllegalStateException(
          "a key is read before something is merged into it: key=" + text(key));
    }
    byte[] value =
        written == null
            ? epoch.valueOrNull(key)
            : written.kind() == RecordKind.PUT ? written.value() : null;
    return value == null ? null : value.clone();
  }

  /** Sets the value of a key. Both are copied. */
  public SequencedView put(byte[] key, byte[] value) {
    return add(Operation.put(shardToWrite(key), key.clone(), value.clone()));
  }

  /** Removes a key; it need not exist. */
  public SequencedView delete(byte[] key) {
    return add(Operation.delete(shardToWrite(key), key.clone()));
  }

  /** Changes the value of a key by an operand, see {@link io.ewok.gds.lsm.Store#merge}. */
  public SequencedView merge(byte[] key, byte[] operand) {
    epoch.requireOperator();
    return add(Operation.merge(shardToWrite(key), key.clone(), operand.clone()));
  }

  /** Adds what a batch has. Returns nothing that means anything. */
  Void addAll(List<Operation> batch) {
    if (batch.stream().anyMatch(operation -> operation.kind() == RecordKind.OPERAND)) {
      epoch.requireOperator();
    }
    batch.forEach(this::add);
    return null;
  }

  private int shardToWrite(byte[] key) {
    if (!use(key).writes()) {
      throw new IllegalArgumentException("the key was not named to be written: key=" + text(key));
    }
    return epoch.shardOf(key);
  }

  private TransactionKeys.Use use(byte[] key) {
    if (ended) {
      throw new IllegalStateException("the transaction has ended: number=" + number);
    }
    TransactionKeys.Use use = keys.uses().get(Objects.requireNonNull(key, "key"));
    if (use == null) {
      throw new IllegalArgumentException("the key was not named: key=" + text(key));
    }
    return use;
  }

  private SequencedView add(Operation operation) {
    operations.add(operation);
    own.put(operation.key(), operation);
    return this;
  }

  private static String text(byte[] key) {
    return Arrays.toString(key);
  }

  /** The body has ended. Returns what it writes. */
  List<Operation> end() {
    ended = true;
    return operations;
  }
}
