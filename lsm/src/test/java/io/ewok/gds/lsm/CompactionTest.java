package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compactions change where records are, never what is read; and what nobody can read goes. */
class CompactionTest {
  private static final StoreOptions OPTIONS = Fixtures.TINY.withTablesBeforeMerge(2);

  private final SimEngine engine = new SimEngine(1);

  private Store open() throws Exception {
    return Store.open(Fixtures.DIRECTORY, OPTIONS, engine);
  }

  private static byte[] key(int number) {
    return Fixtures.bytes("key%06d".formatted(number));
  }

  private static long entries(Store store) {
    return store.stats().levels().stream().mapToLong(StoreStats.Level::entries).sum();
  }

  private static List<Integer> tables(Store store) {
    return store.stats().levels().stream().map(StoreStats.Level::tables).toList();
  }

  /** A cursor, and what it must show. */
  private record Reader(StoreCursor cursor, Map<byte[], byte[]> expected) {
    void check(String replay) throws Exception {
      List<byte[]> keys = new ArrayList<>(expected.keySet());
      int at = 0;
      for (cursor.first(); cursor.isValid(); cursor.next()) {
        assertArrayEquals(keys.get(at), Fixtures.array(cursor.key()), replay);
        assertArrayEquals(expected.get(keys.get(at++)), Fixtures.array(cursor.value()), replay);
      }
      assertEquals(keys.size(), at, replay);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void readersSeeTheStoreAsItWasHoweverManyLevelsItHas(long seedOfCase) throws Exception {
    long seed = Fixtures.seed(seedOfCase);
    String replay = Fixtures.replay(getClass(), seed);
    SplittableRandom random = new SplittableRandom(seed);
    TreeMap<byte[], byte[]> model = new TreeMap<>(Fixtures.ORDER);
    Deque<Reader> readers = new ArrayDeque<>();
    int deepest = 0;
    Store store = open();
    for (int i = 0; i < 9_000; i++) {
      byte[] key = key(random.nextInt(random.nextInt(4) == 0 ? 50 : 4_000));
      if (random.nextInt(5) == 0) {
        store.delete(key, Durability.NONE);
        model.remove(key);
      } else {
        byte[] value = Fixtures.randomBytes(random, random.nextInt(1_500));
        store.put(key, value, Durability.NONE);
        model.put(key, value);
      }
      if (random.nextInt(700) == 0) {
        readers.add(new Reader(store.cursor(), new TreeMap<>(model)));
      }
      if (readers.size() > 3) {
        Reader oldest = readers.removeFirst();
        oldest.check(replay);
        oldest.cursor().close();
      }
      switch (random.nextInt(3_000)) {
        case 0 -> store.compact();
        case 1 ->
            store.compact(
                MemorySegment.ofArray(key(random.nextInt(2_000))),
                MemorySegment.ofArray(key(2_000 + random.nextInt(2_000))));
        case 2 -> {
          for (Reader reader : readers) {
            reader.check(replay);
            reader.cursor().close();
          }
          readers.clear();
          store.close();
          store = open();
        }
        default -> {}
      }
      if (i % 1_000 == 999) {
        checkNow(store, model, replay);
        List<Integer> tables = tables(store);
        for (int level = 0; level < tables.size(); level++) {
          deepest = tables.get(level) > 0 ? Math.max(deepest, level) : deepest;
        }
        for (Map.Entry<byte[], byte[]> entry : model.entrySet()) {
          assertArrayEquals(entry.getValue(), store.get(entry.getKey()), replay);
        }
      }
    }
    for (Reader reader : readers) {
      reader.check(replay);
      reader.cursor().close();
    }
    assertTrue(deepest >= 2, "deepest level: " + deepest);
    store.compact();
    assertEquals(model.size(), entries(store), "nothing but what is read is left; " + replay);
    checkNow(store, model, replay);
    store.close();
  }

  private static void checkNow(Store store, Map<byte[], byte[]> model, String replay)
      throws Exception {
    try (StoreCursor cursor = store.cursor()) {
      new Reader(cursor, model).check(replay);
    }
  }

  @Test
  void versionsAndDeletesStayForAsLongAsACursorNeedsThem() throws Exception {
    try (Store store = open()) {
      store.put(key(1), Fixtures.bytes("first"), Durability.NONE);
      store.put(key(2), Fixtures.bytes("other"), Durability.NONE);
      StoreCursor first = store.cursor();
      store.put(key(1), Fixtures.bytes("nobody sees this"), Durability.NONE);
      store.put(key(1), Fixtures.bytes("second"), Durability.NONE);
      StoreCursor second = store.cursor();
      store.delete(key(1), Durability.NONE);
      store.compact();
      assertEquals(4, entries(store));
      assertNull(store.get(key(1)));
      first.first();
      assertEquals("first", Fixtures.text(Fixtures.array(first.value())));
      second.first();
      assertEquals("second", Fixtures.text(Fixtures.array(second.value())));
      first.close();
      store.compact();
      assertEquals(3, entries(store), "the second version, the delete and the other key");
      second.first();
      assertEquals("second", Fixtures.text(Fixtures.array(second.value())));
      second.close();
      store.compact();
      assertEquals(1, entries(store));
      assertNull(store.get(key(1)));
      assertEquals("other", Fixtures.text(store.get(key(2))));
    }
  }

  @Test
  void recordsThatComeInOrderAreWrittenOnce() throws Exception {
    try (Store store = open()) {
      for (int i = 0; i < 6_000; i++) {
        store.put(key(i), new byte[1_000], Durability.NONE);
      }
      store.flush();
      StoreStats stats = store.stats();
      assertEquals(0, stats.written().mergeBytes());
      assertTrue(stats.levels().getFirst().tables() < 20, "tables went down as they were");
      assertEquals(6_000, Fixtures.contents(store).size());
    }
  }

  @Test
  void keysThatAreAllDeletedLeaveNothing() throws Exception {
    try (Store store = open()) {
      for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 2_000; i++) {
          store.put(key(i), new byte[500], Durability.NONE);
        }
      }
      store.compact();
      for (int i = 0; i < 2_000; i++) {
        store.delete(key(i), Durability.NONE);
      }
      store.compact();
      assertEquals(0, entries(store));
      assertEquals(0, Fixtures.contents(store).size());
    }
  }

  private static void put(Store store, int first, int end, int step) throws Exception {
    SplittableRandom random = new SplittableRandom(first);
    for (int i = first; i < end; i += step) {
      store.put(key(i), Fixtures.randomBytes(random, 1_000), Durability.NONE);
    }
  }

  /** What a compaction that somebody asked for has merged into one level goes on as it is. */
  @Test
  void compactionOfAllWritesEachRecordOnce() throws Exception {
    StoreOptions options = OPTIONS.withTree(OPTIONS.tree().withLevel1Bytes(256 << 10));
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      store.background().setRest(1_000_000);
      put(store, 0, 1_500, 1);
      store.compact();
      assertTrue(store.awaitRest(Duration.ofMinutes(1)));
      assertTrue(tables(store).get(2) > 0, tables(store)::toString);
      store.change(Map.of("store.level-1", "1G"));
      put(store, 2_000, 4_000, 1);
      store.flush();
      assertTrue(store.awaitRest(Duration.ofMinutes(1)));
      store.background().setRest(TimeUnit.HOURS.toNanos(1));
      put(store, 2_000, 4_000, 10);
      store.flush();
      assertTrue(tables(store).get(0) > 0 && tables(store).get(1) > 2, tables(store)::toString);
      long before = store.stats().written().mergeBytes();
      store.compact();
      long written = store.stats().written().mergeBytes() - before;
      assertTrue(written > 3_300_000 && written < 4_500_000, "written: " + written);
      assertEquals(List.of(0, 0), tables(store).subList(0, 2));
      assertEquals(3_500, entries(store));
      assertEquals(3_500, Fixtures.contents(store).size());
      store.compact();
      assertEquals(3_500, entries(store));
    }
  }

  @Test
  void partOfTheKeysIsCompactedAndTheRestIsLeft() throws Exception {
    try (Store store = open()) {
      for (int i = 0; i < 3_000; i++) {
        store.put(key(i), new byte[1_000], Durability.NONE);
      }
      store.compact();
      long before = store.stats().written().mergeBytes();
      store.compact(MemorySegment.ofArray(key(10)), MemorySegment.ofArray(key(20)));
      long written = store.stats().written().mergeBytes() - before;
      assertTrue(written > 0 && written < 3 * OPTIONS.tree().tableBytes(), "written: " + written);
    }
  }

  /** Reads look into each table of level 0, and nobody else wants the device. */
  @Test
  void level0IsMergedWhileNothingIsWritten() throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine)) {
      for (int flush = 0; flush < 2; flush++) {
        store.put(key(flush), Fixtures.bytes("value"), Durability.NONE);
        store.put(key(9), Fixtures.bytes("value"), Durability.NONE);
        store.flush();
      }
      store.background().setRest(1_000_000);
      Fixtures.await(store, () -> tables(store).getFirst() == 0);
      assertEquals(1, tables(store).get(1));
      assertEquals(3, entries(store));
    }
  }

  @Test
  void aStoreInWhichLittleIsWrittenIsAtRest() throws Exception {
    StoreOptions large = Fixtures.TINY.withMemtableBytes(4 << 20);
    try (Store store = Store.open(Fixtures.DIRECTORY, large, engine)) {
      for (int flush = 0; flush < 2; flush++) {
        store.put(key(flush), Fixtures.bytes("value"), Durability.NONE);
        store.put(key(9), Fixtures.bytes("value"), Durability.NONE);
        store.flush();
      }
      store.background().setRest(20_000_000);
      for (int i = 0; tables(store).getFirst() != 0; i++) {
        store.put(key(10 + i % 100), Fixtures.bytes("a little"), Durability.NONE);
        Thread.sleep(1);
      }
      assertEquals(1, tables(store).get(1));
    }
  }

  /** A merge rewrites level 1: little tables gather, and are merged among themselves till then. */
  @Test
  void level0IsMergedIntoLevel1WhenItIsWorthIt() throws Exception {
    StoreOptions options = Fixtures.TINY.withTree(Fixtures.TINY.tree().withLevel1Bytes(16 << 20));
    SplittableRandom random = new SplittableRandom(1);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      store.background().setRest(TimeUnit.HOURS.toNanos(1));
      Map<byte[], byte[]> written = new TreeMap<>(Fixtures.ORDER);
      for (int i = 0; i < 2_000; i++) {
        put(store, written, key(i), random);
      }
      store.flush();
      store.compact(MemorySegment.ofArray(key(0)), MemorySegment.ofArray(key(5_000)));
      StoreStats.Level level1 = store.stats().levels().get(1);
      int most = 0;
      int flushes = 0;
      for (; store.stats().levels().get(1).compactions() == level1.compactions(); flushes++) {
        for (int i = 0; i < 10; i++) {
          put(store, written, key(random.nextInt(2_000)), random);
        }
        put(store, written, key(0), random); // so that all of level 1 is rewritten
        put(store, written, key(1_999), random);
        store.flush();
        Fixtures.await(store, () -> store.stats().levels().getFirst().score() < 1);
        most = Math.max(most, tables(store).getFirst());
        byte[] key = key(random.nextInt(2_000));
        assertArrayEquals(written.get(key), store.get(key), "flushes: " + flushes);
      }
      long merged = store.stats().levels().getFirst().writtenBytes();
      assertTrue(flushes > 20, "level 1 is rewritten for little: flushes=" + flushes);
      assertTrue(most < 3 * 3, "a read looks into each: tables=" + most);
      assertTrue(merged < 3 * level1.bytes(), "merged on level 0: bytes=" + merged);
      assertEquals(Fixtures.text(written), Fixtures.text(Fixtures.contents(store)));
    }
  }

  private static void put(
      Store store, Map<byte[], byte[]> written, byte[] key, SplittableRandom random)
      throws Exception {
    written.put(key, Fixtures.randomBytes(random, 1_000));
    store.put(key, written.get(key), Durability.NONE);
  }

  /** Two small tables are one then, and level 1 stays as it is. */
  @Test
  void littleOnLevel0IsMergedThereWhileNothingIsWritten() throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine)) {
      for (int i = 0; i < 300; i++) {
        store.put(key(i), new byte[1_000], Durability.NONE);
      }
      store.flush();
      store.compact(MemorySegment.ofArray(key(0)), MemorySegment.ofArray(key(5_000)));
      StoreStats.Level level1 = store.stats().levels().get(1);
      for (int flush = 0; flush < 2; flush++) {
        store.put(key(0), Fixtures.bytes("value " + flush), Durability.NONE);
        store.put(key(299), Fixtures.bytes("value " + flush), Durability.NONE);
        store.flush();
      }
      store.background().setRest(1_000_000);
      assertTrue(store.awaitRest(Duration.ofMinutes(1)));
      assertEquals(1, tables(store).getFirst());
      assertEquals(level1, store.stats().levels().get(1));
      assertEquals("value 1", Fixtures.text(store.get(key(299))));
    }
  }

  /** What readers use stays in memory, whatever is merged. */
  @Test
  void mergesLeaveThePoolAlone() throws Exception {
    SplittableRandom random = new SplittableRandom(1);
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      for (int i = 0; i < 1_500; i++) {
        store.put(key(i), Fixtures.randomBytes(random, 1_000), Durability.NONE);
      }
      store.flush();
      store.compact();
      StoreStats before = store.stats();
      store.compact();
      StoreStats after = store.stats();
      long misses = after.read().blockMisses() - before.read().blockMisses();
      long blocks = 1_500 / 4;
      assertTrue(misses < blocks / 4, "misses: " + misses);
      long reads = after.read().deviceReads() - before.read().deviceReads();
      assertTrue(reads < blocks, "reads: " + reads);
    }
  }
}
