package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** How tables of level 0 press writers: by what they are of a flush, until there are too many. */
class LevelPressureTest {
  private static final StoreOptions OPTIONS = Fixtures.TINY.withTablesBeforeMerge(64);
  private static final int TABLES_BEFORE_MERGE = 4;
  private static final int TABLES_MAX = 24;

  private final CompactionPicker picker =
      CompactionPicker.of(
          CompactionOptions.of(OPTIONS, OPTIONS.tree().withTablesBeforeMerge(TABLES_BEFORE_MERGE)));

  @Test
  void tablesPressByWhatTheyAreOfAFlush() throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, new SimEngine(1))) {
      store.background().setRest(TimeUnit.HOURS.toNanos(1));
      double[] whole = new double[TABLES_MAX + 1];
      double[] half = new double[TABLES_MAX + 1];
      double[] tiny = new double[TABLES_MAX + 1];
      double[] first = new double[TABLES_MAX + 1];
      for (int tables = 1; tables <= TABLES_MAX; tables++) {
        store.put(Fixtures.bytes("key"), new byte[10_000], Durability.NONE);
        store.flush();
        Levels levels = store.writer().versions().currentOrNull().levels(Manifest.MAIN);
        assertEquals(tables, levels.level(0).size());
        long bytes = levels.level(0).getFirst().meta().sizeBytes();
        first[tables] = picker.pressureOfLevel0(levels, 0, null);
        whole[tables] = picker.pressureOfLevel0(levels, bytes, null);
        half[tables] = picker.pressureOfLevel0(levels, 2 * bytes, null);
        tiny[tables] = picker.pressureOfLevel0(levels, 1_000 * bytes, null);
        assertEquals(whole[tables], picker.pressure(levels, bytes, null));
      }
      assertEquals(0, whole[6]);
      assertTrue(whole[7] > 0);
      assertEquals(1, whole[12]);
      assertEquals(0, half[9]);
      assertTrue(half[10] > 0);
      assertEquals(1, half[18], 1e-9);
      assertEquals(0, tiny[12]);
      assertTrue(tiny[13] > 0 && tiny[23] < 1);
      assertEquals(1, tiny[24]);
      for (int tables = 1; tables <= TABLES_MAX; tables++) {
        assertEquals(whole[tables], first[tables], "before the first flush tables are whole ones");
      }
    }
  }
}
