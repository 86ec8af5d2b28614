package io.ewok.gds.bench.kv;

/**
 * What is the same for all stores of a turn.
 *
 * @param entries records that a load writes
 * @param poolBytes memory for blocks of tables
 * @param memtableBytes size of a memtable, of which a store may have {@link #MEMTABLES}
 * @param synced whether a write is on the device when it returns; else it is lost if the process
 *     ends before the store has been closed
 * @param families whether there are a family of counters and a second one of records
 * @param watchedNanos how long a case without a natural end is watched
 */
record KvSettings(
    int entries,
    long poolBytes,
    long memtableBytes,
    boolean synced,
    boolean families,
    long watchedNanos) {
  static final int MEMTABLES = 4;
  static final long TABLE_BYTES = 8L << 20;
  static final int BLOCK_BYTES = 4096;
  static final int FILTER_BITS_PER_KEY = 10;
  static final int BATCH_PUTS = 1000;

  private static final int BREADTH_ENTRIES_MAX = 500_000;
  private static final long POOL_BYTES_MIN = 16L << 20;
  private static final long POOL_BYTES_MAX = 1L << 30;
  private static final long MEMTABLE_BYTES = 16L << 20;
  private static final long MEMTABLE_BYTES_MIN = 4L << 20;

  static KvSettings of(KvGroup group, int entries, long watchedNanos) {
    int records =
        switch (group) {
          case DISK -> Math.multiplyExact(entries, 3);
          case BREADTH -> Math.min(entries, BREADTH_ENTRIES_MAX);
          case SEQUENTIAL, CACHED, SYNCED -> entries;
        };
    long dataBytes = records * KvData.RECORD_BYTES;
    long poolBytes = group == KvGroup.DISK ? dataBytes / 10 : 4 * dataBytes;
    return new KvSettings(
        records,
        Math.clamp(poolBytes & -BLOCK_BYTES, POOL_BYTES_MIN, POOL_BYTES_MAX),
        Math.clamp(dataBytes / 8 & -BLOCK_BYTES, MEMTABLE_BYTES_MIN, MEMTABLE_BYTES),
        group == KvGroup.SYNCED,
        group == KvGroup.BREADTH,
        watchedNanos);
  }

  /** Returns the same for a number of records at most, none of which is waited for. */
  KvSettings forWarmUp(int entriesMax) {
    return new KvSettings(
        Math.min(entries, entriesMax), poolBytes, memtableBytes, false, families, watchedNanos);
  }
}
