package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** A writer that never pauses must not starve the merge: each table more makes each read slower. */
class MergeBackpressureTest {
  private static final int TABLES_BEFORE_MERGE = 2;
  private static final int FLUSHES = 60;

  @Test
  void flushedTablesStayFewUnderASteadyWriter() throws Exception {
    StoreOptions options = Fixtures.TINY.withTablesBeforeMerge(TABLES_BEFORE_MERGE);
    SplittableRandom random = new SplittableRandom(5);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, new SimEngine(1))) {
      int most = 0;
      while (store.stats().flushes() < FLUSHES) {
        store.put(
            Fixtures.randomBytes(random, 16), Fixtures.randomBytes(random, 8000), Durability.NONE);
        most = Math.max(most, store.stats().levels().getFirst().tables());
      }
      // Those that a merge is nearly done with do not count any more, but are still there.
      int bound = 2 * 3 * TABLES_BEFORE_MERGE;
      assertTrue(most <= bound, "most=" + most + " bound=" + bound);
      assertTrue(store.stats().merges() > 0);
    }
  }
}
