package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableMeta;
import java.util.ArrayList;
import java.util.List;

/**
 * {@link CompactionStyle#LEVELED}: each level has a score, which is 1 when it is as large as it
 * should be; of the level with the highest score above that a table goes down whose keys overlap
 * with little of the next level, or that is full of deletes. If no level is too large, tables whose
 * range deletes hide much of what is below, and those that are mostly deletes, go down until they
 * are gone.
 *
 * <p>Level 0 goes down as a whole, and what that rewrites of level 1 must be worth it. Where it is
 * not by far, as in a family that few writes are for, the newest tables are merged into one that
 * stays on level 0: those that are alike in size, so that a byte is written there once for each
 * time that what it lies in has grown by half.
 */
final class LeveledPicker extends CompactionPicker {
  /**
   * Level 0 goes down when it has this part of the bytes of level 1 that are rewritten with it ...
   */
  private static final double LEVEL_0_SHARE = 0.5;

  /** ... or, with so many times the tables that it should have, when it has half of that. */
  private static final int LEVEL_0_PATIENCE = 3;

  private static final double WORTH_MIN = 0.5;

  /** With less, it is merged within itself when it has so many times the tables. */
  private static final int LEVEL_0_PATIENCE_WITHIN = 2;

  /** Range deletes go down when this part of what goes with them does not have to be written. */
  private static final double HIDDEN_DUE = 0.5;

  /** The same in a store at rest: what they hide is in the way of reads. */
  private static final double HIDDEN_AT_REST = 0.05;

  /** A store at rest is left so many tables of level 0 less one: reads look into each. */
  private static final int LEVEL_0_AT_REST = 2;

  /** Then level 0 goes down for so much less: nobody else wants the device. */
  private static final double WORTH_AT_REST = 0.125;

  /**
   * Writers are held back most when what is too much on other levels is so many times the first.
   */
  private static final int DEBT_MAX = 8;

  LeveledPicker(CompactionOptions options) {
    super(options);
  }

  @Override
  double score(Levels levels, int level) {
    List<Table> tables = levels.level(level);
    if (level == 0) {
      double count = (double) tables.size() / options.level0Tables();
      double worth = worth(levels);
      int patience = worth < WORTH_MIN ? LEVEL_0_PATIENCE_WITHIN : LEVEL_0_PATIENCE;
      return Math.min(count, Math.max(count / patience, worth));
    }
    return level == Manifest.LEVELS - 1
        ? 0
        : (double) CompactionInputs.bytes(tables) / options.targetBytes(level);
  }

  /**
   * What is gained if level 0 goes down, by what that costs: 1 if it should, infinite if nothing of
   * level 1 is rewritten.
   */
  private static double worth(Levels levels) {
    List<Table> level0 = levels.level(0);
    if (level0.isEmpty()) {
      return 0;
    }
    List<Table> rewritten =
        CompactionInputs.overlapping(
            levels.level(1), CompactionInputs.firstKey(level0), CompactionInputs.lastKey(level0));
    return CompactionInputs.bytes(level0) / (LEVEL_0_SHARE * CompactionInputs.bytes(rewritten));
  }

  @Override
  double pressure(Levels levels, long flushBytes, Compaction runningOrNull) {
    long debtBytes = 0;
    for (int level = 1; level < Manifest.LEVELS - 1; level++) {
      long bytes = CompactionInputs.bytes(levels.level(level));
      debtBytes += Math.max(0, bytes - options.targetBytes(level));
    }
    double debt = (double) debtBytes / (DEBT_MAX * options.level1Bytes());
    return Math.max(super.pressure(levels, flushBytes, runningOrNull), Math.min(1, debt));
  }

  @Override
  CompactionInputs pick(Levels levels, long oldestSequence) {
    int worst = -1;
    double worstScore = 1;
    for (int level = 0; level < Manifest.LEVELS - 1; level++) {
      double score = score(levels, level);
      if (score >= worstScore) {
        worst = level;
        worstScore = score;
      }
    }
    if (worst == 0) {
      List<Table> alike = alike(levels.level(0));
      return worth(levels) < WORTH_MIN && overlap(alike)
          ? mergeWithinLevel0(levels, alike)
          : moveOrPushDown(levels, 0, levels.level(0));
    }
    if (worst > 0) {
      return moveOrPushDown(levels, worst, cheapest(levels, worst));
    }
    CompactionInputs ranges = pickRanges(levels, oldestSequence, HIDDEN_DUE);
    return ranges != null ? ranges : pickDeletes(levels, oldestSequence);
  }

  @Override
  CompactionInputs pickAtRest(Levels levels, long oldestSequence) {
    List<Table> level0 = levels.level(0);
    boolean areMany = level0.size() >= LEVEL_0_AT_REST;
    boolean goesDown =
        (areMany && worth(levels) >= WORTH_AT_REST)
            || level0.stream()
                .anyMatch(table -> hiddenShare(levels, table, oldestSequence) >= HIDDEN_AT_REST);
    if (goesDown) {
      return moveOrPushDown(levels, 0, level0);
    }
    if (areMany && overlap(level0)) {
      return mergeWithinLevel0(levels, level0);
    }
    CompactionInputs ranges = pickRanges(levels, oldestSequence, HIDDEN_AT_REST);
    return ranges != null ? ranges : pickRangesThatHideNothing(levels, oldestSequence);
  }

  /**
   * The newest tables, none of which is much larger than all that are newer: as many as start a
   * merge, or more.
   */
  private List<Table> alike(List<Table> level0) {
    int count = 0;
    for (long factor = 1; count < Math.min(options.level0Tables(), level0.size()); factor *= 2) {
      count = 1;
      long newerBytes = level0.getFirst().meta().sizeBytes();
      while (count < level0.size() && level0.get(count).meta().sizeBytes() <= factor * newerBytes) {
        newerBytes += level0.get(count).meta().sizeBytes();
        count++;
      }
    }
    return level0.subList(0, count);
  }

  /** The newest tables of level 0 into one, in their place. */
  private static CompactionInputs mergeWithinLevel0(Levels levels, List<Table> newest) {
    List<Table> level0 = levels.level(0);
    List<List<Table>> older =
        new ArrayList<>(CompactionInputs.apart(level0.subList(newest.size(), level0.size())));
    older.addAll(below(levels, 0));
    return new CompactionInputs(CompactionKind.MERGE, 0, 0, CompactionInputs.apart(newest), older);
  }

  /** The table that costs the least bytes of the next level per byte, deletes counted double. */
  private static List<Table> cheapest(Levels levels, int level) {
    List<Table> next = levels.level(level + 1);
    Table best = null;
    double bestCost = Double.MAX_VALUE;
    int low = 0;
    for (Table table : levels.level(level)) {
      TableMeta meta = table.meta();
      while (low < next.size()
          && Keys.compare(next.get(low).meta().lastKey(), meta.firstKey()) < 0) {
        low++;
      }
      long overlap = 0;
      for (int i = low;
          i < next.size() && Keys.compare(next.get(i).meta().firstKey(), meta.lastKey()) <= 0;
          i++) {
        overlap += next.get(i).meta().sizeBytes();
      }
      double cost = (double) overlap / (meta.sizeBytes() * (1 + deleteShare(meta)));
      if (cost < bestCost) {
        best = table;
        bestCost = cost;
      }
    }
    return List.of(best);
  }

  private static double deleteShare(TableMeta meta) {
    return (double) meta.deletes() / Math.max(1, meta.entries());
  }
}
