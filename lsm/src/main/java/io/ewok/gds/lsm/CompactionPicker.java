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
  /** Writers are held back from so many times what level 0 should have ... */
  private static final double LEVEL_0_PRESSURE_MIN = 1.5;

  /** ... and most from so many times that. */
  private static final double LEVEL_0_PRESSURE_MAX = 3;

  /** A table counts as a whole one from this part of a flush on, and smaller ones in proportion; */
  private static final double WHOLE_TABLE = 0.75;

  /** but reads look into each: so many tables, however small, press as much as one whole one. */
  private static final int SMALL_TABLES = 2;

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
  abstract double score(Levels levels, int level);

  /**
   * How far behind compactions are: 0 for not at all, 1 for as much as writers may ever cause. Any
   * thread.
   *
   * @param flushBytes as for {@link #pressureOfLevel0}
   * @param runningOrNull likewise
   */
  double pressure(Levels levels, long flushBytes, Compaction runningOrNull) {
    return pressureOfLevel0(levels, flushBytes, runningOrNull);
  }

  /**
   * The same of level 0 alone. A flush makes a table for each family, so tables are the smaller the
   * more families are written, and level 0 has more of them when it is worth a merge.
   *
   * @param flushBytes what flushes have written, all tables of one together, in bytes; 0 if there
   *     was none
   * @param runningOrNull its tables count less and less, so that writers are not stopped until it
   *     is done and then let go; so there may be twice as many tables just before that
   */
  final double pressureOfLevel0(Levels levels, long flushBytes, Compaction runningOrNull) {
    double whole = 0;
    for (Table table : levels.level(0)) {
      double part = table.meta().sizeBytes() / Math.max(1, WHOLE_TABLE * flushBytes);
      double left = runningOrNull == null ? 1 : runningOrNull.leftOf(table);
      whole += left * Math.clamp(part, 1.0 / SMALL_TABLES, 1);
    }
    double count = whole / options.level0Tables();
    double pressure =
        (count - LEVEL_0_PRESSURE_MIN) / (LEVEL_0_PRESSURE_MAX - LEVEL_0_PRESSURE_MIN);
    return Math.clamp(pressure, 0, 1);
  }

  /**
   * Chooses the next compaction, or null if there is nothing to do.
   *
   * @param oldestSequence no reader asks for what was at an older sequence
   * @param nowMillis by the store's clock
   */
  final CompactionInputs pickDue(Levels levels, long oldestSequence, long nowMillis) {
    CompactionInputs picked = pickHidden(levels, oldestSequence);
    picked = picked != null ? picked : pick(levels, oldestSequence);
    picked = picked != null ? picked : pickValues(levels);
    return picked != null ? picked : pickOld(levels, nowMillis);
  }

  /**
   * The table that was written first, to be written again, if that was long ago; null if there is
   * none. Those of level 0 go down.
   */
  private CompactionInputs pickOld(Levels levels, long nowMillis) {
    if (oldMillis(levels) > nowMillis) {
      return null;
    }
    int levelOfOldest = -1;
    Table oldest = null;
    for (int level = 0; level < Manifest.LEVELS; level++) {
      for (Table table : levels.level(level)) {
        if (oldest == null || table.meta().writtenMillis() < oldest.meta().writtenMillis()) {
          oldest = table;
          levelOfOldest = level;
        }
      }
    }
    return levelOfOldest == 0
        ? pushDown(levels, 0, levels.level(0), 1)
        : rewrite(levels, levelOfOldest, oldest);
  }

  /**
   * When the first table is old by {@link TreeOptions#periodicCompaction}, in milliseconds since
   * the epoch; the greatest number if none will be.
   */
  long oldMillis(Levels levels) {
    long periodMillis = options.periodicCompaction().toMillis();
    long oldest = Long.MAX_VALUE;
    if (periodMillis > 0) {
      for (List<Table> level : levels.all()) {
        for (Table table : level) {
          oldest = Math.min(oldest, table.meta().writtenMillis());
        }
      }
    }
    return oldest > Long.MAX_VALUE - periodMillis ? Long.MAX_VALUE : oldest + periodMillis;
  }

  /**
   * The table that refers to most of what is left in full value files, to be written again with
   * that; null if it is not worth it: the space that is won is to be more than the tables that are
   * written for it. Those of level 0 go down, if there are no others.
   */
  CompactionInputs pickValues(Levels levels) {
    ValueGarbage garbage = levels.valueGarbage(options.valueGarbagePercent());
    if (garbage.garbageBytes() == 0) {
      return null;
    }
    int levelOfMost = -1;
    Table most = null;
    long bytesOfMost = 0;
    long tableBytes = 0;
    for (int level = Manifest.LEVELS - 1; level >= 0; level--) {
      for (Table table : levels.level(level)) {
        long bytes = garbage.bytesOf(table);
        tableBytes += bytes > 0 ? table.meta().sizeBytes() : 0;
        if (bytes > bytesOfMost && (level > 0 || levelOfMost <= 0)) {
          most = table;
          levelOfMost = level;
          bytesOfMost = bytes;
        }
      }
    }
    if (most == null || tableBytes > garbage.garbageBytes()) {
      return null;
    }
    CompactionInputs inputs =
        levelOfMost == 0
            ? pushDown(levels, 0, levels.level(0), 1)
            : rewrite(levels, levelOfMost, most);
    return inputs.bytes() <= garbage.garbageBytes() ? inputs : null;
  }

  /** The same among what is not hidden. */
  abstract CompactionInputs pick(Levels levels, long oldestSequence);

  /**
   * The tables of which range deletes hide all from all readers, to be dropped unread; null if
   * there are none. What their own range deletes hide, the same ones hide.
   */
  private static CompactionInputs pickHidden(Levels levels, long oldestSequence) {
    TableRanges ranges = levels.rangesOrNull();
    if (ranges == null) {
      return null;
    }
    RangeDeletes union = ranges.union();
    List<Table> hidden = new ArrayList<>();
    for (Table table : levels.tables()) {
      TableMeta meta = table.meta();
      if (union.coverAll(meta.firstKey(), meta.lastKey(), meta.lastSequence(), oldestSequence)) {
        hidden.add(table);
      }
    }
    return hidden.isEmpty() ? null : CompactionInputs.drop(levels, hidden);
  }

  /**
   * Chooses what is not due but makes reads faster, or null if there is nothing of use.
   *
   * @param oldestSequence as that of {@link #pickDue}
   */
  abstract CompactionInputs pickAtRest(Levels levels, long oldestSequence);

  /** The next part of a compaction that somebody asked for, or null if it is done. */
  CompactionInputs pick(Levels levels, ManualCompaction manual, long nextNumber) {
    if (manual.level < 0) {
      begin(levels, manual, nextNumber);
    }
    for (; manual.level < manual.deepest; manual.level++) {
      List<Table> level = inRange(levels.level(manual.level), manual);
      if (!level.isEmpty()) {
        boolean wanted = manual.level > 0 || level.stream().anyMatch(t -> isOld(t, manual));
        if (wanted) {
          List<Table> picked = manual.level == 0 ? levels.level(0) : level.subList(0, 1);
          CompactionInputs down = pushDown(levels, manual.level, picked, manual.deepest);
          return isWrittenFor(manual, down) ? down.asMove() : down;
        }
      }
    }
    for (Table table : inRange(levels.level(manual.deepest), manual)) {
      if (isOld(table, manual)) {
        return rewrite(levels, manual.deepest, table);
      }
    }
    return null;
  }

  static void begin(Levels levels, ManualCompaction manual, long nextNumber) {
    manual.level = 0;
    manual.firstNumber = nextNumber;
    manual.deepest = Math.max(1, levels.deepestLevel());
  }

  /** Whether nothing would become of tables but what a compaction has made of them already. */
  private boolean isWrittenFor(ManualCompaction manual, CompactionInputs down) {
    return manual.level > 0
        && down.runs().size() == 1
        && mayMove(down.tables(), down.outputLevel())
        && down.tables().stream()
            .noneMatch(
                table ->
                    isOld(table, manual) || table.hasRangeDeletes() || table.meta().deletes() > 0);
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
  final CompactionInputs pickDeletes(Levels levels, long oldestSequence) {
    for (int level = 1; level < Manifest.LEVELS; level++) {
      for (Table table : levels.level(level)) {
        TableMeta meta = table.meta();
        if (2 * meta.deletes() > meta.entries() && meta.lastSequence() <= oldestSequence) {
          return isNothingBelow(levels, level, table)
              ? rewrite(levels, level, table)
              : moveOrPushDown(levels, level, List.of(table));
        }
      }
    }
    return null;
  }

  /**
   * A table of a level from 1 on whose range deletes are seen by all readers and hide at least this
   * part of the bytes that go down with them; null if there is none.
   */
  final CompactionInputs pickRanges(Levels levels, long oldestSequence, double hiddenMin) {
    for (int level = 1; levels.rangesOrNull() != null && level < Manifest.LEVELS - 1; level++) {
      for (Table table : levels.level(level)) {
        if (hiddenShare(levels, table, oldestSequence) >= hiddenMin) {
          return moveOrPushDown(levels, level, List.of(table));
        }
      }
    }
    return null;
  }

  /**
   * A table of a level from 1 on with range deletes that are seen by all readers and below which
   * nothing is left that they could hide, to be written without them; null if there is none.
   */
  final CompactionInputs pickRangesThatHideNothing(Levels levels, long oldestSequence) {
    for (int level = 1; levels.rangesOrNull() != null && level < Manifest.LEVELS; level++) {
      for (Table table : levels.level(level)) {
        if (areRangesSeen(table, oldestSequence) && isNothingBelow(levels, level, table)) {
          return rewrite(levels, level, table);
        }
      }
    }
    return null;
  }

  /** As {@link HiddenShares} has it of a table; 0 if a reader does not see its range deletes. */
  static double hiddenShare(Levels levels, Table table, long oldestSequence) {
    return areRangesSeen(table, oldestSequence) ? levels.hiddenShares().of(table) : 0;
  }

  private static boolean areRangesSeen(Table table, long oldestSequence) {
    return table.hasRangeDeletes() && table.meta().lastSequence() <= oldestSequence;
  }

  private static boolean isNothingBelow(Levels levels, int level, Table table) {
    return CompactionInputs.firstOverlapped(below(levels, level), table.meta()).isEmpty();
  }

  private static CompactionInputs rewrite(Levels levels, int level, Table table) {
    TableMeta meta = table.meta();
    List<Table> tables =
        CompactionInputs.overlapping(levels.level(level), meta.firstKey(), meta.lastKey());
    return new CompactionInputs(
        CompactionKind.MERGE, level, level, List.of(tables), below(levels, level));
  }

  /** Tables of a level into the next one, as they are if they can go so. */
  final CompactionInputs moveOrPushDown(Levels levels, int level, List<Table> picked) {
    CompactionInputs down = pushDown(levels, level, picked, level + 1);
    List<Table> tables = down.tables();
    boolean isMove =
        down.runs().size() == (level == 0 ? picked.size() : 1)
            && mayMove(tables, level + 1)
            && overlapsLittle(levels, level, tables);
    return isMove ? down.asMove() : down;
  }

  /**
   * Tables of a level into the first of the next ones that has keys between theirs.
   *
   * @param lastLevel where they go if none has
   */
  private static CompactionInputs pushDown(
      Levels levels, int level, List<Table> picked, int lastLevel) {
    List<Table> upper =
        level == 0
            ? picked
            : CompactionInputs.overlapping(
                levels.level(level),
                CompactionInputs.firstKey(picked),
                CompactionInputs.lastKey(picked));
    MemorySegment firstKey = CompactionInputs.firstKey(upper);
    MemorySegment lastKey = CompactionInputs.lastKey(upper);
    List<Table> lower = List.of();
    int output = level;
    while (lower.isEmpty() && output < lastLevel) {
      output++;
      lower = CompactionInputs.overlapping(levels.level(output), firstKey, lastKey);
    }
    List<List<Table>> runs =
        new ArrayList<>(level == 0 ? CompactionInputs.apart(upper) : List.of(upper));
    if (!lower.isEmpty()) {
      runs.add(lower);
    }
    return new CompactionInputs(CompactionKind.MERGE, level, output, runs, below(levels, output));
  }

  static List<List<Table>> below(Levels levels, int level) {
    return levels.all().subList(level + 1, Manifest.LEVELS);
  }

  /** Whether tables are such as those of a level are to be. */
  final boolean mayMove(List<Table> tables, int level) {
    TableLayout layout = options.layouts().get(level);
    return areApart(tables) && tables.stream().allMatch(table -> table.properties().fits(layout));
  }

  private static boolean areApart(List<Table> tables) {
    return greatestOverlap(tables) < 0;
  }

  /**
   * Whether tables have more than a key in common. Those that a merge has made do not, however many
   * they are.
   */
  static boolean overlap(List<Table> tables) {
    return greatestOverlap(tables) > 0;
  }

  /** How the end of a table compares to the beginning of the next: where that is the greatest. */
  private static int greatestOverlap(List<Table> tables) {
    List<TableMeta> metas =
        tables.stream()
            .map(Table::meta)
            .sorted(
                Comparator.comparing(TableMeta::firstKey, Keys::compare)
                    .thenComparing(TableMeta::lastKey, Keys::compare))
            .toList();
    int greatest = -1;
    for (int i = 1; i < metas.size(); i++) {
      int compared = Keys.compare(metas.get(i - 1).lastKey(), metas.get(i).firstKey());
      greatest = Math.max(greatest, Integer.signum(compared));
    }
    return greatest;
  }

  /** Whether tables moved down would not make a later compaction large. */
  private boolean overlapsLittle(Levels levels, int level, List<Table> tables) {
    if (level + 2 >= Manifest.LEVELS) {
      return true;
    }
    for (Table table : tables) {
      TableMeta meta = table.meta();
      List<Table> overlapped =
          CompactionInputs.overlapping(levels.level(level + 2), meta.firstKey(), meta.lastKey());
      if (CompactionInputs.bytes(overlapped) > options.overlapBytesMax()) {
        return false;
      }
    }
    return true;
  }
}
