package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableLayout;
import io.ewok.gds.lsm.table.TableMeta;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Chooses what to compact next, in one of the {@link CompactionStyle}s. What all have in common is
 * here: level 0 goes down as a whole, since older tables must not stay above newer ones; levels
 * from 1 on are runs; and what somebody asks for goes down level by level.
 *
 * <p>Threads: confined to the background thread, but for {@link #score}.
 */
abstract class CompactionPicker {
  /** Writers are held back from so many times the tables on that level 0 should have ... */
  private static final double LEVEL_0_PRESSURE_MIN = 1.5;

  /** ... and most from so many times these. */
  private static final double LEVEL_0_PRESSURE_MAX = 3;

  final CompactionOptions options;

  CompactionPicker(CompactionOptions options) {
    this.options = options;
  }

  static CompactionPicker of(CompactionOptions options) {
    return switch (options.style()) {
      case LEVELED -> new LeveledPicker(options);
      case TIERED -> new TieredPicker(options);
      case FIFO -> new FifoPicker(options);
    };
  }

  /** How large a level is, 1 if it is as large as it should be. Any thread. */
  abstract double score(Version version, int level);

  /**
   * How far behind compactions are: 0 for not at all, 1 for as much as writers may ever cause. Any
   * thread.
   */
  double pressure(Version version) {
    double count = (double) version.level(0).size() / options.level0Tables();
    double tables = (count - LEVEL_0_PRESSURE_MIN) / (LEVEL_0_PRESSURE_MAX - LEVEL_0_PRESSURE_MIN);
    return Math.clamp(tables, 0, 1);
  }

  /**
   * Chooses the next compaction, or null if there is nothing to do.
   *
   * @param oldestSequence no reader asks for what was at an older sequence
   */
  abstract CompactionInputs pick(Version version, long oldestSequence);

  /**
   * The tables of which range deletes hide all from all readers, to be dropped unread; null if
   * there are none. What their own range deletes hide, the same ones hide.
   */
  static CompactionInputs pickHidden(Version version, long oldestSequence) {
    TableRanges ranges = version.tableRangesOrNull();
    if (ranges == null) {
      return null;
    }
    RangeDeletes union = ranges.union();
    List<Table> hidden = new ArrayList<>();
    for (List<Table> tables : version.levels()) {
      for (Table table : tables) {
        TableMeta meta = table.meta();
        if (union.coverAll(meta.firstKey(), meta.lastKey(), meta.lastSequence(), oldestSequence)) {
          hidden.add(table);
        }
      }
    }
    return hidden.isEmpty()
        ? null
        : new CompactionInputs(
            CompactionInputs.Kind.DROP, 0, 0, List.of(hidden), below(version, 0));
  }

  /** Chooses what is not due but makes reads faster, or null if there is nothing of use. */
  abstract CompactionInputs pickAtRest(Version version);

  /** The next part of a compaction that somebody asked for, or null if it is done. */
  CompactionInputs pick(Version version, ManualCompaction manual, long nextNumber) {
    if (manual.level < 0) {
      begin(version, manual, nextNumber);
    }
    for (; manual.level < manual.deepest; manual.level++) {
      List<Table> level = inRange(version.level(manual.level), manual);
      if (!level.isEmpty()) {
        boolean wanted = manual.level > 0 || level.stream().anyMatch(t -> isOld(t, manual));
        if (wanted) {
          List<Table> picked = manual.level == 0 ? version.level(0) : level.subList(0, 1);
          return pushDown(version, manual.level, picked, manual.deepest);
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

  static void begin(Version version, ManualCompaction manual, long nextNumber) {
    manual.level = 0;
    manual.firstNumber = nextNumber;
    manual.deepest = Math.max(1, version.deepestLevel());
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

  /** A table that is mostly deletes, to the next level or, on the last one, written anew. */
  final CompactionInputs pickDeletes(Version version, long oldestSequence) {
    for (int level = 1; level < Manifest.LEVELS; level++) {
      for (Table table : version.level(level)) {
        TableMeta meta = table.meta();
        if (2 * meta.deletes() > meta.entries() && meta.lastSequence() <= oldestSequence) {
          boolean isBottom =
              below(version, level).stream()
                  .allMatch(
                      run ->
                          CompactionInputs.overlapping(run, meta.firstKey(), meta.lastKey())
                              .isEmpty());
          return isBottom
              ? rewrite(version, level, table)
              : moveOrPushDown(version, level, List.of(table));
        }
      }
    }
    return null;
  }

  private static CompactionInputs rewrite(Version version, int level, Table table) {
    TableMeta meta = table.meta();
    List<Table> tables =
        CompactionInputs.overlapping(version.level(level), meta.firstKey(), meta.lastKey());
    return new CompactionInputs(
        CompactionInputs.Kind.MERGE, level, level, List.of(tables), below(version, level));
  }

  /** Tables of a level into the next one, as they are if they can go so. */
  final CompactionInputs moveOrPushDown(Version version, int level, List<Table> picked) {
    CompactionInputs down = pushDown(version, level, picked, level + 1);
    List<Table> tables = down.tables();
    boolean isMove =
        down.runs().size() == (level == 0 ? picked.size() : 1)
            && mayMove(tables, level + 1)
            && overlapsLittle(version, level, tables);
    return isMove
        ? new CompactionInputs(
            CompactionInputs.Kind.MOVE, level, level + 1, down.runs(), down.deeper())
        : down;
  }

  /**
   * Tables of a level into the first of the next ones that has keys between theirs.
   *
   * @param lastLevel where they go if none has
   */
  private static CompactionInputs pushDown(
      Version version, int level, List<Table> picked, int lastLevel) {
    List<Table> upper =
        level == 0
            ? picked
            : CompactionInputs.overlapping(
                version.level(level),
                CompactionInputs.firstKey(picked),
                CompactionInputs.lastKey(picked));
    MemorySegment firstKey = CompactionInputs.firstKey(upper);
    MemorySegment lastKey = CompactionInputs.lastKey(upper);
    List<Table> lower = List.of();
    int output = level;
    while (lower.isEmpty() && output < lastLevel) {
      output++;
      lower = CompactionInputs.overlapping(version.level(output), firstKey, lastKey);
    }
    List<List<Table>> runs =
        new ArrayList<>(level == 0 ? CompactionInputs.apart(upper) : List.of(upper));
    if (!lower.isEmpty()) {
      runs.add(lower);
    }
    return new CompactionInputs(
        CompactionInputs.Kind.MERGE, level, output, runs, below(version, output));
  }

  static List<List<Table>> below(Version version, int level) {
    return version.levels().subList(level + 1, Manifest.LEVELS);
  }

  /** Whether tables are such as those of a level are to be. */
  final boolean mayMove(List<Table> tables, int level) {
    TableLayout layout = options.layouts().get(level);
    return areApart(tables) && tables.stream().allMatch(table -> table.properties().fits(layout));
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
