package io.ewok.gds.lsm;

import io.ewok.gds.pagestore.IoEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** An ordered, durable key-value store in one directory. */
@SuppressWarnings("DoNotCallSuggester")
public final class Store implements AutoCloseable {

  private Store() {}

  /** Opens a store with an I/O engine of its own. */
  public static Store open(Path directory, StoreOptions options) throws IOException {
    throw new UnsupportedOperationException("the engine follows");
  }

  /** Opens a store on a borrowed I/O engine, which stays open when the store is closed. */
  public static Store open(Path directory, StoreOptions options, IoEngine engine)
      throws IOException {
    throw new UnsupportedOperationException("the engine follows");
  }

  /** Sets the value of a key. */
  public void put(byte[] key, byte[] value, Durability durability) throws IOException {
    put(MemorySegment.ofArray(key), MemorySegment.ofArray(value), durability);
  }

  /** Sets the value of a key. */
  public void put(MemorySegment key, MemorySegment value, Durability durability)
      throws IOException {
    throw new UnsupportedOperationException("the engine follows");
  }

  /** Removes a key; it need not exist. */
  public void delete(byte[] key, Durability durability) throws IOException {
    delete(MemorySegment.ofArray(key), durability);
  }

  /** Removes a key; it need not exist. */
  public void delete(MemorySegment key, Durability durability) throws IOException {
    throw new UnsupportedOperationException("the engine follows");
  }

  /** Applies a batch: all of it or nothing. */
  public void write(WriteBatch batch, Durability durability) throws IOException {
    throw new UnsupportedOperationException("the engine follows");
  }

  /** Returns a copy of the value of a key, or null if it has none. */
  public byte[] get(byte[] key) throws IOException {
    throw new UnsupportedOperationException("the engine follows");
  }

  /** Hands the value of a key to a consumer, without a copy. Returns whether there was one. */
  public boolean get(MemorySegment key, ValueConsumer consumer) throws IOException {
    throw new UnsupportedOperationException("the engine follows");
  }

  /** Returns a cursor on the store as it is now, not yet on a record. */
  public StoreCursor cursor() throws IOException {
    throw new UnsupportedOperationException("the engine follows");
  }

  /** Writes what is in memory as tables; returns when that is durable. */
  public void flush() throws IOException {
    throw new UnsupportedOperationException("the engine follows");
  }

  /** Flushes, then merges all tables into one run without shadowed records and tombstones. */
  public void compact() throws IOException {
    throw new UnsupportedOperationException("the engine follows");
  }

  /** Returns the counters. */
  public StoreStats stats() {
    throw new UnsupportedOperationException("the engine follows");
  }

  /** Makes all writes durable and closes. */
  @Override
  public void close() throws IOException {
    throw new UnsupportedOperationException("the engine follows");
  }
}
