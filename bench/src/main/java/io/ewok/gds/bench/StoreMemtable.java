package io.ewok.gds.bench;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.memtable.EntryCursor;
import io.ewok.gds.lsm.memtable.EntryFormat;
import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.memtable.MemtableSpace;
import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;

/** The store's own: a tree of nodes and a hash table. */
final class StoreMemtable implements MemtableCandidate {
  private static final long OPERATION_BYTES =
      BatchFormat.operationSizeBytes(MemtableRecords.KEY_BYTES, MemtableRecords.VALUE_BYTES);

  private final MemtableRecords records;
  private final MemtableSpace space;
  private final Memtable memtable;
  private final EntryCursor cursor;
  private final SearchKey key = new SearchKey();

  StoreMemtable(MemtableRecords records) {
    this.records = records;
    long bytes = (OPERATION_BYTES * 2 * records.count + (1 << 20)) & -4096L;
    space =
        new MemtableSpace(
            MemoryBudget.root("memtable", bytes), RegionOptions.ofSize(bytes), 1, () -> {});
    memtable = space.tryCreate();
    cursor = memtable.entries(Memtable.DEFAULT_FAMILY);
  }

  @Override
  public void insert(int record) {
    if (!memtable.tryEnter(OPERATION_BYTES)) {
      throw new IllegalStateException("the memtable is full: record=" + record);
    }
    long stamp = RecordKind.stamp(record + 1L, RecordKind.PUT);
    memtable.add(
        Memtable.DEFAULT_FAMILY, memtable.copy(stamp, records.key(record), records.value(record)));
    memtable.exit();
  }

  @Override
  public int get(int record) {
    return firstByte(
        memtable.find(
            Memtable.DEFAULT_FAMILY, key.set(records.key(record)), RecordKind.SEQUENCE_MAX));
  }

  @Override
  public int seek(int record) {
    long newest = RecordKind.searchStamp(RecordKind.SEQUENCE_MAX);
    return firstByte(cursor.seek(key.set(records.key(record)), newest));
  }

  private static int firstByte(long entry) {
    return Memory.getByte(EntryFormat.valueAddress(entry));
  }

  @Override
  public int scan() {
    int count = 0;
    for (long entry = cursor.first(); entry != Memtable.NONE; entry = cursor.next()) {
      count++;
    }
    return count;
  }

  @Override
  public void close() {
    memtable.release();
    space.close();
  }
}
