package io.ewok.gds.bench.kv;

import java.io.IOException;

/**
 * What one thread does with a store. Keys and values come from and go to the buffers it was made
 * with. Threads: confined to the one that made it.
 */
interface KvSession extends AutoCloseable {
  /** Sets the value of the key; in a batch, when that ends. */
  void put() throws IOException;

  /** Begins a batch of puts. */
  void beginBatch() throws IOException;

  /** Writes the batch. */
  void endBatch() throws IOException;

  /**
   * Copies the value of the key into the buffer.
   *
   * @return its length in bytes, or -1 if there is none
   */
  int get() throws IOException;

  /** Copies the values of all keys into their buffers, and sets their lengths. */
  default void getMany(KvManyBuffers many) throws IOException {
    throw new UnsupportedOperationException("nobody compares this store by gets of several");
  }

  /** As {@link #put}, but in the second family, and in a batch only. */
  void putSecond() throws IOException;

  /** As {@link #get}, but from the second family. */
  int getSecond() throws IOException;

  /** Sets the value of the key to an empty one, for a filter to remove. */
  default void putEmpty() throws IOException {
    throw new UnsupportedOperationException("nobody compares this store by its compactions");
  }

  /**
   * Copies the value of the key into the buffer and sets another one, in one transaction.
   *
   * @param written has that value
   * @return as {@link #get}
   */
  default int readAndPut(KvBuffers written) throws IOException {
    throw new UnsupportedOperationException("nobody compares this store by its transactions");
  }

  /** Removes the key, which was put once. */
  void singleDelete() throws IOException;

  /** Begins a load in the order of keys that is seen when it ends. */
  default void beginIngest() throws IOException {
    throw new UnsupportedOperationException("nobody compares this store by its bulk loads");
  }

  /** Adds the key and its value to that. */
  default void ingest() throws IOException {
    throw new UnsupportedOperationException("nobody compares this store by its bulk loads");
  }

  /** Ends it, durably. */
  default void endIngest() throws IOException {
    throw new UnsupportedOperationException("nobody compares this store by its bulk loads");
  }

  /** Compacts all there is. */
  default void compact() throws IOException {
    throw new UnsupportedOperationException("nobody compares this store by its compactions");
  }

  /** Removes the records from the key to that of other buffers, exclusive. */
  void deleteRange(KvBuffers end) throws IOException;

  /** Adds to the counter of the key, which begins with 0. */
  void add(long number) throws IOException;

  /** Returns the counter of the key, 0 if there is none. */
  long counter() throws IOException;

  /** Has the cursor see the store as it is now. */
  void beginScan() throws IOException;

  /** Moves the cursor to the first record; returns whether there is one. So do the others. */
  boolean first() throws IOException;

  boolean last() throws IOException;

  /** Moves to the first record whose key is the one in the buffer, or greater. */
  boolean seek() throws IOException;

  boolean next() throws IOException;

  boolean previous() throws IOException;

  /** Returns the first eight bytes of the cursor's key, big-endian. */
  long keyHead();

  /** Returns the first eight bytes of the cursor's value, little-endian. */
  long valueHead();

  /** Whether there is a cursor that is told all ranges before it goes over them. */
  default boolean knowsRanges() {
    return false;
  }

  /** Adds the range from the key to that of other buffers, exclusive, behind those before. */
  default void addRange(KvBuffers end) {
    throw new UnsupportedOperationException("this store goes over one range at a time");
  }

  /** Begins a scan of these and moves its cursor to their first record. */
  default boolean firstOfRanges() throws IOException {
    throw new UnsupportedOperationException("this store goes over one range at a time");
  }

  /** Moves that cursor to the next record of any of them. */
  default boolean nextOfRanges() throws IOException {
    throw new UnsupportedOperationException("this store goes over one range at a time");
  }

  /** Ends what {@link #beginScan} or {@link #firstOfRanges} began. */
  void endScan() throws IOException;

  @Override
  void close() throws IOException;
}
