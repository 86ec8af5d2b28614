package io.ewok.gds.lsm;

import java.io.IOException;

/**
 * A {@link Family}, such as a {@link Store}, with objects as keys and values.
 *
 * <p>Ownership: none of the store, which whoever opened it closes. Several typed stores may share a
 * family where their codecs keep their keys apart. Threads: any.
 *
 * {@snippet :
 * TypedStore<Long, String> names = new TypedStore<>(store, Codec.longs(), Codec.strings());
 * names.put(7L, "seven", Durability.SYNCED);
 * String name = names.get(7L);
 * }
 *
 * @param <K> type of the keys
 * @param <V> type of the values
 */
public final class TypedStore<K, V> extends TypedView<K, V> {
  private final Family family;

  /** Looks at a family through codecs. */
  public TypedStore(Family family, Codec<K> keys, Codec<V> values) {
    super(family, keys, values);
    this.family = family;
  }

  /** Sets the value of a key. */
  public void put(K key, V value, Durability durability) throws IOException {
    family.put(keys.encode(key), values.encode(value), durability);
  }

  /** Removes a key; it need not exist. */
  public void delete(K key, Durability durability) throws IOException {
    family.delete(keys.encode(key), durability);
  }

  /** Removes a key that was put once, see {@link Family#singleDelete}. */
  public void singleDelete(K key, Durability durability) throws IOException {
    family.singleDelete(keys.encode(key), durability);
  }

  /**
   * Removes all keys from one, inclusive, to another, exclusive, see {@link Family#deleteRange}.
   *
   * @throws IllegalArgumentException also if there can be no key in the range
   */
  public void deleteRange(K first, K end, Durability durability) throws IOException {
    family.deleteRange(keys.encode(first), keys.encode(end), durability);
  }

  /**
   * Changes the value of a key, see {@link Family#merge}.
   *
   * @param operand what the family's {@link MergeOperator} takes, which need not be a value
   */
  public void merge(K key, byte[] operand, Durability durability) throws IOException {
    family.merge(keys.encode(key), operand, durability);
  }

  /** Adds a put to a batch. */
  public void put(WriteBatch batch, K key, V value) {
    batch.put(family, keys.encode(key), values.encode(value));
  }

  /** Adds a delete to a batch. */
  public void delete(WriteBatch batch, K key) {
    batch.delete(family, keys.encode(key));
  }

  /** Adds a range delete to a batch. */
  public void deleteRange(WriteBatch batch, K first, K end) {
    batch.deleteRange(family, keys.encode(first), keys.encode(end));
  }

  /** Adds an operand to a batch. */
  public void merge(WriteBatch batch, K key, byte[] operand) {
    batch.merge(family, keys.encode(key), operand);
  }

  /** Returns the family in a snapshot of its store, seen through the same codecs. */
  public TypedView<K, V> at(Snapshot snapshot) {
    return new TypedView<>(snapshot.family(family), keys, values);
  }
}
