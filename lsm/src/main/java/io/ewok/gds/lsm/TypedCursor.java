package io.ewok.gds.lsm;

import java.io.IOException;

/**
 * A {@link StoreCursor} with objects as keys and values; under its rules.
 *
 * @param <K> type of the keys
 * @param <V> type of the values
 */
public final class TypedCursor<K, V> implements AutoCloseable {
  private final StoreCursor cursor;
  private final Codec<K> keys;
  private final Codec<V> values;

  TypedCursor(StoreCursor cursor, Codec<K> keys, Codec<V> values) {
    this.cursor = cursor;
    this.keys = keys;
    this.values = values;
  }

  /** Shows the store as it is now, see {@link StoreCursor#refresh}. */
  public void refresh() {
    cursor.refresh();
  }

  /** Moves to the first record. */
  public void first() throws IOException {
    cursor.first();
  }

  /** Moves to the last record. */
  public void last() throws IOException {
    cursor.last();
  }

  /** Moves to the first record whose key is {@code key} or greater. */
  public void seek(K key) throws IOException {
    cursor.seek(keys.encode(key));
  }

  /** Moves to the last record whose key is {@code key} or less. */
  public void seekForPrev(K key) throws IOException {
    cursor.seekForPrev(keys.encode(key));
  }

  /** Moves to the next greater key, or past the last one; the cursor must be valid. */
  public void next() throws IOException {
    cursor.next();
  }

  /** Moves to the next smaller key, or before the first one; the cursor must be valid. */
  public void previous() throws IOException {
    cursor.previous();
  }

  /** Returns whether the cursor is on a record. */
  public boolean isValid() {
    return cursor.isValid();
  }

  /** Returns the key; the cursor must be valid. */
  public K key() {
    return keys.decode(cursor.key());
  }

  /** Returns the value; the cursor must be valid. */
  public V value() {
    return values.decode(cursor.value());
  }

  /** Lets go of blocks and files. Closing twice does nothing. */
  @Override
  public void close() {
    cursor.close();
  }
}
