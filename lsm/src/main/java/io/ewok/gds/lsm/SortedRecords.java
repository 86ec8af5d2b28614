package io.ewok.gds.lsm;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.TableOptions;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.pagestore.IoEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Takes records of a user in the order of their keys to a {@link TableWriter}. All get one sequence
 * number.
 *
 * <p>Ownership: has the memory of the writer from its creation until close. Threads: one at a time.
 */
final class SortedRecords implements AutoCloseable {
  /** Has a table ready for the next record. */
  @FunctionalInterface
  interface Room {
    void make() throws IOException;
  }

  private final StoreOptions options;
  private final long sequence;

  /** For the table writer, and behind that for a value. */
  private final Region region;

  private final long valueAddress;
  private final TableWriter writer;
  private SearchKey key = new SearchKey();
  private SearchKey last = new SearchKey();
  private boolean isEmpty = true;
  private boolean isFailed;
  private boolean isClosed;

  SortedRecords(IoEngine engine, StoreOptions options, long sequence) {
    this.options = options;
    this.sequence = sequence;
    TableOptions tables = StoreMemory.tableOptions(options);
    long writerBytes = TableWriter.bufferBytes(tables);
    this.region =
        Region.map(
            MemoryBudget.root("sorted records", Region.SIZE_BYTES_MAX),
            RegionOptions.ofSize(writerBytes + options.batchBytesMax())
                .withHugePages(HugePages.OFF));
    this.valueAddress = region.address() + writerBytes;
    this.writer = new TableWriter(engine, region, tables);
  }

  TableWriter writer() {
    return writer;
  }

  /** Whether there is no record yet. */
  boolean isEmpty() {
    return isEmpty;
  }

  /** Whether something could not be written, so that what there is cannot be used. */
  boolean isFailed() {
    return isFailed;
  }

  /**
   * Adds a record.
   *
   * @throws IllegalArgumentException if the key is not behind the one before, or one of them is too
   *     large; it goes on as if that one had not been there
   */
  void add(int kind, MemorySegment nextKey, MemorySegment value, Room room) throws IOException {
    Keys.requireLength(nextKey.byteSize());
    int keyBytes = (int) nextKey.byteSize();
    if (value.byteSize() > options.valueBytesMax(keyBytes)) {
      throw new IllegalArgumentException(
          "a value beside this key has at most %d bytes: valueBytes=%d"
              .formatted(options.valueBytesMax(keyBytes), value.byteSize()));
    }
    key.set(nextKey);
    if (!isEmpty
        && Memory.compareUnsigned(last.address(), last.lengthBytes(), key.address(), keyBytes)
            >= 0) {
      throw new IllegalArgumentException(
          "keys come in ascending order, each of them once: keyBytes=" + keyBytes);
    }
    int valueBytes = (int) value.byteSize();
    Memory.copyFrom(value, 0, valueAddress, valueBytes);
    boolean isAdded = false;
    try {
      room.make();
      long stamp = RecordKind.stamp(sequence, kind);
      writer.add(stamp, key.address(), keyBytes, valueAddress, valueBytes);
      isAdded = true;
    } finally {
      isFailed |= !isAdded;
    }
    isEmpty = false;
    SearchKey swapped = last;
    last = key;
    key = swapped;
  }

  /** Gives the memory back. Twice does nothing. */
  @Override
  public void close() {
    if (!isClosed) {
      isClosed = true;
      region.close();
    }
  }
}
