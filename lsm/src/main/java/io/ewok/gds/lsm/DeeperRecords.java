package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.Table;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The levels below those that a compaction merges: what they may have of its keys, which come in
 * order, so that no table is passed by twice.
 *
 * <p>Threads: confined to one. The tables stay open for as long.
 */
final class DeeperRecords implements OlderRecords {
  private final List<List<Table>> levels;
  private final CachedLookup lookup = new CachedLookup();

  /** For each level, the first table that may have the current key or a later one. */
  private final int[] at;

  /** Bytes of the first level that were passed by since somebody asked. */
  private long passedBytes;

  DeeperRecords(List<List<Table>> levels) {
    this.levels = levels;
    this.at = new int[levels.size()];
  }

  @Override
  public boolean mayHave(SearchKey key) {
    for (int i = 0; i < at.length; i++) {
      if (tableOrNull(i, key) != null) {
        return true;
      }
    }
    return false;
  }

  @Override
  public boolean mayHaveByFilters(SearchKey key) {
    for (int i = 0; i < at.length; i++) {
      Table table = tableOrNull(i, key);
      List<Table> run = levels.get(i);
      for (int next = at[i] + 1; table != null; next++) {
        if (lookup.mayHave(table, key)) {
          return true;
        }
        // A range may end where the next table begins.
        boolean isShared = next < run.size() && run.get(next).meta().mayContain(key);
        table = isShared ? run.get(next) : null;
      }
    }
    return false;
  }

  @Override
  public boolean mayHaveBetween(MemorySegment first, MemorySegment end) {
    return mayHaveBetween(levels, first, end);
  }

  /** Whether runs have tables with keys of a range. */
  static boolean mayHaveBetween(List<List<Table>> runs, MemorySegment first, MemorySegment end) {
    SearchKey key = new SearchKey().set(first);
    for (List<Table> run : runs) {
      int at = Table.firstNotBefore(run, key);
      if (at < run.size() && OlderTables.overlaps(run.get(at), first, end)) {
        return true;
      }
    }
    return false;
  }

  private Table tableOrNull(int level, SearchKey key) {
    advance(level, key);
    List<Table> run = levels.get(level);
    return at[level] < run.size() && key.compareTo(run.get(at[level]).meta().firstKey()) >= 0
        ? run.get(at[level])
        : null;
  }

  /** Returns the bytes of tables of the first level that lie before a key, since the last call. */
  long takePassedBytes(SearchKey key) {
    if (at.length > 0) {
      advance(0, key);
    }
    long passed = passedBytes;
    passedBytes = 0;
    return passed;
  }

  private void advance(int level, SearchKey key) {
    List<Table> run = levels.get(level);
    while (at[level] < run.size() && key.compareTo(run.get(at[level]).meta().lastKey()) > 0) {
      if (level == 0) {
        passedBytes += run.get(at[level]).meta().sizeBytes();
      }
      at[level]++;
    }
  }
}
