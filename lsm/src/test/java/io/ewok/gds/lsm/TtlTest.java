package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What has expired nobody reads, and nothing beneath it comes back, however it goes. */
class TtlTest {
  private static final Duration TTL = Duration.ofMinutes(1);

  /** What a record may live longer, and a second. */
  private static final Duration SLACK = Duration.ofMillis(60_000 / 32 + 200 + 1_000);

  private static final long TICK_MILLIS = 1_000;

  private final AtomicLong clock = new AtomicLong(1_700_000_000_000L);
  private SimEngine engine = new SimEngine(1);

  private static StoreOptions options(Duration ttl) {
    return Fixtures.TINY.withTree(
        Fixtures.TINY.tree().withTablesBeforeMerge(2).withLevel1Bytes(256 << 10).withTtl(ttl));
  }

  private Store open(Duration ttl) throws Exception {
    return Store.open(Fixtures.DIRECTORY, options(ttl), engine, clock::get);
  }

  /** Lets time pass, and the store see it. */
  private void pass(Store store, Duration time) {
    for (long left = time.toMillis(); left > 0; left -= TICK_MILLIS) {
      clock.addAndGet(Math.min(TICK_MILLIS, left));
      store.background().awaitExpiration();
    }
  }

  private static void put(Store store, String key, String value) throws Exception {
    store.put(Fixtures.bytes(key), Fixtures.bytes(value), Durability.SYNCED);
  }

  private static String get(ReadView view, String key) throws Exception {
    byte[] bytes = Fixtures.bytes(key);
    String value = Fixtures.text(view.get(bytes));
    assertEquals(value, Fixtures.text(view.getAsync(bytes).get()));
    assertEquals(value, Fixtures.text(view.multiGet(List.of(bytes)).getFirst()));
    assertEquals(value != null, view.explain(bytes).found());
    try (PinnedValue pin = new PinnedValue()) {
      assertEquals(value != null, view.get(MemorySegment.ofArray(bytes), pin));
    }
    return value;
  }

  private static List<String> keys(StoreCursor cursor) throws Exception {
    List<String> forward = new ArrayList<>();
    for (cursor.first(); cursor.isValid(); cursor.next()) {
      forward.add(Fixtures.text(Fixtures.array(cursor.key())));
    }
    List<String> backward = new ArrayList<>();
    for (cursor.last(); cursor.isValid(); cursor.previous()) {
      backward.add(Fixtures.text(Fixtures.array(cursor.key())));
    }
    assertEquals(forward, backward.reversed());
    return forward;
  }

  private static List<String> keys(ReadView view) throws Exception {
    try (StoreCursor cursor = view.cursor()) {
      return keys(cursor);
    }
  }

  @Test
  void expiredRecordsAreNotReadWhereverTheyLie() throws Exception {
    try (Store store = open(TTL)) {
      put(store, "a", "1");
      store.flush();
      put(store, "b", "2");
      pass(store, TTL.minusMillis(1));
      assertEquals("1", get(store, "a"));
      put(store, "c", "3");
      assertEquals(List.of("a", "b", "c"), keys(store));
      pass(store, SLACK);
      assertNull(get(store, "a"));
      assertNull(get(store, "b"));
      assertEquals("3", get(store, "c"));
      assertEquals(List.of("c"), keys(store));
      assertEquals(
          Explanation.Outcome.EXPIRED,
          store.explain(Fixtures.bytes("b")).steps().getFirst().outcome());
      put(store, "a", "4");
      assertEquals("4", get(store, "a"));
      assertEquals(List.of("a", "c"), keys(store));
    }
  }

  @Test
  void tablesOfExpiredRecordsAreDroppedWithoutBeingRead() throws Exception {
    List<StoreListener.Compacted> told = new CopyOnWriteArrayList<>();
    StoreListener listener =
        new StoreListener() {
          @Override
          public void compacted(Compacted compacted) {
            told.add(compacted);
          }
        };
    StoreOptions options = options(TTL).withListener(listener);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine, clock::get)) {
      for (int i = 0; i < 100; i++) {
        store.put(Fixtures.bytes("a" + i), new byte[500], Durability.NONE);
      }
      store.flush();
      long bytes = store.stats().levels().getFirst().bytes();
      int tables = Fixtures.tables(engine).size();
      pass(store, TTL.minusMillis(1));
      assertEquals(tables, Fixtures.tables(engine).size());
      long reads = store.stats().read().blockMisses();
      long before = engine.stats().reads();
      pass(store, SLACK);
      assertEquals(List.of(), Fixtures.tables(engine));
      assertEquals(before, engine.stats().reads());
      assertEquals(reads, store.stats().read().blockMisses());
      assertEquals(0, store.stats().merges());
      assertEquals(1, told.size());
      assertEquals(CompactionKind.DROP, told.getFirst().kind());
      assertEquals(0, told.getFirst().level());
      assertEquals(tables, told.getFirst().tablesBefore());
      assertEquals(bytes, told.getFirst().bytesRead());
    }
    clock.addAndGet(-TTL.toMillis());
    try (Store store = open(TTL)) {
      assertEquals(List.of(), keys(store));
    }
  }

  @Test
  void flushesAndCompactionsLeaveExpiredRecordsOut() throws Exception {
    try (Store store = open(TTL)) {
      put(store, "a", "1");
      pass(store, TTL.plus(SLACK));
      store.flush();
      assertEquals(List.of(), Fixtures.tables(engine));
      put(store, "b", "2");
      pass(store, Duration.ofSeconds(30));
      put(store, "c", "3");
      store.flush();
      pass(store, Duration.ofSeconds(30).plus(SLACK));
      assertEquals(1, Fixtures.tables(engine).size());
      store.compact();
      assertEquals(1, store.stats().levels().stream().mapToLong(StoreStats.Level::entries).sum());
      assertEquals(List.of("c"), keys(store));
    }
  }

  /**
   * The newer value lies alone in a table that has expired; the older one beneath it in a table
   * that has not, because of another key.
   */
  @Test
  void olderValuesDoNotComeBackWhenATableIsDropped() throws Exception {
    try (Store store = open(TTL)) {
      for (int i = 0; i < 100; i++) {
        put(store, "k%03d".formatted(i), "x".repeat(20_000));
      }
      // All into the second level, once the first was too large for it.
      store.compact();
      awaitTables(store, 2, 1);
      store.compact();
      put(store, "k050", "newer");
      store.flush();
      put(store, "k050", "newest");
      store.flush();
      awaitTables(store, 1, 1);
      awaitTables(store, 0, -1);
      pass(store, Duration.ofSeconds(30));
      put(store, "k050x", "young");
      byte[] young = Fixtures.bytes("k050x");
      store.compact(MemorySegment.ofArray(young), MemorySegment.ofArray(young));
      assertEquals(1, store.stats().levels().get(1).entries(), "the newest, alone");
      assertEquals("newest", get(store, "k050"));
      long level2 = store.stats().levels().get(2).tables();
      pass(store, Duration.ofSeconds(30).plus(SLACK));
      assertEquals(0, store.stats().levels().get(1).tables());
      assertEquals(1, store.stats().levels().get(2).tables(), "of " + level2 + " one has young");
      assertTrue(store.stats().levels().get(2).entries() > 1, "the older one is still there");
      assertEquals(List.of("k050x"), keys(store));
      assertNull(get(store, "k050"));
    }
    clock.addAndGet(-Duration.ofDays(1).toMillis());
    for (Duration ttl : List.of(TTL, Duration.ofDays(100), Duration.ZERO)) {
      engine = engine.crash(ttl.toSeconds());
      try (Store store = open(ttl)) {
        assertEquals(List.of("k050x"), keys(store), "ttl=" + ttl);
        assertNull(get(store, "k050"));
      }
    }
  }

  /** Waits until a level has tables, or has none for -1. */
  private static void awaitTables(Store store, int level, int tables) {
    Fixtures.await(
        store,
        () -> {
          long found = store.stats().levels().get(level).tables();
          return tables < 0 ? found == 0 : found >= tables;
        });
  }

  @Test
  void snapshotsAndCursorsSeeWhatTheySaw() throws Exception {
    try (Store store = open(TTL)) {
      put(store, "a", "1");
      put(store, "b", "2");
      store.flush();
      Snapshot snapshot = store.snapshot();
      try (StoreCursor cursor = store.cursor()) {
        pass(store, TTL.plus(SLACK));
        assertNull(get(store, "a"));
        assertEquals("1", get(snapshot, "a"));
        assertEquals(List.of("a", "b"), keys(snapshot));
        assertEquals(List.of("a", "b"), keys(cursor));
        put(store, "c", "3");
        store.compact();
        assertEquals("1", get(snapshot, "a"));
        assertEquals(List.of("a", "b"), keys(snapshot));
        cursor.refresh();
        assertEquals(List.of("c"), keys(cursor));
      }
      snapshot.close();
      store.compact();
      assertEquals(1, store.stats().levels().stream().mapToLong(StoreStats.Level::entries).sum());
    }
  }

  private static void add(Store store, long number) throws Exception {
    byte[] operand = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(number).array();
    store.merge(Fixtures.bytes("n"), operand, Durability.SYNCED);
  }

  private static Long sum(ReadView view) throws Exception {
    byte[] found = view.get(Fixtures.bytes("n"));
    try (StoreCursor cursor = view.cursor()) {
      cursor.first();
      assertArrayEquals(found, cursor.isValid() ? Fixtures.array(cursor.value()) : null);
    }
    assertEquals(found != null, view.explain(Fixtures.bytes("n")).found());
    return found == null ? null : ByteBuffer.wrap(found).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  private Store openSums() throws Exception {
    TreeOptions tree = options(TTL).tree().withMergeOperator(MergeOperators.add64());
    return Store.open(Fixtures.DIRECTORY, Fixtures.TINY.withTree(tree), engine, clock::get);
  }

  /** What happens to a store between two writes, without a difference to what it has. */
  private enum Meanwhile {
    NOTHING,
    FLUSH,
    COMPACTION,
    REOPENING,
    CRASH
  }

  @ParameterizedTest
  @EnumSource
  void operandsExpireByThemselvesWhateverIsMadeOfThem(Meanwhile meanwhile) throws Exception {
    Store store = openSums();
    try {
      put(store, "n", "\1\0\0\0\0\0\0\0");
      List<Long> sums = new ArrayList<>();
      for (int i = 1; i <= 12; i++) {
        pass(store, Duration.ofSeconds(5));
        if (i <= 3) {
          add(store, 10L * i);
          add(store, 100L * i);
        }
        switch (meanwhile) {
          case NOTHING -> {}
          case FLUSH -> store.flush();
          case COMPACTION -> store.compact();
          case REOPENING -> {
            store.close();
            store = openSums();
          }
          case CRASH -> {
            SimEngine after = engine.crash(i);
            store.close();
            engine = after;
            store = openSums();
          }
        }
        pass(store, Duration.ofSeconds(5));
        sums.add(sum(store));
      }
      assertEquals(
          Arrays.asList(111L, 331L, 661L, 661L, 661L, 661L, 550L, 330L, null, null, null, null),
          sums.stream().toList());
    } finally {
      store.close();
    }
  }

  /** It has expired for some readers only. */
  @Test
  void anOperandThatIsGoneDoesNotComeBackForAnotherReader() throws Exception {
    try (Store store = openSums()) {
      add(store, 1);
      try (Snapshot none = store.snapshot()) {
        add(store, 2);
        pass(store, Duration.ofSeconds(30));
        add(store, 4);
        try (Snapshot all = store.snapshot()) {
          pass(store, Duration.ofSeconds(30).plus(SLACK));
          for (int i = 0; i < 3; i++) {
            assertEquals(1, sum(none));
            assertEquals(7, sum(all));
            assertEquals(4, sum(store));
            store.compact();
          }
        }
      }
      pass(store, Duration.ofSeconds(30).plus(SLACK));
      assertNull(sum(store));
    }
  }

  /** So that a key that is added to all the time has few. */
  @Test
  void operandsOfAboutTheSameTimeBecomeOne() throws Exception {
    try (Store store = openSums()) {
      for (int i = 0; i < 300; i++) {
        add(store, 1);
        pass(store, Duration.ofMillis(100));
      }
      store.compact();
      assertEquals(300, sum(store));
      long left = store.stats().levels().stream().mapToLong(StoreStats.Level::entries).sum();
      assertTrue(left > 20 && left < 40, "left=" + left);
    }
  }

  /** Else a crash would bring back what lies beneath. */
  @Test
  void nothingIsDroppedBeforeItIsDurableThatItHasExpired() throws Exception {
    try (Store store = open(TTL)) {
      put(store, "a", "1");
      store.flush();
      pass(store, SLACK);
      // Else the thread, still awake, may look at the clock before the failure is there.
      assertTrue(store.awaitRest(Duration.ofMinutes(1)));
      clock.addAndGet(TTL.toMillis());
      engine.failNth(SimOperation.SYNC, 1, Errno.EIO);
      store.background().awaitExpiration();
      assertNull(get(store, "a"));
      assertEquals(1, Fixtures.tables(engine).size());
      clock.addAndGet(10_000);
      store.background().awaitExpiration();
      assertEquals(List.of(), Fixtures.tables(engine), "it is tried again");
    }
  }

  /** Numbers of writes that a crash has lost are used again: they must not be old by then. */
  @Test
  void whatIsWrittenAfterACrashIsYoung() throws Exception {
    for (int seed = 1; seed <= 10; seed++) {
      engine = new SimEngine(seed);
      Store store = open(TTL);
      put(store, "a", "1");
      for (int i = 0; i < 50; i++) {
        store.put(Fixtures.bytes("b"), new byte[100], Durability.NONE);
      }
      pass(store, TTL.plus(SLACK));
      for (int i = 0; i < 50; i++) {
        store.put(Fixtures.bytes("b"), new byte[100], Durability.NONE);
      }
      SimEngine after = engine.crash(seed);
      store.close();
      engine = after;
      try (Store opened = open(TTL)) {
        put(opened, "c", "2");
        pass(opened, TTL.minusMillis(1));
        assertEquals("2", get(opened, "c"), "seed=" + seed);
        assertNull(get(opened, "a"));
      }
    }
  }

  @Test
  void storesOfBeforeExpireFromTheirOpeningOn() throws Exception {
    try (Store store = open(Duration.ZERO)) {
      put(store, "a", "1");
      pass(store, TTL.multipliedBy(5));
      assertEquals("1", get(store, "a"));
    }
    try (Store store = open(TTL)) {
      pass(store, TTL.minusMillis(1));
      assertEquals("1", get(store, "a"));
      pass(store, SLACK);
      assertNull(get(store, "a"));
    }
  }

  // ---- changed while the store is open

  /** And lets the store see it. */
  private static void change(Store store, String ttl) {
    store.change(Map.of("store.ttl", ttl));
    store.background().awaitExpiration();
  }

  @Test
  void aTimeToLiveThatIsChangedHoldsForWhatIsThere() throws Exception {
    try (Store store = open(TTL)) {
      put(store, "a", "1");
      pass(store, Duration.ofSeconds(20));
      put(store, "b", "2");
      store.flush();
      pass(store, Duration.ofSeconds(10));
      change(store, "15s");
      pass(store, SLACK);
      assertEquals(List.of("b"), keys(store));
      change(store, "100s");
      pass(store, Duration.ofSeconds(80));
      assertEquals(List.of("b"), keys(store), "it is some 93 seconds old");
      assertEquals(1, Fixtures.tables(engine).size());
      pass(store, Duration.ofSeconds(10).plus(SLACK).plus(SLACK));
      assertEquals(List.of(), keys(store));
      assertEquals(List.of(), Fixtures.tables(engine), "dropped");
    }
  }

  @Test
  void whatWasWrittenBeforeThereWasATimeToLiveLivesSoLongFromThen() throws Exception {
    try (Store store = open(Duration.ZERO)) {
      put(store, "a", "1");
      pass(store, TTL.multipliedBy(5));
      change(store, "1m");
      pass(store, TTL.minusMillis(1));
      put(store, "b", "2");
      assertEquals(List.of("a", "b"), keys(store));
      pass(store, SLACK);
      assertEquals(List.of("b"), keys(store));
      change(store, "0");
      pass(store, TTL.multipliedBy(5));
      assertEquals(List.of("b"), keys(store));
      put(store, "c", "3");
      change(store, "1m");
      assertEquals(List.of("c"), keys(store), "it was known when the other was written");
    }
  }

  @Test
  void aFamilysTimeToLiveIsChangedForItAlone() throws Exception {
    try (Store store = open(Duration.ZERO)) {
      Family family = store.createFamily("f", options(Duration.ZERO).tree());
      family.put(Fixtures.bytes("a"), Fixtures.bytes("1"), Durability.SYNCED);
      put(store, "a", "1");
      store.change(Map.of("store.family.f.ttl", "1m"));
      pass(store, TTL.plus(SLACK));
      assertEquals(List.of(), keys(family));
      assertEquals(List.of("a"), keys(store));
    }
  }

  /** A change is over when the store is closed; what has expired has for ever. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatHasExpiredByAChangeStaysSo(boolean crash) throws Exception {
    Store store = open(Duration.ofHours(1));
    put(store, "a", "1");
    store.flush();
    put(store, "b", "2");
    change(store, "10s");
    pass(store, Duration.ofSeconds(10));
    put(store, "c", "3");
    pass(store, Duration.ofMinutes(1)); // its first points are those of an hour
    assertEquals(List.of(), keys(store));
    put(store, "d", "4");
    if (crash) {
      SimEngine after = engine.crash(1);
      store.close();
      engine = after;
    } else {
      store.close();
    }
    for (Duration ttl : List.of(Duration.ofHours(1), Duration.ZERO)) {
      try (Store opened = open(ttl)) {
        pass(opened, Duration.ofMinutes(5));
        assertEquals(List.of("d"), keys(opened), "ttl=" + ttl);
      }
    }
  }

  /** The newest value goes with its table, one that is older stays with a table that is younger. */
  @Test
  void whereverThePowerIsCutNothingOlderComesBack() throws Exception {
    List<SimEngine> cuts = new ArrayList<>();
    try (Store store = open(Duration.ofDays(1))) {
      put(store, "a", "older");
      store.flush();
      put(store, "a", "newest");
      pass(store, Duration.ofMinutes(30)); // so that there are points
      put(store, "b", "young");
      pass(store, Duration.ofMinutes(30));
      engine.onSync(() -> cuts.add(engine.crash(cuts.size())));
      change(store, "1s");
      store.flush();
      pass(store, Duration.ofHours(1));
      store.compact();
      assertEquals(List.of(), keys(store));
      engine.onSync(() -> {});
    }
    assertTrue(cuts.size() > 5, "cuts=" + cuts.size());
    int expired = 0;
    for (SimEngine cut : cuts) {
      engine = cut;
      try (Store store = open(Duration.ZERO)) {
        String found = get(store, "a");
        assertTrue(found == null || found.equals("newest"), found);
        expired += found == null ? 1 : 0;
      }
    }
    assertTrue(expired > 0 && expired < cuts.size(), "expired=" + expired);
  }

  /** Else one that has expired would be part of a sum as long as a younger one. */
  @Test
  void operandsAreKeptApartWhileNothingExpires() throws Exception {
    try (Store store = openSums()) {
      add(store, 1);
      pass(store, Duration.ofSeconds(30));
      add(store, 2);
      pass(store, Duration.ofSeconds(5));
      change(store, "0");
      store.compact();
      assertEquals(3, sum(store));
      change(store, "1m");
      pass(store, Duration.ofSeconds(30));
      assertEquals(2, sum(store));
      pass(store, Duration.ofSeconds(30));
      assertNull(sum(store));
    }
  }

  @Test
  void theBackgroundThreadSeesAChangeByItself() throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, options(Duration.ZERO), engine)) {
      put(store, "a", "1");
      store.change(Map.of("store.ttl", "1s"));
      Fixtures.await(store, () -> store.expiryFloor() > store.visibleSequence());
      assertNull(get(store, "a"));
    }
  }

  @Test
  void theBackgroundThreadLooksAtTheClockByItself() throws Exception {
    Duration ttl = Duration.ofSeconds(1);
    try (Store store = Store.open(Fixtures.DIRECTORY, options(ttl), engine)) {
      put(store, "a", "1");
      long start = System.nanoTime();
      Fixtures.await(store, () -> store.expiryFloor() > store.visibleSequence());
      assertNull(get(store, "a"));
      assertTrue(System.nanoTime() - start > 900_000_000L, "not at once");
    }
  }

  @Test
  void timesToLiveAreChecked() {
    TreeOptions tree = TreeOptions.defaults();
    assertThrows(IllegalArgumentException.class, () -> tree.withTtl(Duration.ofMillis(999)));
    assertThrows(IllegalArgumentException.class, () -> tree.withTtl(Duration.ofDays(36_501)));
    assertFalse(tree.ttl().isPositive());
  }
}
