package io.ewok.gds.bench.kv;

import java.time.Duration;

/**
 * What is the same for all stores of a turn.
 *
 * @param entries records that a load writes
 * @param poolBytes memory for blocks of tables
 * @param memtableBytes size of a memtable, of which a store may have {@link #MEMTABLES}
 * @param synced whether a write is on the device when it returns; else it is lost if the process
 *     ends before the store has been closed
 * @param group whose cases it is for
 * @param watchedNanos how long a case without a natural end is watched
 */
record KvSettings(
    int entries,
    long poolBytes,
    long memtableBytes,
    boolean synced,
    KvGroup group,
    long watchedNanos) {
  static final int MEMTABLES = 4;
  static final long TABLE_BYTES = 8L << 20;
  static final int BLOCK_BYTES = 4096;
  static final int FILTER_BITS_PER_KEY = 10;
  static final int BATCH_PUTS = 1000;

  /** Values from this length on may lie in files of their own; so do those of long values. */
  static final int SEPARATED_VALUE_BYTES = Math.min(1 << 10, KvData.VALUE_BYTES);

  static final long BLOB_FILE_BYTES = 64L << 20;

  /** What lives for ever but in the group that it is about. */
  static final Duration TTL = Duration.ofSeconds(3);

  private static final int BREADTH_ENTRIES_MAX = 500_000;

  /** So many that they are written, and read, long before they have expired. */
  private static final int EXPIRY_ENTRIES_MAX = 200_000;

  private static final long LONG_VALUES_BYTES_MAX = 200_000_000;

  private static final long POOL_BYTES_MIN = 16L << 20;
  private static final long POOL_BYTES_MAX = 1L << 30;
  private static final long MEMTABLE_BYTES = 16L << 20;
  private static final long MEMTABLE_BYTES_MIN = 4L << 20;

  static KvSettings of(KvGroup group, int entries, long watchedNanos) {
    int records =
        switch (group) {
          case DISK -> Math.multiplyExact(entries, 3);
          case BREADTH, REMOVAL, FILTER -> Math.min(entries, BREADTH_ENTRIES_MAX);
          case EXPIRY -> Math.min(entries, EXPIRY_ENTRIES_MAX);
          case LONG_VALUES -> (int) Math.min(entries, LONG_VALUES_BYTES_MAX / KvData.RECORD_BYTES);
          case SEQUENTIAL, CACHED, SYNCED, INGEST, OPTIMISTIC, LOCKING, ENCRYPTION, ARCHIVE ->
              entries;
        };
    long dataBytes = records * KvData.RECORD_BYTES;
    boolean isSmall =
        group == KvGroup.DISK || group == KvGroup.LONG_VALUES || group == KvGroup.ENCRYPTION;
    long poolBytes = isSmall ? dataBytes / 10 : 4 * dataBytes;
    return new KvSettings(
        records,
        Math.clamp(poolBytes & -BLOCK_BYTES, POOL_BYTES_MIN, POOL_BYTES_MAX),
        Math.clamp(dataBytes / 8 & -BLOCK_BYTES, MEMTABLE_BYTES_MIN, MEMTABLE_BYTES),
        group == KvGroup.SYNCED,
        group,
        watchedNanos);
  }

  /** Returns whether there are a family of counters and a second one of records. */
  boolean families() {
    return group == KvGroup.BREADTH;
  }

  /** Returns the same for a number of records at most, none of which is waited for. */
  KvSettings forWarmUp(int entriesMax) {
    return new KvSettings(
        Math.min(entries, entriesMax), poolBytes, memtableBytes, false, group, watchedNanos);
  }
}
