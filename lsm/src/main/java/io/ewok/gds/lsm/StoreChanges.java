package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.wal.LogReader;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The writes of a store in the order of their sequence numbers, from some number on and on while
 * the store is written: for a replica, an index elsewhere, a queue. They are read from the store's
 * log, at the reader's own pace.
 *
 * <p>The log is a ring. Nobody waits for a reader: what was flushed long ago is overwritten, and a
 * reader that has not come so far is told. It then reads a {@link Snapshot} and goes on behind
 * that. How far it may fall behind is the log's length less two memtables, see {@link
 * StoreOptions#logSegmentCount}.
 *
 * <p>Ownership: whoever opened it closes it, before the store. It owns 64 KiB, charged to the
 * budget, and more while it passes a batch that is larger. Threads: one at a time.
 *
 * {@snippet :
 * try (Snapshot start = store.snapshot()) {
 *   copy(start.cursor());
 *   from = start.sequence();
 * }
 * try (StoreChanges changes = store.changes(from, Durability.SYNCED, budget)) {
 *   while (running) {
 *     if (!changes.next((sequence, delete, key, value) -> send(key, delete ? null : value))) {
 *       changes.await(Duration.ofSeconds(1));
 *     }
 *   }
 * }
 * }
 *
 * <p>Errors: {@link io.ewok.gds.wal.LogTruncatedException} for a reader that was too slow, {@link
 * CorruptFileException} if the device lost what was written, {@link IllegalStateException} after
 * the store's close.
 */
public final class StoreChanges implements AutoCloseable {
  private final LogReader reader;
  private final Path log;

  StoreChanges(LogReader reader, Path log) {
    this.reader = reader;
    this.log = log;
  }

  /** Takes the operations of a batch. */
  @FunctionalInterface
  public interface Consumer {
    /**
     * Takes one operation.
     *
     * @param sequence its number; they grow, and leave some out
     * @param delete whether the key has no value any more
     * @param key read-only, usable until this method returns, as is the value
     */
    void accept(long sequence, boolean delete, MemorySegment key, MemorySegment value)
        throws IOException;

    /**
     * Takes an operand, see {@link Store#merge}: another store with the same operator does the same
     * with it.
     *
     * @throws UnsupportedOperationException unless it is implemented: an operand is no value
     */
    default void acceptOperand(long sequence, MemorySegment key, MemorySegment operand)
        throws IOException {
      throw new UnsupportedOperationException(
          "this consumer of changes takes no operands: sequence=" + sequence);
    }
  }

  /**
   * Hands over the next batch, operation by operation. Reads of the store see it now or in a
   * moment.
   *
   * @param consumer if it throws, the batch counts as read
   * @return false if there is none so far that is as durable as wanted
   */
  public boolean next(Consumer consumer) throws IOException {
    return reader.next((end, record) -> accept(end, record, consumer));
  }

  private void accept(long end, MemorySegment record, Consumer consumer) throws IOException {
    String defect = BatchFormat.defect(record);
    if (defect != null) {
      throw new CorruptFileException(log, end, "a batch before this position", defect);
    }
    MemorySegment batch = record.asReadOnly();
    long sequence = WriteAheadLog.startLsn(end, record.byteSize()) + 1;
    long offset = BatchFormat.HEADER_BYTES;
    for (int i = 0; i < BatchFormat.count(record); i++) {
      int keyBytes = BatchFormat.keyBytes(record, offset);
      int valueBytes = BatchFormat.valueBytes(record, offset);
      long key = offset + BatchFormat.OPERATION_HEADER_BYTES;
      int kind = BatchFormat.kind(record, offset);
      MemorySegment keySegment = batch.asSlice(key, keyBytes);
      MemorySegment value = batch.asSlice(key + keyBytes, valueBytes);
      if (kind == RecordKind.OPERAND) {
        consumer.acceptOperand(sequence + i, keySegment, value);
      } else {
        consumer.accept(sequence + i, RecordKind.isDelete(kind), keySegment, value);
      }
      offset = key + keyBytes + valueBytes;
    }
  }

  /**
   * Waits until there may be a next batch.
   *
   * @return false if the time was over first
   */
  public boolean await(Duration timeout) throws IOException {
    return reader.await(timeout.toNanos());
  }

  /** Everything up to this number was read: where another reader goes on. */
  public long sequence() {
    return reader.lsn();
  }

  /** Gives the memory back. */
  @Override
  public void close() {
    reader.close();
  }
}
