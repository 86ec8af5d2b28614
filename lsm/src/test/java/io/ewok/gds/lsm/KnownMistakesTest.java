package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Map;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What stores of this kind have got wrong before, or were asked to get right. */
class KnownMistakesTest {
  private static final StoreOptions OPTIONS = Fixtures.TINY.withTablesBeforeMerge(2);

  private SimEngine engine = new SimEngine(1);
  private Store store;

  @BeforeEach
  void open() throws IOException {
    store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine);
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  private void reopen() throws IOException {
    store.close();
    open();
  }

  private void crash() throws IOException {
    SimEngine after = engine.crash(7);
    store.close();
    engine = after;
    open();
  }

  private void put(String key, String value) throws IOException {
    store.put(Fixtures.bytes(key), Fixtures.bytes(value), Durability.NONE);
  }

  private String get(String key) throws IOException {
    return Fixtures.text(store.get(Fixtures.bytes(key)));
  }

  private static MemorySegment segment(String text) {
    return MemorySegment.ofArray(Fixtures.bytes(text));
  }

  private static String numbered(String prefix, int number) {
    return "%s%07d".formatted(prefix, number);
  }

  private Path firstTable() throws IOException {
    return engine.list(Fixtures.DIRECTORY).stream()
        .filter(path -> StoreFiles.tableNumber(path).isPresent())
        .findFirst()
        .orElseThrow();
  }

  // ---- compaction of ranges (LevelDB issue 178)

  /** A range that ends between tables, whose boundary has versions of one key on both sides. */
  @Test
  void deletedRangeStaysDeletedAndItsNeighbourWholeWhenOnlyItIsCompacted() throws Exception {
    int keys = 12_000;
    for (String prefix : new String[] {"a", "b"}) {
      for (int i = 0; i < keys; i++) {
        put(numbered(prefix, i), "value of " + i);
      }
    }
    for (int i = 0; i < keys; i++) {
      store.delete(Fixtures.bytes(numbered("b", i)), Durability.NONE);
    }
    store.compact(segment(numbered("b", 0)), segment(numbered("b", keys - 1)));
    assertEquals(keys, Fixtures.contents(store).size());
    store.compact(segment("a"), segment(numbered("a", keys / 2)));
    assertEquals(keys, Fixtures.contents(store).size());
    reopen();
    assertEquals(keys, Fixtures.contents(store).size());
    assertEquals("value of 0", get(numbered("a", 0)));
    assertNull(get(numbered("b", 0)));
  }

  @Test
  void olderVersionOfAKeyDoesNotComeBackThroughCompactionsOfPartsOfTheKeys() throws Exception {
    SplittableRandom random = new SplittableRandom(5);
    for (int round = 1; round <= 12; round++) {
      for (int i = 0; i < 300; i++) {
        store.put(Fixtures.bytes("same"), Fixtures.randomBytes(random, 1_000), Durability.NONE);
        put(numbered("k", random.nextInt(50)), "value");
      }
      put("same", "round " + round);
      store.flush();
      String from = numbered("k", random.nextInt(50));
      store.compact(segment(round % 2 == 0 ? "same" : from), segment("same"));
      assertEquals("round " + round, get("same"));
    }
  }

  // ---- cursors that turn round (LevelDB issue 200)

  @Test
  void cursorThatTurnsRoundIsNotMovedByWhatWasWrittenMeanwhile() throws Exception {
    for (String key : new String[] {"1", "2", "3", "4", "5"}) {
      put(key, "old");
    }
    try (StoreCursor cursor = store.cursor()) {
      put("25", "new");
      put("35", "new");
      put("4", "new");
      store.delete(Fixtures.bytes("3"), Durability.NONE);
      for (boolean flushed : new boolean[] {false, true}) {
        cursor.seek(Fixtures.bytes("5"));
        assertAt("5", cursor);
        cursor.previous();
        assertAt("4", cursor);
        cursor.previous();
        assertAt("3", cursor);
        cursor.next();
        assertAt("4", cursor);
        cursor.next();
        assertAt("5", cursor);
        cursor.next();
        assertFalse(cursor.isValid());
        cursor.last();
        cursor.previous();
        cursor.next();
        assertAt("5", cursor);
        if (!flushed) {
          store.compact();
        }
      }
    }
  }

  private static void assertAt(String key, StoreCursor cursor) {
    assertEquals(key, Fixtures.text(Fixtures.array(cursor.key())));
    assertEquals("old", Fixtures.text(Fixtures.array(cursor.value())));
  }

  // ---- snapshots among compactions (LevelDB issue 320)

  private record Remembered(Snapshot snapshot, Map<byte[], byte[]> contents) {}

  @Test
  void snapshotsOfAnyAgeKeepTheirValuesThroughCompactions() throws Exception {
    long seed = Fixtures.seed(320);
    SplittableRandom random = new SplittableRandom(seed);
    Map<byte[], byte[]> model = new TreeMap<>(Fixtures.ORDER);
    Queue<Remembered> snapshots = new ArrayDeque<>();
    for (int round = 0; round < 600; round++) {
      WriteBatch batch = new WriteBatch();
      for (int i = random.nextInt(8); i >= 0; i--) {
        byte[] key = Fixtures.bytes("key" + random.nextInt(40));
        if (random.nextInt(5) == 0) {
          batch.delete(key);
          model.remove(key);
        } else {
          byte[] value = Fixtures.randomBytes(random, random.nextInt(1_500));
          batch.put(key, value);
          model.put(key, value);
        }
      }
      store.write(batch, Durability.NONE);
      if (random.nextInt(8) == 0) {
        Map<byte[], byte[]> copy = new TreeMap<>(Fixtures.ORDER);
        copy.putAll(model);
        snapshots.add(new Remembered(store.snapshot(), copy));
      }
      if (round % 50 == 49) {
        store.compact();
      }
      while (snapshots.size() > 20 || (!snapshots.isEmpty() && random.nextInt(12) == 0)) {
        Remembered oldest = snapshots.remove();
        for (int i = 0; i < 40; i++) {
          byte[] key = Fixtures.bytes("key" + i);
          assertArrayEquals(
              oldest.contents.get(key),
              oldest.snapshot.get(key),
              () -> Fixtures.replay(getClass(), seed));
        }
        oldest.snapshot.close();
      }
    }
    snapshots.forEach(remembered -> remembered.snapshot.close());
  }

  // ---- recovery

  @Test
  void sequenceNumbersGoOnAfterEachRecoverySoThatTheNewestValueWins() throws Exception {
    long before = 0;
    for (int life = 0; life < 8; life++) {
      for (int i = 0; i < 5; i++) {
        put("key", "value " + life + "/" + i);
      }
      if (life % 3 == 0) {
        store.flush();
      } else {
        store.write(new WriteBatch(), Durability.SYNCED);
      }
      if (life % 2 == 0) {
        crash();
      } else {
        reopen();
      }
      assertEquals("value " + life + "/4", get("key"));
      assertTrue(store.stats().sequence() >= before + 5, "sequence numbers run backward");
      before = store.stats().sequence();
    }
  }

  @Test
  void manyOpeningsLeaveNoFilesBehind() throws Exception {
    int files = 0;
    for (int life = 0; life < 12; life++) {
      put("key", "value " + life);
      store.compact();
      reopen();
      int now = engine.list(Fixtures.DIRECTORY).size();
      assertTrue(life < 2 || now <= files, "files: " + now);
      files = Math.max(files, life < 2 ? now : files);
    }
  }

  @Test
  void missingManifestIsCorruptionAlsoIfThereAreTables() throws Exception {
    put("key", "value");
    store.flush();
    SimEngine after = engine.crash(1);
    after.delete(new StoreFiles(Fixtures.DIRECTORY).manifest());
    assertThrows(CorruptFileException.class, () -> Store.open(Fixtures.DIRECTORY, OPTIONS, after));
    assertTrue(after.exists(firstTable()), "what is not known is not deleted");
  }

  // ---- corruption

  @Test
  void compactionOfADamagedTableFailsAndLosesNothingElse() throws Exception {
    SplittableRandom random = new SplittableRandom(9);
    for (int i = 0; i < 60; i++) {
      store.put(
          Fixtures.bytes(numbered("k", i)), Fixtures.randomBytes(random, 2_000), Durability.NONE);
    }
    store.flush();
    Path table = firstTable();
    reopen();
    engine.flipBit(table, 40_000);
    StorageException failed = assertThrows(StorageException.class, store::compact);
    assertTrue(failed.getMessage().contains(table.toString()), failed.getMessage());
    assertTrue(engine.exists(table), "its other records are still needed");
    for (int i = 0; i < 200; i++) {
      store.put(
          Fixtures.bytes(numbered("m", i)), Fixtures.randomBytes(random, 2_000), Durability.NONE);
    }
    int there = 0;
    for (int i = 0; i < 60; i++) {
      try {
        there += store.get(Fixtures.bytes(numbered("k", i))) != null ? 1 : 0;
      } catch (CorruptFileException damaged) {
        assertEquals(table, damaged.path());
      }
    }
    assertTrue(there > 50 && there < 60, "there: " + there);
    assertEquals(2_000, store.get(Fixtures.bytes(numbered("m", 199))).length);
    engine.flipBit(table, 40_000);
    reopen();
    store.compact();
    assertEquals(260, Fixtures.contents(store).size());
  }

  @Test
  void valuesOfADamagedTableDoNotComeFromOlderOnesInstead() throws Exception {
    byte[] old = new byte[2_000];
    byte[] newer = new byte[2_000];
    Arrays.fill(newer, (byte) 1);
    store.put(Fixtures.bytes("key"), old, Durability.NONE);
    store.flush();
    store.put(Fixtures.bytes("key"), newer, Durability.NONE);
    store.flush();
    for (long offset = 0; offset < 2_000; offset += 50) {
      store.close(); // so that no compaction comes in between
      Path newest = newestTable();
      engine.flipBit(newest, offset);
      open();
      try {
        assertArrayEquals(newer, store.get(Fixtures.bytes("key")));
      } catch (CorruptFileException damaged) {
        assertEquals(newest, damaged.path());
      }
      store.close();
      if (newestTable().equals(newest)) {
        engine.flipBit(newest, offset);
      }
      open();
    }
  }

  private Path newestTable() throws IOException {
    return engine.list(Fixtures.DIRECTORY).stream()
        .filter(path -> StoreFiles.tableNumber(path).isPresent())
        .max((a, b) -> Long.compare(number(a), number(b)))
        .orElseThrow();
  }

  private static long number(Path table) {
    return StoreFiles.tableNumber(table).orElseThrow();
  }
}
