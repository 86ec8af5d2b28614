package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/**
 * Operands are part of a key's value, wherever they lie; and an operator that fails hurts nobody.
 */
class MergeTest {
  private static final MergeOperator APPEND = MergeOperators.append(new byte[] {','});
  private static final byte[] KEY = Fixtures.bytes("m");

  private final SimEngine engine = new SimEngine(1);

  private Store open(MergeOperator operator) throws Exception {
    return Store.open(Fixtures.DIRECTORY, options(operator), engine);
  }

  private static StoreOptions options(MergeOperator operator) {
    return Fixtures.TINY.withTree(
        Fixtures.TINY.tree().withTablesBeforeMerge(8).withMergeOperator(operator));
  }

  private static void merge(Store store, String key, String operand) throws Exception {
    store.merge(Fixtures.bytes(key), Fixtures.bytes(operand), Durability.SYNCED);
  }

  private static void put(Store store, String key, String value) throws Exception {
    store.put(Fixtures.bytes(key), Fixtures.bytes(value), Durability.SYNCED);
  }

  private static long entries(Store store) {
    return store.stats().levels().stream().mapToLong(StoreStats.Level::entries).sum();
  }

  private static byte[] number(long value) {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
  }

  /** Reads a key in all ways. */
  private static void assertReads(String expectedOrNull, ReadView view, String text)
      throws Exception {
    byte[] key = Fixtures.bytes(text);
    byte[] expected = expectedOrNull == null ? null : Fixtures.bytes(expectedOrNull);
    MemorySegment segment = MemorySegment.ofArray(key);
    assertEquals(expectedOrNull, Fixtures.text(view.get(key)));
    assertEquals(expectedOrNull, Fixtures.text(view.getAsync(key).get()));
    assertEquals(expectedOrNull, Fixtures.text(view.multiGet(List.of(key, key)).getLast()));
    byte[] room = new byte[500];
    int found = view.get(segment, MemorySegment.ofArray(room));
    assertEquals(expected == null ? ReadView.NOT_FOUND : expected.length, found);
    List<String> handed = new ArrayList<>();
    assertEquals(
        expected != null,
        view.get(segment, value -> handed.add(Fixtures.text(Fixtures.array(value)))));
    try (PinnedValue pin = new PinnedValue()) {
      assertEquals(expected != null, view.get(segment, pin));
      if (expected != null) {
        assertEquals(List.of(expectedOrNull), handed);
        assertArrayEquals(expected, Fixtures.array(pin.segment()));
        assertEquals(expected.length, pin.lengthBytes());
      }
    }
    assertEquals(expected != null, view.explain(key).found());
    try (StoreCursor cursor = view.cursor()) {
      cursor.seek(key);
      assertShows(expectedOrNull, cursor, text);
      cursor.seekForPrev(key);
      assertShows(expectedOrNull, cursor, text);
      RecordBatch batch = new RecordBatch(MemorySegment.ofArray(new byte[1000]), 1);
      if (expected != null) {
        assertEquals(1, cursor.fill(batch));
        assertEquals(text, Fixtures.text(Fixtures.array(batch.key(0))));
        assertEquals(expectedOrNull, Fixtures.text(Fixtures.array(batch.value(0))));
      }
    }
  }

  private static void assertShows(String expectedOrNull, StoreCursor cursor, String key) {
    boolean there = cursor.isValid() && Fixtures.text(Fixtures.array(cursor.key())).equals(key);
    assertEquals(expectedOrNull != null, there);
    if (there) {
      assertEquals(expectedOrNull, Fixtures.text(Fixtures.array(cursor.value())));
      byte[] copy = new byte[500];
      int length = cursor.copyValue(MemorySegment.ofArray(copy));
      assertEquals(expectedOrNull, new String(copy, 0, length, StandardCharsets.UTF_8));
      assertEquals(key.length(), cursor.copyKey(MemorySegment.ofArray(copy)));
    }
  }

  @Test
  void chainsAreReadWhereverTheirPartsLie() throws Exception {
    try (Store store = open(APPEND)) {
      put(store, "a", "x");
      put(store, "z", "x");
      put(store, "m", "1");
      store.compact();
      merge(store, "m", "2");
      merge(store, "m", "3");
      store.flush();
      merge(store, "m", "4");
      store.flush();
      assertReads("1,2,3,4", store, "m");
      merge(store, "m", "5");
      merge(store, "m", "6");
      assertReads("1,2,3,4,5,6", store, "m");
      merge(store, "n", "7");
      assertReads("7", store, "n");
      store.delete(KEY, Durability.SYNCED);
      assertReads(null, store, "m");
      merge(store, "m", "8");
      assertReads("8", store, "m");
      store.singleDelete(Fixtures.bytes("n"), Durability.SYNCED);
      merge(store, "n", "");
      assertReads("", store, "n");
      merge(store, "n", "");
      assertReads(",", store, "n");
    }
    try (Store store = open(APPEND)) {
      assertReads("8", store, "m");
      assertReads(",", store, "n");
      store.compact();
      assertReads("8", store, "m");
      assertReads(",", store, "n");
      assertEquals(4, entries(store));
    }
  }

  @Test
  void snapshotsSeeTheOperandsOfTheirTime() throws Exception {
    try (Store store = open(APPEND)) {
      List<Snapshot> snapshots = new ArrayList<>();
      List<String> expected = new ArrayList<>();
      StringBuilder value = new StringBuilder();
      for (int i = 0; i < 12; i++) {
        merge(store, "m", "o" + i);
        value.append(i == 0 ? "" : ",").append("o" + i);
        if (i % 3 == 0) {
          snapshots.add(store.snapshot());
          expected.add(value.toString());
        }
        if (i % 4 == 3) {
          store.flush();
        }
        if (i == 9) {
          store.compact();
        }
      }
      for (int compactions = 0; compactions < 2; compactions++) {
        for (int i = 0; i < snapshots.size(); i++) {
          assertReads(expected.get(i), snapshots.get(i), "m");
        }
        assertReads(value.toString(), store, "m");
        store.compact();
      }
      snapshots.forEach(Snapshot::close);
      store.compact();
      assertEquals(1, entries(store));
      assertReads(value.toString(), store, "m");
    }
  }

  @Test
  void cursorsStayOnWhatTheyMadeWhenItsPartsGo() throws Exception {
    try (Store store = open(APPEND)) {
      put(store, "a", "1");
      merge(store, "b", "2");
      merge(store, "b", "3");
      put(store, "c", "4");
      try (StoreCursor cursor = store.cursor()) {
        cursor.seek(Fixtures.bytes("b"));
        MemorySegment key = cursor.key();
        MemorySegment value = cursor.value();
        store.flush();
        store.compact();
        for (int i = 0; i < 400; i++) { // the memory of the memtable is used again
          put(store, "x" + i, "x".repeat(5_000));
        }
        assertEquals("b", Fixtures.text(Fixtures.array(key)));
        assertEquals("2,3", Fixtures.text(Fixtures.array(value)));
        cursor.next();
        assertEquals("c", Fixtures.text(Fixtures.array(cursor.key())));
        cursor.previous();
        assertEquals("2,3", Fixtures.text(Fixtures.array(cursor.value())));
        cursor.previous();
        assertEquals("a", Fixtures.text(Fixtures.array(cursor.key())));
      }
    }
  }

  @Test
  void flushesAndCompactionsLeaveOneRecordOfMany() throws Exception {
    try (Store store = open(MergeOperators.add64())) {
      for (int i = 0; i < 1_000; i++) {
        store.merge(KEY, number(i), Durability.NONE);
        if (i % 300 == 299) {
          store.flush();
        }
      }
      store.flush();
      assertEquals(4, entries(store));
      assertArrayEquals(number(499_500), store.get(KEY));
      store.compact();
      assertEquals(1, entries(store));
      assertArrayEquals(number(499_500), store.get(KEY));
    }
    try (Store store = open(MergeOperator.NONE)) {
      assertArrayEquals(number(499_500), store.get(KEY), "it is a value");
    }
  }

  @Test
  void storeIsOpenedWithItsOperatorOrNone() throws Exception {
    try (Store store = open(MergeOperator.NONE)) {
      put(store, "m", "1");
      assertThrows(IllegalStateException.class, () -> store.merge(KEY, KEY, Durability.SYNCED));
      WriteBatch batch = new WriteBatch().merge(KEY, KEY);
      assertThrows(IllegalStateException.class, () -> store.write(batch, Durability.SYNCED));
      batch.clear();
      store.write(batch.put(KEY, KEY), Durability.SYNCED);
      put(store, "m", "1");
    }
    try (Store store = open(APPEND)) {
      merge(store, "m", "2");
    }
    StorageException refused =
        assertThrows(StorageException.class, () -> open(MergeOperators.add64()));
    assertTrue(
        refused.getMessage().contains("mergeOperator=append:2c opened=add64"), refused::toString);
    assertThrows(StorageException.class, () -> open(MergeOperators.append(new byte[] {';'})));
    try (Store store = open(MergeOperator.NONE)) {
      MergeFailedException failed = assertThrows(MergeFailedException.class, () -> store.get(KEY));
      assertArrayEquals(KEY, failed.key());
      put(store, "n", "3");
      store.flush();
      store.compact();
      assertEquals("3", Fixtures.text(store.get(Fixtures.bytes("n"))));
    }
    try (Store store = open(APPEND)) {
      assertReads("1,2", store, "m");
    }
  }

  @Test
  void anOperatorThatFailsIsTheReadersAndNobodyElses() throws Exception {
    boolean[] fails = new boolean[1];
    MergeOperator moody =
        new MergeOperator() {
          @Override
          public String name() {
            return "moody";
          }

          @Override
          public void merge(MemorySegment key, Operands operands, ResultBytes result) {
            if (fails[0] && key.byteSize() == 1) {
              throw new StackOverflowError("not today");
            }
            APPEND.merge(key, operands, result);
          }
        };
    try (Store store = open(moody)) {
      put(store, "a", "x");
      put(store, "m", "1");
      merge(store, "m", "2");
      put(store, "z", "x");
      fails[0] = true;
      assertFails(store);
      store.flush();
      assertFails(store);
      merge(store, "m", "3");
      store.compact();
      assertFails(store);
      merge(store, "mm", "4");
      assertReads("4", store, "mm");
      fails[0] = false;
      assertReads("1,2,3", store, "m");
      fails[0] = true;
      put(store, "m", "5");
      assertReads("5", store, "m");
    }
  }

  private static void assertFails(Store store) throws Exception {
    MemorySegment key = MemorySegment.ofArray(KEY);
    MergeFailedException failed = assertThrows(MergeFailedException.class, () -> store.get(KEY));
    assertTrue(failed.getMessage().contains("key=6d"), failed::toString);
    assertArrayEquals(KEY, failed.key());
    assertThrows(MergeFailedException.class, () -> store.multiGet(List.of(KEY)));
    try (PinnedValue pin = new PinnedValue()) {
      assertThrows(MergeFailedException.class, () -> store.get(key, pin));
      assertFalse(pin.isPinned());
    }
    ExecutionException later =
        assertThrows(ExecutionException.class, () -> store.getAsync(KEY).get());
    assertTrue(later.getCause() instanceof MergeFailedException);
    assertTrue(store.explain(KEY).found());
    try (StoreCursor cursor = store.cursor()) {
      cursor.first();
      assertEquals("a", Fixtures.text(Fixtures.array(cursor.key())));
      assertThrows(MergeFailedException.class, cursor::next);
      assertFalse(cursor.isValid());
      cursor.seek(Fixtures.bytes("m\0"));
      assertTrue(cursor.isValid());
      assertThrows(MergeFailedException.class, () -> cursor.seekForPrev(KEY));
      cursor.last();
      assertEquals("z", Fixtures.text(Fixtures.array(cursor.key())));
    }
  }

  @Test
  void aResultIsNotLongerThanAValueMayBe() throws Exception {
    try (Store store = open(APPEND)) {
      int half = (int) options(APPEND).valueBytesMax(KEY.length) / 2;
      store.merge(KEY, new byte[half], Durability.NONE);
      store.merge(KEY, new byte[half - 1], Durability.NONE);
      assertEquals(2 * half, store.get(KEY).length);
      store.merge(KEY, new byte[2], Durability.NONE);
      assertThrows(MergeFailedException.class, () -> store.get(KEY));
      store.flush();
      store.compact();
      assertThrows(MergeFailedException.class, () -> store.get(KEY));
      store.delete(KEY, Durability.SYNCED);
      assertNull(store.get(KEY));
    }
  }

  @Test
  void explanationsSayWhereOperandsLie() throws Exception {
    try (Store store = open(APPEND)) {
      put(store, "m", "1");
      store.flush();
      merge(store, "m", "2");
      store.flush();
      merge(store, "m", "3");
      List<Explanation.Outcome> outcomes =
          store.explain(KEY).steps().stream().map(Explanation.Step::outcome).toList();
      assertEquals(
          List.of(
              Explanation.Outcome.OPERANDS,
              Explanation.Outcome.OPERANDS,
              Explanation.Outcome.FOUND),
          outcomes);
    }
  }

  @Test
  void thoseWhoFollowTheStoreGetOperandsAsSuch() throws Exception {
    MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
    try (Store store = open(APPEND)) {
      WriteBatch batch = new WriteBatch().put(KEY, Fixtures.bytes("1"));
      store.write(batch.merge(KEY, Fixtures.bytes("2")), Durability.SYNCED);
      List<String> seen = new ArrayList<>();
      try (StoreChanges changes = store.changes(0, Durability.SYNCED, budget)) {
        assertTrue(
            changes.next(
                new StoreChanges.Consumer() {
                  @Override
                  public void accept(
                      long sequence, boolean delete, MemorySegment key, MemorySegment value) {
                    seen.add("put " + Fixtures.text(Fixtures.array(value)));
                  }

                  @Override
                  public void acceptOperand(
                      long sequence, MemorySegment key, MemorySegment operand) {
                    seen.add("operand " + Fixtures.text(Fixtures.array(operand)));
                  }
                }));
      }
      assertEquals(List.of("put 1", "operand 2"), seen);
      try (StoreChanges changes = store.changes(0, Durability.SYNCED, budget)) {
        assertThrows(
            UnsupportedOperationException.class,
            () -> changes.next((sequence, delete, key, value) -> {}));
      }
    }
  }

  @Test
  void repairedStoresHaveTheirOperands() throws Exception {
    for (boolean withLog : new boolean[] {true, false}) {
      SimEngine damaged = new SimEngine(2);
      try (Store store = Store.open(Fixtures.DIRECTORY, options(APPEND), damaged)) {
        put(store, "m", "1");
        store.flush();
        merge(store, "m", "2");
        merge(store, "m", "3");
        store.flush();
        merge(store, "n", "4");
        store.flush();
      }
      damaged.delete(new StoreFiles(Fixtures.DIRECTORY).manifest());
      if (!withLog) {
        for (Path segment : damaged.list(new StoreFiles(Fixtures.DIRECTORY).log())) {
          damaged.delete(segment);
        }
        assertThrows(
            MergeFailedException.class,
            () ->
                StoreRepair.run(
                    Fixtures.DIRECTORY, options(MergeOperator.NONE), damaged, bytes -> {}));
      }
      // With the log, operands may stay until somebody has the operator.
      MergeOperator operator = withLog ? MergeOperator.NONE : APPEND;
      StoreRepair.run(Fixtures.DIRECTORY, options(operator), damaged, bytes -> {});
      try (Store store = Store.open(Fixtures.DIRECTORY, options(APPEND), damaged)) {
        assertReads("1,2,3", store, "m");
        assertReads("4", store, "n");
      }
    }
  }

  @Test
  void addsOfManyThreadsAreAllThere() throws Exception {
    int threads = 4;
    int adds = 3_000;
    int counters = 7;
    try (Store store = open(MergeOperators.add64());
        ExecutorService executor = Executors.newFixedThreadPool(threads + 1)) {
      List<Future<Map<Integer, Long>>> sums = new ArrayList<>();
      for (int thread = 0; thread < threads; thread++) {
        long seed = Fixtures.seed(thread);
        sums.add(executor.submit(() -> add(store, seed, adds, counters)));
      }
      Future<?> reader = executor.submit(growing(store, counters, sums));
      Map<Integer, Long> expected = new HashMap<>();
      for (Future<Map<Integer, Long>> sum : sums) {
        sum.get().forEach((key, value) -> expected.merge(key, value, Long::sum));
      }
      reader.get();
      for (int key = 0; key < counters; key++) {
        assertArrayEquals(number(expected.get(key)), store.get(counter(key)));
      }
      store.compact();
      for (int key = 0; key < counters; key++) {
        assertArrayEquals(number(expected.get(key)), store.get(counter(key)));
      }
      assertEquals(counters, entries(store));
    }
  }

  private static byte[] counter(int number) {
    return Fixtures.bytes("counter" + number);
  }

  private static Map<Integer, Long> add(Store store, long seed, int adds, int counters)
      throws Exception {
    SplittableRandom random = new SplittableRandom(seed);
    Map<Integer, Long> sums = new HashMap<>();
    for (int i = 0; i < adds; i++) {
      int key = random.nextInt(counters);
      long number = random.nextInt(1_000);
      store.merge(counter(key), number(number), Durability.NONE);
      sums.merge(key, number, Long::sum);
      if (random.nextInt(500) == 0) {
        store.flush();
      }
      if (random.nextInt(1_500) == 0) {
        store.compact();
      }
    }
    return sums;
  }

  /** Sums only grow, by gets and in cursors. */
  private static Callable<Void> growing(
      Store store, int counters, List<? extends Future<?>> until) {
    return () -> {
      Map<Integer, Long> last = new HashMap<>();
      while (!until.stream().allMatch(Future::isDone)) {
        for (int key = 0; key < counters; key++) {
          byte[] value = store.get(counter(key));
          if (value != null) {
            long now = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).getLong();
            assertTrue(now >= last.getOrDefault(key, 0L));
            last.put(key, now);
          }
        }
        try (StoreCursor cursor = store.cursor()) {
          for (cursor.first(); cursor.isValid(); cursor.next()) {
            int key = Fixtures.array(cursor.key())[7] - '0';
            long now =
                ByteBuffer.wrap(Fixtures.array(cursor.value()))
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .getLong();
            assertTrue(now >= last.getOrDefault(key, 0L));
            last.put(key, now);
          }
        }
      }
      return null;
    };
  }
}
