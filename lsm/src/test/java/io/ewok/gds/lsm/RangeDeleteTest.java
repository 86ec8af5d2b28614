package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a range delete hides nobody sees, wherever it is; and what it hides costs nothing, neither
 * who reads nor, in the end, the device. Beside it the scripts of {@link StoreModelTest}.
 */
class RangeDeleteTest {
  private static final byte[] VALUE = new byte[100];

  private final SimEngine engine = new SimEngine(1);
  private final MemoryBudget budget = MemoryBudget.root("test", 1 << 20);

  private Store open() throws IOException {
    return open(Fixtures.TINY);
  }

  private Store open(StoreOptions options) throws IOException {
    Store store = Store.open(Fixtures.DIRECTORY, options.withTablesBeforeMerge(20), engine);
    store.background().setRest(TimeUnit.HOURS.toNanos(1));
    return store;
  }

  private static byte[] bytes(String text) {
    return Fixtures.bytes(text);
  }

  private static byte[] key(int number) {
    return bytes("%06d".formatted(number));
  }

  private static void put(Store store, String... keys) throws IOException {
    for (String key : keys) {
      store.put(bytes(key), bytes(key), Durability.NONE);
    }
  }

  private static void fill(Store store, int from, int to) throws IOException {
    for (int i = from; i < to; i++) {
      store.put(key(i), VALUE, Durability.NONE);
    }
  }

  private static void deleteRange(Store store, String first, String end) throws IOException {
    deleteRange(store, bytes(first), bytes(end));
  }

  private static void deleteRange(Store store, byte[] first, byte[] end) throws IOException {
    store.deleteRange(first, end, Durability.NONE);
  }

  private static List<String> keys(ReadView view) throws IOException {
    List<String> forward = new ArrayList<>();
    List<String> backward = new ArrayList<>();
    try (StoreCursor cursor = view.cursor()) {
      for (cursor.first(); cursor.isValid(); cursor.next()) {
        forward.add(Fixtures.text(Fixtures.array(cursor.key())));
      }
      for (cursor.last(); cursor.isValid(); cursor.previous()) {
        backward.add(Fixtures.text(Fixtures.array(cursor.key())));
      }
    }
    assertEquals(forward, backward.reversed());
    for (String key : forward) {
      assertEquals(key, Fixtures.text(view.get(bytes(key))));
    }
    return forward;
  }

  private static long rangeDeletes(Store store) {
    return store.stats().levels().stream().mapToLong(StoreStats.Level::rangeDeletes).sum();
  }

  private static long tables(Store store) {
    return store.stats().levels().stream().mapToLong(StoreStats.Level::tables).sum();
  }

  /** Where the records are, and where the delete. */
  @ParameterizedTest
  @CsvSource({"false, false", "true, false", "true, true"})
  void keysOfTheRangeAreGoneAndNoOthers(boolean flushed, boolean alsoDelete) throws Exception {
    try (Store store = open()) {
      put(store, "a", "b", "ba", "c", "d");
      if (flushed) {
        store.flush();
      }
      deleteRange(store, "b", "c");
      if (alsoDelete) {
        store.flush();
        assertEquals(1, rangeDeletes(store));
      }
      assertEquals(List.of("a", "c", "d"), keys(store));
      assertNull(store.get(bytes("b")));
      assertNull(store.getAsync(bytes("ba")).get());
      List<byte[]> found = store.multiGet(List.of(bytes("a"), bytes("b"), bytes("c")));
      assertArrayEquals(bytes("a"), found.getFirst());
      assertNull(found.get(1));
      put(store, "b");
      assertEquals(List.of("a", "b", "c", "d"), keys(store), "what is newer is not hidden");
      store.compact();
      assertEquals(List.of("a", "b", "c", "d"), keys(store));
      assertEquals(0, rangeDeletes(store), "nothing is left to hide");
    }
  }

  /** What is in the log is a range in order, or nothing: else nobody could open the store. */
  @Test
  void keysThatChangeMeanwhileAreARangeOrRefused() throws Exception {
    int calls = 20_000;
    byte[] first = bytes("m");
    AtomicBoolean ended = new AtomicBoolean();
    Thread changing =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!ended.get()) {
                    first[0] ^= 'm' ^ 'q'; // before and behind the end
                    Thread.onSpinWait();
                  }
                });
    int refused = 0;
    try (Store store = open()) {
      put(store, "a", "n", "z");
      for (int i = 0; i < calls; i++) {
        try {
          deleteRange(store, first, bytes("o"));
        } catch (IllegalArgumentException e) {
          refused++;
        }
      }
      ended.set(true);
      changing.join();
      assertTrue(refused > 0 && refused < calls, "refused: " + refused);
      assertEquals(List.of("a", "z"), keys(store));
    }
    try (Store store = open()) {
      assertEquals(List.of("a", "z"), keys(store));
    }
  }

  @Test
  void rangeWithoutKeysIsRefused() throws Exception {
    WriteBatch batch = new WriteBatch().put(bytes("k"), VALUE);
    long sizeBytes = batch.sizeBytes();
    assertThrows(IllegalArgumentException.class, () -> batch.deleteRange(bytes("b"), bytes("b")));
    assertThrows(IllegalArgumentException.class, () -> batch.deleteRange(bytes("b"), bytes("a")));
    assertThrows(
        IllegalArgumentException.class,
        () -> batch.deleteRange(bytes(""), new byte[WriteBatch.KEY_BYTES_MAX + 1]));
    assertEquals(sizeBytes, batch.sizeBytes());
    assertEquals(1, batch.count());
    try (Store store = open()) {
      put(store, "b");
      assertThrows(IllegalArgumentException.class, () -> deleteRange(store, "b", "b"));
      store.write(batch, Durability.NONE);
      assertArrayEquals(VALUE, store.get(bytes("k")));
      assertArrayEquals(bytes("b"), store.get(bytes("b")));
    }
  }

  @Test
  void batchTakesEffectInItsOrder() throws Exception {
    try (Store store = open()) {
      store.write(
          new WriteBatch()
              .put(bytes("a"), bytes("a"))
              .put(bytes("b"), bytes("1"))
              .deleteRange(bytes("a"), bytes("z"))
              .put(bytes("b"), bytes("b")),
          Durability.SYNCED);
      assertEquals(List.of("b"), keys(store));
    }
    try (Store store = open()) {
      assertEquals(List.of("b"), keys(store), "after a replay of the log");
      store.flush();
      assertEquals(List.of("b"), keys(store));
    }
  }

  @Test
  void emptyKeyBeginsARangeToo() throws Exception {
    try (Store store = open()) {
      put(store, "", "\0", "a");
      deleteRange(store, "", "\0");
      assertEquals(List.of("\0", "a"), keys(store));
      store.flush();
      assertEquals(List.of("\0", "a"), keys(store));
    }
  }

  @Test
  void snapshotsAndCursorsSeeWhatWas() throws Exception {
    try (Store store = open()) {
      put(store, "a", "b", "c");
      Snapshot before = store.snapshot();
      StoreCursor cursor = store.cursor();
      deleteRange(store, "a", "c");
      Snapshot after = store.snapshot();
      put(store, "b");
      deleteRange(store, "c", "d");
      for (int step = 0; step < 3; step++) {
        assertEquals(List.of("a", "b", "c"), keys(before), "step " + step);
        assertEquals(List.of("c"), keys(after), "step " + step);
        assertEquals(List.of("b"), keys(store), "step " + step);
        cursor.first();
        assertEquals("a", Fixtures.text(Fixtures.array(cursor.key())));
        if (step == 0) {
          store.flush();
        } else {
          store.compact();
        }
      }
      cursor.refresh();
      cursor.first();
      assertEquals("b", Fixtures.text(Fixtures.array(cursor.key())));
      cursor.close();
      before.close();
      after.close();
      store.compact();
      assertEquals(List.of("b"), keys(store));
      assertEquals(0, rangeDeletes(store));
    }
  }

  @Test
  void refreshedCursorsSeeItThoughNoFileHasChanged() throws Exception {
    try (Store store = open();
        StoreCursor cursor = store.cursor();
        TailingCursor tail = store.tail(CursorOptions.defaults())) {
      put(store, "a", "b");
      cursor.refresh();
      cursor.first();
      assertEquals("a", Fixtures.text(Fixtures.array(cursor.key())));
      deleteRange(store, "a", "b");
      cursor.first();
      assertEquals("a", Fixtures.text(Fixtures.array(cursor.key())));
      cursor.refresh();
      cursor.first();
      assertEquals("b", Fixtures.text(Fixtures.array(cursor.key())));
      assertTrue(tail.next());
      assertEquals("b", Fixtures.text(Fixtures.array(tail.key())));
    }
  }

  /** Keys in the gap between two tables are hidden in the level below, whoever wrote the two. */
  @Test
  void rangeOverTheBoundsOfTablesHidesWhatLiesBetweenThem() throws Exception {
    try (Store store = open()) {
      fill(store, 0, 10_000);
      store.compact();
      try (Snapshot snapshot = store.snapshot()) {
        store.deleteRange(key(10), key(9_990), Durability.NONE);
        for (int i = 0; i < 10_000; i += 3) {
          store.put(key(i), key(i), Durability.NONE);
        }
        store.flush();
        store.compact(); // the snapshot needs both
        assertTrue(tables(store) > 3, "tables: " + tables(store));
        assertTrue(rangeDeletes(store) > 1, "the range is in several tables");
        for (int i = 0; i < 10_000; i++) {
          boolean isThere = i % 3 == 0 || i < 10 || i >= 9_990;
          assertEquals(isThere, store.get(key(i)) != null, "key " + i);
          assertArrayEquals(VALUE, snapshot.get(key(i)));
        }
      }
      int count = keysCount(store);
      store.compact();
      assertEquals(count, keysCount(store));
      assertEquals(0, rangeDeletes(store));
    }
  }

  private static int keysCount(ReadView view) throws IOException {
    int count = 0;
    try (StoreCursor cursor = view.cursor()) {
      for (cursor.first(); cursor.isValid(); cursor.next()) {
        count++;
      }
    }
    return count;
  }

  /** Though it lies in a table with the range delete, behind tables with nothing but older ones. */
  @Test
  void whatIsNewerThanTheRangeIsFoundAndExplained() throws Exception {
    try (Store store = open()) {
      fill(store, 0, 10_000);
      store.compact();
      try (Snapshot _ = store.snapshot()) {
        store.deleteRange(key(9_000), key(9_999), Durability.NONE);
        store.put(key(9_500), VALUE, Durability.NONE);
        store.compact();
        assertTrue(tables(store) > 1, store.stats()::toString);
        assertArrayEquals(VALUE, store.get(key(9_500)));
        assertTrue(store.explain(key(9_500)).found(), () -> explained(store, 9_500));
        for (int i : new int[] {9_000, 9_499, 9_501, 9_998}) {
          assertNull(store.get(key(i)));
          assertFalse(store.explain(key(i)).found(), () -> explained(store, i));
        }
        assertEquals(10_000 - 999 + 1, keysCount(store));
      }
    }
  }

  private static String explained(Store store, int number) {
    try {
      return store.explain(key(number)).toString();
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** Wherever the range delete is: in memory, or with what it hides since a reader needs that. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void readsDoNotLookAtWhatIsHidden(boolean compacted) throws Exception {
    try (Store store = open()) {
      fill(store, 0, 10_000);
      store.compact();
      long tables = tables(store);
      Snapshot snapshot = store.snapshot();
      store.deleteRange(key(10), key(9_990), Durability.NONE);
      if (compacted) {
        store.compact();
        assertEquals(10_000, keysCount(snapshot));
      } else {
        assertEquals(tables, tables(store), "all are there still");
      }
      for (int i = 10; i < 9_990; i += 100) {
        Explanation explanation = store.explain(key(i));
        assertFalse(explanation.found());
        assertEquals(Explanation.Outcome.RANGE_DELETED, explanation.steps().getLast().outcome());
        assertEquals(0, explanation.blocksRead(), explanation::toString);
      }
      long before = store.stats().read().blockHits() + store.stats().read().blockMisses();
      for (int i = 10; i < 9_990; i += 100) {
        assertNull(store.get(key(i)));
      }
      long after = store.stats().read().blockHits() + store.stats().read().blockMisses();
      assertEquals(before, after, "blocks that gets looked into");
      ScanExplanation scan = store.explainScan(CursorOptions.defaults(), Long.MAX_VALUE);
      assertEquals(20, scan.returned());
      assertTrue(scan.rangeDeleted() < 100, scan::toString);
      assertTrue(scan.blocks() < 30, scan::toString);
      try (StoreCursor cursor = store.cursor()) {
        long hitsBefore = store.stats().read().blockHits() + store.stats().read().blockMisses();
        cursor.seekForPrev(key(9_980));
        assertEquals("000009", Fixtures.text(Fixtures.array(cursor.key())));
        long hits = store.stats().read().blockHits() + store.stats().read().blockMisses();
        assertTrue(hits - hitsBefore < 20, "blocks: " + (hits - hitsBefore));
      }
      snapshot.close();
    }
  }

  @ParameterizedTest
  @EnumSource(CompactionStyle.class)
  void tablesThatAreHiddenGoUnread(CompactionStyle style) throws Exception {
    StoreOptions options = Fixtures.TINY.withTree(Fixtures.TINY.tree().withStyle(style));
    try (Store store = open(options)) {
      fill(store, 0, 10_000);
      store.flush();
      store.compact();
      long tables = tables(store);
      assertTrue(tables > 3);
      Snapshot snapshot = store.snapshot();
      store.deleteRange(key(0), key(10_000), Durability.NONE);
      store.flush();
      assertTrue(tables(store) > tables, "somebody needs them");
      snapshot.close();
      store.deleteRange(bytes("x"), bytes("y"), Durability.NONE);
      long bytesBefore = store.stats().read().deviceBytes();
      store.flush();
      Fixtures.await(store, () -> tables(store) <= 2);
      long bytes = store.stats().read().deviceBytes() - bytesBefore;
      assertTrue(bytes < 50_000, "bytes read: " + bytes);
      assertEquals(0, keysCount(store));
    }
    try (Store store = open(options)) {
      assertEquals(0, keysCount(store));
    }
  }

  @Test
  void operandsStandOnNothing() throws Exception {
    TreeOptions tree = Fixtures.TINY.tree().withMergeOperator(MergeOperators.append(bytes("+")));
    try (Store store = open(Fixtures.TINY.withTree(tree))) {
      byte[] k = bytes("k");
      store.put(k, bytes("0"), Durability.NONE);
      store.merge(k, bytes("1"), Durability.NONE);
      store.flush();
      Snapshot before = store.snapshot();
      deleteRange(store, "a", "z");
      store.merge(k, bytes("2"), Durability.NONE);
      store.merge(k, bytes("3"), Durability.NONE);
      for (int step = 0; step < 3; step++) {
        assertEquals("2+3", Fixtures.text(store.get(k)));
        assertEquals("0+1", Fixtures.text(before.get(k)));
        assertEquals("2+3", Fixtures.text(Fixtures.contents(store).get(k)));
        if (step == 0) {
          store.flush();
        } else {
          store.compact();
        }
      }
      before.close();
      store.compact();
      assertEquals("2+3", Fixtures.text(store.get(k)));
    }
  }

  @Test
  void thoseWhoFollowTheStoreAreTold() throws Exception {
    try (Store store = open()) {
      put(store, "b");
      store.write(
          new WriteBatch().deleteRange(bytes("a"), bytes("c")).delete(bytes("x")),
          Durability.SYNCED);
      List<String> seen = new ArrayList<>();
      StoreChanges.Consumer consumer =
          new StoreChanges.Consumer() {
            @Override
            public void accept(
                long sequence, boolean delete, MemorySegment key, MemorySegment value) {
              seen.add(delete + " " + Fixtures.text(Fixtures.array(key)));
            }

            @Override
            public void acceptRangeDelete(long sequence, MemorySegment first, MemorySegment end) {
              seen.add(
                  Fixtures.text(Fixtures.array(first)) + "-" + Fixtures.text(Fixtures.array(end)));
            }
          };
      try (StoreChanges changes = store.changes(0, Durability.SYNCED, budget)) {
        assertTrue(changes.next(consumer));
        assertTrue(changes.next(consumer));
      }
      assertEquals(List.of("false b", "a-c", "true x"), seen);
      try (StoreChanges changes = store.changes(0, Durability.SYNCED, budget)) {
        assertTrue(changes.next((sequence, delete, key, value) -> {}));
        assertThrows(
            UnsupportedOperationException.class,
            () -> changes.next((sequence, delete, key, value) -> {}));
      }
    }
  }

  @Test
  void toolsShowIt() throws Exception {
    try (Store store = open()) {
      put(store, "b", "xx");
      store.flush();
      deleteRange(store, "a", "c");
      deleteRange(store, "x", "y");
      deleteRange(store, "y1", "z"); // hides nothing
      store.flush();
    }
    List<String> shown = new ArrayList<>();
    try (StoreInspection inspection =
        StoreInspection.ofStore(engine, Fixtures.DIRECTORY, 16 << 20)) {
      StoreInspection.TableFile table = inspection.tables().getFirst();
      assertEquals("a", Fixtures.text(Fixtures.array(table.firstKey())));
      assertEquals("y", Fixtures.text(Fixtures.array(table.lastKey())));
      assertEquals(List.of(), inspection.verify(table).problems());
      inspection.dump(
          table,
          (sequence, kind, key, value) ->
              shown.add(
                  "%s %s %s"
                      .formatted(
                          kind,
                          Fixtures.text(Fixtures.array(key)),
                          Fixtures.text(Fixtures.array(value)))));
    }
    assertEquals(List.of("RANGE_DELETE a c", "RANGE_DELETE x y", "DELETE a "), shown);
  }

  // ---- threads

  private static final int GROUPS = 2;
  private static final int MEMBERS = 8;
  private static final int GENERATIONS = 3_000;

  private static byte[] member(int group, int generation, int number) {
    return bytes("%d/%06d/%d".formatted(group, generation, number));
  }

  private static WriteBatch generation(int group, int generation) {
    WriteBatch batch = new WriteBatch().deleteRange(bytes(group + "/"), bytes(group + "0"));
    for (int i = 0; i < MEMBERS; i++) {
      batch.put(member(group, generation, i), bytes(Integer.toString(generation)));
    }
    return batch;
  }

  /** Each batch removes all keys of a group and puts others: a reader sees those of one batch. */
  @Test
  void batchesWithRangesAreSeenWholeBesideFlushesAndCompactions() throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine)) {
      List<FutureTask<Integer>> tasks = new ArrayList<>();
      AtomicInteger writing = new AtomicInteger(GROUPS);
      for (int group = 0; group < GROUPS; group++) {
        int mine = group;
        store.write(generation(mine, 0), Durability.NONE);
        tasks.add(
            new FutureTask<>(
                () -> {
                  for (int i = 1; i < GENERATIONS; i++) {
                    store.write(generation(mine, i), Durability.NONE);
                  }
                  return writing.decrementAndGet();
                }));
        tasks.add(
            new FutureTask<>(
                () -> {
                  int looks = 0;
                  for (; writing.get() > 0 || looks == 0; looks++) {
                    lookAt(store, mine);
                  }
                  return looks;
                }));
      }
      tasks.forEach(task -> Thread.ofPlatform().daemon().start(task));
      for (FutureTask<Integer> task : tasks) {
        assertTrue(task.get(2, TimeUnit.MINUTES) >= 0);
      }
      assertTrue(store.stats().flushes() > 3, store.stats()::toString);
      assertEquals(GROUPS * MEMBERS, keysCount(store));
      store.compact();
      assertEquals(GROUPS * MEMBERS, keysCount(store));
    }
  }

  private static void lookAt(Store store, int group) throws IOException {
    CursorOptions only = CursorOptions.defaults().withPrefix(bytes(group + "/"));
    try (Snapshot snapshot = store.snapshot();
        StoreCursor cursor = snapshot.cursor(only)) {
      List<String> found = new ArrayList<>();
      for (cursor.first(); cursor.isValid(); cursor.next()) {
        found.add(Fixtures.text(Fixtures.array(cursor.value())));
      }
      assertEquals(MEMBERS, found.size(), found::toString);
      assertEquals(1, Set.copyOf(found).size(), found::toString);
      int generation = Integer.parseInt(found.getFirst());
      assertEquals(found.getFirst(), Fixtures.text(snapshot.get(member(group, generation, 0))));
      assertNull(snapshot.get(member(group, generation - 1, 0)), "the one before is gone");
      cursor.last();
      assertEquals(found.getFirst(), Fixtures.text(Fixtures.array(cursor.value())));
    }
  }

  // ---- damage

  /** Tables of records alone, and one of range deletes. Returns that one. */
  private Path makeStore() throws IOException {
    try (Store store = open()) {
      put(store, "a", "b", "c", "d");
      store.flush();
      try (Snapshot needed = store.snapshot()) {
        deleteRange(store, "b", "d");
        put(store, "e");
        store.flush();
        assertEquals(List.of("a", "b", "c", "d"), keys(needed));
      }
    }
    return Fixtures.tables(engine).getLast();
  }

  private static final byte[] RANGE = {'b', 'd'};

  /** Where the keys of the range lie in the file, beside each other. */
  private long offsetOfRange(Path table) throws IOException {
    byte[] file = StoreRepairTest.bytes(engine, table);
    for (int i = 0; i + 1 < file.length; i++) {
      if (file[i] == RANGE[0] && file[i + 1] == RANGE[1]) {
        return i;
      }
    }
    throw new AssertionError("no range in " + table);
  }

  @Test
  void damagedRangeDeletesAreToldWhenTheStoreIsOpened() throws Exception {
    Path table = makeStore();
    engine.flipBit(table, offsetOfRange(table));
    CorruptFileException e = assertThrows(CorruptFileException.class, this::open);
    assertTrue(e.getMessage().contains(table.getFileName().toString()), e.getMessage());
  }

  @Test
  void repairWithoutThemSaysThatKeysMayBeBack() throws Exception {
    Path table = makeStore();
    engine.flipBit(table, offsetOfRange(table));
    RepairReport report = StoreRepair.run(Fixtures.DIRECTORY, Fixtures.TINY, engine, _ -> {});
    assertFalse(report.isSound());
    assertFalse(report.isComplete());
    RepairReport.Gap gap = report.damagedTables().getFirst().gaps().getFirst();
    assertEquals("b", Fixtures.text(Fixtures.array(gap.first().orElseThrow())));
    assertEquals("e", Fixtures.text(Fixtures.array(gap.last().orElseThrow())));
    try (Store store = open()) {
      assertEquals(List.of("a", "b", "c", "d", "e"), keys(store));
    }
  }

  /** A record of the table is damaged: what it has of range deletes stays in force. */
  @Test
  void repairKeepsThemWithTheRecords() throws Exception {
    Path table = makeStore();
    engine.flipBit(table, 20);
    RepairReport report = StoreRepair.run(Fixtures.DIRECTORY, Fixtures.TINY, engine, _ -> {});
    assertFalse(report.isSound());
    try (Store store = open()) {
      assertEquals(List.of("a", "d"), keys(store));
      assertEquals(1, rangeDeletes(store));
    }
  }

  @ParameterizedTest
  @EnumSource(Lost.class)
  void repairOfALostManifestOrLogBringsNothingBack(Lost lost) throws Exception {
    Path table = makeStore();
    assertTrue(engine.exists(table));
    StoreFiles files = new StoreFiles(Fixtures.DIRECTORY);
    if (lost == Lost.MANIFEST) {
      engine.delete(files.manifest());
    } else {
      for (Path segment : engine.list(files.log())) {
        engine.delete(segment);
      }
    }
    RepairReport report = StoreRepair.run(Fixtures.DIRECTORY, Fixtures.TINY, engine, _ -> {});
    assertFalse(report.isSound());
    try (Store store = open()) {
      assertEquals(List.of("a", "d", "e"), keys(store));
      assertEquals(0, rangeDeletes(store));
    }
  }

  /** What is lost. */
  enum Lost {
    MANIFEST,
    LOG
  }
}
