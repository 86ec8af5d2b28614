package io.ewok.gds.cli;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreStats;
import java.io.IOException;

/**
 * Loads a demonstration's data in random order, buffered, until all is in tables and they are
 * merged.
 */
final class LoadPhase {
  private LoadPhase() {}

  /**
   * What came out.
   *
   * @param stats the store's counters before it was closed
   */
  record Result(long nanos, StoreStats stats) {}

  static Result run(DemoPlan plan, DemoWorkspace workspace, Streams streams) throws IOException {
    DataSet data = plan.data();
    long start = System.nanoTime();
    StoreStats stats;
    try (Store store = Store.open(workspace.store(), plan.options());
        RecordWriter writer = new RecordWriter(store, store, plan.options(), Durability.NONE, 1);
        Progress progress = Progress.start(streams, "loading", data.count(), Units::count)) {
      for (int index : data.shuffled(plan.seed())) {
        workspace.checkNotCancelled();
        writer.add(new Entry(data.key(index), data.value(index)));
        progress.add(1);
      }
      writer.finish();
      store.flush();
      // Else the merging would go on below the reads, and what it writes would not be counted.
      store.compact();
      stats = store.stats();
    }
    if (stats.levels().stream().mapToInt(StoreStats.Level::tables).sum() == 0) {
      throw CommandFailure.failed("the store was loaded and flushed, and has no tables");
    }
    return new Result(System.nanoTime() - start, stats);
  }
}
