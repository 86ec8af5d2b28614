package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableMeta;
import java.util.List;

/**
 * {@link CompactionStyle#LEVELED}: each level has a score, which is 1 when it is as large as it
 * should be; of the level with the highest score above that a table goes down whose keys overlap
 * with little of the next level, or that is full of deletes. If no level is too large, tables that
 * are mostly deletes go down until they are gone.
 */
final class LeveledPicker extends CompactionPicker {
  /**
   * A merge of level 0 rewrites level 1: it waits until it is worth that, when level 0 has this
   * part of the bytes of level 1 ...
   */
  private static final double LEVEL_0_SHARE = 0.5;

  /** ... or so many times the tables that it should have. */
  private static final int LEVEL_0_PATIENCE = 2;

  /** A store at rest is left so many tables of level 0 less one: reads look into each. */
  private static final int LEVEL_0_AT_REST = 2;

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
      long below = CompactionInputs.bytes(levels.level(1));
      double worth = below == 0 ? count : CompactionInputs.bytes(tables) / (LEVEL_0_SHARE * below);
      return Math.min(count, Math.max(count / LEVEL_0_PATIENCE, worth));
    }
    return level == Manifest.LEVELS - 1
        ? 0
        : (double) CompactionInputs.bytes(tables) / options.targetBytes(level);
  }

  @Override
  double pressure(Levels levels) {
    long debtBytes = 0;
    for (int level = 1; level < Manifest.LEVELS - 1; level++) {
      long bytes = CompactionInputs.bytes(levels.level(level));
      debtBytes += Math.max(0, bytes - options.targetBytes(level));
    }
    double debt = (double) debtBytes / (DEBT_MAX * options.level1Bytes());
    return Math.max(super.pressure(levels), Math.min(1, debt));
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
      return moveOrPushDown(levels, 0, levels.level(0));
    }
    return worst > 0
        ? moveOrPushDown(levels, worst, cheapest(levels, worst))
        : pickDeletes(levels, oldestSequence);
  }

  @Override
  CompactionInputs pickAtRest(Levels levels) {
    return levels.level(0).size() < LEVEL_0_AT_REST
        ? null
        : moveOrPushDown(levels, 0, levels.level(0));
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
