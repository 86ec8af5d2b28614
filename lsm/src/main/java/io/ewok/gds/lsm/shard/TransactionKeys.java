package io.ewok.gds.lsm.shard;

import io.ewok.gds.lsm.record.Keys;
import java.util.Arrays;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The keys of a transaction, named before it is run: it reads and writes no others.
 *
 * {@snippet :
 * TransactionKeys keys = new TransactionKeys().updates(from, to).reads(limit);
 * }
 *
 * <p>Keys are copied, also when a transaction is begun with them. Threads: confined to one at a
 * time.
 */
public final class TransactionKeys {
  /**
   * What is done with a key.
   *
   * @param reads whether it is read
   * @param writes whether it may be written
   */
  record Use(boolean reads, boolean writes) {}

  private final SortedMap<byte[], Use> uses = new TreeMap<>(Arrays::compareUnsigned);

  /** No keys. */
  public TransactionKeys() {}

  /** Adds keys that are read. */
  public TransactionKeys reads(byte[]... keys) {
    return add(new Use(true, false), keys);
  }

  /** Adds keys that may be written. */
  public TransactionKeys writes(byte[]... keys) {
    return add(new Use(false, true), keys);
  }

  /** Adds keys that are read and may be written. */
  public TransactionKeys updates(byte[]... keys) {
    return add(new Use(true, true), keys);
  }

  private TransactionKeys add(Use use, byte[]... keys) {
    for (byte[] key : keys) {
      Keys.requireLength(key.length);
      uses.merge(
          key.clone(), use, (a, b) -> new Use(a.reads() || b.reads(), a.writes() || b.writes()));
    }
    return this;
  }

  /** A copy, which the caller does not change meanwhile. */
  TransactionKeys copy() {
    TransactionKeys copy = new TransactionKeys();
    copy.uses.putAll(uses);
    return copy;
  }

  SortedMap<byte[], Use> uses() {
    return Collections.unmodifiableSortedMap(uses);
  }
}
