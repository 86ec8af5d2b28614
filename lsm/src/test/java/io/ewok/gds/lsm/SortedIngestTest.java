package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What is ingested is newer than all that was written before, older than all that is written after,
 * there as a whole or not at all, and seen by nobody who came before.
 */
class SortedIngestTest {
  private final SimEngine engine = new SimEngine(1);

  private static Store open(SimEngine engine) throws IOException {
    return Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine);
  }

  private static byte[] key(int number) {
    return Fixtures.bytes("key%06d".formatted(number));
  }

  /** Puts keys of a range, each third of them deleted, and the same into a model. */
  private static void add(
      SortedIngest ingest, Map<String, String> model, int from, int to, String value)
      throws IOException {
    for (int i = from; i < to; i++) {
      String key = Fixtures.text(key(i));
      if (i % 3 == 0) {
        ingest.delete(key(i));
        model.remove(key);
      } else {
        byte[] padded = Fixtures.bytes("%-200s".formatted(value + i));
        ingest.put(key(i), padded);
        model.put(key, Fixtures.text(padded));
      }
    }
  }

  private static void write(Store store, Map<String, String> model, int from, int to, String value)
      throws IOException {
    for (int i = from; i < to; i++) {
      store.put(key(i), Fixtures.bytes(value + i), Durability.NONE);
      model.put(Fixtures.text(key(i)), value + i);
    }
  }

  private static Map<String, String> contents(ReadView view) throws Exception {
    Map<String, String> contents = new TreeMap<>();
    Fixtures.contents(view)
        .forEach((key, value) -> contents.put(Fixtures.text(key), Fixtures.text(value)));
    return contents;
  }

  private static List<Integer> tablesOfLevels(Store store) {
    return store.stats().levels().stream().map(StoreStats.Level::tables).toList();
  }

  // ---- order

  @Test
  @Timeout(30)
  void listenerMayOpenSnapshotsWhenSomethingIsFlushedForAnIngestion() throws Exception {
    AtomicReference<Store> opened = new AtomicReference<>();
    AtomicInteger told = new AtomicInteger();
    StoreListener listener =
        new StoreListener() {
          @Override
          public void flushed(Flush flush) {
            try (Snapshot snapshot = opened.get().snapshot()) {
              told.addAndGet(snapshot.sequence() > 0 ? 1 : 0);
            }
          }
        };
    StoreOptions options = Fixtures.TINY.withListener(listener);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      opened.set(store);
      for (int round = 1; round < 5; round++) {
        store.put(key(0), Fixtures.bytes("put"), Durability.NONE);
        try (SortedIngest ingest = store.ingest()) {
          ingest.put(key(0), Fixtures.bytes("ingested"));
          long unused = ingest.commit();
        }
        assertTrue(told.get() > round, "nothing was flushed behind the number: " + told);
      }
    }
  }

  /** It is against the rules, but must not stop the store: it would wait for itself. */
  @Test
  @Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // nothing else would end it
  void filterThatOpensSnapshotsWhenSomethingIsFlushedForAnIngestionIsRefused() throws Exception {
    AtomicReference<Store> opened = new AtomicReference<>();
    List<String> refused = new CopyOnWriteArrayList<>();
    CompactionFilter filter =
        (key, value, result) -> {
          try (Snapshot snapshot = opened.get().snapshot()) {
            assertTrue(snapshot.sequence() > 0); // of a flush beside the ingestion
          } catch (IllegalStateException e) {
            refused.add(e.getMessage());
          }
          return CompactionFilter.Decision.KEEP;
        };
    StoreOptions options =
        Fixtures.TINY.withTree(
            Fixtures.TINY.tree().withCompactionFilter(filter).withFiltersFlushes(true));
    AtomicBoolean stop = new AtomicBoolean();
    try (ExecutorService writer = Executors.newSingleThreadExecutor();
        Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      opened.set(store);
      Future<?> writing =
          writer.submit(
              () -> {
                for (int i = 0; !stop.get(); i++) {
                  store.put(key(i % 100), Fixtures.bytes("put"), Durability.NONE);
                }
                return null;
              });
      for (int i = 100; refused.isEmpty(); i++) {
        try (SortedIngest ingest = store.ingest()) {
          ingest.put(key(i), Fixtures.bytes("ingested"));
          long unused = ingest.commit();
        }
        assertEquals("ingested", Fixtures.text(store.get(key(i))));
      }
      stop.set(true);
      Object unused = writing.get();
      assertTrue(refused.getFirst().startsWith("a filter or operator"), refused.getFirst());
    }
  }

  @Test
  void itIsNewerThanWhatCameBeforeAndOlderThanWhatComesAfter() throws Exception {
    Map<String, String> model = new TreeMap<>();
    try (Store store = open(engine)) {
      write(store, model, 0, 3000, "old");
      store.compact(); // deep tables, then some of level 0, then some in memory
      write(store, model, 500, 700, "newer");
      store.flush();
      write(store, model, 600, 800, "newest");
      Map<String, String> before = contents(store);
      try (Snapshot snapshot = store.snapshot();
          StoreCursor cursor = store.cursor();
          SortedIngest ingest = store.ingest()) {
        cursor.first();
        add(ingest, model, 100, 2500, "ingested");
        assertEquals(before, contents(store), "nobody sees it yet");
        write(store, new TreeMap<>(), 650, 660, "lost"); // this is before the commit
        long sequence = ingest.commit();
        assertEquals(sequence, store.stats().sequence());
        assertEquals(model, contents(store));
        assertEquals(before, contents(snapshot));
        int found = 0;
        for (; cursor.isValid(); cursor.next()) {
          found++;
        }
        assertEquals(before.size(), found);
        for (int i = 0; i < 3000; i += 7) {
          String expected = before.get(Fixtures.text(key(i)));
          assertEquals(expected, Fixtures.text(snapshot.get(key(i))));
          assertEquals(model.get(Fixtures.text(key(i))), Fixtures.text(store.get(key(i))));
        }
      }
      write(store, model, 640, 900, "after");
      store.deleteRange(key(1000), key(1100), Durability.NONE);
      model
          .keySet()
          .removeIf(key -> key.compareTo("key001000") >= 0 && key.compareTo("key001100") < 0);
      assertEquals(model, contents(store));
      store.flush();
      assertEquals(model, contents(store));
    }
    try (Store store = open(engine)) {
      assertEquals(model, contents(store));
      store.compact();
      assertEquals(model, contents(store));
    }
    try (ReadOnlyStore reader = Store.openReadOnly(Fixtures.DIRECTORY, Fixtures.TINY, engine)) {
      assertEquals(model, contents(reader));
    }
  }

  @Test
  void whatOverlapsWithNothingGoesDeepAndIsNotMergedAgain() throws Exception {
    Map<String, String> model = new TreeMap<>();
    try (Store store = open(engine)) {
      try (SortedIngest ingest = store.ingest()) {
        add(ingest, model, 0, 6000, "a");
        assertTrue(ingest.commit() > 0);
      }
      List<Integer> levels = tablesOfLevels(store);
      assertEquals(0, levels.getFirst());
      assertTrue(levels.get(1) > 2, levels.toString());
      try (SortedIngest ingest = store.ingest()) { // overlaps with some tables, not with others
        add(ingest, model, 3000, 3001, "b");
        assertTrue(ingest.commit() > 0);
      }
      assertEquals(1, tablesOfLevels(store).getFirst());
      try (SortedIngest ingest = store.ingest()) {
        add(ingest, model, 7000, 13_000, "c");
        assertTrue(ingest.commit() > 0);
      }
      assertEquals(1, tablesOfLevels(store).getFirst());
      assertEquals(0, store.stats().merges());
      assertEquals(model, contents(store));
      try (SortedIngest ingest = store.ingest()) { // nothing
        assertEquals(store.stats().sequence(), ingest.commit());
      }
    }
    try (Store store = open(engine)) {
      assertEquals(model, contents(store));
    }
  }

  @Test
  void operandsAreMergedWithWhatWasIngested() throws Exception {
    StoreOptions options =
        Fixtures.TINY.withTree(
            Fixtures.TINY.tree().withMergeOperator(MergeOperators.append(new byte[] {','})));
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      store.merge(key(1), Fixtures.bytes("hidden"), Durability.NONE);
      try (SortedIngest ingest = store.ingest()) {
        ingest.put(key(1), Fixtures.bytes("a"));
        assertTrue(ingest.commit() > 0);
      }
      store.merge(key(1), Fixtures.bytes("b"), Durability.NONE);
      assertEquals("a,b", Fixtures.text(store.get(key(1))));
      store.compact();
      assertEquals("a,b", Fixtures.text(store.get(key(1))));
    }
  }

  // ---- mistakes

  @Test
  void keysOutOfOrderAndTooLargeAreRefusedAndItGoesOn() throws Exception {
    try (Store store = open(engine)) {
      Family family = store.createFamily("f");
      try (SortedIngest ingest = family.ingest()) {
        ingest.put(key(5), new byte[3]);
        assertThrows(IllegalArgumentException.class, () -> ingest.put(key(5), new byte[3]));
        assertThrows(IllegalArgumentException.class, () -> ingest.delete(key(4)));
        assertThrows(IllegalArgumentException.class, () -> ingest.delete(new byte[65_536]));
        assertThrows(
            IllegalArgumentException.class,
            () -> ingest.put(key(6), new byte[Fixtures.TINY.batchBytesMax()]));
        byte[] largest = new byte[(int) Fixtures.TINY.valueBytesMax(key(7).length)];
        largest[largest.length - 1] = 7;
        ingest.put(key(7), largest);
        assertTrue(ingest.commit() > 0);
        assertThrows(IllegalStateException.class, () -> ingest.put(key(8), new byte[3]));
        assertThrows(IllegalStateException.class, ingest::commit);
        assertArrayEquals(largest, family.get(key(7)));
        assertEquals(2, Fixtures.contents(family).size());
        assertEquals(0, Fixtures.contents(store).size());
      }
    }
  }

  @Test
  void whatIsNotCommittedLeavesNothing() throws Exception {
    SortedIngest left;
    SortedIngest dropped;
    try (Store store = open(engine)) {
      int files = Fixtures.tables(engine).size();
      try (SortedIngest ingest = store.ingest()) {
        add(ingest, new TreeMap<>(), 0, 5000, "x");
        assertTrue(Fixtures.tables(engine).size() > files + 2);
      }
      assertEquals(files, Fixtures.tables(engine).size());
      Family family = store.createFamily("gone");
      dropped = family.ingest();
      dropped.put(key(1), key(1));
      store.dropFamily(family);
      assertThrows(IllegalStateException.class, () -> dropped.put(key(2), key(1)));
      assertThrows(IllegalStateException.class, dropped::commit);
      dropped.close();
      assertEquals(files, Fixtures.tables(engine).size());
      left = store.ingest();
      add(left, new TreeMap<>(), 0, 5000, "x");
    }
    assertThrows(IllegalStateException.class, () -> left.put(key(6000), key(1)));
    assertThrows(IllegalStateException.class, left::commit);
    left.close();
    assertFalse(Fixtures.tables(engine).isEmpty());
    try (Store store = open(engine)) {
      assertTrue(Fixtures.tables(engine).isEmpty(), "the next opening removes it");
      assertEquals(0, Fixtures.contents(store).size());
    }
  }

  // ---- tables from elsewhere

  private static final Path TABLES = Path.of("/tables");

  private Path table(String name, int from, int to, String value, Map<String, String> model)
      throws IOException {
    engine.createDirectories(TABLES);
    Path path = TABLES.resolve(name);
    try (StoreTableWriter table = StoreTableWriter.create(engine, path, Fixtures.TINY)) {
      for (int i = from; i < to; i++) {
        if (i % 5 == 0) {
          table.delete(key(i));
          model.remove(Fixtures.text(key(i)));
        } else {
          table.put(key(i), Fixtures.bytes(value + i));
          model.put(Fixtures.text(key(i)), value + i);
        }
      }
      table.finish();
    }
    return path;
  }

  @Test
  void tablesFromElsewhereAreIngestedTogether() throws Exception {
    Map<String, String> model = new TreeMap<>();
    try (Store store = open(engine)) {
      write(store, model, 0, 400, "old");
      List<Path> files =
          List.of(
              table("1", 100, 3000, "x", model),
              table("2", 3000, 3001, "y", model),
              table("3", 4000, 9000, "z", model));
      long before = store.stats().sequence();
      assertTrue(store.ingest(files) > before);
      assertEquals(model, contents(store));
      assertEquals(3, engine.list(TABLES).size(), "they stay");
      for (Path file : files) {
        engine.delete(file);
      }
    }
    try (Store store = open(engine)) {
      assertEquals(model, contents(store));
    }
  }

  @Test
  void tableThatIsDamagedForeignOrNotInOrderIsRefusedWhole() throws Exception {
    Map<String, String> model = new TreeMap<>();
    Map<String, String> unused = new TreeMap<>();
    try (Store store = open(engine)) {
      write(store, model, 0, 400, "old");
      store.flush();
      Path good = table("good", 0, 100, "new", unused);
      Path before = table("before", 50, 150, "new", unused);
      Path damaged = table("damaged", 200, 1000, "new", unused);
      Path cut = table("cut", 200, 1000, "new", unused);
      engine.flipBit(damaged, Fixtures.sizeBytes(engine, damaged) / 2);
      try (IoFile file = engine.open(cut, OpenMode.READ_WRITE)) {
        file.truncate(file.sizeBytes() - 4096);
      }
      Path foreign = Fixtures.tables(engine).getFirst();
      Path manifest = new StoreFiles(Fixtures.DIRECTORY).manifest();
      int files = Fixtures.tables(engine).size();
      for (Path bad : List.of(before, damaged, cut, foreign, manifest, TABLES.resolve("none"))) {
        assertThrows(StorageException.class, () -> store.ingest(List.of(good, bad)), "" + bad);
        assertEquals(model, contents(store));
        assertEquals(files, Fixtures.tables(engine).size(), "nothing is left");
        try (SortedIngest ingest = store.ingest()) {
          assertThrows(StorageException.class, () -> ingest.addTable(bad));
          assertThrows(IllegalStateException.class, ingest::commit);
        } catch (AssertionError e) {
          assertEquals(before, bad, "that is in order by itself");
        }
      }
    }
  }

  @Test
  void everyBitOfATableCounts() throws Exception {
    Map<String, String> model = new TreeMap<>();
    Path file = table("small", 1, 4, "value", model);
    SplittableRandom random = new SplittableRandom(9);
    int refused = 0;
    try (Store store = open(engine)) {
      for (int round = 0; round < 300; round++) {
        long bit = random.nextLong(8 * Fixtures.sizeBytes(engine, file));
        flip(file, bit);
        try (SortedIngest ingest = store.ingest()) {
          ingest.addTable(file);
          assertTrue(ingest.commit() > 0);
          assertEquals(model, contents(store), "it was of no matter");
        } catch (StorageException e) {
          refused++;
        }
        flip(file, bit);
      }
      assertTrue(store.ingest(List.of(file)) > 0);
      assertEquals(model, contents(store));
    }
    assertTrue(refused > 10, "refused=" + refused);
  }

  private void flip(Path path, long bit) throws IOException {
    engine.flipBit(path, bit / 8);
  }

  @Test
  void tableThatIsNotFinishedIsGone() throws Exception {
    engine.createDirectories(TABLES);
    Path path = TABLES.resolve("one");
    try (StoreTableWriter table = StoreTableWriter.create(engine, path, Fixtures.TINY)) {
      assertThrows(IllegalStateException.class, table::finish);
      table.put(key(2), key(2));
      assertThrows(IllegalArgumentException.class, () -> table.put(key(1), key(2)));
      assertTrue(table.sizeBytes() > 0);
    }
    assertFalse(engine.exists(path));
    try (StoreTableWriter table = StoreTableWriter.create(engine, path, Fixtures.TINY)) {
      table.put(key(2), key(2));
      table.finish();
      assertThrows(IllegalStateException.class, () -> table.put(key(3), key(2)));
    }
    assertTrue(engine.exists(path));
    assertThrows(
        IOException.class, () -> StoreTableWriter.create(engine, path, Fixtures.TINY).close());
  }

  // ---- crashes and failures

  @Test
  void finishedTableIsThereAfterAPowerCut() throws Exception {
    engine.createDirectories(TABLES);
    engine.syncDirectory(TABLES.getParent());
    Path path = TABLES.resolve("one");
    try (StoreTableWriter table = StoreTableWriter.create(engine, path, Fixtures.TINY)) {
      table.put(key(1), Fixtures.bytes("value"));
      table.finish();
    }
    for (int seed = 0; seed < 10; seed++) {
      try (Store store = open(engine.crash(seed))) {
        long unused = store.ingest(List.of(path));
        assertEquals("value", Fixtures.text(store.get(key(1))), "seed=" + seed);
      }
    }
  }

  @Test
  void afterAPowerCutAllOfItIsThereOrNothing() throws Exception {
    Map<String, String> before = new TreeMap<>();
    int[] states = new int[2];
    List<AssertionError> failures = new ArrayList<>();
    try (Store store = open(engine)) {
      write(store, before, 0, 1500, "old");
      store.flush();
      write(store, before, 100, 300, "new");
      store.put(key(0), Fixtures.bytes("synced"), Durability.SYNCED);
      before.put(Fixtures.text(key(0)), "synced");
      Map<String, String> after = new TreeMap<>(before);
      try (SortedIngest ingest = store.ingest()) {
        add(ingest, after, 200, 3000, "ingested");
        engine.onSync(
            () -> {
              for (int seed = 0; seed < 3; seed++) {
                try {
                  states[check(engine.crash(seed), before, after) ? 1 : 0]++;
                } catch (Exception e) {
                  failures.add(new AssertionError(e));
                } catch (AssertionError e) {
                  failures.add(e);
                }
              }
            });
        assertTrue(ingest.commit() > 0);
        engine.onSync(() -> {});
      }
      for (int seed = 0; seed < 10; seed++) {
        assertTrue(check(engine.crash(seed), before, after), "it is durable on return");
      }
    }
    if (!failures.isEmpty()) {
      throw failures.getFirst();
    }
    assertTrue(states[0] > 5 && states[1] > 0, states[0] + " without, " + states[1] + " with");
  }

  private static boolean check(
      SimEngine crashed, Map<String, String> before, Map<String, String> after) throws Exception {
    try (Store store = open(crashed)) {
      Map<String, String> found = contents(store);
      if (found.equals(before)) {
        return false;
      }
      assertEquals(after, found);
      store.put(key(250), Fixtures.bytes("later"), Durability.SYNCED);
      assertEquals("later", Fixtures.text(store.get(key(250))), "numbers go on behind it");
      return true;
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = SimOperation.class,
      names = {"OPEN", "WRITE", "SYNC", "RENAME", "SYNC_DIRECTORY"})
  void failureLeavesAllOfItOrNothingAndTheStoreGoesOn(SimOperation operation) throws Exception {
    int failures = 0;
    boolean failed = true;
    for (int n = 1; failed && n < 200; n++) {
      SimEngine failing = new SimEngine(n);
      Map<String, String> before = new TreeMap<>();
      Map<String, String> after = new TreeMap<>();
      boolean poisoned = false;
      try (Store store = open(failing)) {
        write(store, before, 0, 300, "old");
        store.background().setRest(50_000);
        store.flush();
        assertTrue(store.awaitRest(Duration.ofMinutes(1)), "or else it meets the failures");
        after.putAll(before);
        try (SortedIngest ingest = store.ingest()) {
          failing.failNth(operation, n, operation == SimOperation.WRITE ? Errno.ENOSPC : Errno.EIO);
          try {
            add(ingest, after, 200, 2500, "ingested");
            assertTrue(ingest.commit() > 0);
            failed = false;
          } catch (IOException e) {
            failures++;
            assertThrows(IllegalStateException.class, ingest::commit);
          }
        }
        Map<String, String> found = contents(store);
        assertEquals(failed ? before : after, found);
        try {
          store.put(key(1), Fixtures.bytes("on"), Durability.SYNCED);
          before.put(Fixtures.text(key(1)), "on");
          after.put(Fixtures.text(key(1)), "on");
        } catch (IOException e) {
          poisoned = true; // the log was what failed
        }
      } catch (IOException e) {
        assertTrue(poisoned || !failed, "close: " + e); // it may meet what nothing else has met
      }
      try (Store store = open(failing.crash(n))) {
        Map<String, String> found = contents(store);
        if (poisoned) { // whether that one survives is open
          List.of(found, before, after).forEach(each -> each.remove(Fixtures.text(key(1))));
        }
        assertTrue(found.equals(before) || found.equals(after));
        assertTrue(failed || found.equals(after));
      }
    }
    assertTrue(failures > 0 && !failed, "failures=" + failures);
  }

  // ---- others at the same time

  @Test
  void writersAndReadersGoOnMeanwhile() throws Exception {
    AtomicBoolean isDone = new AtomicBoolean();
    try (Store store = open(engine);
        ExecutorService threads = Executors.newFixedThreadPool(2)) {
      List<Future<?>> others = new ArrayList<>();
      others.add(
          threads.submit(
              () -> {
                SplittableRandom random = new SplittableRandom(3);
                for (int i = 0; !isDone.get(); i++) {
                  store.put(key(random.nextInt(2000)), new byte[500], Durability.NONE);
                  store.put(Fixtures.bytes("own"), Fixtures.bytes("" + i), Durability.NONE);
                  assertEquals("" + i, Fixtures.text(store.get(Fixtures.bytes("own"))));
                }
                return null;
              }));
      others.add(
          threads.submit(
              () -> {
                while (!isDone.get()) {
                  try (Snapshot snapshot = store.snapshot()) {
                    String first = Fixtures.text(snapshot.get(key(5000)));
                    String last = Fixtures.text(snapshot.get(key(7999)));
                    assertEquals(first, last, "all of it or nothing");
                    assertEquals(first, Fixtures.text(snapshot.get(key(5000))), "and it stays");
                  }
                }
                return null;
              }));
      for (int round = 0; round < 12; round++) {
        try (SortedIngest ingest = store.ingest()) {
          for (int i = 5000; i < 8000; i++) {
            ingest.put(key(i), Fixtures.bytes("round" + round));
          }
          assertTrue(ingest.commit() > 0);
        }
        assertEquals("round" + round, Fixtures.text(store.get(key(6000))));
        assertNull(store.get(key(9000)));
      }
      isDone.set(true);
      for (Future<?> other : others) {
        Object unused = other.get();
      }
      store.compact();
      assertEquals("round11", Fixtures.text(store.get(key(5000))));
    }
  }

  // ---- copies and repairs

  @Test
  void copiesHaveItToo() throws Exception {
    Map<String, String> model = new TreeMap<>();
    Path copy = Path.of("/copies/one");
    Path restored = Path.of("/copies/two");
    try (Store store = open(engine)) {
      write(store, model, 0, 500, "old");
      try (SortedIngest ingest = store.ingest()) {
        add(ingest, model, 300, 3000, "ingested");
        assertTrue(ingest.commit() > 0);
      }
      write(store, model, 400, 450, "new");
      assertTrue(store.checkpoint(copy) > 0);
      try (Backups backups = Backups.open(Path.of("/backups"), engine)) {
        backups.restore(backups.create(store, _ -> {}).number(), restored, _ -> {});
      }
    }
    for (Path directory : List.of(copy, restored)) {
      try (Store store = Store.open(directory, Fixtures.TINY, engine)) {
        assertEquals(model, contents(store));
        store.compact();
        assertEquals(model, contents(store));
      }
    }
  }

  /** Its number in the files is that of the time when it was begun. */
  @Test
  void withoutItsManifestAStoreIsRepairedInThatOrder() throws Exception {
    Map<String, String> model = new TreeMap<>();
    try (Store store = open(engine)) {
      write(store, model, 0, 500, "old");
      try (SortedIngest ingest = store.ingest()) {
        add(ingest, model, 300, 1000, "ingested");
        assertTrue(ingest.commit() > 0);
      }
      write(store, model, 400, 450, "new");
      store.flush();
    }
    engine.delete(new StoreFiles(Fixtures.DIRECTORY).manifest());
    RepairReport unused = StoreRepair.run(Fixtures.DIRECTORY, Fixtures.TINY, engine, _ -> {});
    try (Store store = open(engine)) {
      assertEquals(model, contents(store));
    }
  }
}
