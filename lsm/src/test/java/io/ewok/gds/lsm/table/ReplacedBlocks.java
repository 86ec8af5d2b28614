package io.ewok.gds.lsm.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.buffers.CachedBlockFile;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.lsm.Compression;
import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.lsm.TableStepLoader;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * Looks for a key while all blocks leave the pool and others come in their place, at each step of
 * the search in turn. The others are zeros, in which a search goes wrong: no filter has the key,
 * and all keys are before it. Loaded by {@link TableStepLoader}.
 */
public final class ReplacedBlocks implements Callable<Integer> {
  private static final int BLOCK_BYTES = 4096;
  private static final int POOL_BLOCKS = 32;

  /** So many that none that was there before is left, whatever its priority. */
  private static final int OTHERS = 3 * POOL_BLOCKS;

  /** As blocks of the index have; so others of all lengths up to this many times a block's. */
  private static final int LENGTH_MAX = 4;

  private static final int RECORDS = 5_000;
  private static final int SOUGHT = RECORDS * 2 / 3;
  private static final Path OTHER_PATH = Path.of("/zeros");

  private final SearchKey key = new SearchKey();
  private final TableLookup at = new TableLookup();
  private final Fix other = new Fix();

  /** Steps until the blocks are replaced; below zero if they were. */
  private int left;

  /** Called by the loader's owner. */
  public ReplacedBlocks() {}

  /** Returns how many searches there were. */
  @Override
  public Integer call() throws Exception {
    try (TableFixture tables = new TableFixture(POOL_BLOCKS * BLOCK_BYTES, 10_000)) {
      writeZeros(tables);
      TableMeta meta =
          tables.write(records(), new TableLayout(BLOCK_BYTES, Compression.NONE, 10, 0));
      try (CachedBlockFile zeros = tables.buffers.openBlocks(OTHER_PATH, (_, _, _) -> {})) {
        return find(tables, meta, zeros, true) + find(tables, meta, zeros, false);
      }
    } finally {
      TableStepLoader.setAtSteps(() -> {});
    }
  }

  /** Searches of a table whose index is known from before, or has to be read. */
  private int find(TableFixture tables, TableMeta meta, CachedBlockFile zeros, boolean known)
      throws Exception {
    for (int steps = 0; ; steps++) {
      Table table = tables.open(meta);
      assertTrue(table.properties().partitions() > 3, "partitions");
      if (known) {
        find(table, "before");
      }
      left = steps;
      TableStepLoader.setAtSteps(() -> step(zeros));
      find(table, "steps=%d known=%b".formatted(steps, known));
      TableStepLoader.setAtSteps(() -> {});
      find(table, "after");
      table.close();
      if (left >= 0) {
        return steps;
      }
    }
  }

  private void find(Table table, String when) throws Exception {
    key.set(MemorySegment.ofArray(name(SOUGHT)));
    boolean found = table.find(key, RecordKind.searchStamp(RecordKind.SEQUENCE_MAX), at);
    assertTrue(found, () -> when + " outcome=" + at.outcome());
    assertEquals(RecordKind.stamp(SOUGHT + 1, RecordKind.PUT), at.stamp(), when);
    at.unfix();
  }

  private void step(CachedBlockFile zeros) {
    if (left-- == 0) {
      try {
        for (int i = 0; i < OTHERS; i++) {
          int length = (1 + i % LENGTH_MAX) * BLOCK_BYTES;
          zeros.fix((long) i * LENGTH_MAX * BLOCK_BYTES, length, other);
          other.unfix();
        }
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }
  }

  private static byte[] name(int number) {
    return Fixtures.bytes("%07d".formatted(number));
  }

  private static List<TableFixture.Entry> records() {
    List<TableFixture.Entry> records = new ArrayList<>();
    for (int i = 0; i < RECORDS; i++) {
      records.add(
          new TableFixture.Entry(name(i), RecordKind.stamp(i + 1, RecordKind.PUT), new byte[1000]));
    }
    return records;
  }

  private static void writeZeros(TableFixture tables) throws Exception {
    try (Region region = tables.map(BLOCK_BYTES);
        IoFile file = tables.engine.open(OTHER_PATH, OpenMode.CREATE_NEW)) {
      for (int i = 0; i < OTHERS * LENGTH_MAX; i++) {
        file.write((long) i * BLOCK_BYTES, region, 0, BLOCK_BYTES);
      }
    }
  }
}
