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
 * <p>The log is a ring. By default nobody waits for a reader: what was flushed long ago is
 * overwritten, and a reader that has not come so far is told. It then reads a {@link Snapshot} and
 * goes on behind that. How far it may fall behind is the log's length less two memtables, see
 * {@link StoreOptions#logSegmentCount}.
 *
 * <p>A reader may hold the log back instead ({@link ChangesOptions#holdBytesMax}). What it has not
 * read is not overwritten then; when the log is full, writers wait until it goes on ({@link
 * StallReason#CHANGES}), as long as their {@link WriteOptions} allow. It lets go when it is closed,
 * or when it is further behind than the options say. Until then writers wait, whether somebody
 * reads or not; the store's close does not. A hold ends with the store: after the next opening a
 * reader goes on where it was, if it comes before the first flush and the first write that needs
 * the room.
 *
 * <p>A reader that holds the log back should not write what it waits for. A write of the thread
 * that was last in {@link #next} does not wait for its own reader but gets a {@link
 * WriteStalledException}, since it would wait for ever; that one thread waits for the write of
 * another nobody can see.
 *
 * <p>What a family was created with by {@link Store#cloneFamily} is not among its changes, since
 * nothing was written for it.
 *
 * <p>Ownership: whoever opened it closes it, before the store. It owns 64 KiB, charged to the
 * budget, and more while it passes a batch that is larger. Threads: one at a time; any closes it
 * when none is in it.
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
  private final Families families;
  private final LogHolds.Hold holdOrNull;

  StoreChanges(LogReader reader, Path log, Families families, LogHolds.Hold holdOrNull) {
    this.families = families;
    this.reader = reader;
    this.log = log;
    this.holdOrNull = holdOrNull;
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
     * Says which family the operations belong to that follow, until the end of the batch or until
     * this says another one. At the beginning of a batch that is the default family. What was
     * written to a family that is dropped now is passed over.
     *
     * @param id its number, which tells it from an earlier one of the same name
     * @throws UnsupportedOperationException unless it is implemented: the same key is another one
     *     in another family
     */
    default void beginFamily(int id, String name) throws IOException {
      throw new UnsupportedOperationException(
          "this consumer of changes knows no families: name=" + name);
    }

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

    /**
     * Takes a range delete, see {@link Store#deleteRange}.
     *
     * @param first the first key without a value, like {@code end} read-only, and usable until this
     *     method returns
     * @param end the first key behind the range
     * @throws UnsupportedOperationException unless it is implemented: which keys there are to be
     *     deleted knows who has them
     */
    default void acceptRangeDelete(long sequence, MemorySegment first, MemorySegment end)
        throws IOException {
      throw new UnsupportedOperationException(
          "this consumer of changes takes no range deletes: sequence=" + sequence);
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
    if (holdOrNull == null) {
      return reader.next((end, record) -> accept(end, record, consumer));
    }
    // Before, so that a consumer that writes is known.
    holdOrNull.advance(reader.lsn());
    try {
      return reader.next((end, record) -> accept(end, record, consumer));
    } finally {
      holdOrNull.advance(reader.lsn());
    }
  }

  private void accept(long end, MemorySegment record, Consumer consumer) throws IOException {
    String defect = BatchFormat.defect(record);
    if (defect != null) {
      throw new CorruptFileException(log, end, "a batch before this position", defect);
    }
    MemorySegment batch = record.asReadOnly();
    long sequence = WriteAheadLog.startLsn(end, record.byteSize()) + 1;
    long offset = BatchFormat.HEADER_BYTES;
    boolean isPassedOver = false;
    for (int i = 0; i < BatchFormat.count(record); i++) {
      if (BatchFormat.isFamilyMark(record, offset)) {
        FamilyState family = families.find(BatchFormat.family(record, offset));
        isPassedOver = family == null || family.isDropped();
        if (!isPassedOver) {
          consumer.beginFamily(family.id(), family.name());
        }
        offset += BatchFormat.OPERATION_HEADER_BYTES;
        continue;
      }
      int keyBytes = BatchFormat.keyBytes(record, offset);
      int valueBytes = BatchFormat.valueBytes(record, offset);
      long key = offset + BatchFormat.OPERATION_HEADER_BYTES;
      int kind = BatchFormat.kind(record, offset);
      MemorySegment keySegment = batch.asSlice(key, keyBytes);
      MemorySegment value = batch.asSlice(key + keyBytes, valueBytes);
      if (!isPassedOver) { // or else nobody reads it any more
        switch (kind) {
          case RecordKind.OPERAND -> consumer.acceptOperand(sequence + i, keySegment, value);
          case RecordKind.RANGE_DELETE ->
              consumer.acceptRangeDelete(sequence + i, keySegment, value);
          default -> consumer.accept(sequence + i, RecordKind.isDelete(kind), keySegment, value);
        }
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

  /** Gives the memory back, and lets go of the log. */
  @Override
  public void close() {
    try {
      reader.close();
    } finally {
      if (holdOrNull != null) {
        holdOrNull.close();
      }
    }
  }
}
