package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.Table;
import java.util.ArrayList;
import java.util.List;

/**
 * {@link CompactionStyle#TIERED}: levels from 1 on are not larger and larger ones but places for
 * runs, filled from the last one up. When level 0 is full, it is merged with all runs down to the
 * last that is no larger than everything in front of it, and the result takes the last free place
 * in front of the next run; if there is none, level 1 is merged too. So each run is larger than all
 * in front of it together, and there are as many as the store has doublings.
 *
 * <p>That is the logarithmic method of J. L. Bentley and J. B. Saxe, "Decomposable Searching
 * Problems I", Journal of Algorithms 1 (1980).
 */
final class TieredPicker extends CompactionPicker {
  TieredPicker(CompactionOptions options) {
    super(options);
  }

  @Override
  double score(Levels levels, int level) {
    return level == 0 ? (double) levels.level(0).size() / options.level0Tables() : 0;
  }

  @Override
  CompactionInputs pick(Levels levels, long oldestSequence) {
    if (score(levels, 0) < 1) {
      return pickDeletes(levels, oldestSequence);
    }
    int last = lastMerged(levels);
    int next = last + 1;
    while (next < Manifest.LEVELS && levels.level(next).isEmpty()) {
      next++;
    }
    CompactionInputs merge = merge(levels, last, next - 1);
    List<Table> tables = merge.tables();
    return last == 0 && mayMove(tables, merge.outputLevel())
        ? new CompactionInputs(
            CompactionKind.MOVE, 0, merge.outputLevel(), merge.runs(), merge.deeper())
        : merge;
  }

  /** The deepest level whose run is no larger than all in front of it; 1 if it is in the way. */
  private static int lastMerged(Levels levels) {
    int last = levels.level(1).isEmpty() ? 0 : 1;
    long before = CompactionInputs.bytes(levels.level(0));
    for (int level = 1; level < Manifest.LEVELS; level++) {
      long bytes = CompactionInputs.bytes(levels.level(level));
      if (bytes > 0 && bytes <= before) {
        last = level;
      }
      before += bytes;
    }
    return last;
  }

  private static CompactionInputs merge(Levels levels, int last, int output) {
    List<List<Table>> runs = new ArrayList<>(CompactionInputs.apart(levels.level(0)));
    levels.all().subList(1, last + 1).stream().filter(run -> !run.isEmpty()).forEach(runs::add);
    return new CompactionInputs(CompactionKind.MERGE, 0, output, runs, below(levels, output));
  }

  /** Everything at once: run by run it would be written again and again. */
  @Override
  CompactionInputs pick(Levels levels, ManualCompaction manual, long nextNumber) {
    boolean isAll = manual.firstKeyOrNull == null && manual.lastKeyOrNull == null;
    if (manual.level >= 0 || !isAll || isEmpty(levels)) {
      return super.pick(levels, manual, nextNumber);
    }
    begin(levels, manual, nextNumber);
    return merge(levels, manual.deepest, manual.deepest);
  }

  private static boolean isEmpty(Levels levels) {
    return levels.all().stream().allMatch(List::isEmpty);
  }

  /** Who chooses this style wants little to be written. */
  @Override
  CompactionInputs pickAtRest(Levels levels, long oldestSequence) {
    return null;
  }
}
