package io.ewok.gds.lsm;

import io.ewok.gds.lsm.memtable.EntryCursor;
import io.ewok.gds.lsm.memtable.EntryFormat;
import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.RunSource;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableLookup;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Supplier;

/**
 * Finds out whether what a transaction stands on was written since. It asks memtables and tables
 * themselves, which have the newest sequence number of each key: so nothing has to be kept for
 * transactions that might come, and every write counts, in whatever way it was made. What is newer
 * than a transaction is mostly in the active memtable, which knows at once.
 *
 * <p>The snapshots of the transaction keep compactions from dropping the last write to a key that
 * hides what it has seen.
 *
 * <p>Threads: confined to one at a time.
 */
final class CommitCheck {
  private final ReadSet reads;
  private final Supplier<Conflict> held;
  private final SearchKey key;

  /** Null until it is needed. */
  private TableLookup lookup;

  CommitCheck(ReadSet reads, SearchKey key) {
    this(reads, key, () -> null);
  }

  /**
   * The same for a transaction that writes.
   *
   * @param held what it writes that a prepared one holds, or null
   */
  CommitCheck(ReadSet reads, SearchKey key, Supplier<Conflict> held) {
    this.reads = reads;
    this.key = key;
    this.held = held;
  }

  /** Looks for what a prepared transaction holds whose place in the log is before its own. */
  Conflict held() {
    return held.get();
  }

  /** All that it asks about was as it is at this sequence number, or later. */
  long since() {
    return reads.oldest();
  }

  // ---- in one memtable

  /**
   * Looks into a memtable, at no more than memory: nobody waits long for who does.
   *
   * @param above what is not newer than this was looked at before
   * @param upTo what is newer than this does not matter
   * @return one of the conflicts, or null if there is none
   */
  Conflict inMemtable(Memtable memtable, long above, long upTo) {
    for (long at = reads.firstOffset(); at < reads.endOffset(); at = reads.next(at)) {
      long since = Math.max(above, reads.since(at));
      FamilyState family = reads.family(at);
      long found = newest(memtable, family.id(), reads.key(at, key), upTo);
      if (found > since) {
        return new Conflict(family, KeyRange.bytes(key.segment()), found);
      }
    }
    List<KeyRange> ranges = reads.ranges();
    for (int i = 0; i < ranges.size(); i++) {
      Conflict found = inMemtable(memtable, ranges.get(i), above, upTo);
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  /** The sequence number of the last write to a key; 0 if there is none. */
  private static long newest(Memtable memtable, int family, SearchKey key, long upTo) {
    long entry = memtable.find(family, key, upTo);
    long newest = entry == Memtable.NONE ? 0 : RecordKind.sequence(EntryFormat.stamp(entry));
    return memtable.hasRangeDeletes(family)
        ? Math.max(newest, memtable.newestRangeDelete(family, key, upTo))
        : newest;
  }

  private static Conflict inMemtable(Memtable memtable, KeyRange range, long above, long upTo) {
    int family = range.family().id();
    long since = Math.max(above, range.since());
    for (RangeDeletes set : memtable.rangeDeletes(family)) {
      Conflict found = inRanges(set, range, since, upTo);
      if (found != null) {
        return found;
      }
    }
    EntryCursor cursor = memtable.entries(family);
    if (cursor == null) {
      return null;
    }
    long entry =
        range.firstOrNull() == null
            ? cursor.first()
            : cursor.seek(range.firstOrNull(), RecordKind.searchStamp(upTo));
    for (; entry != Memtable.NONE; entry = cursor.next()) {
      MemorySegment found =
          memtable.segment(EntryFormat.keyAddress(entry), EntryFormat.keyBytes(entry));
      if (!range.endsBehind(found)) {
        return null;
      }
      long sequence = RecordKind.sequence(EntryFormat.stamp(entry));
      if (sequence > since && sequence <= upTo) {
        return new Conflict(range.family(), KeyRange.bytes(found), sequence);
      }
    }
    return null;
  }

  private static Conflict inRanges(RangeDeletes set, KeyRange range, long since, long upTo) {
    List<RangeDelete> all = set.all();
    for (int i = 0; i < all.size(); i++) {
      RangeDelete delete = all.get(i);
      if (delete.sequence() > since && delete.sequence() <= upTo && range.meets(delete)) {
        return new Conflict(range.family(), KeyRange.bytes(delete.first()), delete.sequence());
      }
    }
    return null;
  }

  // ---- everywhere

  /**
   * Looks into all memtables and tables of a version, which is alive meanwhile; perhaps reads.
   *
   * @param upTo what is newer than this does not matter
   * @return one of the conflicts, or null if there is none
   * @throws IllegalStateException if a family is dropped
   */
  Conflict inVersion(Version version, long upTo) throws IOException {
    for (FamilyState family : reads.families()) {
      family.requireThere();
    }
    Conflict found = inMemtable(version.active(), 0, upTo);
    if (found == null && version.frozen() != null) {
      found = inMemtable(version.frozen(), 0, upTo);
    }
    for (long at = reads.firstOffset();
        found == null && at < reads.endOffset();
        at = reads.next(at)) {
      long since = reads.since(at);
      FamilyState family = reads.family(at);
      long newest = newest(version, family, reads.key(at, key), since, upTo);
      newest = Math.max(newest, family.lostSequence()); // it may have been of this key
      if (newest > since) {
        found = new Conflict(family, KeyRange.bytes(key.segment()), newest);
      }
    }
    for (int i = 0; found == null && i < reads.ranges().size(); i++) {
      KeyRange range = reads.ranges().get(i);
      found = inTables(version, range, range.since(), upTo);
      long lost = range.family().lostSequence();
      if (found == null && lost > range.since()) {
        byte[] first =
            range.firstOrNull() == null
                ? new byte[0]
                : KeyRange.bytes(range.firstOrNull().segment());
        found = new Conflict(range.family(), first, lost);
      }
    }
    return found;
  }

  /** Of the tables alone; what is not newer than {@code since} may be left out. */
  private long newest(Version version, FamilyState family, SearchKey of, long since, long upTo)
      throws IOException {
    Levels levels = version.levels(family);
    TableRanges deletes = levels.rangesOrNull();
    long newest = deletes == null ? 0 : deletes.newest(of, upTo);
    if (lookup == null) {
      lookup = new TableLookup();
    }
    for (Table table : levels.level(0)) {
      newest = Math.max(newest, newest(table, of, since, upTo));
    }
    for (List<Table> run : levels.runs()) {
      for (int at = Table.firstNotBefore(run, of);
          at < run.size() && run.get(at).meta().mayContain(of);
          at++) {
        newest = Math.max(newest, newest(run.get(at), of, since, upTo));
      }
    }
    return newest;
  }

  private long newest(Table table, SearchKey of, long since, long upTo) throws IOException {
    if (table.meta().lastSequence() <= since || !table.meta().mayContain(of)) {
      return 0;
    }
    try {
      return table.find(of, RecordKind.searchStamp(upTo), lookup)
          ? RecordKind.sequence(lookup.stamp())
          : 0;
    } finally {
      lookup.unfix();
    }
  }

  private static Conflict inTables(Version version, KeyRange range, long since, long upTo)
      throws IOException {
    for (List<Table> level : version.levels(range.family()).all()) {
      for (Table table : level) {
        if (table.meta().lastSequence() > since
            && range.meetsTable(table.meta().firstKey(), table.meta().lastKey())) {
          Conflict found = inTable(table, range, since, upTo);
          if (found != null) {
            return found;
          }
        }
      }
    }
    return null;
  }

  private static Conflict inTable(Table table, KeyRange range, long since, long upTo)
      throws IOException {
    RangeDeletes deletes = table.rangeDeletesOrNull();
    Conflict found = deletes == null ? null : inRanges(deletes, range, since, upTo);
    if (found != null) {
      return found;
    }
    RunSource source = new RunSource(List.of(table), upTo);
    try {
      if (range.firstOrNull() == null) {
        source.first();
      } else {
        source.seek(range.firstOrNull());
      }
      for (; source.isValid(); source.next()) {
        MemorySegment at =
            source
                .keyMemory()
                .asSlice(source.keyAddress() - source.keyMemory().address(), source.keyBytes());
        if (!range.endsBehind(at)) {
          return null;
        }
        long sequence = RecordKind.sequence(source.stamp());
        if (sequence > since) {
          return new Conflict(range.family(), KeyRange.bytes(at), sequence);
        }
      }
      return null;
    } finally {
      source.close();
    }
  }
}
