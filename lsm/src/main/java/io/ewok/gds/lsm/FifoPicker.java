package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableMeta;
import java.util.Comparator;
import java.util.List;

/**
 * {@link CompactionStyle#FIFO}: while there is too much, the oldest table goes. Those that another
 * style has left on deeper levels are older than all before them; of the deepest level that goes
 * first whose newest record is the oldest. Nothing that was hidden by what goes comes back, since
 * nothing lies deeper.
 */
final class FifoPicker extends CompactionPicker {
  FifoPicker(CompactionOptions options) {
    super(options);
  }

  /** That of level 0 is for all that there is. */
  @Override
  double score(Levels levels, int level) {
    return level == 0 ? (double) bytes(levels) / options.fifoBytes() : 0;
  }

  private static long bytes(Levels levels) {
    return levels.all().stream().mapToLong(CompactionInputs::bytes).sum()
        + levels.tables().stream().mapToLong(t -> t.meta().references().allBytes()).sum();
  }

  /** Tables go faster than they come. */
  @Override
  double pressure(Levels levels, long flushBytes, Compaction runningOrNull) {
    return 0;
  }

  @Override
  CompactionInputs pick(Levels levels, long oldestSequence) {
    if (bytes(levels) <= options.fifoBytes()) {
      return null;
    }
    int level = levels.deepestLevel();
    List<Table> tables = levels.level(level);
    List<Table> oldest = level == 0 ? List.of(tables.getLast()) : oldest(tables);
    return CompactionInputs.drop(levels, oldest).losingWrites();
  }

  /** Of a run, with those that have other versions of its first or last key. */
  private static List<Table> oldest(List<Table> run) {
    TableMeta oldest =
        run.stream()
            .map(Table::meta)
            .min(Comparator.comparingLong(TableMeta::lastSequence))
            .orElseThrow();
    return CompactionInputs.overlapping(run, oldest.firstKey(), oldest.lastKey());
  }

  /** They go with their tables. */
  @Override
  CompactionInputs pickValues(Levels levels) {
    return null;
  }

  @Override
  long oldMillis(Levels levels) {
    return Long.MAX_VALUE;
  }

  @Override
  CompactionInputs pickAtRest(Levels levels, long oldestSequence) {
    return null;
  }

  /** Nothing is merged, whoever asks. */
  @Override
  CompactionInputs pick(Levels levels, ManualCompaction manual, long nextNumber) {
    return null;
  }
}
