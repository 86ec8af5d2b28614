package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.Table;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The tables of a family: what they may have of the keys of a memtable that is flushed.
 *
 * <p>Threads: confined to one. The version that they are of is retained for as long.
 */
final class OlderTables implements OlderRecords {
  private final Levels levels;
  private final CachedLookup lookup = new CachedLookup();

  OlderTables(Levels levels) {
    this.levels = levels;
  }

  /** A flush is to be over soon: it does not look for each delete. */
  @Override
  public boolean mayHave(SearchKey key) {
    return true;
  }

  @Override
  public boolean mayHaveByFilters(SearchKey key) {
    for (Table table : levels.level(0)) {
      if (table.meta().mayContain(key) && lookup.mayHave(table, key)) {
        return true;
      }
    }
    for (List<Table> run : levels.runs()) {
      for (int at = Table.firstNotBefore(run, key);
          at < run.size() && run.get(at).meta().mayContain(key);
          at++) {
        if (lookup.mayHave(run.get(at), key)) {
          return true;
        }
      }
    }
    return false;
  }

  @Override
  public boolean mayHaveBetween(MemorySegment first, MemorySegment end) {
    return levels.level(0).stream().anyMatch(table -> overlaps(table, first, end))
        || DeeperRecords.mayHaveBetween(levels.runs(), first, end);
  }

  /** Whether a table may have keys of a range. */
  static boolean overlaps(Table table, MemorySegment first, MemorySegment end) {
    return Keys.compare(table.meta().lastKey(), first) >= 0
        && Keys.compare(table.meta().firstKey(), end) < 0;
  }
}
