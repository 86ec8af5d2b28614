package io.ewok.gds.bench.kv;

import java.util.List;

/** Cases that run one after the other on one store, in a JVM of their own. */
public enum KvGroup {
  /** A load in the order of keys. */
  SEQUENTIAL,

  /** A load in random order, and what is done with records that memory has room for. */
  CACHED,

  /** Writes that are durable when they return. */
  SYNCED,

  /** Reads of ten times what memory has room for. */
  DISK,

  /** Operands, range deletes, and writes in two families. */
  BREADTH,

  /** Single deletes. */
  REMOVAL,

  /** A compaction with a filter that removes values that are empty. */
  FILTER,

  /** A compaction when records have expired. */
  EXPIRY,

  /** A load in the order of keys past log and memory. */
  INGEST,

  /** Transactions that look for conflicts when they commit. */
  OPTIMISTIC,

  /** Transactions that lock keys. */
  LOCKING,

  /** Long values, and memory for a tenth of them. */
  LONG_VALUES,

  /** What encryption costs, where memory has room for a tenth. */
  ENCRYPTION,

  /** What an archive of the log costs, on the same device. */
  ARCHIVE;

  /**
   * Returns how often its cases are run before they count. A compaction is over before the code of
   * it is compiled.
   */
  int warmUps() {
    return this == FILTER ? 5 : 1;
  }

  /** Returns the length of values, in bytes; 0 for the usual one. */
  int valueBytes() {
    return this == LONG_VALUES ? 4096 : 0;
  }

  /** Returns who takes part. */
  public List<KvContender> contenders() {
    return switch (this) {
      case CACHED ->
          List.of(
              KvContender.GDS,
              KvContender.GDS_RECORDS,
              KvContender.ROCKSDB,
              KvContender.LMDB,
              KvContender.EMPTY);
      case SEQUENTIAL, BREADTH, REMOVAL ->
          List.of(KvContender.GDS, KvContender.ROCKSDB, KvContender.LMDB, KvContender.EMPTY);
      case SYNCED -> List.of(KvContender.GDS, KvContender.ROCKSDB, KvContender.LMDB);
      // LMDB cannot be held to less than all memory.
      // Nor has it compactions.
      // Its transactions that write are one at a time.
      case DISK -> List.of(KvContender.GDS, KvContender.GDS_RECORDS, KvContender.ROCKSDB);
      case FILTER, EXPIRY, INGEST, OPTIMISTIC, LOCKING ->
          List.of(KvContender.GDS, KvContender.ROCKSDB);
      case ENCRYPTION -> List.of(KvContender.GDS, KvContender.GDS_ENCRYPTED);
      case ARCHIVE -> List.of(KvContender.GDS, KvContender.GDS_ARCHIVED);
      case LONG_VALUES ->
          List.of(KvContender.GDS, KvContender.GDS_INLINE, KvContender.BLOBDB, KvContender.ROCKSDB);
    };
  }
}
