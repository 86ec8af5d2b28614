package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.table.Table;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * What one compaction merges: tables of a level, and all of the next that have keys between theirs.
 *
 * @param level where {@code upper} comes from
 * @param outputLevel where the new tables go: the next level, or the same to rewrite it in place
 * @param upper tables of level 0 in the order of search, or some of a run in order
 * @param lower tables of the output level in order, none when a level is rewritten
 * @param deeper the levels below the output level, from the next on
 * @param isMove whether the tables can go to the output level as they are
 */
record CompactionInputs(
    int level,
    int outputLevel,
    List<Table> upper,
    List<Table> lower,
    List<List<Table>> deeper,
    boolean isMove) {

  CompactionInputs {
    upper = List.copyOf(upper);
    lower = List.copyOf(lower);
    deeper = List.copyOf(deeper);
  }

  /** All tables that go. */
  List<Table> tables() {
    List<Table> tables = new ArrayList<>(upper);
    tables.addAll(lower);
    return tables;
  }

  long bytes() {
    return bytes(upper) + bytes(lower);
  }

  static long bytes(List<Table> tables) {
    long bytes = 0;
    for (Table table : tables) {
      bytes += table.meta().sizeBytes();
    }
    return bytes;
  }

  static MemorySegment firstKey(List<Table> tables) {
    return tables.stream().map(table -> table.meta().firstKey()).min(Keys::compare).orElseThrow();
  }

  static MemorySegment lastKey(List<Table> tables) {
    return tables.stream().map(table -> table.meta().lastKey()).max(Keys::compare).orElseThrow();
  }

  /**
   * The tables of a run with keys in a range, and those that share a key with one of them: versions
   * of a key must not be torn apart.
   */
  static List<Table> overlapping(List<Table> run, MemorySegment firstKey, MemorySegment lastKey) {
    int from = 0;
    while (from < run.size() && Keys.compare(run.get(from).meta().lastKey(), firstKey) < 0) {
      from++;
    }
    int to = from;
    while (to < run.size() && Keys.compare(run.get(to).meta().firstKey(), lastKey) <= 0) {
      to++;
    }
    if (from == to) {
      return List.of();
    }
    while (from > 0 && shareKey(run.get(from - 1), run.get(from))) {
      from--;
    }
    while (to < run.size() && shareKey(run.get(to - 1), run.get(to))) {
      to++;
    }
    return run.subList(from, to);
  }

  private static boolean shareKey(Table left, Table right) {
    return Keys.compare(left.meta().lastKey(), right.meta().firstKey()) == 0;
  }
}
