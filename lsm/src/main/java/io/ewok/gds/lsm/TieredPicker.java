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
  double score(Version version, int level) {
    return level == 0 ? (double) version.level(0).size() / options.level0Tables() : 0;
  }

  @Override
  CompactionInputs pick(Version version, long oldestSequence) {
    if (score(version, 0) < 1) {
      return pickDeletes(version, oldestSequence);
    }
    int last = lastMerged(version);
    int next = last + 1;
    while (next < Manifest.LEVELS && version.level(next).isEmpty()) {
      next++;
    }
    CompactionInputs merge = merge(version, last, next - 1);
    List<Table> tables = merge.tables();
    return last == 0 && mayMove(tables, merge.outputLevel())
        ? new CompactionInputs(
            CompactionInputs.Kind.MOVE, 0, merge.outputLevel(), merge.runs(), merge.deeper())
        : merge;
  }

  /** The deepest level whose run is no larger than all in front of it; 1 if it is in the way. */
  private static int lastMerged(Version version) {
    int last = version.level(1).isEmpty() ? 0 : 1;
    long before = CompactionInputs.bytes(version.level(0));
    for (int level = 1; level < Manifest.LEVELS; level++) {
      long bytes = CompactionInputs.bytes(version.level(level));
      if (bytes > 0 && bytes <= before) {
        last = level;
      }
      before += bytes;
    }
    return last;
  }

  private static CompactionInputs merge(Version version, int last, int output) {
    List<List<Table>> runs = new ArrayList<>(CompactionInputs.apart(version.level(0)));
    version.levels().subList(1, last + 1).stream().filter(run -> !run.isEmpty()).forEach(runs::add);
    return new CompactionInputs(
        CompactionInputs.Kind.MERGE, 0, output, runs, below(version, output));
  }

  /** Everything at once: run by run it would be written again and again. */
  @Override
  CompactionInputs pick(Version version, ManualCompaction manual, long nextNumber) {
    boolean isAll = manual.firstKeyOrNull == null && manual.lastKeyOrNull == null;
    if (manual.level >= 0 || !isAll || isEmpty(version)) {
      return super.pick(version, manual, nextNumber);
    }
    begin(version, manual, nextNumber);
    return merge(version, manual.deepest, manual.deepest);
  }

  private static boolean isEmpty(Version version) {
    return version.levels().stream().allMatch(List::isEmpty);
  }

  /** Who chooses this style wants little to be written. */
  @Override
  CompactionInputs pickAtRest(Version version) {
    return null;
  }
}
