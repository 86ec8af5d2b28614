package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.table.TableFormat;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Files that rot, end early, come from the future or are gone: told by name, never read wrongly.
 */
@ParameterizedClass
@CsvSource({"0, 0", "150, 0", "150, 1"})
class StoreCorruptionTest {
  private static final StoreFiles FILES = new StoreFiles(Fixtures.DIRECTORY);

  private final SimEngine base;
  private Map<byte[], byte[]> contents;
  private Path table;

  private final StoreOptions options;

  /** Nothing is encrypted if there are no keys. */
  StoreCorruptionTest(int separatedValueBytes, int keys) {
    base = new SimEngine(1, SimOptions.defaults().withKeys(new TestKeys(keys, keys)));
    options = Fixtures.separated(separatedValueBytes);
  }

  @BeforeEach
  void makeSmallStore() throws Exception {
    SplittableRandom random = new SplittableRandom(5);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, base)) {
      for (int i = 0; i < 60; i++) {
        store.put(
            Fixtures.bytes("key" + i),
            Fixtures.randomBytes(random, random.nextInt(200)),
            Durability.NONE);
      }
      store.delete(Fixtures.bytes("key3"), Durability.NONE);
      store.deleteRange(Fixtures.bytes("key4"), Fixtures.bytes("key44"), Durability.NONE);
      store.flush();
      store.put(Fixtures.bytes("in the log"), Fixtures.bytes("value"), Durability.SYNCED);
      contents = Fixtures.contents(store);
    }
    table = Fixtures.tables(base).getFirst();
  }

  /** Reads everything. Returns whether damage was reported; else all must be right. */
  private boolean reportsDamage(SimEngine engine, Path damaged) throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      Map<byte[], byte[]> found = Fixtures.contents(store);
      assertEquals(contents.size(), found.size());
      for (Map.Entry<byte[], byte[]> entry : contents.entrySet()) {
        assertArrayEquals(entry.getValue(), found.get(entry.getKey()));
        assertArrayEquals(entry.getValue(), store.get(entry.getKey()));
      }
      return false;
    } catch (CorruptFileException e) {
      assertTrue(e.getMessage().contains(damaged.getFileName().toString()), e.getMessage());
      assertTrue(e.getMessage().contains("offset="), e.getMessage());
      return true;
    }
  }

  private int flipEach(Path path, long endOffset, int step) throws Exception {
    int reported = 0;
    for (long offset = 0; offset < endOffset; offset += step) {
      SimEngine engine = base.crash(1);
      engine.flipBit(path, offset);
      try {
        reported += reportsDamage(engine, path) ? 1 : 0;
      } catch (Exception | AssertionError e) {
        throw new AssertionError("path=" + path + " offset=" + offset, e);
      }
    }
    return reported;
  }

  @Test
  void eachFlippedByteOfTheManifestIsDetectedOrHarmless() throws Exception {
    int reported = flipEach(FILES.manifest(), Fixtures.sizeBytes(base, FILES.manifest()), 1);
    assertTrue(reported > 60, "reported: " + reported);
  }

  @Test
  void eachFlippedByteOfATableIsDetectedOrHarmless() throws Exception {
    // Harmless is padding, and the block of bounds, which is for tools.
    int step = 13;
    int separated = options.tree().separatedValueBytes();
    long dataBytes =
        contents.values().stream()
            .mapToLong(value -> value.length)
            .filter(bytes -> separated == 0 || bytes < separated)
            .sum();
    int reported = flipEach(table, Fixtures.sizeBytes(base, table), step);
    assertTrue(reported >= dataBytes / step, "reported: " + reported);
    assertEquals(false, reportsDamage(base.crash(1), table));
  }

  @Test
  void damagedBlockIsToldAndOtherRecordsStayReadable() throws Exception {
    SimEngine engine = base.crash(1);
    engine.flipBit(table, 20);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      int damaged = 0;
      for (Map.Entry<byte[], byte[]> entry : contents.entrySet()) {
        try {
          assertArrayEquals(entry.getValue(), store.get(entry.getKey()));
        } catch (CorruptFileException e) {
          assertEquals(0, e.offset());
          damaged++;
        }
      }
      assertTrue(damaged > 0 && damaged < contents.size(), "damaged: " + damaged);
      assertThrows(IOException.class, store::compact);
      store.put(Fixtures.bytes("new"), Fixtures.bytes("value"), Durability.SYNCED);
      try (StoreCursor cursor = store.cursor()) {
        assertThrows(CorruptFileException.class, cursor::first);
        assertEquals(false, cursor.isValid());
        assertThrows(IllegalStateException.class, cursor::next);
        cursor.last();
        assertEquals("new", Fixtures.text(Fixtures.array(cursor.key())));
      }
    }
  }

  @Test
  void truncatedTableIsCorrupt() throws Exception {
    for (long cut :
        new long[] {Fixtures.sizeBytes(base, table), TableFormat.FILE_ALIGNMENT_BYTES, 512}) {
      SimEngine engine = base.crash(1);
      try (IoFile file = engine.open(table, OpenMode.READ_WRITE)) {
        file.truncate(file.sizeBytes() - cut);
      }
      assertTrue(reportsDamage(engine, table));
    }
  }

  @Test
  void missingFilesAreCorruptionNotAnEmptyStore() throws Exception {
    SimEngine withoutManifest = base.crash(1);
    withoutManifest.delete(FILES.manifest());
    assertThrows(
        CorruptFileException.class, () -> Store.open(Fixtures.DIRECTORY, options, withoutManifest));
    SimEngine withoutTable = base.crash(1);
    withoutTable.delete(table);
    assertThrows(IOException.class, () -> Store.open(Fixtures.DIRECTORY, options, withoutTable));
    SimEngine withoutLog = base.crash(1);
    for (Path path : withoutLog.list(FILES.log())) {
      withoutLog.delete(path);
    }
    assertThrows(
        CorruptFileException.class, () -> Store.open(Fixtures.DIRECTORY, options, withoutLog));
    withoutLog.delete(FILES.log());
    assertThrows(
        CorruptFileException.class, () -> Store.open(Fixtures.DIRECTORY, options, withoutLog));
  }
}
