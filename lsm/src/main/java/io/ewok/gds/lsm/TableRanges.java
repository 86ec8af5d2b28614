package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.Table;
import java.util.ArrayList;
import java.util.List;

/**
 * The range deletes of all tables of a family in a version. A record is hidden by any of them that
 * covers its key and is newer, wherever both lie; in a level above they are newer than all records
 * of the levels below.
 *
 * <p>Threads: any, for as long as the version is retained.
 */
final class TableRanges {
  private final List<Table> level0;

  /** The levels from 1 on that have any. */
  private final List<List<Table>> runs;

  private final List<RangeDeletes> sets = new ArrayList<>();

  /** Null until a reader needs it, who makes it of the sets, as may others. */
  private volatile RangeDeletes union;

  private TableRanges(List<List<Table>> levels, TableRanges beforeOrNull) {
    level0 = levels.getFirst().stream().filter(Table::hasRangeDeletes).toList();
    runs = levels.stream().skip(1).filter(TableRanges::hasSome).toList();
    for (List<Table> level : levels) {
      for (Table table : level) {
        if (table.hasRangeDeletes()) {
          sets.add(table.rangeDeletesOrNull());
        }
      }
    }
    if (beforeOrNull != null && sets.equals(beforeOrNull.sets)) {
      union = beforeOrNull.union;
    }
  }

  private static boolean hasSome(List<Table> tables) {
    return tables.stream().anyMatch(Table::hasRangeDeletes);
  }

  /**
   * Those of tables by level, which have read them; null if there are none.
   *
   * @param beforeOrNull those of the version before, most of which may be the same
   */
  static TableRanges ofOrNull(List<List<Table>> levels, TableRanges beforeOrNull) {
    return levels.stream().anyMatch(TableRanges::hasSome)
        ? new TableRanges(levels, beforeOrNull)
        : null;
  }

  /**
   * Returns the sequence number of the newest range delete that covers a key and is not newer than
   * {@code sequence}, 0 if there is none.
   */
  long newest(SearchKey key, long sequence) {
    RangeDeletes all = union;
    return all == null ? newestByTable(key, sequence) : all.newest(key, sequence);
  }

  /** The same while nobody has made the union: that may take longer than a get should. */
  private long newestByTable(SearchKey key, long sequence) {
    long newest = 0;
    for (int i = 0; i < level0.size(); i++) { // an iterator would be garbage
      newest = Math.max(newest, newest(level0.get(i), key, sequence));
    }
    for (int i = 0; i < runs.size(); i++) {
      List<Table> run = runs.get(i);
      // A range may end where the next table begins.
      for (int at = Table.firstNotBefore(run, key);
          at < run.size() && run.get(at).meta().mayContain(key);
          at++) {
        newest = Math.max(newest, newest(run.get(at), key, sequence));
      }
    }
    return newest;
  }

  private static long newest(Table table, SearchKey key, long sequence) {
    RangeDeletes set = table.rangeDeletesOrNull();
    return set == null ? 0 : set.newest(key, sequence);
  }

  /** All of them as one set, for who moves through keys. Also when the version is gone. */
  RangeDeletes union() {
    RangeDeletes found = union;
    if (found == null) {
      found = RangeDeletes.union(sets);
      union = found;
    }
    return found;
  }
}
