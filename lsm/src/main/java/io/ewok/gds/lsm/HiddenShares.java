package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableMeta;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How much a compaction of tables with range deletes would not have to write again: the part that
 * these hide of all bytes that go down with a table, its own and those of the tables that it
 * overlaps. Estimated by the indexes of the latter, to the block, for some ranges of many; that
 * reads, so it is done once for each version, and only for tables that are new to each other.
 *
 * <p>Threads: confined to the background thread.
 */
final class HiddenShares {
  /** No more parts of what a table's range deletes cover are looked at. */
  private static final int LOOKED_AT_MAX = 500;

  private Map<Table, Estimate> estimates;

  /** Of the tables that are overlapped. */
  private record Estimate(List<Table> overlapped, double share) {}

  /**
   * Knows what was known of the version before.
   *
   * @param beforeOrNull of that
   */
  HiddenShares(HiddenShares beforeOrNull) {
    estimates = beforeOrNull == null ? Map.of() : beforeOrNull.estimates;
  }

  /** The share of a table; 0 if it was not estimated. */
  double of(Table table) {
    Estimate found = estimates.get(table);
    return found == null ? 0 : found.share;
  }

  /**
   * Estimates all there are in the levels. What is not, because this fails, is taken to hide
   * nothing.
   */
  void estimate(List<List<Table>> levels) throws IOException {
    Map<Table, Estimate> known = estimates;
    Map<Table, Estimate> made = new HashMap<>();
    estimates = made;
    for (int level = 0; level < levels.size(); level++) {
      for (Table table : levels.get(level)) {
        if (table.hasRangeDeletes()) {
          List<Table> overlapped =
              CompactionInputs.firstOverlapped(
                  levels.subList(level + 1, levels.size()), table.meta());
          Estimate before = known.get(table);
          made.put(
              table,
              before != null && before.overlapped.equals(overlapped)
                  ? before
                  : new Estimate(overlapped, share(table, overlapped)));
        }
      }
    }
  }

  private static double share(Table table, List<Table> overlapped) throws IOException {
    RangeDeletes ranges = table.rangeDeletesOrNull();
    int parts = ranges.partCount();
    int stride = ((parts - 1) / LOOKED_AT_MAX + 1) | 1; // odd: every second part may be a gap
    double hidden = 0;
    for (int part = stride / 2; part < parts; part += stride) {
      if (ranges.newest(part, RecordKind.SEQUENCE_MAX) > 0) {
        hidden += bytes(overlapped, ranges.firstOrNull(part), ranges.endOrNull(part));
      }
    }
    long all = table.meta().sizeBytes() + CompactionInputs.bytes(overlapped);
    return Math.min(1, stride * hidden / all);
  }

  private static long bytes(List<Table> run, MemorySegment first, MemorySegment end)
      throws IOException {
    SearchKey key = new SearchKey().set(first);
    long bytes = 0;
    for (int i = Table.firstNotBefore(run, key);
        i < run.size() && Keys.compare(run.get(i).meta().firstKey(), end) < 0;
        i++) {
      TableMeta meta = run.get(i).meta();
      long from = Keys.compare(meta.firstKey(), first) >= 0 ? 0 : offset(run.get(i), first);
      long to = Keys.compare(meta.lastKey(), end) < 0 ? meta.sizeBytes() : offset(run.get(i), end);
      bytes += to - from;
    }
    return bytes;
  }

  private static long offset(Table table, MemorySegment key) throws IOException {
    return table.offsetOf(new SearchKey().set(key));
  }
}
