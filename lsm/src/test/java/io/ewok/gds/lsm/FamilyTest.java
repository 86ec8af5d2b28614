package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.table.TableProperties;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Families share a log and nothing else that anybody could see. */
class FamilyTest {
  private static final TreeOptions TREE = Fixtures.TINY.tree();
  private static final MergeOperator APPEND = MergeOperators.append(new byte[] {','});
  private static final byte[] KEY = Fixtures.bytes("key");

  /** Where records are, one after the other. */
  private static final List<String> STATIONS =
      List.of("memory", "log", "table", "merged", "manifest");

  private SimEngine engine = new SimEngine(1);
  private StoreOptions options = Fixtures.TINY;

  private Store open() throws IOException {
    return Store.open(Fixtures.DIRECTORY, options, engine);
  }

  private static void put(Family family, String key, String value) throws IOException {
    family.put(Fixtures.bytes(key), Fixtures.bytes(value), Durability.NONE);
  }

  private static String get(ReadView view, String key) throws IOException {
    return Fixtures.text(view.get(Fixtures.bytes(key)));
  }

  private static List<String> keys(ReadView view) throws IOException {
    List<String> keys = new ArrayList<>();
    try (StoreCursor cursor = view.cursor()) {
      for (cursor.first(); cursor.isValid(); cursor.next()) {
        keys.add(Fixtures.text(Fixtures.array(cursor.key())));
      }
    }
    return keys;
  }

  private static List<String> names(Store store) {
    return store.families().stream().map(Family::name).toList();
  }

  /** Brings what there is to a station. Returns the store, which may be another object then. */
  private Store moved(Store store, String station) throws IOException {
    switch (station) {
      case "log", "manifest" -> {
        store.close();
        return open();
      }
      case "table" -> store.flush();
      case "merged" -> {
        for (Family family : store.families()) {
          family.compact();
        }
      }
      default -> {}
    }
    return store;
  }

  @Test
  void theSameKeyIsAnotherOneInEachFamilyAtEveryStation() throws Exception {
    Store store = open();
    Family a = store.createFamily("a");
    Family b = store.createFamily("b");
    put(store, "key", "of the store");
    put(a, "key", "of a");
    put(b, "other", "of b");
    put(b, "key", "of b");
    b.delete(KEY, Durability.SYNCED);
    for (String station : STATIONS) {
      store = moved(store, station);
      a = store.family("a").orElseThrow();
      b = store.family("b").orElseThrow();
      assertEquals("of the store", get(store, "key"), station);
      assertEquals("of a", get(a, "key"), station);
      assertNull(get(b, "key"), station);
      assertNull(get(a, "other"), station);
      assertEquals(List.of("key"), keys(store), station);
      assertEquals(List.of("key"), keys(a), station);
      assertEquals(List.of("other"), keys(b), station);
      assertEquals(List.of("default", "a", "b"), names(store), station);
    }
    assertEquals(Set.of(0, 1, 2), Set.of(store.id(), a.id(), b.id()));
    store.close();
  }

  @Test
  void aRangeIsDeletedInOneFamilyAtEveryStation() throws Exception {
    byte[] first = Fixtures.bytes("k2");
    byte[] end = Fixtures.bytes("k4");
    Store store = open();
    Family a = store.createFamily("a");
    Family b = store.createFamily("b");
    for (Family family : List.of(store, a, b)) {
      for (int i = 1; i < 6; i++) {
        put(family, "k" + i, "v");
      }
    }
    store.flush();
    a.deleteRange(first, end, Durability.NONE);
    store.write(
        new WriteBatch().deleteRange(b, Fixtures.bytes("k5"), KEY).put(b, KEY, KEY),
        Durability.SYNCED);
    for (String station : STATIONS) {
      store = moved(store, station);
      a = store.family("a").orElseThrow();
      b = store.family("b").orElseThrow();
      assertEquals(List.of("k1", "k2", "k3", "k4", "k5"), keys(store), station);
      assertEquals(List.of("k1", "k4", "k5"), keys(a), station);
      assertNull(get(a, "k3"), station);
      assertEquals("v", get(b, "k3"), station);
      assertEquals(List.of("k1", "k2", "k3", "k4", "key"), keys(b), station);
    }
    long deletes =
        store.stats().families().stream()
            .flatMap(family -> family.levels().stream())
            .mapToLong(level -> level.rangeDeletes() + level.deletes())
            .sum();
    assertEquals(0, deletes, "nothing is left to be hidden");
    store.close();
  }

  @Test
  void keysAndValuesOfMaximalLengthSurviveInAFamilyToo() throws Exception {
    byte[] longest = new byte[WriteBatch.KEY_BYTES_MAX];
    byte[] largest = new byte[(int) options.valueBytesMax(longest.length)];
    byte[] largestOfEmpty = new byte[(int) options.valueBytesMax(0)];
    largest[0] = 1;
    try (Store store = open()) {
      Family family = store.createFamily("family");
      family.put(longest, largest, Durability.NONE);
      family.put(new byte[0], largestOfEmpty, Durability.SYNCED);
    }
    try (Store store = open()) {
      Family family = store.family("family").orElseThrow();
      assertArrayEquals(largest, family.get(longest));
      store.flush();
      assertArrayEquals(largestOfEmpty, family.get(new byte[0]));
    }
  }

  @Test
  void aBatchIsAppliedInAllFamiliesOrInNone() throws Exception {
    try (Store store = open()) {
      Family a = store.createFamily("a", TREE.withMergeOperator(APPEND));
      Family b = store.createFamily("b");
      put(b, "gone", "soon");
      WriteBatch batch =
          new WriteBatch()
              .put(KEY, new byte[] {1})
              .put(a, KEY, Fixtures.bytes("x"))
              .merge(a, KEY, Fixtures.bytes("y"))
              .delete(b, Fixtures.bytes("gone"))
              .put(b, KEY, new byte[] {3})
              .singleDelete(KEY)
              .put(store, Fixtures.bytes("named"), new byte[] {4});
      assertEquals(7, batch.count());
      store.write(batch, Durability.SYNCED);
      assertEquals("x,y", get(a, "key"));
      assertEquals(List.of("key"), keys(b));
      assertEquals(List.of("named"), keys(store));
      assertEquals(8, store.stats().written().operations());
    }
    try (Store store = open()) {
      assertEquals(List.of("key"), keys(store.family("b").orElseThrow()));
      assertEquals(List.of("named"), keys(store));
      // Operands are kept without their operator, and are not to be merged.
      assertThrows(MergeFailedException.class, () -> get(store.family("a").orElseThrow(), "key"));
    }
  }

  @Test
  void aBatchMayHaveAsManyFamiliesAsFit() throws Exception {
    try (Store store = open()) {
      WriteBatch batch = new WriteBatch();
      List<Family> families = new ArrayList<>();
      for (int i = 0; batch.sizeBytes() + 4_000 < options.batchBytesMax(); i++) {
        families.add(store.createFamily("family " + i));
        batch.put(families.getLast(), KEY, new byte[] {(byte) i});
      }
      assertTrue(families.size() > 30, "families: " + families.size());
      for (int round = 0; round < 5; round++) {
        store.write(batch, Durability.NONE);
        store.flush();
      }
      for (int i = 0; i < families.size(); i++) {
        assertArrayEquals(new byte[] {(byte) i}, families.get(i).get(KEY));
        batch.put(families.get(i), KEY, new byte[2_000]);
      }
      WriteBatch tooLarge = new WriteBatch();
      for (int i = 0; tooLarge.sizeBytes() <= options.batchBytesMax(); i++) {
        Family more = i < families.size() ? families.get(i) : store.createFamily("more " + i);
        tooLarge.put(more, KEY, new byte[1]);
      }
      assertThrows(IllegalArgumentException.class, () -> store.write(tooLarge, Durability.NONE));
    }
  }

  @Test
  void familiesOfOtherStoresAndThoseThatAreDroppedAreRefused() throws Exception {
    try (Store store = open();
        Store other = Store.open(Path.of("/other"), options, new SimEngine(2));
        Snapshot snapshot = store.snapshot()) {
      Family mine = store.createFamily("family");
      Family others = other.createFamily("family");
      WriteBatch batch = new WriteBatch().put(others, KEY, KEY);
      assertThrows(IllegalArgumentException.class, () -> store.write(batch, Durability.NONE));
      assertThrows(IllegalArgumentException.class, () -> store.dropFamily(others));
      assertThrows(IllegalArgumentException.class, () -> snapshot.family(others));
      assertThrows(IllegalArgumentException.class, () -> store.dropFamily(store));
      assertThrows(IllegalStateException.class, () -> mine.merge(KEY, KEY, Durability.NONE));
      WriteBatch operand = new WriteBatch().merge(mine, KEY, KEY);
      assertThrows(IllegalStateException.class, () -> store.write(operand, Durability.NONE));

      WriteBatch late = new WriteBatch().put(KEY, KEY).put(mine, KEY, KEY);
      ReadView before = snapshot.family(mine);
      StoreCursor cursor = mine.cursor();
      TailingCursor tail = mine.tail(CursorOptions.defaults());
      store.dropFamily(mine);
      assertThrows(IllegalStateException.class, () -> store.write(late, Durability.NONE));
      assertNull(store.get(KEY), "nothing of the batch");
      for (Drops use :
          List.<Drops>of(
              () -> mine.get(KEY),
              () -> mine.get(MemorySegment.ofArray(KEY), MemorySegment.ofArray(new byte[1])),
              () -> mine.multiGet(List.of(KEY)),
              () -> mine.getAsync(KEY).join(),
              () -> mine.explain(KEY),
              () -> mine.put(KEY, KEY, Durability.NONE),
              () -> mine.delete(KEY, Durability.NONE),
              () -> mine.cursor(),
              () -> mine.tail(CursorOptions.defaults()),
              () -> mine.compact(),
              () -> before.get(KEY),
              () -> snapshot.family(mine),
              () -> cursor.refresh(),
              () -> tail.next(),
              () -> store.dropFamily(mine))) {
        IllegalStateException e = assertThrows(IllegalStateException.class, use::run);
        assertTrue(e.getMessage().contains("name=family"), e.getMessage());
      }
      cursor.close();
      tail.close();
    }
  }

  /** What is done with a family that is dropped. */
  private interface Drops {
    void run() throws Exception;
  }

  @Test
  void namesAreTakenAndGivenAnewAndNumbersAreNot() throws Exception {
    Store store = open();
    Family first = store.createFamily("family");
    for (String name :
        List.of("family", Family.DEFAULT_NAME, "", "x".repeat(256), "a\nb", "\ud800")) {
      assertThrows(IllegalArgumentException.class, () -> store.createFamily(name), name);
    }
    put(first, "key", "old");
    store.flush();
    put(first, "key in the log", "old");
    store.dropFamily(first);
    assertTrue(store.family("family").isEmpty());
    Family second = store.createFamily("family");
    assertNotEquals(first.id(), second.id());
    assertEquals(List.of(), keys(second));
    put(second, "key", "new");
    store.put(KEY, KEY, Durability.SYNCED);
    store.close();
    try (Store again = open()) {
      assertEquals(List.of("key"), keys(again.family("family").orElseThrow()));
      again.dropFamily(again.family("family").orElseThrow());
    }
    try (Store again = open()) {
      assertEquals(List.of("default"), names(again));
      assertEquals(second.id() + 1, again.createFamily("third").id());
    }
  }

  @Test
  void aDroppedFamilyIsReadToItsEndByOpenCursorsAndThenItsFilesGo() throws Exception {
    try (Store store = open()) {
      store.background().setRest(TimeUnit.HOURS.toNanos(1));
      Family family = store.createFamily("family");
      for (int i = 0; i < 500; i++) {
        put(family, "key%03d".formatted(i), "value " + i);
        if (i == 200) {
          store.flush();
        }
      }
      StoreCursor cursor = family.cursor();
      cursor.first();
      store.dropFamily(family);
      Set<Path> tables = new TreeSet<>(Fixtures.tables(engine));
      assertFalse(tables.isEmpty());
      int count = 0;
      for (; cursor.isValid(); cursor.next()) {
        assertEquals("value " + count++, Fixtures.text(Fixtures.array(cursor.value())));
      }
      assertEquals(500, count);
      assertTrue(Fixtures.tables(engine).containsAll(tables), "they are needed");
      cursor.close();
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
      while (Fixtures.tables(engine).stream().anyMatch(tables::contains)
          && System.nanoTime() < deadline) {
        store.flush();
      }
      assertTrue(Fixtures.tables(engine).stream().noneMatch(tables::contains), "they are gone");
    }
  }

  /** Else each of them would keep a memtable, of which there are only so many. */
  @Test
  void cursorsOnDroppedFamiliesKeepNoMemory() throws Exception {
    try (Store store = open()) {
      List<StoreCursor> cursors = new ArrayList<>();
      for (int i = 0; i < 2 * StoreOptions.MEMTABLES_MAX; i++) {
        Family family = store.createFamily("family");
        put(family, "key", "value " + i);
        cursors.add(family.cursor());
        store.dropFamily(family);
        put(store, "key", "value");
        store.flush();
      }
      for (int i = 0; i < cursors.size(); i++) {
        cursors.get(i).first();
        assertEquals("value " + i, Fixtures.text(Fixtures.array(cursors.get(i).value())));
        cursors.get(i).close();
      }
    }
  }

  @Test
  void filesOfADroppedFamilyGoAfterACrash() throws Exception {
    Store store = open();
    Family family = store.createFamily("family");
    put(family, "key", "value");
    store.flush();
    StoreCursor cursor = family.cursor(); // keeps the files
    store.dropFamily(family);
    assertEquals(1, Fixtures.tables(engine).size());
    SimEngine after = engine.crash(1);
    cursor.close();
    store.close();
    engine = after;
    assertEquals(1, Fixtures.tables(engine).size());
    open().close();
    assertEquals(0, Fixtures.tables(engine).size());
  }

  @Test
  void eachFamilyHasItsOptionsAlsoAfterTheyWereChangedAndOpenedAnew() throws Exception {
    TreeOptions compressed = TREE.withEachLevel(level -> level.withCompression(Compression.LZ4));
    options = options.withFamily("named", compressed);
    try (Store store = open()) {
      assertSame(options.tree("named"), store.options().tree("named"));
      Family named = store.createFamily("named");
      Family unnamed = store.createFamily("unnamed");
      Family given =
          store.createFamily("given", TREE.withEachLevel(level -> level.withFilterBitsPerKey(0)));
      for (Family family : store.families()) {
        put(family, "key", "value".repeat(200));
      }
      store.flush();
      assertEquals(
          Map.of("named", "LZ4 10", "unnamed", "NONE 10", "given", "NONE 0", "default", "NONE 10"),
          forms(store));
      store.change(
          Map.of(
              "store.family.unnamed.compression", "lz4",
              "store.family.named.filter-bits", "5",
              "store.family.given.style", "tiered"));
      assertThrows(
          IllegalArgumentException.class,
          () -> store.change(Map.of("store.family.absent.compression", "lz4")));
      assertThrows(
          IllegalArgumentException.class,
          () -> store.change(Map.of("store.family.named.memtable", "1M")));
      assertThrows(
          IllegalArgumentException.class,
          () -> store.change(Map.of("store.family.named.merge", "add64")));
      for (Family family : List.of(named, unnamed, given)) {
        family.compact();
      }
      assertEquals(
          Map.of("named", "LZ4 5", "unnamed", "LZ4 10", "given", "NONE 0", "default", "NONE 10"),
          forms(store));
      assertEquals(CompactionStyle.TIERED, store.options().tree("given").style());
      assertEquals(CompactionStyle.LEVELED, store.options().tree().style());
      assertThrows(
          IllegalArgumentException.class,
          () ->
              store.createFamily(
                  "larger", TREE.withEachLevel(level -> level.withBlockBytes(64 << 10))));
      assertEquals(List.of("default", "named", "unnamed", "given"), names(store));
    }
  }

  /** Compression and filter bits of the tables of each family, as the files say. */
  private static Map<String, String> forms(Store store) {
    Map<String, String> forms = new TreeMap<>();
    Version version = store.writer().versions().retain();
    try {
      for (Family family : store.families()) {
        for (Table table : version.levels(family.id()).tables()) {
          TableProperties form = table.properties();
          forms.put(family.name(), form.compression() + " " + form.filterBitsPerKey());
        }
      }
    } finally {
      store.writer().versions().release(version);
    }
    return forms;
  }

  @Test
  void operatorsAreOfFamiliesAndStayWhatTheyAre() throws Exception {
    TreeOptions append = TREE.withMergeOperator(APPEND);
    TreeOptions longs = TREE.withMergeOperator(MergeOperators.add64());
    options = options.withFamily("texts", append).withFamily("sums", longs);
    try (Store store = open()) {
      Family texts = store.createFamily("texts");
      Family sums = store.createFamily("sums");
      for (int round = 0; round < 3; round++) {
        texts.merge(KEY, Fixtures.bytes("x"), Durability.NONE);
        sums.merge(KEY, new byte[] {1, 0, 0, 0, 0, 0, 0, 0}, Durability.SYNCED);
        store.flush();
      }
      assertEquals("x,x,x", get(texts, "key"));
      assertArrayEquals(new byte[] {3, 0, 0, 0, 0, 0, 0, 0}, sums.get(KEY));
    }
    options = options.withFamily("sums", append);
    StorageException e = assertThrows(StorageException.class, this::open);
    assertTrue(e.getMessage().contains("family=sums"), e.getMessage());
    options = options.withFamily("sums", longs);
    try (Store store = open()) {
      assertArrayEquals(
          new byte[] {3, 0, 0, 0, 0, 0, 0, 0}, store.family("sums").orElseThrow().get(KEY));
    }
  }

  @Test
  void timesToLiveAreOfFamilies() throws Exception {
    AtomicLong clock = new AtomicLong(1_000_000);
    options = options.withFamily("short", TREE.withTtl(Duration.ofSeconds(1)));
    for (boolean reopened : new boolean[] {false, true}) {
      try (Store store = Store.open(Fixtures.DIRECTORY, options, engine, clock::get)) {
        Family brief = reopened ? store.family("short").orElseThrow() : store.createFamily("short");
        put(brief, "key", "value");
        put(store, "key", "value");
        Snapshot snapshot = store.snapshot();
        store.flush();
        for (int i = 0; i < 40; i++) {
          clock.addAndGet(100);
          store.background().awaitExpiration();
        }
        assertNull(get(brief, "key"));
        assertEquals(List.of(), keys(brief));
        assertEquals("value", get(store, "key"));
        assertEquals("value", get(snapshot.family(brief), "key"), "it has expired later");
        snapshot.close();
      }
    }
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine, clock::get)) {
      assertNull(get(store.family("short").orElseThrow(), "key"));
      assertEquals("value", get(store, "key"));
    }
  }

  @Test
  void aSnapshotIsOfOneTimeInAllFamilies() throws Exception {
    try (Store store = open()) {
      Family a = store.createFamily("a");
      put(store, "key", "1");
      put(a, "key", "1");
      try (Snapshot snapshot = store.snapshot()) {
        Family later = store.createFamily("later");
        put(store, "key", "2");
        put(a, "key", "2");
        put(later, "key", "2");
        store.flush();
        a.compact();
        assertEquals("1", get(snapshot, "key"));
        assertEquals("1", get(snapshot.family(store), "key"));
        assertEquals("1", get(snapshot.family(a), "key"));
        assertEquals(List.of(), keys(snapshot.family(later)));
        assertEquals("2", get(a, "key"));
      }
    }
  }

  @Test
  void cursorsSeeWhatComesToAFamilyThatWasEmptyInMemory() throws Exception {
    try (Store store = open()) {
      Family family = store.createFamily("family");
      try (StoreCursor cursor = family.cursor();
          TailingCursor tail = family.tail(CursorOptions.defaults())) {
        cursor.first();
        assertFalse(cursor.isValid());
        cursor.last();
        assertFalse(cursor.isValid());
        cursor.seekForPrev(KEY);
        assertFalse(cursor.isValid());
        assertFalse(tail.next());
        put(family, "key", "value");
        cursor.first();
        assertFalse(cursor.isValid());
        cursor.refresh();
        cursor.first();
        assertTrue(cursor.isValid());
        assertTrue(tail.await(Duration.ofMinutes(1)));
        assertTrue(tail.next());
        assertEquals(1, family.explainScan(CursorOptions.defaults(), 10).returned());
        assertTrue(family.explain(KEY).found());
        assertFalse(store.explain(KEY).found());
      }
    }
  }

  @Test
  void readersOfChangesAreToldTheFamilyAndNothingOfThoseThatAreDropped() throws Exception {
    MemoryBudget budget = MemoryBudget.root("changes", 1 << 20);
    try (Store store = open();
        StoreChanges changes = store.changes(0, Durability.SYNCED, budget)) {
      Family a = store.createFamily("a");
      Family b = store.createFamily("b");
      put(a, "1", "x");
      store.write(
          new WriteBatch()
              .put(Fixtures.bytes("2"), KEY)
              .delete(b, KEY)
              .put(a, Fixtures.bytes("3"), KEY),
          Durability.NONE);
      store.put(Fixtures.bytes("4"), KEY, Durability.SYNCED);
      store.dropFamily(b);
      List<String> seen = new ArrayList<>();
      StoreChanges.Consumer consumer =
          new StoreChanges.Consumer() {
            @Override
            public void accept(
                long sequence, boolean delete, MemorySegment key, MemorySegment value) {
              seen.add(Fixtures.text(Fixtures.array(key)));
            }

            @Override
            public void beginFamily(int id, String name) {
              seen.add(name + "/" + id);
            }
          };
      while (changes.next(consumer)) {
        seen.add("|");
      }
      assertEquals(List.of("a/1", "1", "|", "2", "a/1", "3", "|", "4", "|"), seen);
      try (StoreChanges again = store.changes(0, Durability.SYNCED, budget)) {
        assertThrows(UnsupportedOperationException.class, () -> again.next((_, _, _, _) -> {}));
      }
    }
  }

  @Test
  void aFamilyWhoseCreationOrDropFailsIsAsItWasOrCannotBeUsed() throws Exception {
    Map<SimOperation, Boolean> usable = new TreeMap<>();
    for (SimOperation operation : List.of(SimOperation.SYNC, SimOperation.WRITE)) {
      engine = new SimEngine(1);
      try (Store store = open()) {
        Family there = store.createFamily("there");
        // Durable, so that nobody writes to the device meanwhile.
        there.put(KEY, Fixtures.bytes("value"), Durability.SYNCED);
        engine.failNth(operation, 1, Errno.EIO);
        assertFalse(attempt(() -> store.createFamily("new")));
        assertTrue(store.family("new").isEmpty());
        Family made = store.createFamily("new");
        made.put(KEY, Fixtures.bytes("new"), Durability.SYNCED);
        engine.failNth(operation, 1, Errno.EIO);
        assertFalse(attempt(() -> store.dropFamily(there)));
        assertTrue(store.family("there").isPresent());
        usable.put(operation, attempt(() -> assertEquals("value", get(there, "key"))));
        store.dropFamily(there);
        assertEquals(List.of("default", "new"), names(store));
        store.put(KEY, KEY, Durability.SYNCED);
      }
      try (Store store = open()) {
        assertEquals(List.of("default", "new"), names(store));
        assertEquals("new", get(store.family("new").orElseThrow(), "key"));
      }
    }
    // A crash after the first of them may find the family dropped, not after the second.
    assertEquals(Map.of(SimOperation.SYNC, false, SimOperation.WRITE, true), usable);
  }

  @Test
  void whatIsWrittenAfterADropThatFailedIsThereAfterACrash() throws Exception {
    for (SimOperation operation : List.of(SimOperation.SYNC, SimOperation.WRITE)) {
      for (int seed = 0; seed < 20; seed++) {
        engine = new SimEngine(seed);
        SimEngine after;
        boolean written;
        try (Store store = open()) {
          Family there = store.createFamily("there");
          engine.failNth(operation, 1, Errno.EIO);
          assertFalse(attempt(() -> store.dropFamily(there)));
          written = attempt(() -> there.put(KEY, KEY, Durability.SYNCED));
          after = engine.crash(seed);
        }
        try (Store store = Store.open(Fixtures.DIRECTORY, options, after)) {
          if (written) {
            assertArrayEquals(KEY, store.family("there").orElseThrow().get(KEY));
          }
        }
      }
    }
  }

  private static boolean attempt(Drops what) throws Exception {
    try {
      what.run();
      return true;
    } catch (IOException | IllegalStateException e) {
      return false;
    }
  }

  @Test
  void aTableOfAnotherFamilyThanTheManifestSaysIsRefused() throws Exception {
    try (Store store = open()) {
      Family family = store.createFamily("family");
      put(family, "key", "value");
      store.flush();
    }
    StoreFiles files = new StoreFiles(Fixtures.DIRECTORY);
    Manifest manifest = ManifestLog.open(engine, files.manifest()).current();
    TableMeta meta = manifest.family(1).tables().getFirst();
    ManifestEdit moved =
        Manifest.EMPTY
            .edit()
            .withState(true, manifest.nextNumber(), manifest.horizonLsn(), manifest.lastSequence())
            .adding(
                0,
                List.of(
                    new TableMeta(
                        meta.number(),
                        meta.sizeBytes(),
                        meta.entries(),
                        meta.deletes(),
                        meta.firstSequence(),
                        meta.lastSequence(),
                        meta.firstKey(),
                        meta.lastKey())));
    ManifestLog.replace(engine, files.manifest(), moved);
    CorruptFileException e = assertThrows(CorruptFileException.class, this::open);
    assertTrue(e.getMessage().contains("family 1"), e.getMessage());
  }

  /** Either everything is as it was, or the file is named. */
  @Test
  void eachFlippedByteOfFilesWithFamiliesIsToldOrHarmless() throws Exception {
    try (Store store = open()) {
      store.background().setRest(TimeUnit.HOURS.toNanos(1));
      for (String name : List.of("a", "b")) {
        Family family = store.createFamily(name);
        for (int i = 0; i < 30; i++) {
          put(family, "key" + i, name + i);
        }
      }
      put(store, "key", "value");
      store.flush();
      put(store.family("a").orElseThrow(), "in the log", "value");
      store.put(KEY, KEY, Durability.SYNCED);
    }
    StoreFiles files = new StoreFiles(Fixtures.DIRECTORY);
    SimEngine base = engine;
    Map<String, Map<String, String>> expected = read(base.crash(1));
    List<Path> looked = new ArrayList<>(Fixtures.tables(base));
    looked.add(files.manifest());
    int told = 0;
    for (Path file : looked) {
      int step = file.equals(files.manifest()) ? 3 : 11;
      for (long offset = 0; offset < Fixtures.sizeBytes(base, file); offset += step) {
        SimEngine damaged = base.crash(1);
        damaged.flipBit(file, offset);
        try {
          assertEquals(expected, read(damaged), file + " offset=" + offset);
        } catch (CorruptFileException e) {
          assertTrue(e.getMessage().contains(file.getFileName().toString()), e.getMessage());
          told++;
        }
      }
    }
    assertTrue(told > 200, "told: " + told);
  }

  private Map<String, Map<String, String>> read(SimEngine from) throws Exception {
    Map<String, Map<String, String>> found = new TreeMap<>();
    try (Store store = Store.open(Fixtures.DIRECTORY, options, from)) {
      for (Family family : store.families()) {
        Map<byte[], byte[]> contents = Fixtures.contents(family);
        for (Map.Entry<byte[], byte[]> entry : contents.entrySet()) {
          assertArrayEquals(entry.getValue(), family.get(entry.getKey()));
        }
        found.put(family.name(), Fixtures.text(contents));
      }
    }
    return found;
  }

  @Test
  void aLogWithFamiliesThatTheManifestNeverHadIsRefused() throws Exception {
    try (Store store = open()) {
      put(store.createFamily("family"), "key", "value");
      store.put(KEY, KEY, Durability.SYNCED);
    }
    StoreFiles files = new StoreFiles(Fixtures.DIRECTORY);
    Manifest manifest = ManifestLog.open(engine, files.manifest()).current();
    ManifestLog.replace(
        engine,
        files.manifest(),
        Manifest.EMPTY
            .edit()
            .withState(
                true, manifest.nextNumber(), manifest.horizonLsn(), manifest.lastSequence()));
    CorruptFileException e = assertThrows(CorruptFileException.class, this::open);
    assertTrue(e.getMessage().contains("family 1"), e.getMessage());
  }

  /** One that is written all the time does not keep the others from being compacted. */
  @Test
  void allFamiliesAreCompactedInTheirTurn() throws Exception {
    options = options.withTablesBeforeMerge(2);
    try (Store store = open()) {
      store.background().setRest(TimeUnit.HOURS.toNanos(1));
      List<Family> families = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        families.add(store.createFamily("family " + i));
      }
      for (int round = 0; round < 40; round++) {
        for (Family family : families) {
          put(family, "key " + round, "value");
        }
        store.flush();
      }
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
      while (System.nanoTime() < deadline && level0Max(store) > 2) {
        Thread.onSpinWait();
      }
      assertTrue(level0Max(store) <= 2, "tables of level 0: " + level0Max(store));
      for (Family family : families) {
        assertEquals(40, keys(family).size());
      }
    }
  }

  private static int level0Max(Store store) {
    return store.stats().families().stream()
        .mapToInt(family -> family.levels().getFirst().tables())
        .max()
        .orElseThrow();
  }

  /** A change from one family to another is in the log alone. */
  @Test
  void batchesThatChangeFamiliesOftenFillAMemtableNoSooner() throws Exception {
    int together = batchesOfOneMemtable(2);
    int inTurn = batchesOfOneMemtable(1);
    assertTrue(inTurn > 0.99 * together, "together: " + together + " in turn: " + inTurn);
  }

  /** Each with so many puts of one family, then of the other, and so on. */
  private int batchesOfOneMemtable(int putsOfOne) throws Exception {
    engine = new SimEngine(1);
    try (Store store = open()) {
      Family second = store.createFamily("second");
      int batches = 0;
      for (; store.stats().flushes() == 0; batches++) {
        WriteBatch batch = new WriteBatch();
        for (int i = 0; i < 4; i++) {
          Family family = i / putsOfOne % 2 == 0 ? store : second;
          batch.put(family, Fixtures.bytes("key %d %d".formatted(batches, i)), KEY);
        }
        store.write(batch, Durability.NONE);
        Fixtures.await(store, () -> store.writer().versions().frozen() == null);
      }
      return batches;
    }
  }
}
