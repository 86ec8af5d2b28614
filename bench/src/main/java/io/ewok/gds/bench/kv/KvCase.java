package io.ewok.gds.bench.kv;

import io.ewok.gds.bench.kv.KvMix.Picker;
import java.util.List;

/** What is done with a store, in the order in which it is done within a group. */
public enum KvCase {
  FILL_SEQUENTIAL("fillseq", KvGroup.SEQUENTIAL, Kind.LOAD),
  FILL_RANDOM("fillrandom", KvGroup.CACHED, Kind.LOAD),
  READ_RANDOM("readrandom", KvGroup.CACHED, 1, KvMix.reads(Picker.UNIFORM)),
  READ_MISSING("readmissing", KvGroup.CACHED, 1, KvMix.reads(Picker.MISSING)),
  SCAN("scan", KvGroup.CACHED, Kind.SCAN),
  SCAN_BACKWARD("scan backward", KvGroup.CACHED, Kind.SCAN_BACKWARD),
  SEEK("seek + 10", KvGroup.CACHED, 1, new KvMix(Picker.UNIFORM, 0, 0, 100, 0, 10, 10)),
  SEEKS("64 ranges of 10, seeks", KvGroup.CACHED, Kind.SEEKS),
  RANGES("64 ranges of 10", KvGroup.CACHED, Kind.RANGES),
  READ_WHILE_WRITING("read while writing", KvGroup.CACHED, Kind.MIX_BESIDE_WRITER),
  YCSB_A("YCSB A", KvGroup.CACHED, 1, new KvMix(Picker.ZIPF, 50, 0, 0, 0, 0, 0)),
  YCSB_B("YCSB B", KvGroup.CACHED, 1, new KvMix(Picker.ZIPF, 5, 0, 0, 0, 0, 0)),
  YCSB_C("YCSB C", KvGroup.CACHED, 1, new KvMix(Picker.ZIPF, 0, 0, 0, 0, 0, 0)),
  YCSB_D("YCSB D", KvGroup.CACHED, 1, new KvMix(Picker.LATEST, 0, 5, 0, 0, 0, 0)),
  YCSB_E("YCSB E", KvGroup.CACHED, 1, new KvMix(Picker.ZIPF, 0, 5, 95, 0, 1, 100)),
  YCSB_F("YCSB F", KvGroup.CACHED, 1, new KvMix(Picker.ZIPF, 0, 0, 0, 50, 0, 0)),
  OVERWRITE("overwrite", KvGroup.CACHED, Kind.OVERWRITE),
  SYNC_1("fillsync, 1 thread", KvGroup.SYNCED, 1, KvMix.NEW_RECORDS),
  SYNC_8("fillsync, 8 threads", KvGroup.SYNCED, 8, KvMix.NEW_RECORDS),
  SYNC_32("fillsync, 32 threads", KvGroup.SYNCED, 32, KvMix.NEW_RECORDS),
  DISK_LOAD("fillbatch", KvGroup.DISK, Kind.LOAD_BATCHES),
  DISK_READ("readrandom, disk", KvGroup.DISK, 1, KvMix.reads(Picker.UNIFORM)),
  DISK_READ_16("readrandom, disk, 16 readers", KvGroup.DISK, 16, KvMix.reads(Picker.UNIFORM)),
  DISK_MULTI_GET("multiget of 16, disk", KvGroup.DISK, Kind.MULTI_GET),
  DISK_ZIPF("YCSB C, disk", KvGroup.DISK, 1, KvMix.reads(Picker.ZIPF)),
  DISK_MISSING("readmissing, disk", KvGroup.DISK, 1, KvMix.reads(Picker.MISSING)),
  DISK_SEEK("seek + 10, disk", KvGroup.DISK, 1, SEEK.mix),
  DISK_SEEKS("64 ranges of 10, seeks, disk", KvGroup.DISK, Kind.SEEKS),
  DISK_RANGES("64 ranges of 10, disk", KvGroup.DISK, Kind.RANGES),
  BREADTH_LOAD("fillrandom, breadth", KvGroup.BREADTH, Kind.LOAD),
  FAMILIES("two families", KvGroup.BREADTH, Kind.FAMILIES),
  READ_WHOLE("readrandom, nothing deleted", KvGroup.BREADTH, 1, KvMix.reads(Picker.UNIFORM)),
  SCAN_WHOLE("scan, nothing deleted", KvGroup.BREADTH, Kind.SCAN),
  DELETE_RANGE("delete range", KvGroup.BREADTH, Kind.DELETE_RANGES),
  READ_RANGES("readrandom, ranges deleted", KvGroup.BREADTH, 1, KvMix.reads(Picker.UNIFORM)),
  SCAN_RANGES("scan, ranges deleted", KvGroup.BREADTH, Kind.SCAN),
  MERGE("merge", KvGroup.BREADTH, Kind.ADD, 1, KvMix.reads(Picker.ZIPF)),
  READ_MERGED("read merged", KvGroup.BREADTH, Kind.READ_COUNTERS, 1, KvMix.reads(Picker.ZIPF)),
  REMOVAL_LOAD("fillrandom, removal", KvGroup.REMOVAL, Kind.LOAD),
  SINGLE_DELETE("single delete", KvGroup.REMOVAL, Kind.SINGLE_DELETES),
  FILTER_LOAD("fillrandom, filter", KvGroup.FILTER, Kind.LOAD),
  COMPACT_FILTERED("compact, filter", KvGroup.FILTER, Kind.COMPACT_FILTERED),
  EXPIRY_LOAD("fillrandom, ttl", KvGroup.EXPIRY, Kind.LOAD),
  COMPACT_EXPIRED("compact, ttl", KvGroup.EXPIRY, Kind.COMPACT_EXPIRED),
  INGEST("bulk ingest", KvGroup.INGEST, Kind.INGEST),
  INGEST_READ("readrandom, ingested", KvGroup.INGEST, 1, KvMix.reads(Picker.UNIFORM)),
  OPTIMISTIC_LOAD("fillrandom, optimistic", KvGroup.OPTIMISTIC, Kind.LOAD),
  OPTIMISTIC("transaction, optimistic", KvGroup.OPTIMISTIC, Kind.TRANSACTIONS),
  LOCKING_LOAD("fillrandom, locks", KvGroup.LOCKING, Kind.LOAD),
  LOCKING("transaction, locks", KvGroup.LOCKING, Kind.TRANSACTIONS),
  LONG_LOAD("fillrandom, 4 KiB", KvGroup.LONG_VALUES, Kind.LOAD),
  LONG_READ("readrandom, 4 KiB", KvGroup.LONG_VALUES, 1, KvMix.reads(Picker.UNIFORM)),
  LONG_SCAN("scan, 4 KiB", KvGroup.LONG_VALUES, Kind.SCAN),
  LONG_SEEK("seek + 10, 4 KiB", KvGroup.LONG_VALUES, 1, SEEK.mix),
  LONG_OVERWRITE("overwrite, 4 KiB", KvGroup.LONG_VALUES, Kind.OVERWRITE),
  ENCRYPTION_LOAD("fillrandom, encryption", KvGroup.ENCRYPTION, Kind.LOAD),
  ENCRYPTION_READ("readrandom, encryption", KvGroup.ENCRYPTION, 1, KvMix.reads(Picker.UNIFORM)),
  ENCRYPTION_SCAN("scan, encryption", KvGroup.ENCRYPTION, Kind.SCAN),
  ENCRYPTION_OVERWRITE("overwrite, encryption", KvGroup.ENCRYPTION, Kind.OVERWRITE),
  ARCHIVE_LOAD("fillrandom, archive", KvGroup.ARCHIVE, Kind.LOAD),
  ARCHIVE_OVERWRITE("overwrite, archive", KvGroup.ARCHIVE, Kind.OVERWRITE);

  /** How a case goes. */
  enum Kind {
    /** Each record once, by one thread; in the order of keys, or in that of a shuffle. */
    LOAD,
    /** Each record once, in the order of keys, as tables that become part of the store at once. */
    INGEST,
    /** As LOAD, many in a batch. */
    LOAD_BATCHES,
    /** Records, any of them, several times as often as there are; not from the first on. */
    OVERWRITE,
    /** A mix for a while. */
    MIX,
    /** As MIX, while another thread overwrites records at a given rate. */
    MIX_BESIDE_WRITER,
    /** Gets of several records at a time. */
    MULTI_GET,
    /** Ranges of neighbouring records, many in turn, each looked for by a seek. */
    SEEKS,
    /** The same with a cursor that is told all of them before, where a store has such. */
    RANGES,
    /** From one end to the other, again and again. */
    SCAN,
    SCAN_BACKWARD,
    /** Each record once more, in two families, some in a batch. */
    FAMILIES,
    /** Ranges of neighbouring records are deleted. */
    DELETE_RANGES,
    /** Numbers are added to counters for a while. */
    ADD,
    /** Gets of these counters. */
    READ_COUNTERS,
    /** Every other record is deleted, each by a single delete, in the order of the shuffle. */
    SINGLE_DELETES,
    /** All is compacted when a tenth of the records has got an empty value; a record counts. */
    COMPACT_FILTERED,
    /** All is compacted when all but half of the records have expired; a record counts. */
    COMPACT_EXPIRED,
    /** Records, any of them, are read and written once more, each in a transaction, for a while. */
    TRANSACTIONS
  }

  /** Of a group the first case fills the store; none can do without. */
  private static final List<KvCase> ALL = List.of(values());

  private final String label;
  private final KvGroup group;
  final Kind kind;
  final int threads;

  @SuppressWarnings("ImmutableEnumChecker") // A record of numbers.
  final KvMix mix;

  KvCase(String label, KvGroup group, Kind kind) {
    this(label, group, kind, 1, KvMix.reads(Picker.UNIFORM));
  }

  KvCase(String label, KvGroup group, int threads, KvMix mix) {
    this(label, group, Kind.MIX, threads, mix);
  }

  KvCase(String label, KvGroup group, Kind kind, int threads, KvMix mix) {
    this.label = label;
    this.group = group;
    this.kind = kind;
    this.threads = threads;
    this.mix = mix;
  }

  /** Returns its name in reports. */
  public String label() {
    return label;
  }

  /** Returns where it belongs. */
  public KvGroup group() {
    return group;
  }

  /**
   * Returns whether later cases of the group rely on what this one has done, or it cannot be warmed
   * up on the same store.
   */
  boolean isNeeded() {
    return switch (kind) {
      case LOAD,
          LOAD_BATCHES,
          INGEST,
          FAMILIES,
          DELETE_RANGES,
          ADD,
          SINGLE_DELETES,
          COMPACT_FILTERED ->
          true;
      case OVERWRITE,
          MIX,
          MIX_BESIDE_WRITER,
          MULTI_GET,
          SEEKS,
          RANGES,
          SCAN,
          SCAN_BACKWARD,
          READ_COUNTERS,
          COMPACT_EXPIRED,
          TRANSACTIONS ->
          false;
    };
  }

  /** Returns whether the background may end what this one has left it, before the next begins. */
  boolean isSettled() {
    return switch (kind) {
      case LOAD,
          LOAD_BATCHES,
          INGEST,
          FAMILIES,
          DELETE_RANGES,
          SINGLE_DELETES,
          COMPACT_FILTERED,
          COMPACT_EXPIRED ->
          true;
      case OVERWRITE,
          MIX,
          MIX_BESIDE_WRITER,
          MULTI_GET,
          SEEKS,
          RANGES,
          SCAN,
          SCAN_BACKWARD,
          ADD,
          READ_COUNTERS,
          TRANSACTIONS ->
          false;
    };
  }

  /** Returns whether it is watched in the middle: what is left to do is as much before as after. */
  boolean isSteady() {
    return kind == Kind.OVERWRITE;
  }

  /** Returns whether all is read once before the next: who has memory for it has it there then. */
  boolean isReadAfterwards() {
    return this == FILL_RANDOM
        || this == INGEST
        || kind == Kind.FAMILIES
        || kind == Kind.DELETE_RANGES;
  }

  /**
   * Returns what our own number is compared with, too: the same case before ranges were deleted, or
   * done otherwise. Null if there is none.
   */
  public KvCase yardstickOrNull() {
    return switch (this) {
      case READ_RANGES -> READ_WHOLE;
      case SCAN_RANGES -> SCAN_WHOLE;
      case RANGES -> SEEKS;
      case DISK_RANGES -> DISK_SEEKS;
      default -> null;
    };
  }

  /** Returns the cases of a group, the one that fills the store first. */
  static List<KvCase> of(KvGroup group) {
    return ALL.stream().filter(one -> one.group == group).toList();
  }
}
