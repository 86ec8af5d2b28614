package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableMeta;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What one compaction takes, and what it does with that.
 *
 * @param kind what is done
 * @param level the first level that tables are taken from
 * @param outputLevel where tables go: not before any of those that they come from
 * @param runs tables by run, the newest run first; each of level 0 is one
 * @param deeper the levels below the output level, from the next on
 * @param losesWrites whether readers may still ask for what goes, and do not get it
 */
record CompactionInputs(
    CompactionKind kind,
    int level,
    int outputLevel,
    List<List<Table>> runs,
    List<List<Table>> deeper,
    boolean losesWrites) {

  CompactionInputs {
    runs = runs.stream().map(List::copyOf).toList();
    deeper = List.copyOf(deeper);
  }

  /** The same where nothing is lost. */
  CompactionInputs(
      CompactionKind kind,
      int level,
      int outputLevel,
      List<List<Table>> runs,
      List<List<Table>> deeper) {
    this(kind, level, outputLevel, runs, deeper, false);
  }

  /** Tables that go, of any levels; the first of these is told. */
  static CompactionInputs drop(Levels levels, List<Table> tables) {
    int first = 0;
    while (Collections.disjoint(levels.level(first), tables)) {
      first++;
    }
    return new CompactionInputs(CompactionKind.DROP, first, first, List.of(tables), List.of());
  }

  /** The same, whoever reads them. */
  CompactionInputs losingWrites() {
    return new CompactionInputs(kind, level, outputLevel, runs, deeper, true);
  }

  /** The same tables, to where they would be merged. */
  CompactionInputs asMove() {
    return new CompactionInputs(CompactionKind.MOVE, level, outputLevel, runs, deeper);
  }

  /** All tables that are taken. */
  List<Table> tables() {
    return runs.stream().flatMap(List::stream).toList();
  }

  long bytes() {
    return bytes(tables());
  }

  /** Each table as a run of its own. */
  static List<List<Table>> apart(List<Table> tables) {
    List<List<Table>> runs = new ArrayList<>();
    tables.forEach(table -> runs.add(List.of(table)));
    return runs;
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

  /** The same of the first of some runs with such tables; none if there is no such run. */
  static List<Table> firstOverlapped(List<List<Table>> runs, TableMeta by) {
    for (List<Table> run : runs) {
      List<Table> overlapped = overlapping(run, by.firstKey(), by.lastKey());
      if (!overlapped.isEmpty()) {
        return overlapped;
      }
    }
    return List.of();
  }

  private static boolean shareKey(Table left, Table right) {
    return Keys.compare(left.meta().lastKey(), right.meta().firstKey()) == 0;
  }
}
