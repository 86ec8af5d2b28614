package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.MissingFileException;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/**
 * Who only reads sees a store that somebody else writes as it is, changes nothing, and never goes
 * back, whatever is merged, reused and opened anew meanwhile.
 */
class ReadOnlyStoreTest {
  private static final String NAMED = "named";

  private static final Set<String> CHANGES =
      Set.of("createDirectories", "rename", "link", "delete", "syncDirectory", "lock");

  private final SimEngine engine = new SimEngine(1);

  private Store open() throws IOException {
    return Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine);
  }

  private ReadOnlyStore follow() throws IOException {
    return follow(engine);
  }

  private static ReadOnlyStore follow(IoEngine engine) throws IOException {
    return Store.openReadOnly(Fixtures.DIRECTORY, Fixtures.TINY, engine);
  }

  /** Writes to two families, enough for tables on several levels. */
  private static void fill(Store store, long seed, int records) throws IOException {
    Family named =
        store.family(NAMED).isPresent()
            ? store.family(NAMED).orElseThrow()
            : store.createFamily(NAMED);
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < records; i++) {
      byte[] key = Fixtures.bytes("key%05d".formatted(random.nextInt(500)));
      (i % 3 == 0 ? named : store).put(key, Fixtures.randomBytes(random, 400), Durability.NONE);
    }
    store.put(Fixtures.bytes("last"), Fixtures.bytes("seed" + seed), Durability.BUFFERED);
  }

  private static Map<String, Map<String, String>> contents(Store store) throws Exception {
    Map<String, Map<String, String>> contents = new TreeMap<>();
    for (Family family : store.families()) {
      contents.put(family.name(), Fixtures.text(Fixtures.contents(family)));
    }
    return contents;
  }

  private static Map<String, Map<String, String>> contents(ReadOnlyStore store) throws Exception {
    Map<String, Map<String, String>> contents = new TreeMap<>();
    for (ReadOnlyFamily family : store.families()) {
      contents.put(family.name(), Fixtures.text(Fixtures.contents(family)));
    }
    return contents;
  }

  /** An engine that changes no file, and does something before one is opened whose name ends so. */
  private IoEngine reading(String suffix, Executable before) {
    AtomicBoolean isDone = new AtomicBoolean();
    return (IoEngine)
        Proxy.newProxyInstance(
            IoEngine.class.getClassLoader(),
            new Class<?>[] {IoEngine.class},
            (_, method, arguments) -> {
              boolean opens = method.getName().equals("open");
              if (CHANGES.contains(method.getName())
                  || (opens && arguments[1] != OpenMode.READ_ONLY)) {
                throw new AssertionError("it only reads: " + method.getName() + " " + arguments[0]);
              }
              if (opens && arguments[0].toString().endsWith(suffix) && !isDone.getAndSet(true)) {
                before.execute();
              }
              try {
                return method.invoke(engine, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  // ---- what is seen

  @Test
  void showsWhatIsWrittenWhileTheStoreIsOpenAndMoreAfterARefresh() throws Exception {
    try (Store store = open()) {
      fill(store, 1, 2000);
      try (ReadOnlyStore reader = follow(reading("", () -> {}))) {
        Map<String, Map<String, String>> first = contents(store);
        assertEquals(first, contents(reader));
        assertEquals(store.stats().sequence(), reader.sequence());
        for (int seed = 2; seed < 12; seed++) {
          Map<String, Map<String, String>> before = contents(reader);
          fill(store, seed, 50 * seed * seed); // up to several laps of the log
          assertEquals(before, contents(reader), "it changes by a refresh alone");
          assertEquals(store.stats().sequence(), reader.refresh());
          assertEquals(contents(store), contents(reader));
          assertEquals("seed" + seed, Fixtures.text(reader.get(Fixtures.bytes("last"))));
        }
        assertTrue(store.stats().merges() > 3);
        assertTrue(store.stats().written().logBytes() > 10 * (1 << 20), "laps of the log");
      }
    }
  }

  @Test
  void closedStoreAndStoreThatCrashedAreShown() throws Exception {
    Map<String, Map<String, String>> expected;
    try (Store store = open()) {
      fill(store, 1, 700);
      store.put(Fixtures.bytes("synced"), Fixtures.bytes("yes"), Durability.SYNCED);
      expected = contents(store);
      for (int seed = 0; seed < 10; seed++) {
        try (ReadOnlyStore reader = follow(engine.crash(seed))) {
          assertEquals(expected, contents(reader), "before any recovery");
        }
      }
    }
    try (ReadOnlyStore reader = follow(reading("", () -> {}))) {
      assertEquals(expected, contents(reader));
      try (Store store = open()) { // it is no hindrance
        store.put(Fixtures.bytes("next"), Fixtures.bytes("life"), Durability.BUFFERED);
        assertTrue(reader.refresh() > 0);
        assertEquals(contents(store), contents(reader));
      }
    }
  }

  /** What is not there any more is of an older manifest than that which is there by now. */
  @Test
  void storeThatChangesWhileItIsOpenedIsReadAnew() throws Exception {
    for (String suffix : List.of(".table", "log.header", "segment-00001.log", "MANIFEST")) {
      try (Store store = open()) {
        fill(store, 3, 1500);
        store.flush();
        AtomicInteger seed = new AtomicInteger(4);
        Executable change =
            () -> {
              fill(store, seed.getAndIncrement(), 4000);
              store.compact();
              store.family(NAMED).orElseThrow().compact();
              store.createFamily("new" + suffix).put(new byte[1], new byte[1], Durability.SYNCED);
            };
        try (ReadOnlyStore reader = follow(reading(suffix, change))) {
          assertEquals(contents(store), contents(reader), suffix);
        }
        assertEquals(5, seed.get());
      }
    }
  }

  @Test
  void familiesComeAndGo() throws Exception {
    try (Store store = open();
        ReadOnlyStore reader = follow()) {
      Family first = store.createFamily("first");
      first.put(Fixtures.bytes("a"), Fixtures.bytes("1"), Durability.BUFFERED);
      assertTrue(reader.family("first").isEmpty());
      assertTrue(reader.refresh() > 0);
      ReadOnlyFamily seen = reader.family("first").orElseThrow();
      assertEquals("1", Fixtures.text(seen.get(Fixtures.bytes("a"))));
      store.dropFamily(first);
      Family second = store.createFamily("first");
      second.put(Fixtures.bytes("a"), Fixtures.bytes("2"), Durability.BUFFERED);
      assertTrue(reader.refresh() > 0);
      assertThrows(IllegalStateException.class, () -> seen.get(Fixtures.bytes("a")));
      assertEquals(
          "2", Fixtures.text(reader.family("first").orElseThrow().get(Fixtures.bytes("a"))));
      assertEquals(second.id(), reader.family("first").orElseThrow().id());
    }
  }

  /** They are in the log, in memory and in a table: none is merged twice. */
  @Test
  void operandsAreMergedOnce() throws Exception {
    StoreOptions options =
        Fixtures.TINY.withTree(Fixtures.TINY.tree().withMergeOperator(MergeOperators.add64()));
    byte[] key = Fixtures.bytes("sum");
    byte[] one = {1, 0, 0, 0, 0, 0, 0, 0};
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine);
        ReadOnlyStore reader = Store.openReadOnly(Fixtures.DIRECTORY, options, engine)) {
      for (int i = 0; i < 300; i++) {
        store.merge(key, one, Durability.BUFFERED);
        store.put(Fixtures.bytes("x" + i), new byte[5000], Durability.BUFFERED);
        if (i % 70 == 0) {
          store.flush();
        }
        assertTrue(reader.refresh() > 0);
        assertArrayEquals(store.get(key), reader.get(key));
      }
      StoreOptions other =
          Fixtures.TINY.withTree(Fixtures.TINY.tree().withMergeOperator(MergeOperators.max64()));
      assertThrows(
          StorageException.class, () -> Store.openReadOnly(Fixtures.DIRECTORY, other, engine));
    }
  }

  @Test
  void whatHasExpiredIsGone() throws Exception {
    AtomicLong clock = new AtomicLong(1_000_000);
    StoreOptions options =
        Fixtures.TINY.withTree(Fixtures.TINY.tree().withTtl(Duration.ofSeconds(10)));
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine, clock::get)) {
      store.put(Fixtures.bytes("a"), Fixtures.bytes("1"), Durability.SYNCED);
      clock.addAndGet(1_000);
      store.background().awaitExpiration();
      try (ReadOnlyStore reader =
          Store.openReadOnly(Fixtures.DIRECTORY, options, engine, clock::get)) {
        assertEquals("1", Fixtures.text(reader.get(Fixtures.bytes("a"))));
        clock.addAndGet(30_000);
        store.put(Fixtures.bytes("b"), Fixtures.bytes("2"), Durability.SYNCED);
        store.background().awaitExpiration();
        assertTrue(reader.refresh() > 0);
        assertNull(reader.get(Fixtures.bytes("a")));
        assertEquals("2", Fixtures.text(reader.get(Fixtures.bytes("b"))));
      }
    }
  }

  // ---- cursors and memory

  @Test
  void cursorShowsWhatItBeganWithAndTooManyOfThemAreTold() throws Exception {
    try (Store store = open();
        ReadOnlyStore reader = follow()) {
      List<StoreCursor> cursors = new ArrayList<>();
      List<Map<byte[], byte[]>> expected = new ArrayList<>();
      assertThrows(
          IllegalStateException.class,
          () -> {
            for (int i = 0; i < 10; i++) {
              fill(store, i, 800);
              store.flush();
              store.compact();
              long unused = reader.refresh();
              expected.add(Fixtures.contents(reader));
              cursors.add(reader.cursor());
            }
          });
      assertTrue(cursors.size() > 1);
      assertEquals(
          Fixtures.text(expected.getLast()), Fixtures.text(Fixtures.contents(reader)), "it stays");
      for (int i = 0; i < cursors.size(); i++) {
        Map<byte[], byte[]> found = new TreeMap<>(Fixtures.ORDER);
        for (cursors.get(i).first(); cursors.get(i).isValid(); cursors.get(i).next()) {
          found.put(Fixtures.array(cursors.get(i).key()), Fixtures.array(cursors.get(i).value()));
        }
        assertEquals(Fixtures.text(expected.get(i)), Fixtures.text(found));
        cursors.get(i).close();
      }
      assertTrue(reader.refresh() > 0);
      assertEquals(contents(store), contents(reader));
    }
  }

  @Test
  void memoryStaysWithinOneNumberAndALogThatDoesNotFitIsTold() throws Exception {
    StoreOptions large = Fixtures.TINY.withMemtableBytes(2 << 20).withLogSegmentBytes(2 << 20);
    try (Store store = Store.open(Fixtures.DIRECTORY, large, engine)) {
      fill(store, 1, 3000);
      StorageException e = assertThrows(StorageException.class, this::follow);
      assertTrue(e.getMessage().contains("memtableBytes="), e.getMessage());
      store.flush();
      try (ReadOnlyStore reader = follow()) {
        assertEquals(contents(store), contents(reader));
      }
    }
  }

  @Test
  void closeEndsCursorsAndRefusesMore() throws Exception {
    try (Store store = open()) {
      fill(store, 1, 100);
      ReadOnlyStore reader = follow();
      StoreCursor cursor = reader.cursor();
      cursor.first();
      reader.close();
      reader.close();
      assertThrows(IllegalStateException.class, cursor::next);
      assertThrows(IllegalStateException.class, () -> reader.get(new byte[1]));
      assertThrows(IllegalStateException.class, reader::refresh);
      cursor.close();
    }
  }

  @Test
  void whereThereIsNoStoreNoneIsMade() throws Exception {
    assertThrows(NotAStoreException.class, () -> follow(reading("", () -> {})));
    assertFalse(engine.exists(Fixtures.DIRECTORY));
    ManifestLog.create(directory(), new StoreFiles(Fixtures.DIRECTORY).manifest());
    assertThrows(NotAStoreException.class, () -> follow(reading("", () -> {})));
  }

  private IoEngine directory() throws IOException {
    engine.createDirectories(Fixtures.DIRECTORY);
    return engine;
  }

  // ---- damage

  @Test
  void damageIsToldNotPassedOver() throws Exception {
    Path segment = Fixtures.DIRECTORY.resolve("log").resolve("segment-00000.log");
    try (Store store = open()) {
      for (int i = 0; i < 20; i++) {
        store.put(Fixtures.bytes("k" + i), new byte[3000], Durability.SYNCED);
      }
      try (ReadOnlyStore reader = follow()) {
        assertEquals(20, Fixtures.contents(reader).size());
      }
      SimEngine damaged = engine.crash(1);
      damaged.flipBit(segment, 17_000);
      CorruptFileException e = assertThrows(CorruptFileException.class, () -> follow(damaged));
      assertEquals(segment, e.path());
      store.flush();
      SimEngine without = engine.crash(1);
      without.delete(Fixtures.tables(without).getFirst());
      assertThrows(MissingFileException.class, () -> follow(without));
    }
  }

  /** Of what comes after, a later block says that it was durable. */
  @Test
  void damageOfWhatIsReadLaterIsToldAndTheReaderStays() throws Exception {
    Path segment = Fixtures.DIRECTORY.resolve("log").resolve("segment-00000.log");
    try (Store store = open()) {
      store.put(Fixtures.bytes("k"), new byte[3000], Durability.SYNCED);
      try (ReadOnlyStore reader = follow()) {
        for (int i = 0; i < 20; i++) {
          store.put(Fixtures.bytes("k" + i), new byte[3000], Durability.SYNCED);
        }
        engine.flipBit(segment, 17_000);
        assertThrows(CorruptFileException.class, reader::refresh);
        assertEquals(1, Fixtures.contents(reader).size());
        store.flush();
        assertTrue(reader.refresh() > 0, "the table has what the log has lost");
        assertEquals(contents(store), contents(reader));
      }
    }
  }

  // ---- while others write

  /** On files, with writers, flushes and merges that never rest. */
  @Test
  void whatWasAcknowledgedIsSeenAndNothingGoesBack(@TempDir Path folder) throws Exception {
    int lanes = 3;
    AtomicLongArray acknowledged = new AtomicLongArray(lanes);
    AtomicBoolean isDone = new AtomicBoolean();
    Path directory = folder.resolve("store");
    try (IoEngine files = IoEngines.open(EngineOptions.defaults());
        Store store = Store.open(directory, Fixtures.TINY, files);
        ExecutorService threads = Executors.newFixedThreadPool(lanes)) {
      List<Future<?>> writers = new ArrayList<>();
      for (int lane = 0; lane < lanes; lane++) {
        int number = lane;
        writers.add(
            threads.submit(
                () -> {
                  SplittableRandom random = new SplittableRandom(number);
                  for (long i = 1; !isDone.get(); i++) {
                    byte[] value = Fixtures.bytes(Long.toString(i));
                    WriteBatch batch = new WriteBatch();
                    batch.put(Fixtures.bytes("a" + number), value);
                    batch.put(
                        Fixtures.bytes("m" + random.nextInt(300)),
                        Fixtures.randomBytes(random, random.nextInt(2000)));
                    batch.put(Fixtures.bytes("z" + number), value);
                    store.write(batch, Durability.BUFFERED);
                    acknowledged.set(number, i);
                  }
                  return null;
                }));
      }
      long[] seen = new long[lanes];
      long sequence = 0;
      int refreshes = 0;
      long end = System.nanoTime() + 3_000_000_000L;
      try (ReadOnlyStore reader = Store.openReadOnly(directory, Fixtures.TINY, files)) {
        for (; System.nanoTime() < end; refreshes++) {
          long[] before = new long[lanes];
          for (int lane = 0; lane < lanes; lane++) {
            before[lane] = acknowledged.get(lane);
          }
          long next = reader.refresh();
          assertTrue(next >= sequence);
          sequence = next;
          try (StoreCursor cursor = reader.cursor()) {
            for (int lane = 0; lane < lanes; lane++) {
              long found = number(cursor, "a" + lane);
              assertTrue(found >= before[lane] && found >= seen[lane], "what was acknowledged");
              assertEquals(found, number(cursor, "z" + lane), "batches are whole");
              seen[lane] = found;
            }
          }
          if (refreshes % 50 == 0) {
            assertTrue(Fixtures.contents(reader).size() <= 2 * lanes + 300);
          }
        }
      } finally {
        isDone.set(true);
        for (Future<?> writer : writers) {
          Object unused = writer.get();
        }
      }
      StoreStats stats = store.stats();
      assertTrue(
          refreshes > 20 && stats.flushes() > 10 && stats.merges() > 3,
          "refreshes=%d flushes=%d merges=%d"
              .formatted(refreshes, stats.flushes(), stats.merges()));
      try (ReadOnlyStore reader = Store.openReadOnly(directory, Fixtures.TINY, files)) {
        assertEquals(contents(store), contents(reader));
      }
    }
  }

  private static long number(StoreCursor cursor, String key) throws IOException {
    cursor.seek(Fixtures.bytes(key));
    boolean isThere = cursor.isValid() && Fixtures.text(Fixtures.array(cursor.key())).equals(key);
    return isThere ? Long.parseLong(Fixtures.text(Fixtures.array(cursor.value()))) : 0;
  }
}
