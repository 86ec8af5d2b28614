package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableLayout;
import io.ewok.gds.lsm.table.TableMeta;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Chooses what to compact next. Each level has a score, which is 1 when it is as large as it should
 * be; of the level with the highest score above that a table goes down whose keys overlap with
 * little of the next level, or that is full of deletes. If no level is too large, tables that are
 * mostly deletes go down until they are gone.
 *
 * <p>Threads: confined to the background thread, but for {@link #score}.
 */
final class CompactionPicker {
  /**
   * A merge of level 0 rewrites level 1: it waits until it is worth that, when level 0 has this
   * part of the bytes of level 1 ...
   */
  private static final double LEVEL_0_SHARE = 0.5;

  /** ... or so many times the tables that it should have. */
  private static final int LEVEL_0_PATIENCE = 2;

  /** Writers are held back from so many times these tables on ... */
  private static final double LEVEL_0_PRESSURE_MIN = 1.5;

  /** ... and most from so many times these. */
  private static final double LEVEL_0_PRESSURE_MAX = 3;

  /** A store at rest is left so many tables of level 0 less one: reads look into each. */
  private static final int LEVEL_0_AT_REST = 2;

  /** The same when what is too much on the other levels is so many times the first of them. */
  private static final int DEBT_MAX = 8;

  private final CompactionOptions options;

  CompactionPicker(CompactionOptions options) {
    this.options = options;
  }

  /** How large a level is, 1 if it is as large as it should be. Any thread. */
  double score(Version version, int level) {
    List<Table> tables = version.level(level);
    if (level == 0) {
      double count = (double) tables.size() / options.level0Tables();
      long below = CompactionInputs.bytes(version.level(1));
      double worth = below == 0 ? count : CompactionInputs.bytes(tables) / (LEVEL_0_SHARE * below);
      return Math.min(count, Math.max(count / LEVEL_0_PATIENCE, worth));
    }
    return level == Manifest.LEVELS - 1
        ? 0
        : (double) CompactionInputs.bytes(tables) / options.targetBytes(level);
  }

  /**
   * How far behind compactions are: 0 for not at all, 1 for as much as writers may ever cause. Any
   * thread.
   */
  double pressure(Version version) {
    double count = (double) version.level(0).size() / options.level0Tables();
    double tables = (count - LEVEL_0_PRESSURE_MIN) / (LEVEL_0_PRESSURE_MAX - LEVEL_0_PRESSURE_MIN);
    long debtBytes = 0;
    for (int level = 1; level < Manifest.LEVELS - 1; level++) {
      long bytes = CompactionInputs.bytes(version.level(level));
      debtBytes += Math.max(0, bytes - options.targetBytes(level));
    }
    double debt = (double) debtBytes / (DEBT_MAX * options.level1Bytes());
    return Math.clamp(Math.max(tables, debt), 0, 1);
  }

  /**
   * Chooses the next compaction, or null if there is nothing to do.
   *
   * @param oldestSequence no reader asks for what was at an older sequence
   */
  CompactionInputs pick(Version version, long oldestSequence) {
    int worst = -1;
    double worstScore = 1;
    for (int level = 0; level < Manifest.LEVELS - 1; level++) {
      double score = score(version, level);
      if (score >= worstScore) {
        worst = level;
        worstScore = score;
      }
    }
    if (worst == 0) {
      return pushDown(version, 0, version.level(0), true);
    }
    return worst > 0
        ? pushDown(version, worst, cheapest(version, worst), true)
        : pickDeletes(version, oldestSequence);
  }

  /** Merges level 0 though that is not due, for those who read; null if it is of little use. */
  CompactionInputs pickAtRest(Version version) {
    return version.level(0).size() < LEVEL_0_AT_REST
        ? null
        : pushDown(version, 0, version.level(0), true);
  }

  /** The next part of a compaction that somebody asked for, or null if it is done. */
  CompactionInputs pick(Version version, ManualCompaction manual, long nextNumber) {
    if (manual.level < 0) {
      manual.level = 0;
      manual.firstNumber = nextNumber;
      manual.deepest = Math.max(1, version.deepestLevel());
    }
    for (; manual.level < manual.deepest; manual.level++) {
      List<Table> level = inRange(version.level(manual.level), manual);
      if (!level.isEmpty()) {
        boolean wanted = manual.level > 0 || level.stream().anyMatch(t -> isOld(t, manual));
        if (wanted) {
          // Level 0 goes as a whole: older tables must not stay above newer ones.
          return pushDown(
              version,
              manual.level,
              manual.level == 0 ? version.level(0) : level.subList(0, 1),
              false);
        }
      }
    }
    for (Table table : inRange(version.level(manual.deepest), manual)) {
      if (isOld(table, manual)) {
        return rewrite(version, manual.deepest, table);
      }
    }
    return null;
  }

  private static boolean isOld(Table table, ManualCompaction manual) {
    return table.meta().number() < manual.firstNumber;
  }

  private static List<Table> inRange(List<Table> tables, ManualCompaction manual) {
    List<Table> found = new ArrayList<>();
    for (Table table : tables) {
      TableMeta meta = table.meta();
      boolean before =
          manual.firstKeyOrNull != null && Keys.compare(meta.lastKey(), manual.firstKeyOrNull) < 0;
      boolean behind =
          manual.lastKeyOrNull != null && Keys.compare(meta.firstKey(), manual.lastKeyOrNull) > 0;
      if (!before && !behind) {
        found.add(table);
      }
    }
    return found;
  }

  /** The table that costs the least bytes of the next level per byte, deletes counted double. */
  private static List<Table> cheapest(Version version, int level) {
    List<Table> next = version.level(level + 1);
    Table best = null;
    double bestCost = Double.MAX_VALUE;
    int low = 0;
    for (Table table : version.level(level)) {
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

  private CompactionInputs pickDeletes(Version version, long oldestSequence) {
    for (int level = 1; level < Manifest.LEVELS; level++) {
      for (Table table : version.level(level)) {
        TableMeta meta = table.meta();
        if (2 * meta.deletes() > meta.entries() && meta.lastSequence() <= oldestSequence) {
          boolean isBottom =
              version.levels().subList(level + 1, Manifest.LEVELS).stream()
                  .allMatch(
                      run ->
                          CompactionInputs.overlapping(run, meta.firstKey(), meta.lastKey())
                              .isEmpty());
          return isBottom
              ? rewrite(version, level, table)
              : pushDown(version, level, List.of(table), true);
        }
      }
    }
    return null;
  }

  private CompactionInputs rewrite(Version version, int level, Table table) {
    TableMeta meta = table.meta();
    List<Table> tables =
        CompactionInputs.overlapping(version.level(level), meta.firstKey(), meta.lastKey());
    return new CompactionInputs(level, level, tables, List.of(), below(version, level), false);
  }

  private CompactionInputs pushDown(
      Version version, int level, List<Table> picked, boolean mayMove) {
    MemorySegment firstKey = CompactionInputs.firstKey(picked);
    MemorySegment lastKey = CompactionInputs.lastKey(picked);
    List<Table> upper =
        level == 0 ? picked : CompactionInputs.overlapping(version.level(level), firstKey, lastKey);
    firstKey = CompactionInputs.firstKey(upper);
    lastKey = CompactionInputs.lastKey(upper);
    List<Table> lower = CompactionInputs.overlapping(version.level(level + 1), firstKey, lastKey);
    boolean isMove =
        mayMove
            && lower.isEmpty()
            && areApart(upper)
            && haveLayout(upper, level + 1)
            && overlapsLittle(version, level, upper);
    return new CompactionInputs(level, level + 1, upper, lower, below(version, level + 1), isMove);
  }

  private static List<List<Table>> below(Version version, int level) {
    return version.levels().subList(level + 1, Manifest.LEVELS);
  }

  /** Whether tables are compressed and have filters as those of a level are to. */
  private boolean haveLayout(List<Table> tables, int level) {
    TableLayout layout = options.layouts().get(level);
    return tables.stream().allMatch(table -> table.properties().fits(layout));
  }

  private static boolean areApart(List<Table> tables) {
    List<TableMeta> metas =
        tables.stream()
            .map(Table::meta)
            .sorted(Comparator.comparing(TableMeta::firstKey, Keys::compare))
            .toList();
    for (int i = 1; i < metas.size(); i++) {
      if (Keys.compare(metas.get(i - 1).lastKey(), metas.get(i).firstKey()) >= 0) {
        return false;
      }
    }
    return true;
  }

  /** Whether tables moved down would not make a later compaction large. */
  private boolean overlapsLittle(Version version, int level, List<Table> tables) {
    if (level + 2 >= Manifest.LEVELS) {
      return true;
    }
    for (Table table : tables) {
      TableMeta meta = table.meta();
      List<Table> overlapped =
          CompactionInputs.overlapping(version.level(level + 2), meta.firstKey(), meta.lastKey());
      if (CompactionInputs.bytes(overlapped) > options.overlapBytesMax()) {
        return false;
      }
    }
    return true;
  }
}
