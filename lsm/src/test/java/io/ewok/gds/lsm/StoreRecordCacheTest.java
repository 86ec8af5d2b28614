package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.Test;

/** What was read once is found again as tables have it, and never when they do not any more. */
class StoreRecordCacheTest {
  private static final int CACHE_BYTES = 64 << 10;
  private static final StoreOptions OPTIONS = Fixtures.TINY.withRecordCacheBytes(CACHE_BYTES);
  private static final int THREADS = 3;
  private static final int KEYS = 1_500;

  private final AtomicLong clock = new AtomicLong(1_700_000_000_000L);

  private Store open(StoreOptions options) throws Exception {
    return Store.open(Fixtures.DIRECTORY, options, new SimEngine(1), clock::get);
  }

  private static void put(Family family, String key, String value) throws Exception {
    family.put(Fixtures.bytes(key), Fixtures.bytes(value), Durability.NONE);
  }

  private static String get(ReadView view, String key) throws Exception {
    return Fixtures.text(view.get(Fixtures.bytes(key)));
  }

  private static long hits(Store store) {
    return store.stats().recordCache().hits();
  }

  /** Two gets, of which the second is answered by the cache. */
  private static void assertCached(Store store, ReadView view, String key, String value)
      throws Exception {
    assertEquals(value, get(view, key));
    long before = hits(store);
    assertEquals(value, get(view, key));
    assertEquals(before + 1, hits(store));
  }

  private static void assertNotCached(Store store, ReadView view, String key, String value)
      throws Exception {
    long before = hits(store);
    assertEquals(value, get(view, key));
    assertEquals(value, get(view, key));
    assertEquals(before, hits(store));
  }

  @Test
  void whatIsOverwrittenIsFoundAnewInMemoryAndInTables() throws Exception {
    try (Store store = open(OPTIONS)) {
      put(store, "key", "first");
      assertNotCached(store, store, "key", "first"); // it is in memory
      store.flush();
      assertCached(store, store, "key", "first");
      put(store, "key", "second");
      assertNotCached(store, store, "key", "second");
      store.flush();
      assertCached(store, store, "key", "second");
      store.delete(Fixtures.bytes("key"), Durability.NONE);
      assertNotCached(store, store, "key", null);
      store.flush();
      assertNotCached(store, store, "key", null);
      store.compact();
      assertNotCached(store, store, "key", null);
    }
  }

  @Test
  void recordsStayThroughFlushesOfOtherKeysAndCompactions() throws Exception {
    try (Store store = open(OPTIONS)) {
      put(store, "key", "value");
      store.flush();
      assertCached(store, store, "key", "value");
      for (int i = 0; i < 5; i++) {
        put(store, "other " + i, "value");
        store.flush();
      }
      store.compact();
      long before = hits(store);
      assertEquals("value", get(store, "key"));
      assertEquals(before + 1, hits(store));
    }
  }

  @Test
  void everyWayOfAGetFindsThem() throws Exception {
    try (Store store = open(OPTIONS);
        PinnedValue pin = new PinnedValue()) {
      put(store, "key", "value");
      store.flush();
      assertCached(store, store, "key", "value");
      byte[] key = Fixtures.bytes("key");
      long before = hits(store);
      assertEquals("value", Fixtures.text(store.getAsync(key).get()));
      assertEquals("value", Fixtures.text(store.multiGet(List.of(key)).getFirst()));
      assertTrue(store.get(MemorySegment.ofArray(key), pin));
      assertEquals("value", Fixtures.text(Fixtures.array(pin.segment())));
      assertTrue(pin.segment().isReadOnly());
      assertTrue(
          store.get(
              MemorySegment.ofArray(key),
              value -> assertEquals("value", Fixtures.text(Fixtures.array(value)))));
      assertEquals(before + 4, hits(store));
      Explanation explanation = store.explain(key);
      assertTrue(explanation.found());
      assertEquals("record cache", explanation.steps().getLast().place());
      assertEquals(before + 5, hits(store));
      put(store, "other", "longer than that");
      store.flush();
      assertEquals("longer than that", get(store, "other"));
      assertEquals("value", Fixtures.text(Fixtures.array(pin.segment())), "is its own");
    }
  }

  @Test
  void snapshotsSeeWhatIsTheirs() throws Exception {
    try (Store store = open(OPTIONS)) {
      put(store, "key", "first");
      put(store, "same", "value");
      store.flush();
      try (Snapshot snapshot = store.snapshot()) {
        put(store, "key", "second");
        store.flush();
        assertNotCached(store, snapshot, "key", "first"); // the newest is another one
        assertCached(store, store, "key", "second");
        assertNotCached(store, snapshot, "key", "first");
        assertCached(store, store, "key", "second");
        assertCached(store, store, "same", "value");
        assertCached(store, snapshot, "same", "value");
      }
    }
  }

  @Test
  void whatARangeDeleteHidDoesNotComeBackWhenBothAreMergedAway() throws Exception {
    try (Store store = open(OPTIONS)) {
      put(store, "key", "value");
      store.flush();
      store.compact();
      assertCached(store, store, "key", "value");
      try (Snapshot snapshot = store.snapshot()) {
        store.deleteRange(Fixtures.bytes("a"), Fixtures.bytes("z"), Durability.NONE);
        assertNull(get(store, "key"));
        assertEquals("value", get(snapshot, "key"));
        store.flush();
        assertNull(get(store, "key"));
        assertEquals("value", get(snapshot, "key"));
      }
      store.compact();
      assertNotCached(store, store, "key", null);
    }
  }

  /** It lies in one table with what is newer than the range delete, for a snapshot. */
  @Test
  void whatARangeDeleteHidesIsNotRemembered() throws Exception {
    try (Store store = open(OPTIONS)) {
      put(store, "key", "value");
      try (Snapshot snapshot = store.snapshot()) {
        store.deleteRange(Fixtures.bytes("a"), Fixtures.bytes("l"), Durability.NONE);
        put(store, "other", "value");
        store.flush();
        assertNull(get(store, "key"));
        assertEquals("value", get(snapshot, "key"));
      }
      put(store, "b", "value");
      store.flush();
      store.compact();
      assertNotCached(store, store, "key", null);
    }
  }

  @Test
  void ingestedRecordsAreFoundAtOnce() throws Exception {
    try (Store store = open(OPTIONS)) {
      put(store, "key", "value");
      store.flush();
      assertCached(store, store, "key", "value");
      try (SortedIngest ingest = store.ingest()) {
        ingest.put(
            MemorySegment.ofArray(Fixtures.bytes("key")),
            MemorySegment.ofArray(Fixtures.bytes("ingested")));
        long unused = ingest.commit();
      }
      assertCached(store, store, "key", "ingested");
    }
  }

  @Test
  void whatAFilterRemovesIsGone() throws Exception {
    CompactionFilter filter =
        (key, value, result) ->
            value.byteSize() == 3
                ? CompactionFilter.Decision.REMOVE
                : CompactionFilter.Decision.KEEP;
    try (Store store = open(OPTIONS.withTree(OPTIONS.tree().withCompactionFilter(filter)))) {
      put(store, "key", "odd");
      put(store, "other", "even");
      store.flush();
      assertCached(store, store, "key", "odd");
      store.compact();
      assertNotCached(store, store, "key", null);
      assertCached(store, store, "other", "even");
    }
  }

  @Test
  void whatHasExpiredIsGone() throws Exception {
    TreeOptions tree = OPTIONS.tree().withTtl(Duration.ofMinutes(1));
    try (Store store = open(OPTIONS.withTree(tree))) {
      put(store, "key", "value");
      store.flush();
      assertCached(store, store, "key", "value");
      for (int seconds = 0; seconds < 70; seconds++) {
        clock.addAndGet(1_000);
        store.background().awaitExpiration();
      }
      assertNull(get(store, "key"));
      store.compact();
      assertNull(get(store, "key"));
    }
  }

  @Test
  void whatIsDroppedWithItsTableIsGone() throws Exception {
    TreeOptions tree =
        OPTIONS
            .tree()
            .withStyle(CompactionStyle.FIFO)
            .withFifoBytes(1 << 20)
            .withTableBytes(1 << 20);
    try (Store store = open(OPTIONS.withTree(tree))) {
      put(store, "key", "value");
      store.flush();
      assertCached(store, store, "key", "value");
      SplittableRandom random = new SplittableRandom(1);
      for (int i = 0; i < 30; i++) {
        store.put(
            Fixtures.bytes("other " + i), Fixtures.randomBytes(random, 100_000), Durability.NONE);
        if (i % 2 == 1) {
          store.flush();
        }
      }
      assertTrue(store.awaitRest(Duration.ofMinutes(1)));
      assertNotCached(store, store, "key", null);
    }
  }

  @Test
  void operandsAndLongRecordsAreNotKept() throws Exception {
    TreeOptions tree = OPTIONS.tree().withMergeOperator(MergeOperators.append(new byte[] {','}));
    try (Store store = open(OPTIONS.withTree(tree))) {
      store.merge(Fixtures.bytes("key"), Fixtures.bytes("a"), Durability.NONE);
      put(store, "put", "a");
      put(store, "long", "x".repeat(460));
      put(store, "just", "x".repeat(452));
      store.flush();
      assertNotCached(store, store, "key", "a");
      assertNotCached(store, store, "long", "x".repeat(460));
      assertCached(store, store, "just", "x".repeat(452));
      assertCached(store, store, "put", "a");
      store.merge(Fixtures.bytes("put"), Fixtures.bytes("b"), Durability.NONE);
      assertNotCached(store, store, "put", "a,b");
      store.flush();
      assertNotCached(store, store, "put", "a,b");
      store.compact();
      assertCached(store, store, "put", "a,b");
    }
  }

  @Test
  void familiesHaveTheirOwn() throws Exception {
    try (Store store = open(OPTIONS)) {
      Family family = store.createFamily("family");
      put(store, "key", "main");
      put(family, "key", "family");
      store.flush();
      assertCached(store, store, "key", "main");
      assertCached(store, family, "key", "family");
      assertCached(store, store, "key", "main");
      store.dropFamily(family);
      Family anew = store.createFamily("family");
      assertNotCached(store, anew, "key", null);
      assertThrows(IllegalStateException.class, () -> get(family, "key"));
    }
  }

  @Test
  void itsMemoryIsTheStoresAndWithoutItThereIsNone() throws Exception {
    assertEquals(CACHE_BYTES, OPTIONS.memoryBytes() - Fixtures.TINY.memoryBytes());
    assertEquals(0, StoreOptions.defaults().recordCacheBytes());
    assertEquals(
        256 << 10, StoreOptions.from(Map.of("store.record-cache", "256K")).recordCacheBytes());
    assertThrows(IllegalArgumentException.class, () -> OPTIONS.withRecordCacheBytes(4096));
    try (Store store = open(OPTIONS)) {
      assertEquals(CACHE_BYTES, store.stats().recordCache().limitBytes());
      assertThrows(
          IllegalArgumentException.class, () -> store.change(Map.of("store.record-cache", "0")));
    }
    try (Store store = open(Fixtures.TINY)) {
      put(store, "key", "value");
      store.flush();
      assertNotCached(store, store, "key", "value");
      assertEquals(new StoreStats.Records(0, 0, 0, 0, 0), store.stats().recordCache());
    }
  }

  @Test
  void whatIsReadOnceDoesNotDriveOutWhatIsReadOften() throws Exception {
    try (Store store = open(OPTIONS)) {
      for (int i = 0; i < KEYS; i++) {
        put(store, "key " + i, "value ".repeat(10) + i);
      }
      store.flush();
      for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 100; i++) {
          String unused = get(store, "key " + i);
        }
      }
      for (int i = 100; i < KEYS; i++) {
        String unused = get(store, "key " + i);
      }
      long before = hits(store);
      for (int i = 0; i < 100; i++) {
        String unused = get(store, "key " + i);
      }
      long again = hits(store) - before;
      assertTrue(again >= 95, "of 100 read often are left: " + again);
    }
  }

  /** Writers, flushes, range deletes and readers: nobody reads what is older than he knows of. */
  @Test
  void readersNeverFindWhatWasOverwrittenBeforeTheyBegan() throws Exception {
    long seed = Fixtures.seed(System.nanoTime());
    AtomicLongArray written = new AtomicLongArray(KEYS);
    AtomicLong end = new AtomicLong();
    try (Store store = open(OPTIONS);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS + 1)) {
      List<Future<?>> all = new ArrayList<>();
      all.add(
          threads.submit(
              () -> {
                write(store, new SplittableRandom(seed), written);
                end.set(1);
                return null;
              }));
      for (int i = 1; i <= THREADS; i++) {
        SplittableRandom random = new SplittableRandom(seed + i);
        all.add(
            threads.submit(
                () -> {
                  while (end.get() == 0) {
                    read(store, random, written, seed);
                  }
                  return null;
                }));
      }
      for (Future<?> each : all) {
        each.get();
      }
      StoreStats stats = store.stats();
      assertTrue(stats.recordCache().hits() > 1_000, stats::toString);
      assertTrue(stats.flushes() > 20, stats::toString);
    }
  }

  private static void write(Store store, SplittableRandom random, AtomicLongArray written)
      throws Exception {
    for (long number = 1; number <= 60_000; number++) {
      int key = key(random);
      if (random.nextInt(2_000) == 0) {
        store.deleteRange(
            Fixtures.bytes("key " + key), Fixtures.bytes("key " + key + "/"), Durability.NONE);
      }
      put(store, "key " + key, (number + ";").repeat(6));
      written.set(key, number);
      if (random.nextInt(1_000) == 0) {
        store.flush();
      }
    }
  }

  /** Some oftener than others. */
  private static int key(SplittableRandom random) {
    return random.nextInt(1 + random.nextInt(KEYS));
  }

  private static void read(Store store, SplittableRandom random, AtomicLongArray written, long seed)
      throws Exception {
    int key = key(random);
    long least = written.get(key);
    String value = get(store, "key " + key);
    if (value == null) {
      // Between a range delete and the put behind it.
      return;
    }
    long number = Long.parseLong(value.substring(0, value.indexOf(';')));
    assertEquals(
        (number + ";").repeat(6), value, () -> Fixtures.replay(StoreRecordCacheTest.class, seed));
    assertTrue(
        number >= least,
        () ->
            "found %d, but %d was written before; %s"
                .formatted(number, least, Fixtures.replay(StoreRecordCacheTest.class, seed)));
  }
}
