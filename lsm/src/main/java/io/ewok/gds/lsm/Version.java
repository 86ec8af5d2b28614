package io.ewok.gds.lsm;

import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.memtable.MemtableSource;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.record.References;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.RunSource;
import io.ewok.gds.lsm.table.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a reader sees: the memtables and, by family, the tables that make up the store at one time.
 * Immutable, except that the active memtable goes on taking records.
 *
 * <p>Ownership: counted; retains all it consists of and releases it when the last reader leaves.
 * {@link VersionSet} is the first user.
 *
 * <p>Threads: any.
 */
final class Version {
  private static final long FIRST_TABLES = 1;

  private final References references = new References();
  private final long tablesNumber;
  private final Memtable active;
  private final Memtable frozen;
  private final SortedMap<Integer, Levels> families;
  private final Levels main;

  // All families once more, so that looking for one leaves nothing for the collector.
  private final int[] ids;
  private final Levels[] levels;

  /**
   * A version of these parts, each alive during the call.
   *
   * @param frozen the memtable that is to be flushed, or null
   * @param families the tables of each family, by its number
   */
  Version(Memtable active, Memtable frozen, SortedMap<Integer, Levels> families) {
    this(FIRST_TABLES, active, frozen, families);
  }

  /**
   * The same behind other versions.
   *
   * @param tablesNumber of the tables, see {@link #tablesNumber()}
   */
  Version(
      long tablesNumber, Memtable active, Memtable frozen, SortedMap<Integer, Levels> families) {
    this.tablesNumber = tablesNumber;
    this.active = active;
    this.frozen = frozen;
    this.families = Collections.unmodifiableSortedMap(new TreeMap<>(families));
    this.main = families.get(Manifest.MAIN);
    this.ids = families.keySet().stream().mapToInt(Integer::intValue).toArray();
    this.levels = families.values().toArray(Levels[]::new);
    active.references.retain();
    if (frozen != null) {
      frozen.references.retain();
    }
    for (Levels each : levels) {
      each.retain();
    }
  }

  /**
   * Grows by one with each change of tables, of any family: for {@link
   * io.ewok.gds.lsm.cache.RecordCache}.
   */
  long tablesNumber() {
    return tablesNumber;
  }

  Memtable active() {
    return active;
  }

  /** The memtable that is to be flushed, or null. */
  Memtable frozen() {
    return frozen;
  }

  /** The tables of each family, by its number. */
  SortedMap<Integer, Levels> families() {
    return families;
  }

  /** The tables of a family; null if there is none with this number, or no more. */
  Levels levels(int family) {
    if (family == Manifest.MAIN) {
      return main;
    }
    int at = Arrays.binarySearch(ids, family);
    return at < 0 ? null : levels[at];
  }

  /** The same of a family that must be there. */
  Levels levels(FamilyState family) {
    Levels found = levels(family.id());
    if (found == null) {
      throw family.dropped();
    }
    return found;
  }

  /** Whether there may be range deletes of a family. */
  boolean hasRangeDeletes(FamilyState family) {
    return levels(family).rangesOrNull() != null
        || active.hasRangeDeletes(family.id())
        || (frozen != null && frozen.hasRangeDeletes(family.id()));
  }

  /**
   * Returns the sequence number of the newest range delete of a family that covers a key and is not
   * newer than {@code sequence}: records of the key with smaller numbers are hidden. 0 if there is
   * none.
   */
  long newestRangeDelete(FamilyState family, SearchKey key, long sequence) {
    int id = family.id();
    long newest = 0;
    if (active.hasRangeDeletes(id)) {
      newest = active.newestRangeDelete(id, key, sequence);
    }
    // What is in the one is newer than all in the next.
    if (newest == 0 && frozen != null && frozen.hasRangeDeletes(id)) {
      newest = frozen.newestRangeDelete(id, key, sequence);
    }
    TableRanges ofTables = newest == 0 ? levels(family).rangesOrNull() : null;
    return ofTables == null ? newest : ofTables.newest(key, sequence);
  }

  /**
   * New sources over everything of a family that a cursor may show, as of a sequence number. The
   * caller closes them. Bounds and prefix, each of them perhaps null, stay as they are for as long.
   */
  RecordSource[] sources(
      FamilyState family, long sequence, SearchKey lower, SearchKey upper, SearchKey prefix) {
    Levels tables = levels(family);
    List<RecordSource> sources = new ArrayList<>();
    sources.add(new MemtableSource(active, family.id(), sequence));
    if (frozen != null) {
      sources.add(new MemtableSource(frozen, family.id(), sequence));
    }
    for (Table table : tables.level(0)) {
      addSource(sources, List.of(table), sequence, lower, upper, prefix);
    }
    for (List<Table> run : tables.runs()) {
      addSource(sources, run, sequence, lower, upper, prefix);
    }
    return sources.toArray(RecordSource[]::new);
  }

  private static void addSource(
      List<RecordSource> sources,
      List<Table> run,
      long sequence,
      SearchKey lower,
      SearchKey upper,
      SearchKey prefix) {
    int from = lower == null ? 0 : Table.firstNotBefore(run, lower);
    int to = run.size();
    if (upper != null) {
      to = Table.firstNotBefore(run, upper);
      if (to < run.size() && upper.compareTo(run.get(to).meta().firstKey()) > 0) {
        to++;
      }
    }
    if (from < to) {
      RunSource source = new RunSource(run.subList(from, to), sequence);
      source.expectPrefix(prefix);
      sources.add(source);
    }
  }

  boolean tryRetain() {
    return references.tryRetain();
  }

  /** Leaves the version. Returns whether the last reader has left. */
  boolean release() {
    if (!references.release()) {
      return false;
    }
    active.release();
    if (frozen != null) {
      frozen.release();
    }
    for (Levels each : levels) {
      each.release();
    }
    return true;
  }
}
