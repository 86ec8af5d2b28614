package io.ewok.gds.bench.kv;

import io.ewok.gds.lsm.CompactionFilter;
import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Family;
import io.ewok.gds.lsm.MergeOperators;
import io.ewok.gds.lsm.RangesCursor;
import io.ewok.gds.lsm.ReadView;
import io.ewok.gds.lsm.ResultBytes;
import io.ewok.gds.lsm.ScanRanges;
import io.ewok.gds.lsm.SortedIngest;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreCursor;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.lsm.Transaction;
import io.ewok.gds.lsm.TransactionOptions;
import io.ewok.gds.lsm.TreeOptions;
import io.ewok.gds.lsm.WriteBatch;
import io.ewok.gds.lsm.WriteOptions;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;

/** Ours. */
final class GdsKvStore implements KvStore {
  private static final Duration REST_MAX = Duration.ofMinutes(10);
  private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(1);

  private final Store store;
  private final Durability durability;
  private final WriteOptions writes;
  private final TransactionOptions transactions;

  /** Null without families. */
  private final Family counters;

  private final Family second;

  /**
   * Opens it.
   *
   * @param recordCacheBytes what of the pool's memory is that of the record cache
   * @param base what all stores have
   */
  GdsKvStore(
      Path directory,
      KvSettings settings,
      int separatedValueBytes,
      long recordCacheBytes,
      StoreOptions base)
      throws IOException {
    StoreOptions options =
        base.withPoolBytes(settings.poolBytes() - recordCacheBytes)
            .withRecordCacheBytes(recordCacheBytes)
            .withMemtableBytes(settings.memtableBytes())
            .withTableBytes(KvSettings.TABLE_BYTES)
            .withBlockBytes(KvSettings.BLOCK_BYTES);
    TreeOptions tree =
        switch (settings.group()) {
          case FILTER -> options.tree().withCompactionFilter(GdsKvStore::withoutEmpty);
          case EXPIRY -> options.tree().withTtl(KvSettings.TTL);
          case LONG_VALUES -> options.tree().withSeparatedValueBytes(separatedValueBytes);
          case SEQUENTIAL,
              CACHED,
              SYNCED,
              DISK,
              BREADTH,
              REMOVAL,
              INGEST,
              OPTIMISTIC,
              LOCKING,
              ENCRYPTION,
              ARCHIVE ->
              options.tree();
        };
    store = Store.open(directory, options.withTree(tree));
    durability = settings.synced() ? Durability.SYNCED : Durability.NONE;
    writes = WriteOptions.of(durability);
    transactions =
        settings.group() == KvGroup.LOCKING
            ? TransactionOptions.defaults().withLocks(LOCK_TIMEOUT)
            : TransactionOptions.defaults();
    if (settings.families()) {
      counters =
          store.createFamily("counters", options.tree().withMergeOperator(MergeOperators.add64()));
      second = store.createFamily("second");
    } else {
      counters = null;
      second = null;
    }
  }

  private static CompactionFilter.Decision withoutEmpty(
      MemorySegment key, MemorySegment value, ResultBytes result) {
    return value.byteSize() == 0
        ? CompactionFilter.Decision.REMOVE
        : CompactionFilter.Decision.KEEP;
  }

  @Override
  public KvSession session(KvBuffers buffers) {
    return new Session(buffers);
  }

  @Override
  public void settle() throws IOException, InterruptedException {
    store.flush();
    if (!store.awaitRest(REST_MAX)) {
      throw new IllegalStateException("the store is still at work: " + store.stats());
    }
  }

  @Override
  public void close() throws IOException {
    store.close();
  }

  private final class Session implements KvSession {
    private static final ValueLayout.OfLong BIG_LONG =
        ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG =
        ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment key;
    private final MemorySegment value;
    private final MemorySegment number = Arena.ofAuto().allocate(LONG);
    private final WriteBatch batch = new WriteBatch();
    private boolean inBatch;
    private SortedIngest ingest;
    private StoreCursor cursor;
    private final ScanRanges ranges = new ScanRanges();

    /** Null but in a scan of ranges. */
    private RangesCursor inRanges;

    Session(KvBuffers buffers) {
      key = buffers.key;
      value = buffers.value;
    }

    @Override
    public void put() throws IOException {
      if (inBatch) {
        batch.put(key, value);
      } else {
        store.put(key, value, durability);
      }
    }

    @Override
    public void beginBatch() {
      batch.clear();
      inBatch = true;
    }

    @Override
    public void endBatch() throws IOException {
      inBatch = false;
      store.write(batch, durability);
    }

    @Override
    public void beginIngest() {
      ingest = store.ingest();
    }

    @Override
    public void ingest() throws IOException {
      ingest.put(key, value);
    }

    @Override
    public void endIngest() throws IOException {
      long unused = ingest.commit();
      ingest.close();
    }

    @Override
    public int get() throws IOException {
      int length = store.get(key, value);
      return length == ReadView.NOT_FOUND ? -1 : length;
    }

    @Override
    public void getMany(KvManyBuffers many) throws IOException {
      store.multiGet(
          many.keys,
          (number, found) -> {
            many.lengths[number] = found == null ? -1 : (int) found.byteSize();
            if (found != null) {
              MemorySegment.copy(found, 0, many.all.get(number).value, 0, found.byteSize());
            }
          });
    }

    @Override
    public void putSecond() {
      batch.put(second, key, value);
    }

    @Override
    public int getSecond() throws IOException {
      int length = second.get(key, value);
      return length == ReadView.NOT_FOUND ? -1 : length;
    }

    @Override
    public void putEmpty() throws IOException {
      store.put(key, MemorySegment.NULL, durability);
    }

    @Override
    public int readAndPut(KvBuffers written) throws IOException {
      try (Transaction transaction = store.transactions().begin(transactions)) {
        int length = transaction.getForUpdate(store, key, value);
        transaction.put(store, key, written.value);
        transaction.commit(writes);
        return length == ReadView.NOT_FOUND ? -1 : length;
      }
    }

    @Override
    public void singleDelete() throws IOException {
      store.singleDelete(key, writes);
    }

    @Override
    public void compact() throws IOException {
      store.compact();
    }

    @Override
    public void deleteRange(KvBuffers end) throws IOException {
      store.deleteRange(key, end.key, writes);
    }

    @Override
    public void add(long added) throws IOException {
      number.set(LONG, 0, added);
      counters.merge(key, number, writes);
    }

    @Override
    public long counter() throws IOException {
      return counters.get(key, number) == ReadView.NOT_FOUND ? 0 : number.get(LONG, 0);
    }

    @Override
    public void beginScan() {
      if (cursor == null) {
        cursor = store.cursor();
      } else {
        cursor.refresh();
      }
    }

    @Override
    public boolean first() throws IOException {
      cursor.first();
      return cursor.isValid();
    }

    @Override
    public boolean last() throws IOException {
      cursor.last();
      return cursor.isValid();
    }

    @Override
    public boolean seek() throws IOException {
      cursor.seek(key);
      return cursor.isValid();
    }

    @Override
    public boolean next() throws IOException {
      cursor.next();
      return cursor.isValid();
    }

    @Override
    public boolean previous() throws IOException {
      cursor.previous();
      return cursor.isValid();
    }

    @Override
    public boolean knowsRanges() {
      return true;
    }

    @Override
    public void addRange(KvBuffers end) {
      ranges.add(key, end.key);
    }

    @Override
    public boolean firstOfRanges() throws IOException {
      inRanges = store.cursor(ranges);
      ranges.clear();
      inRanges.first();
      return inRanges.isValid();
    }

    @Override
    public boolean nextOfRanges() throws IOException {
      inRanges.next();
      return inRanges.isValid();
    }

    @Override
    public long keyHead() {
      return (inRanges == null ? cursor.key() : inRanges.key()).get(BIG_LONG, 0);
    }

    @Override
    public long valueHead() {
      return (inRanges == null ? cursor.value() : inRanges.value()).get(LONG, 0);
    }

    @Override
    public void endScan() {
      if (inRanges != null) {
        inRanges.close();
        inRanges = null;
      }
    }

    @Override
    public void close() {
      if (cursor != null) {
        cursor.close();
      }
    }
  }
}
