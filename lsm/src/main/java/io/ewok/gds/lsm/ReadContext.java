package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.cache.CachedRecord;
import io.ewok.gds.lsm.cache.RecordCache;
import io.ewok.gds.lsm.memtable.EntryFormat;
import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableLookup;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * What one get needs besides its stack, and what it found: reused, so that gets make no garbage.
 *
 * <p>Threads: confined to one at a time, see {@link ReadContexts}.
 */
final class ReadContext {
  /** What is read; retained while not null. */
  Version version;

  /** The thread that is in a user's callback now, or null. Of use to that thread alone. */
  Thread consumerThread;

  // What is read of the version.
  private FamilyState family;
  private Levels levels;

  /** Records below have expired. */
  private long expiryFloor;

  final SearchKey key = new SearchKey();
  private final TableLookup lookup = new TableLookup();

  /** Asked before tables; null if there is none. */
  private final RecordCache recordCache;

  /** What it has found; null if there is none. */
  private final CachedRecord cached;

  // What was found.
  /** In which it was; null if it was in a table. */
  private Memtable memtable;

  /** Likewise. */
  private Table table;

  /** Whether the record cache had it. */
  private boolean isCached;

  /** Whether what the value is in is retained for itself, not by the version. */
  private boolean kept;

  /** Null until it is needed. What it made was found if nothing else has it. */
  private OperandMerger merger;

  private long stamp;
  private long valueAddress;
  private int valueBytes;

  /**
   * A context that has nothing yet.
   *
   * @param recordCacheOrNull asked before tables
   */
  ReadContext(RecordCache recordCacheOrNull) {
    recordCache = recordCacheOrNull;
    cached = recordCacheOrNull == null ? null : new CachedRecord();
  }

  /**
   * Says what of the version is read.
   *
   * @param floor records below have expired
   * @throws IllegalStateException if the family is dropped
   */
  void begin(FamilyState of, long floor) {
    of.requireThere();
    levels = version.levels(of);
    family = of;
    expiryFloor = floor;
  }

  /** Forgets the version, which is to be released. */
  void leaveVersion() {
    version = null;
    levels = null;
  }

  /**
   * Looks for the value of {@link #key} as of a sequence number. What was found stays where it is
   * until {@link #letGo}.
   *
   * @return false if the key has no value
   */
  boolean find(long sequence) throws IOException {
    if (recordCache != null) {
      recordCache.fetch(key, family.id());
    }
    // What is below has expired, or range deletes hide it.
    long floor = Math.max(expiryFloor, version.newestRangeDelete(family, key, sequence));
    Memtable frozen = version.frozen();
    if ((!findIn(version.active(), sequence)
            && (frozen == null || !findIn(frozen, sequence))
            && !findBelowMemory(sequence, floor))
        || RecordKind.sequence(stamp) < floor) {
      return false;
    }
    int kind = RecordKind.kind(stamp);
    return kind == RecordKind.PUT
        || (kind == RecordKind.OPERAND && merge(sequence, floor))
        || (kind == RecordKind.VALUE_REFERENCE && readValue());
  }

  /** Makes the value of the operands that begin with what was found. */
  private boolean merge(long sequence, long floor) throws IOException {
    letGo();
    if (merger == null || !merger.merging().equals(family.merging())) {
      merger = new OperandMerger(family.merging());
    }
    merger.begin(floor);
    boolean unused = collect(sequence);
    merger.merge(key);
    valueAddress = merger.result().address();
    valueBytes = merger.result().lengthBytes();
    return true;
  }

  /** Reads the value that the record in a table refers to. */
  private boolean readValue() throws IOException {
    table.readValue(key, lookup);
    valueAddress = lookup.readValueAddress();
    valueBytes = lookup.readValueBytes();
    return true;
  }

  private boolean collect(long sequence) throws IOException {
    Memtable frozen = version.frozen();
    if (!version.active().versions(family.id(), key, sequence, merger)
        || (frozen != null && !frozen.versions(family.id(), key, sequence, merger))) {
      return false;
    }
    long newest = RecordKind.searchStamp(sequence);
    for (Table looked : levels.level(0)) {
      if (looked.meta().mayContain(key) && !looked.versions(key, newest, lookup, merger)) {
        return false;
      }
    }
    for (List<Table> run : levels.runs()) {
      if (!Table.versions(run, key, newest, lookup, merger)) {
        return false;
      }
    }
    return true;
  }

  /**
   * As {@link #find}, without reading and waiting.
   *
   * @throws io.ewok.gds.buffers.NotCachedException if a block is not in the pool
   */
  boolean findCached(long sequence) throws IOException {
    lookup.onlyCached(true);
    try {
      return find(sequence);
    } finally {
      lookup.onlyCached(false);
    }
  }

  /** Does the same place by place, and says how it went. */
  Explanation explain(long sequence) throws IOException {
    return new Explainer(key, lookup, sequence, expiryFloor, recordCache).run(version, family);
  }

  /** Looks into one memtable, whatever kind of record is there. */
  private boolean findIn(Memtable looked, long sequence) {
    long entry = looked.find(family.id(), key, sequence);
    if (entry == Memtable.NONE) {
      return false;
    }
    memtable = looked;
    stamp = EntryFormat.stamp(entry);
    valueAddress = EntryFormat.valueAddress(entry);
    valueBytes = EntryFormat.valueBytes(entry);
    return true;
  }

  private boolean findBelowMemory(long sequence, long floor) throws IOException {
    memtable = null;
    if (recordCache == null) {
      return findInTables(RecordKind.searchStamp(sequence), floor);
    }
    long number = version.tablesNumber();
    if (recordCache.find(key, family.id(), sequence, number, levels.changedNumber(), cached)) {
      isCached = true;
      stamp = cached.stamp();
      valueAddress = cached.valueAddress();
      valueBytes = cached.valueBytes();
      return true;
    }
    if (!findInTables(RecordKind.searchStamp(sequence), floor)) {
      return false;
    }
    // Only what is the newest for who sees all of the tables, and what none of their range deletes
    // hides: others may need something else.
    if (RecordKind.kind(stamp) == RecordKind.PUT
        && sequence >= levels.lastSequence()
        && RecordKind.sequence(stamp) >= floor) {
      recordCache.offer(key, family.id(), stamp, valueAddress, valueBytes, number);
    }
    return true;
  }

  private boolean findInTables(long wanted, long floor) throws IOException {
    List<Table> level0 = levels.level(0);
    for (int i = 0; i < level0.size(); i++) { // an iterator would be garbage
      Table looked = level0.get(i);
      if (looked.meta().mayContain(key)
          && looked.lastRecordSequence() >= floor
          && findIn(looked, wanted)) {
        return true;
      }
    }
    List<List<Table>> runs = levels.runs();
    for (int i = 0; i < runs.size(); i++) {
      List<Table> run = runs.get(i);
      // The versions of a key may go on in the next table.
      for (int at = Table.firstNotBefore(run, key);
          at < run.size() && run.get(at).meta().mayContain(key);
          at++) {
        if (run.get(at).lastRecordSequence() >= floor && findIn(run.get(at), wanted)) {
          return true;
        }
      }
    }
    return false;
  }

  /** Looks into one table, whatever kind of record is there. */
  private boolean findIn(Table looked, long wanted) throws IOException {
    if (!looked.find(key, wanted, lookup)) {
      return false;
    }
    table = looked;
    stamp = lookup.stamp();
    valueAddress = lookup.valueAddress();
    valueBytes = lookup.valueBytes();
    return true;
  }

  /** Length of the value that was found, in bytes. */
  int valueBytes() {
    return valueBytes;
  }

  /** Returns the value that was found, where it lies: read-only, and unusable once it is freed. */
  MemorySegment value() {
    if (memtable != null) {
      return memtable.segment(valueAddress, valueBytes);
    }
    if (isCached) {
      return cached.value();
    }
    return table != null
        ? lookup.segment(valueAddress, valueBytes)
        : merger.result().memory().asSlice(0, valueBytes);
  }

  /** Copies the value that was found to the beginning of a segment. */
  void copyValue(MemorySegment into) {
    Memory.copyTo(valueAddress, into, 0, valueBytes);
  }

  /** Keeps what was found beyond the version. */
  void keep() {
    if (memtable != null) {
      memtable.references.retain();
      kept = true;
    } else if (table != null) {
      table.references.retain();
      kept = true;
    }
  }

  /** Lets go of what was found. */
  void letGo() {
    lookup.unfix();
    if (kept) {
      kept = false;
      if (memtable != null) {
        memtable.release();
      } else {
        table.release();
      }
    }
    memtable = null;
    table = null;
    isCached = false;
  }
}
