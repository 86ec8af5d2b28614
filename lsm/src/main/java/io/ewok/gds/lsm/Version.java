package io.ewok.gds.lsm;

import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.memtable.MemtableSource;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.record.References;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.RunSource;
import io.ewok.gds.lsm.table.Table;
import java.util.ArrayList;
import java.util.List;

/**
 * What a reader sees: the memtables and tables that make up the store at one time. Immutable,
 * except that the active memtable goes on taking records.
 *
 * <p>Ownership: counted; retains all it consists of and releases it when the last reader leaves.
 * {@link VersionSet} is the first user.
 *
 * <p>Threads: any.
 */
final class Version {
  private final References references = new References();
  private final Memtable active;
  private final Memtable frozen;
  private final List<List<Table>> levels;

  /** The levels from 1 on that have tables, in the order of search. */
  private final List<List<Table>> runs;

  private final TableRanges tableRangesOrNull;

  /**
   * A version of these parts, each alive during the call.
   *
   * @param frozen the memtable that is to be flushed, or null
   * @param levels as in {@link Manifest}
   */
  Version(Memtable active, Memtable frozen, List<List<Table>> levels) {
    this.active = active;
    this.frozen = frozen;
    this.levels = levels.stream().map(List::copyOf).toList();
    this.runs = this.levels.stream().skip(1).filter(level -> !level.isEmpty()).toList();
    this.tableRangesOrNull = TableRanges.ofOrNull(this.levels);
    active.references.retain();
    if (frozen != null) {
      frozen.references.retain();
    }
    levels.forEach(level -> level.forEach(table -> table.references.retain()));
  }

  Memtable active() {
    return active;
  }

  /** The memtable that is to be flushed, or null. */
  Memtable frozen() {
    return frozen;
  }

  List<List<Table>> levels() {
    return levels;
  }

  List<Table> level(int level) {
    return levels.get(level);
  }

  /** The levels from 1 on that have tables, in the order of search. */
  List<List<Table>> runs() {
    return runs;
  }

  /** The range deletes of the tables, or null if there are none. */
  TableRanges tableRangesOrNull() {
    return tableRangesOrNull;
  }

  /** Whether there may be range deletes. */
  boolean hasRangeDeletes() {
    return tableRangesOrNull != null
        || active.hasRangeDeletes()
        || (frozen != null && frozen.hasRangeDeletes());
  }

  /**
   * Returns the sequence number of the newest range delete that covers a key and is not newer than
   * {@code sequence}: records of the key with smaller numbers are hidden. 0 if there is none.
   */
  long newestRangeDelete(SearchKey key, long sequence) {
    long newest = 0;
    if (active.hasRangeDeletes()) {
      newest = active.newestRangeDelete(key, sequence);
    }
    // What is in the one is newer than all in the next.
    if (newest == 0 && frozen != null && frozen.hasRangeDeletes()) {
      newest = frozen.newestRangeDelete(key, sequence);
    }
    return newest == 0 && tableRangesOrNull != null
        ? tableRangesOrNull.newest(key, sequence)
        : newest;
  }

  /** The last level that has tables; 0 if none has. */
  int deepestLevel() {
    int deepest = levels.size() - 1;
    while (deepest > 0 && levels.get(deepest).isEmpty()) {
      deepest--;
    }
    return deepest;
  }

  /**
   * New sources over everything that a cursor may show, as of a sequence number. The caller closes
   * them. Bounds and prefix, each of them perhaps null, stay as they are for as long.
   */
  RecordSource[] sources(long sequence, SearchKey lower, SearchKey upper, SearchKey prefix) {
    List<RecordSource> sources = new ArrayList<>();
    sources.add(new MemtableSource(active, sequence));
    if (frozen != null) {
      sources.add(new MemtableSource(frozen, sequence));
    }
    for (Table table : levels.getFirst()) {
      addSource(sources, List.of(table), sequence, lower, upper, prefix);
    }
    for (List<Table> run : runs) {
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
    levels.forEach(level -> level.forEach(Table::release));
    return true;
  }
}
