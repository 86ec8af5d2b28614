package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.Table;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/**
 * The tables of one family in a {@link Version}, by level, as in {@link FamilyManifest}. Immutable;
 * the version retains the tables.
 */
final class Levels {
  static final Levels EMPTY = new Levels(Collections.nCopies(Manifest.LEVELS, List.of()));

  private final List<List<Table>> all;

  /** The levels from 1 on that have tables, in the order of search. */
  private final List<List<Table>> runs;

  private final TableRanges rangesOrNull;
  private final HiddenShares hiddenShares;

  /** The greatest sequence number in tables. */
  private final long lastSequence;

  private final long changedNumber;

  Levels(List<List<Table>> levels) {
    this(levels, null, 0);
  }

  private Levels(List<List<Table>> levels, Levels before) {
    this(levels, before, before.changedNumber);
  }

  private Levels(List<List<Table>> levels, Levels beforeOrNull, long changedNumber) {
    this.changedNumber = changedNumber;
    this.all = levels.stream().map(List::copyOf).toList();
    this.runs = all.stream().skip(1).filter(level -> !level.isEmpty()).toList();
    this.lastSequence =
        all.stream()
            .flatMap(List::stream)
            .mapToLong(table -> table.meta().lastSequence())
            .max()
            .orElse(0);
    boolean isFirst = beforeOrNull == null;
    this.rangesOrNull = TableRanges.ofOrNull(all, isFirst ? null : beforeOrNull.rangesOrNull);
    boolean knowsNothing = isFirst || rangesOrNull == null;
    this.hiddenShares = new HiddenShares(knowsNothing ? null : beforeOrNull.hiddenShares);
  }

  List<List<Table>> all() {
    return all;
  }

  List<Table> level(int level) {
    return all.get(level);
  }

  /** The levels from 1 on that have tables, in the order of search. */
  List<List<Table>> runs() {
    return runs;
  }

  /** The greatest sequence number in the tables, those of range deletes included; 0 without any. */
  long lastSequence() {
    return lastSequence;
  }

  /**
   * Since which {@link Version#tablesNumber} of any key that flushes did not write the newest plain
   * value, and whether it is hidden, is the same.
   */
  long changedNumber() {
    return changedNumber;
  }

  /** The same, changed as a whole with a {@link Version#tablesNumber}. */
  Levels withChangedNumber(long number) {
    return new Levels(all, this, number);
  }

  /** The range deletes of all tables, or null if there are none. */
  TableRanges rangesOrNull() {
    return rangesOrNull;
  }

  /** What the range deletes of tables hide, once it was estimated. */
  HiddenShares hiddenShares() {
    return hiddenShares;
  }

  /** Estimates that; the tables stay meanwhile. */
  void estimateHiddenShares() throws IOException {
    if (rangesOrNull != null) {
      hiddenShares.estimate(all);
    }
  }

  /** The value files that are full, as the tables refer to them. */
  ValueGarbage valueGarbage(int percentMax) {
    return ValueGarbage.of(tables(), percentMax);
  }

  /** The same, and those that are encrypted with another key. */
  ValueGarbage valueGarbage(int percentMax, int keyId) {
    return ValueGarbage.of(tables(), percentMax, keyId);
  }

  List<Table> tables() {
    return all.stream().flatMap(List::stream).toList();
  }

  /** The last level that has tables; 0 if none has. */
  int deepestLevel() {
    int deepest = all.size() - 1;
    while (deepest > 0 && all.get(deepest).isEmpty()) {
      deepest--;
    }
    return deepest;
  }

  /** The same with newer tables on level 0. */
  Levels withNewest(List<Table> tables) {
    List<List<Table>> levels = copy();
    levels.getFirst().addAll(0, tables);
    return new Levels(levels, this);
  }

  /** The same with tables replaced by others, of one level; on level 0 in their place. */
  Levels withReplaced(Set<Table> removed, int level, List<Table> added) {
    List<List<Table>> levels = copyWithout(removed);
    List<Table> changed = levels.get(level);
    if (level == 0) {
      int newer = 0;
      while (!removed.contains(all.getFirst().get(newer))) {
        newer++;
      }
      changed.addAll(newer, added);
    } else {
      changed.addAll(added);
      changed.sort(Comparator.comparing(Table::meta, FamilyManifest.RUN_ORDER));
    }
    return new Levels(levels, this);
  }

  /** The same without some tables. */
  Levels without(Set<Table> removed) {
    return new Levels(copyWithout(removed), this);
  }

  private List<List<Table>> copyWithout(Set<Table> removed) {
    List<List<Table>> levels = copy();
    levels.forEach(tables -> tables.removeAll(removed));
    return levels;
  }

  private List<List<Table>> copy() {
    List<List<Table>> levels = new ArrayList<>();
    all.forEach(level -> levels.add(new ArrayList<>(level)));
    return levels;
  }

  void retain() {
    all.forEach(level -> level.forEach(table -> table.references.retain()));
  }

  void release() {
    all.forEach(level -> level.forEach(Table::release));
  }
}
