package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import io.ewok.gds.pagestore.sim.SimOptions;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A clone begins as its family is, costs nothing, and goes its own way. */
class FamilyCloneTest {
  private static final MergeOperator APPEND = MergeOperators.append(new byte[] {','});
  private static final String FROM = "from";
  private static final String CLONE = "clone";
  private static final int KEYS = 300;

  private SimEngine engine = engine(KeySource.NONE);
  private StoreOptions options = options(0);

  private static SimEngine engine(KeySource keys) {
    return new SimEngine(1, SimOptions.defaults().withKeys(keys));
  }

  /** With values from a length on in value files, 0 for none. */
  private static StoreOptions options(int separatedBytes) {
    StoreOptions base = separatedBytes == 0 ? Fixtures.TINY : Fixtures.separated(separatedBytes);
    // Nothing is merged unless somebody asks for it.
    return base.withTree(base.tree().withMergeOperator(APPEND).withTablesBeforeMerge(30));
  }

  private Store open() throws IOException {
    return open(engine);
  }

  private Store open(SimEngine of) throws IOException {
    Store store = Store.open(Fixtures.DIRECTORY, options, of);
    store.background().setRest(TimeUnit.HOURS.toNanos(1));
    return store;
  }

  private static void put(Family family, String key, String value) throws IOException {
    family.put(Fixtures.bytes(key), Fixtures.bytes(value), Durability.NONE);
  }

  private static String get(ReadView view, String key) throws IOException {
    return Fixtures.text(view.get(Fixtures.bytes(key)));
  }

  private static Map<String, String> contents(ReadView view) throws Exception {
    Map<String, String> contents = new TreeMap<>();
    for (Map.Entry<byte[], byte[]> each : Fixtures.contents(view).entrySet()) {
      contents.put(Fixtures.text(each.getKey()), Fixtures.text(each.getValue()));
    }
    return contents;
  }

  private static Family family(Store store, String name) {
    return store.family(name).orElseThrow();
  }

  /** All kinds of operations. */
  private static void change(Family family, SplittableRandom random, int count) throws IOException {
    for (int i = 0; i < count; i++) {
      byte[] key = Fixtures.bytes("key%03d".formatted(random.nextInt(KEYS)));
      byte[] value = Fixtures.randomBytes(random, random.nextInt(600));
      switch (random.nextInt(10)) {
        case 0 -> family.delete(key, Durability.NONE);
        case 1 -> family.singleDelete(key, Durability.NONE);
        case 2, 3 -> family.merge(key, value, Durability.NONE);
        default -> family.put(key, value, Durability.NONE);
      }
      if (random.nextInt(200) == 0) {
        byte[] end = Fixtures.bytes("key%03d".formatted(KEYS + random.nextInt(20)));
        family.deleteRange(Fixtures.bytes("key%03d".formatted(KEYS - 20)), end, Durability.NONE);
      }
    }
  }

  /** A family with something on several levels and in memory. */
  private static Family filled(Store store) throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    Family from = store.createFamily(FROM);
    change(from, random, 800);
    from.compact();
    change(store, random, 200);
    try (SortedIngest ingest = from.ingest()) {
      for (int i = 100; i < 120; i++) {
        ingest.put(Fixtures.bytes("key%03d".formatted(i)), Fixtures.randomBytes(random, 300));
      }
      assertTrue(ingest.commit() > 0);
    }
    for (int i = 0; i < 2; i++) {
      change(from, random, 200);
      store.flush();
    }
    change(from, random, 100);
    return from;
  }

  private static Set<Path> paths(Store store, String name) throws IOException {
    Set<Path> paths = new TreeSet<>();
    StoreFiles files = new StoreFiles(Fixtures.DIRECTORY);
    Version version = store.parts().versions.retain();
    try {
      for (var table : version.levels(family(store, name).id()).tables()) {
        paths.add(files.table(table.meta().fileNumber()));
      }
    } finally {
      store.parts().versions.release(version);
    }
    return paths;
  }

  // ---- what it shows

  @ParameterizedTest
  @ValueSource(strings = {"plain", "values", "encrypted", "encrypted values", "cached"})
  void theTwoAreTheSameAndNeverSeeEachOther(String form) throws Exception {
    TestKeys keys = new TestKeys(3);
    if (form.contains("encrypted")) {
      engine = engine(keys);
    }
    options = options(form.contains("values") ? 100 : 0);
    if (form.equals("cached")) {
      options = options.withRecordCacheBytes(256 << 10);
    }
    Map<String, Map<String, String>> models = new TreeMap<>();
    try (Store store = open()) {
      Family from = filled(store);
      models.put(FROM, contents(from));
      models.put(Family.DEFAULT_NAME, contents(store));
      for (String key : models.get(FROM).keySet()) {
        assertEquals(models.get(FROM).get(key), get(from, key)); // fills the cache, if any
      }
      Family clone = store.cloneFamily(from, CLONE);
      models.put(CLONE, models.get(FROM));
      Family ofMain = store.cloneFamily(store, "of main");
      models.put("of main", models.get(Family.DEFAULT_NAME));
      Family second = store.cloneFamily(clone, "second");
      models.put("second", models.get(CLONE));
      requireAll(store, models);
      assertTrue(second.id() > ofMain.id() && ofMain.id() > clone.id());
      if (!form.equals("cached")) {
        assertEquals(paths(store, FROM), paths(store, "second"), "nothing is copied");
      }
    }
    SplittableRandom random = new SplittableRandom(11);
    for (int round = 0; round < 4; round++) {
      keys.use(form.contains("encrypted") ? 1 + round % 3 : keys.currentId());
      try (Store store = open()) {
        for (String name : List.copyOf(models.keySet())) {
          change(family(store, name), random, 150);
          models.put(name, contents(family(store, name)));
          requireAll(store, models);
          if (random.nextBoolean()) {
            family(store, name).compact();
          } else {
            store.flush();
          }
          requireAll(store, models);
        }
        if (round == 1) {
          store.dropFamily(family(store, FROM));
          models.remove(FROM);
        }
        requireAll(store, models);
      }
      try (StoreInspection inspection = inspection()) {
        for (StoreInspection.TableFile table : inspection.tables()) {
          assertEquals(List.of(), inspection.verify(table).problems());
        }
        for (StoreInspection.ValuesFile values : inspection.valueFiles()) {
          assertEquals(List.of(), inspection.verify(values).problems());
        }
      }
    }
  }

  private StoreInspection inspection() throws IOException {
    return StoreInspection.ofStore(engine, Fixtures.DIRECTORY, 4 << 20);
  }

  private static void requireAll(Store store, Map<String, Map<String, String>> models)
      throws Exception {
    assertEquals(
        models.keySet(), new TreeSet<>(store.families().stream().map(Family::name).toList()));
    for (Map.Entry<String, Map<String, String>> model : models.entrySet()) {
      Family family = family(store, model.getKey());
      assertEquals(model.getValue(), contents(family), model.getKey());
      for (int i = 0; i < KEYS; i++) {
        String key = "key%03d".formatted(i);
        assertEquals(model.getValue().get(key), get(family, key));
      }
    }
  }

  @Test
  void aCloneEndsBetweenTwoWritesOfOthers() throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    AtomicLong acknowledged = new AtomicLong();
    Throwable[] failure = new Throwable[1];
    try (Store store = open()) {
      Family from = store.createFamily(FROM);
      Thread writer =
          new Thread(
              () -> {
                try {
                  for (int i = 1; !done.get(); i++) {
                    byte[] value = Fixtures.bytes("%08d".formatted(i));
                    WriteBatch batch = new WriteBatch();
                    for (String key : List.of("a", "b", "c")) {
                      batch.put(from, Fixtures.bytes(key), value);
                    }
                    batch.put(from, Fixtures.bytes("fill" + i % 50), new byte[300]);
                    store.write(batch, Durability.NONE);
                    acknowledged.set(i);
                  }
                } catch (Throwable e) {
                  failure[0] = e;
                }
              });
      writer.start();
      Fixtures.await(store, () -> acknowledged.get() > 0);
      for (int i = 0; i < 15; i++) {
        long before = acknowledged.get();
        Family clone = store.cloneFamily(from, CLONE + i);
        String found = get(clone, "a");
        assertTrue(Long.parseLong(found) >= before, found + " " + before);
        assertEquals(found, get(clone, "b"));
        assertEquals(found, get(clone, "c"));
        if (i > 4) {
          store.dropFamily(family(store, CLONE + (i - 4)));
        }
      }
      done.set(true);
      writer.join();
    }
    assertNull(failure[0]);
  }

  @Test
  void snapshotsAndCursorsFromBeforeShowWhatTheFamilyShowed() throws Exception {
    try (Store store = open()) {
      Family from = store.createFamily(FROM);
      put(from, "k", "old");
      try (Snapshot snapshot = store.snapshot();
          StoreCursor cursor = from.cursor()) {
        put(from, "k", "new");
        Family clone = store.cloneFamily(from, CLONE);
        put(clone, "k", "newest");
        clone.compact();
        from.compact();
        assertEquals("old", get(snapshot.family(from), "k"));
        assertEquals("old", get(snapshot.family(clone), "k"));
        assertEquals("new", get(from, "k"));
        assertEquals("newest", get(clone, "k"));
        cursor.first();
        assertEquals("old", Fixtures.text(Fixtures.array(cursor.value())));
        store.dropFamily(from);
        assertEquals("old", get(snapshot.family(clone), "k"));
      }
    }
  }

  private static void pass(Store store, AtomicLong clock, Duration time) {
    clock.addAndGet(time.toMillis());
    store.background().awaitExpiration();
  }

  @Test
  void whatHasExpiredHasInTheCloneToo() throws Exception {
    AtomicLong clock = new AtomicLong(1_700_000_000_000L);
    Duration ttl = Duration.ofHours(1);
    options =
        options.withFamily(FROM, options.tree().withTtl(ttl)).withFamily(CLONE, options.tree());
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine, clock::get)) {
      Family from = store.createFamily(FROM);
      put(from, "first", "1");
      pass(store, clock, ttl.dividedBy(32));
      pass(store, clock, ttl.dividedBy(2));
      put(from, "second", "2");
      store.flush();
      pass(store, clock, ttl.dividedBy(32));
      pass(store, clock, ttl.dividedBy(2));
      assertEquals(Map.of("second", "2"), contents(from), "the first is still in its table");
      try (Snapshot snapshot = store.snapshot()) {
        Family clone = store.cloneFamily(from, CLONE, options.tree());
        Family living = store.cloneFamily(from, "living", options.tree().withTtl(ttl));
        assertEquals(contents(from), contents(clone));
        assertEquals(contents(from), contents(snapshot.family(clone)));
        pass(store, clock, ttl.dividedBy(2));
        assertEquals(Map.of(), contents(from));
        assertEquals(Map.of(), contents(living), "ages are those of the records");
        assertEquals(Map.of("second", "2"), contents(clone), "it has no time to live");
        assertEquals(Map.of("second", "2"), contents(snapshot.family(living)));
      }
    }
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine.crash(3), clock::get)) {
      assertEquals(Map.of("second", "2"), contents(family(store, CLONE)));
    }
  }

  /** A transaction that finds nothing of it in the clone has lost it, too. */
  @Test
  void whatFifoHasDroppedBeforeIsAConflictInTheCloneToo() throws Exception {
    byte[] wanted = Fixtures.bytes("wanted");
    TreeOptions fifo = Fixtures.TINY.tree().withStyle(CompactionStyle.FIFO).withFifoBytes(1 << 20);
    options = Fixtures.TINY.withTree(fifo);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine);
        Transaction before = store.transactions().begin(TransactionOptions.defaults())) {
      store.put(wanted, new byte[1], Durability.NONE);
      SplittableRandom random = new SplittableRandom(1);
      for (int i = 0; store.get(wanted) != null; i++) {
        store.put(Fixtures.bytes("other" + i), Fixtures.randomBytes(random, 900), Durability.NONE);
      }
      // With room for more: it loses nothing by itself.
      Family clone = store.cloneFamily(store, CLONE, fifo.withFifoBytes(1 << 30));
      assertNull(before.get(clone, wanted));
      before.put(clone, Fixtures.bytes("mine"), new byte[1]);
      ConflictException conflict =
          assertThrows(ConflictException.class, () -> before.commit(Durability.NONE));
      assertEquals(CLONE, conflict.family());
      assertNull(clone.get(Fixtures.bytes("mine")));
    }
  }

  @Test
  void whatFamiliesShareIsCountedAndSaid() throws Exception {
    options = options(100);
    try (Store store = open()) {
      Family from = filled(store);
      assertEquals(0, store.stats().sharedBytes());
      Family clone = store.cloneFamily(from, CLONE);
      long bytes = bytes(store, CLONE);
      assertTrue(bytes > 0);
      assertEquals(bytes, bytes(store, FROM));
      assertEquals(bytes, store.stats().sharedBytes());
      Set<Long> files = new TreeSet<>();
      for (StoreStats.ValueFile file : store.stats().valueFiles()) {
        assertTrue(file.garbageBytes() >= 0 && file.liveBytes() > 0, file.toString());
        assertTrue(files.add(file.number()) || file.family().equals(CLONE));
      }
      clone.compact();
      assertEquals(0, store.stats().sharedBytes());
    }
    try (StoreInspection inspection = inspection()) {
      for (StoreInspection.TableFile table : inspection.tables()) {
        String name = table.path().getFileName().toString();
        assertEquals("%016x.table".formatted(inspection.properties(table).number()), name);
      }
    }
  }

  private static long bytes(Store store, String family) {
    return store.stats().families().stream()
        .filter(each -> each.name().equals(family))
        .flatMap(each -> each.levels().stream())
        .mapToLong(StoreStats.Level::bytes)
        .sum();
  }

  @Test
  void whatIsNotPossibleIsRefused() throws Exception {
    try (Store store = open();
        Store other = Store.open(Path.of("/other"), options, engine)) {
      Family from = store.createFamily(FROM);
      from.merge(Fixtures.bytes("k"), Fixtures.bytes("v"), Durability.NONE);
      Family gone = store.createFamily("gone");
      store.dropFamily(gone);
      for (String name : List.of("", FROM, Family.DEFAULT_NAME, Transactions.FAMILY)) {
        assertThrows(IllegalArgumentException.class, () -> store.cloneFamily(from, name), name);
      }
      assertThrows(IllegalStateException.class, () -> store.cloneFamily(gone, CLONE));
      assertThrows(IllegalArgumentException.class, () -> store.cloneFamily(other, CLONE));
      TreeOptions without = options.tree().withMergeOperator(MergeOperator.NONE);
      assertThrows(IllegalArgumentException.class, () -> store.cloneFamily(from, CLONE, without));
      assertEquals(2, store.families().size());
      Family empty = store.cloneFamily(store, CLONE);
      assertEquals(Map.of(), contents(empty));
    }
    Store closed = open();
    Family from = family(closed, FROM);
    closed.close();
    assertThrows(IllegalStateException.class, () -> closed.cloneFamily(from, "later"));
  }

  // ---- files

  @Test
  void aFileGoesWhenNoTableIsInItAnyMoreAndNotBefore() throws Exception {
    for (boolean sourceFirst : new boolean[] {true, false}) {
      engine = engine(KeySource.NONE);
      options = options(100);
      try (Store store = open()) {
        filled(store);
        Family clone = store.cloneFamily(family(store, FROM), CLONE);
        Map<String, String> expected = contents(clone);
        Set<Path> shared = paths(store, CLONE);
        String first = sourceFirst ? FROM : CLONE;
        String last = sourceFirst ? CLONE : FROM;
        family(store, first).compact();
        store.dropFamily(family(store, first));
        assertEquals(expected, contents(family(store, last)));
        assertTrue(Fixtures.tables(engine).containsAll(shared));
        StoreCursor cursor = family(store, last).cursor();
        family(store, last).compact();
        assertEquals(expected, contents(family(store, last)));
        cursor.first();
        cursor.close();
        Set<Path> kept = paths(store, last);
        Fixtures.await(
            store,
            () -> {
              try {
                return Fixtures.tables(engine).stream()
                    .noneMatch(path -> shared.contains(path) && !kept.contains(path));
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
        store.dropFamily(family(store, last));
      }
      try (Store store = open()) {
        store.compact();
        long values =
            engine.list(Fixtures.DIRECTORY).stream()
                .filter(path -> StoreFiles.valuesNumber(path).isPresent())
                .count();
        assertEquals(paths(store, Family.DEFAULT_NAME).size(), Fixtures.tables(engine).size());
        assertEquals(store.stats().valueFiles().size(), values);
      }
    }
  }

  /** Copies go by the names of files, whoever was the last to have had one open before. */
  @Test
  void aFileThatACopyReadsStaysWhenTheOtherFamilyLetsGoOfIt() throws Exception {
    try (Store store = open()) {
      Family from = filled(store);
      store.flush();
      Family clone = store.cloneFamily(from, CLONE);
      StoreCursor cursor = from.cursor();
      from.compact();
      try (PinnedTables pinned = PinnedTables.flushed(store.parts(), store.writer())) {
        store.dropFamily(clone);
        cursor.close();
        // Tables that nobody uses are closed before.
        assertEquals(1, store.background().run(() -> 1, "nothing fails"));
        assertEquals(1, store.background().run(() -> 1, "nothing fails"));
        for (FileMeta file : pinned.manifest().files()) {
          assertTrue(engine.exists(store.parts().files.path(file)), file.toString());
        }
      }
    }
  }

  @Test
  void aFileThatOnlyACursorOfTheOtherFamilyReadsStays() throws Exception {
    try (Store store = open()) {
      Family from = filled(store);
      Map<byte[], byte[]> expected = Fixtures.contents(from);
      Family clone = store.cloneFamily(from, CLONE);
      try (StoreCursor cursor = from.cursor()) {
        from.compact();
        clone.compact();
        store.dropFamily(clone);
        store.dropFamily(from);
        int count = 0;
        for (cursor.first(); cursor.isValid(); cursor.next()) {
          assertArrayEquals(
              expected.get(Fixtures.array(cursor.key())), Fixtures.array(cursor.value()));
          count++;
        }
        assertEquals(expected.size(), count);
      }
    }
  }

  // ---- crashes and failures

  /** What a state after a power cut is compared with. */
  private record Moment(String phase, Map<String, String> contents) {}

  @ParameterizedTest
  @ValueSource(ints = {0, 100})
  void afterAPowerCutItIsThereWholeOrNotAtAll(int separatedBytes) throws Exception {
    for (int seed = 0; seed < 4; seed++) {
      engine = new SimEngine(seed);
      options = options(separatedBytes);
      SplittableRandom cuts = new SplittableRandom(seed);
      Moment[] now = {new Moment("before", Map.of())};
      AssertionError[] failure = new AssertionError[1];
      Map<String, Integer> states = new HashMap<>();
      SimEngine running = engine;
      try (Store store = open()) {
        Family from = filled(store);
        running.onSync(
            () -> {
              Moment then = now[0];
              if (failure[0] == null) {
                try {
                  requireWholeOrNone(running.crash(cuts.nextLong()), then, states);
                } catch (Exception | AssertionError e) {
                  failure[0] = new AssertionError(then.phase(), e);
                }
              }
            });
        Map<String, String> expected = contents(from);
        now[0] = new Moment("during", expected);
        Family clone = store.cloneFamily(from, CLONE);
        now[0] = new Moment("after", expected);
        requireWholeOrNone(running.crash(cuts.nextLong()), now[0], states);
        SplittableRandom random = new SplittableRandom(seed);
        change(from, random, 200);
        put(clone, "own", "1");
        store.flush();
        from.compact();
        clone.compact();
        store.dropFamily(from);
        put(clone, "own", "2");
        store.compact();
        requireWholeOrNone(running.crash(cuts.nextLong()), now[0], states);
        running.onSync(() -> {});
      }
      if (failure[0] != null) {
        throw failure[0];
      }
      assertTrue(states.getOrDefault("during none", 0) > 0, states.toString());
      assertTrue(states.getOrDefault("after whole", 0) > 4, states.toString());
    }
  }

  private void requireWholeOrNone(SimEngine after, Moment then, Map<String, Integer> states)
      throws Exception {
    try (Store store = open(after)) {
      boolean isThere = store.family(CLONE).isPresent();
      if (isThere) {
        Map<String, String> found = contents(family(store, CLONE));
        found.remove("own");
        assertEquals(then.contents(), found);
      }
      assertTrue(then.phase().equals("during") || isThere == then.phase().equals("after"));
      states.merge(then.phase() + (isThere ? " whole" : " none"), 1, Integer::sum);
    }
  }

  /** After a failed sync nobody knows what the manifest is: a crash may find the clone. */
  @Test
  void oneThatFailsIsNotThereAndTakesNothingAlong() throws Exception {
    Path manifest = new StoreFiles(Fixtures.DIRECTORY).manifest();
    int found = 0;
    for (SimOperation operation :
        List.of(SimOperation.SYNC, SimOperation.WRITE, SimOperation.READ)) {
      for (int seed = 0; seed < 6; seed++) {
        SimEngine failing = new SimEngine(seed);
        engine = failing;
        Map<String, String> expected;
        try (Store store = open()) {
          Family from = filled(store);
          store.put(new byte[1], new byte[1], Durability.SYNCED);
          store.flush();
          expected = contents(from);
          // It has done all that comes after a flush: from here on only the clone needs the device.
          assertEquals(1, store.background().run(() -> 1, "nothing fails"));
          if (operation == SimOperation.READ) {
            failing.failNth(operation, 1, Errno.EIO);
          } else {
            failing.beforeWrite(
                path -> {
                  if (path.toString().startsWith(manifest.toString())) {
                    failing.beforeWrite(_ -> {});
                    failing.failNth(operation, 1, Errno.EIO);
                  }
                });
          }
          IOException failed =
              assertThrows(IOException.class, () -> store.cloneFamily(from, CLONE));
          String where = operation == SimOperation.READ ? ".table" : manifest.toString();
          assertTrue(failed.getMessage().contains(where), failed.getMessage());
          assertTrue(store.family(CLONE).isEmpty());
          assertEquals(expected, contents(from));
          try (Store after = open(failing.crash(seed))) {
            assertEquals(expected, contents(family(after, FROM)));
            if (after.family(CLONE).isPresent()) {
              assertEquals(SimOperation.SYNC, operation, "else the manifest is as it was");
              assertEquals(expected, contents(family(after, CLONE)));
              found++;
            }
          }
          Family second = store.cloneFamily(from, "second");
          try (Store after = open(failing.crash(seed))) {
            assertEquals(expected, contents(family(after, FROM)));
            assertEquals(expected, contents(family(after, "second")));
          }
          store.dropFamily(from);
          assertEquals(expected, contents(second));
          second.compact();
        }
        try (Store store = open(failing.crash(seed))) {
          assertEquals(expected, contents(family(store, "second")));
          assertFalse(store.family(FROM).isPresent());
        }
      }
    }
    assertTrue(found > 0);
  }

  /**
   * The clone knows when what it has was written, up to a sequence number: if a crash loses that,
   * what gets it next must not be old by then.
   */
  @Test
  void whatIsWrittenAfterACrashIsYoung() throws Exception {
    Duration ttl = Duration.ofHours(1);
    AtomicLong clock = new AtomicLong(1_700_000_000_000L);
    options = options.withTree(options.tree().withTtl(ttl));
    for (int seed = 1; seed <= 10; seed++) {
      engine = new SimEngine(seed);
      SimEngine after;
      try (Store store = Store.open(Fixtures.DIRECTORY, options, engine, clock::get)) {
        put(store, "b", "1".repeat(300)); // so that it ends where the next would not
        clock.addAndGet(ttl.toMillis() / 30); // time for a point
        StoreParts parts = store.parts();
        FamilyState from = store.family();
        TreeOptions tree = options.tree();
        // As if that had been written after the flush.
        assertEquals(
            CLONE,
            parts.background.run(() -> parts.familyChanges.cloneOf(from, CLONE, tree), "").name());
        after = engine.crash(seed);
      }
      clock.addAndGet(ttl.toMillis() / 2);
      SimEngine again;
      try (Store store = Store.open(Fixtures.DIRECTORY, options, after, clock::get)) {
        family(store, CLONE).put(new byte[] {'c'}, new byte[] {'2'}, Durability.SYNCED);
        again = after.crash(seed);
      }
      clock.addAndGet(ttl.toMillis() / 2 + 120_000);
      try (Store store = Store.open(Fixtures.DIRECTORY, options, again, clock::get)) {
        store.background().awaitExpiration();
        assertEquals("2", get(family(store, CLONE), "c"), "seed=" + seed);
      }
    }
  }

  // ---- copies, followers, repairs

  @Test
  void copiesAndFollowersHaveItToo() throws Exception {
    options = options(100);
    Path copied = Path.of("/copies/one");
    Path backups = Path.of("/backups");
    Path restored = Path.of("/copies/two");
    try (Store store = open()) {
      filled(store);
      Family clone = store.cloneFamily(family(store, FROM), CLONE);
      family(store, FROM).compact();
      put(clone, "own", "1");
      store.dropFamily(family(store, FROM));
      store.flush();
      Map<String, String> expected = contents(clone);
      store.checkpoint(copied);
      try (Backups made = Backups.open(backups, engine)) {
        long first = made.create(store, _ -> {}).number();
        Family again = store.cloneFamily(clone, "again");
        BackupInfo second = made.create(store, _ -> {});
        assertEquals(0, second.newBytes(), "no file is new");
        assertTrue(made.verify(_ -> {}).problems().isEmpty());
        made.restore(second.number(), restored, _ -> {});
        made.delete(first);
        assertEquals(expected, contents(again));
      }
      try (ReadOnlyStore replica = Store.openReadOnly(Fixtures.DIRECTORY, options, engine)) {
        assertEquals(expected, contents(replica.family(CLONE).orElseThrow()));
        assertEquals(expected, contents(replica.family("again").orElseThrow()));
        store.dropFamily(clone);
        store.compact();
        assertTrue(replica.refresh() > 0);
        assertEquals(expected, contents(replica.family("again").orElseThrow()));
      }
      for (Path directory : List.of(copied, restored)) {
        try (Store copy = Store.open(directory, options, engine)) {
          assertEquals(expected, contents(family(copy, CLONE)));
          family(copy, CLONE).compact();
          assertEquals(expected, contents(family(copy, CLONE)));
        }
      }
    }
  }

  @Test
  void aDamagedFileIsRepairedInBoth() throws Exception {
    Set<Path> shared;
    Map<String, Map<String, String>> expected = new TreeMap<>();
    try (Store store = open()) {
      filled(store);
      Family clone = store.cloneFamily(family(store, FROM), CLONE);
      put(clone, "own", "1");
      store.flush();
      shared = paths(store, FROM);
      expected.put(FROM, contents(family(store, FROM)));
      expected.put(CLONE, contents(clone));
    }
    assertTrue(StoreRepair.run(Fixtures.DIRECTORY, options, engine.crash(1), _ -> {}).isSound());
    engine.flipBit(shared.iterator().next(), 300);
    RepairReport report = StoreRepair.run(Fixtures.DIRECTORY, options, engine, _ -> {});
    assertEquals(2, report.damagedTables().size());
    try (Store store = open()) {
      for (String name : List.of(FROM, CLONE)) {
        Map<String, String> found = contents(family(store, name));
        assertTrue(found.size() > expected.get(name).size() / 2, name + found.size());
      }
      assertEquals("1", get(family(store, CLONE), "own"));
      assertNull(get(family(store, FROM), "own"));
    }
  }

  /** What is left of a manifest says whose a file is; the footer knows only who has written it. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void withoutAManifestAFileIsOfThoseThatAreKnown(boolean hasRemains) throws Exception {
    options = options(100);
    Map<String, String> expected;
    Map<String, String> own;
    try (Store store = open()) {
      Family from = filled(store);
      expected = contents(from);
      Family clone = store.cloneFamily(from, CLONE);
      put(clone, "own", "1");
      store.flush();
      own = contents(clone);
    }
    StoreFiles files = new StoreFiles(Fixtures.DIRECTORY);
    if (hasRemains) {
      engine.flipBit(files.manifest(), ManifestFormat.POSITION_OFFSET); // of the first edit
    } else {
      engine.delete(files.manifest());
    }
    RepairReport report = StoreRepair.run(Fixtures.DIRECTORY, options, engine, _ -> {});
    assertTrue(report.manifestProblem().isPresent());
    try (Store store = open()) {
      assertEquals(expected, contents(family(store, "lost-1")));
      Map<String, String> found = contents(family(store, "lost-2"));
      assertEquals(hasRemains ? own : Map.of("own", "1"), found);
    }
  }

  // ---- the manifest

  private static TableMeta meta(long number, int family) {
    MemorySegment key = MemorySegment.ofArray(new byte[] {1});
    return new TableMeta(number, 4096, 1, 0, 1, 1, key, key, family);
  }

  private static Manifest manifest(TableMeta... metas) {
    ManifestEdit edit =
        Manifest.EMPTY
            .edit()
            .withState(true, 20, 5, 5)
            .creating(new FamilyEdit(1, FROM, "", WriteTimes.NONE))
            .creating(new FamilyEdit(2, CLONE, "", WriteTimes.NONE));
    for (TableMeta meta : metas) {
      edit = edit.adding(0, List.of(meta));
    }
    return Manifest.EMPTY.after(edit);
  }

  @Test
  void aManifestSaysWhichFileATableIsInAndWhatCannotBeIsRefused() throws Exception {
    Path path = Path.of("/manifest");
    Manifest sound = manifest(meta(3, 1), meta(9, 2).inFile(3, 1), meta(10, 2).inFile(4, 0));
    byte[] frame = ManifestFormat.encode(sound.snapshot(), 0);
    Manifest read = Manifest.EMPTY.after(ManifestFormat.decode(path, frame, 0));
    assertEquals(sound.files(), read.files());
    assertEquals(Set.of(3L, 4L), read.fileNumbers());
    assertEquals(Set.of(3L, 9L, 10L), read.tableNumbers());
    assertEquals(1, read.family(2).tables().getFirst().fileFamily());
    // The one goes, the other keeps the file.
    Manifest less = sound.after(sound.edit().removing(List.of(meta(3, 1))));
    assertTrue(less.hasTableIn(3) && !less.hasTableIn(9));
    assertEquals(Set.of(4L, 3L), sound.after(sound.edit().dropping(1)).fileNumbers());
    List<TableMeta[]> unsound = new ArrayList<>();
    unsound.add(new TableMeta[] {meta(3, 2).inFile(9, 1)}); // the file is newer
    unsound.add(new TableMeta[] {meta(9, 1).inFile(3, 1)}); // of the family itself
    unsound.add(new TableMeta[] {meta(9, 1).inFile(3, 2)}); // of a younger family
    unsound.add(new TableMeta[] {meta(9, 2).inFile(3, -1)});
    unsound.add(new TableMeta[] {meta(9, 2).inFile(0, 1)});
    unsound.add(new TableMeta[] {meta(9, 2).inFile(3, 1), meta(10, 2).inFile(3, 1)}); // twice
    unsound.add(new TableMeta[] {meta(3, 1), meta(9, 2).inFile(3, 0)}); // they differ
    unsound.add(new TableMeta[] {meta(9, 1).inFile(3, 0), meta(10, 2).inFile(9, 1)}); // no file
    for (TableMeta[] metas : unsound) {
      assertThrows(IllegalArgumentException.class, () -> manifest(metas));
    }
  }
}
