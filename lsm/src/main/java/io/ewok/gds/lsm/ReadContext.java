package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
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

  final SearchKey key = new SearchKey();
  private final TableLookup lookup = new TableLookup();

  // What was found.
  /** In which it was; null if it was in a table. */
  private Memtable memtable;

  /** Likewise. */
  private Table table;

  /** Whether what the value is in is retained for itself, not by the version. */
  private boolean kept;

  private int kind;
  private long valueAddress;
  private int valueBytes;

  /**
   * Looks for the value of {@link #key} as of a sequence number. What was found stays where it is
   * until {@link #letGo}.
   *
   * @return false if the key has no value
   */
  boolean find(long sequence) throws IOException {
    long stamp = RecordKind.searchStamp(sequence);
    Memtable frozen = version.frozen();
    return (findIn(version.active(), sequence)
            || (frozen != null && findIn(frozen, sequence))
            || findInTables(stamp))
        && kind == RecordKind.PUT;
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
    return new Explainer(this, lookup, sequence).run(version);
  }

  /** Looks into one memtable, whatever kind of record is there. */
  boolean findIn(Memtable looked, long sequence) {
    long entry = looked.find(key, sequence);
    if (entry == Memtable.NONE) {
      return false;
    }
    memtable = looked;
    kind = RecordKind.kind(EntryFormat.stamp(entry));
    valueAddress = EntryFormat.valueAddress(entry);
    valueBytes = EntryFormat.valueBytes(entry);
    return true;
  }

  private boolean findInTables(long stamp) throws IOException {
    memtable = null;
    List<Table> level0 = version.level(0);
    for (int i = 0; i < level0.size(); i++) { // an iterator would be garbage
      Table looked = level0.get(i);
      if (looked.meta().mayContain(key) && findIn(looked, stamp)) {
        return true;
      }
    }
    List<List<Table>> runs = version.runs();
    for (int i = 0; i < runs.size(); i++) {
      List<Table> run = runs.get(i);
      // The versions of a key may go on in the next table.
      for (int at = Table.firstNotBefore(run, key);
          at < run.size() && run.get(at).meta().mayContain(key);
          at++) {
        if (findIn(run.get(at), stamp)) {
          return true;
        }
      }
    }
    return false;
  }

  /** Looks into one table, whatever kind of record is there. */
  boolean findIn(Table looked, long stamp) throws IOException {
    if (!looked.find(key, stamp, lookup)) {
      return false;
    }
    table = looked;
    kind = RecordKind.kind(lookup.stamp());
    valueAddress = lookup.valueAddress();
    valueBytes = lookup.valueBytes();
    return true;
  }

  /** Whether what was found is a value, not a delete. */
  boolean isValue() {
    return kind == RecordKind.PUT;
  }

  /** Length of the value that was found, in bytes. */
  int valueBytes() {
    return valueBytes;
  }

  /** Returns the value that was found, where it lies: read-only, and unusable once it is freed. */
  MemorySegment value() {
    return memtable != null
        ? memtable.segment(valueAddress, valueBytes)
        : lookup.segment(valueAddress, valueBytes);
  }

  /** Copies the value that was found to the beginning of a segment. */
  void copyValue(MemorySegment into) {
    Memory.copyTo(valueAddress, into, 0, valueBytes);
  }

  /** Keeps what was found beyond the version. */
  void keep() {
    if (memtable != null) {
      memtable.references.retain();
    } else {
      table.references.retain();
    }
    kept = true;
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
  }
}
