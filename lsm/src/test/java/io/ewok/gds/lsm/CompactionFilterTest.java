package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a filter removes or changes nobody misses: no snapshot has seen it, and none will. */
class CompactionFilterTest {
  private static final MergeOperator APPEND = MergeOperators.append(new byte[] {','});

  private final SimEngine engine = new SimEngine(1);

  /** Removes values that begin with "old", and changes those that begin with "change". */
  private static CompactionFilter.Decision decide(
      MemorySegment key, MemorySegment value, ResultBytes result) {
    String text = Fixtures.text(Fixtures.array(value));
    if (text.startsWith("old")) {
      return CompactionFilter.Decision.REMOVE;
    }
    if (text.startsWith("change")) {
      byte[] changed = Fixtures.bytes("changed " + Fixtures.text(Fixtures.array(key)));
      result.set(MemorySegment.ofArray(changed), 0, changed.length);
      return CompactionFilter.Decision.CHANGE;
    }
    return CompactionFilter.Decision.KEEP;
  }

  private static StoreOptions options(CompactionFilter filter) {
    return Fixtures.TINY.withTree(
        Fixtures.TINY
            .tree()
            .withTablesBeforeMerge(8)
            .withMergeOperator(APPEND)
            .withCompactionFilter(filter));
  }

  private Store open(CompactionFilter filter) throws Exception {
    return Store.open(Fixtures.DIRECTORY, options(filter), engine);
  }

  private static void put(Store store, String key, String value) throws Exception {
    store.put(Fixtures.bytes(key), Fixtures.bytes(value), Durability.SYNCED);
  }

  private static String get(ReadView view, String key) throws Exception {
    return Fixtures.text(view.get(Fixtures.bytes(key)));
  }

  private static long entries(Store store) {
    return store.stats().levels().stream().mapToLong(StoreStats.Level::entries).sum();
  }

  @Test
  void valuesAreKeptRemovedAndChanged() throws Exception {
    try (Store store = open(CompactionFilterTest::decide)) {
      put(store, "a", "new");
      put(store, "b", "old");
      put(store, "c", "change");
      store.flush();
      assertEquals("old", get(store, "b"), "a flush asks nobody");
      store.compact();
      assertEquals("new", get(store, "a"));
      assertNull(get(store, "b"));
      assertEquals("changed c", get(store, "c"));
      assertEquals(2, entries(store));
    }
    try (Store store = open(CompactionFilter.NONE)) {
      assertNull(get(store, "b"));
      assertEquals("changed c", get(store, "c"));
    }
  }

  @Test
  void olderValuesDoNotComeBack() throws Exception {
    try (Store store = open(CompactionFilterTest::decide)) {
      put(store, "b", "first");
      store.compact();
      put(store, "b", "second");
      store.flush();
      put(store, "b", "old");
      store.compact();
      assertNull(get(store, "b"));
      assertEquals(0, entries(store));
    }
  }

  @Test
  void whatAnOperatorMakesIsShownToo() throws Exception {
    try (Store store = open(CompactionFilterTest::decide)) {
      put(store, "b", "old");
      store.merge(Fixtures.bytes("b"), Fixtures.bytes("1"), Durability.SYNCED);
      store.merge(Fixtures.bytes("c"), Fixtures.bytes("change"), Durability.SYNCED);
      store.compact();
      assertNull(get(store, "b"));
      assertEquals("changed c", get(store, "c"));
    }
  }

  @Test
  void snapshotsKeepWhatTheySee() throws Exception {
    try (Store store = open(CompactionFilterTest::decide)) {
      put(store, "b", "old");
      put(store, "c", "change");
      try (Snapshot before = store.snapshot();
          StoreCursor cursor = before.cursor()) {
        put(store, "d", "old");
        store.compact();
        assertEquals("old", get(before, "b"));
        assertEquals("change", get(before, "c"));
        assertEquals("old", get(store, "b"));
        assertNull(get(store, "d"), "it is newer than the snapshot");
        cursor.refresh();
        cursor.first();
        assertEquals("old", Fixtures.text(Fixtures.array(cursor.value())));
      }
      store.compact();
      assertNull(get(store, "b"));
      assertEquals("changed c", get(store, "c"));
    }
  }

  /** The filter has decided already when the snapshot is opened. */
  @Test
  void snapshotsThatAreOpenedMeanwhileKeepWhatTheySeeToo() throws Exception {
    AtomicReference<Store> opened = new AtomicReference<>();
    AtomicReference<Snapshot> meanwhile = new AtomicReference<>();
    AtomicInteger asked = new AtomicInteger();
    CompactionFilter filter =
        (key, value, result) -> {
          CompactionFilter.Decision decision = decide(key, value, result);
          if (asked.incrementAndGet() == 3) {
            // On another thread, as a filter must not call the store.
            meanwhile.set(CompletableFuture.supplyAsync(() -> opened.get().snapshot()).join());
          }
          return decision;
        };
    try (Store store = open(filter)) {
      opened.set(store);
      put(store, "b", "old");
      put(store, "c", "change");
      put(store, "d", "old");
      store.flush();
      store.compact();
      Snapshot snapshot = meanwhile.get();
      for (ReadView view : List.of(store, snapshot)) {
        assertEquals("old", get(view, "b"));
        assertEquals("change", get(view, "c"));
        assertEquals("old", get(view, "d"));
      }
      snapshot.close();
      store.compact();
      assertNull(get(store, "b"));
      assertEquals("changed c", get(store, "c"));
      assertNull(get(store, "d"));
    }
  }

  private Store openWithFlushes(CompactionFilter filter) throws Exception {
    StoreOptions options = options(filter);
    return Store.open(
        Fixtures.DIRECTORY, options.withTree(options.tree().withFiltersFlushes(true)), engine);
  }

  @Test
  void flushesAskTooIfTheyAreTo() throws Exception {
    try (Store store = openWithFlushes(CompactionFilterTest::decide)) {
      put(store, "b", "first");
      put(store, "d", "first");
      store.flush();
      put(store, "a", "new");
      put(store, "b", "old");
      put(store, "c", "change");
      store.merge(Fixtures.bytes("d"), Fixtures.bytes("old"), Durability.SYNCED);
      store.merge(Fixtures.bytes("e"), Fixtures.bytes("old"), Durability.SYNCED);
      store.flush();
      assertEquals("new", get(store, "a"));
      assertNull(get(store, "b"), "what is older does not come back");
      assertEquals("changed c", get(store, "c"));
      assertEquals("first,old", get(store, "d"));
      assertEquals("old", get(store, "e"), "it may stand on something");
      assertEquals(0, store.stats().merges());
    }
    try (Store store = open(CompactionFilter.NONE)) {
      assertNull(get(store, "b"));
      assertEquals("changed c", get(store, "c"));
    }
  }

  /** Cursors leave memory for the tables of a flush, so they have to have the same. */
  @Test
  void readersKeepWhatTheySeeInAFlush() throws Exception {
    try (Store store = openWithFlushes(CompactionFilterTest::decide)) {
      for (boolean isCursor : List.of(false, true)) {
        put(store, "b", "old");
        put(store, "c", "change");
        AutoCloseable reader = isCursor ? store.cursor() : store.snapshot();
        put(store, "d", "old");
        store.flush();
        assertEquals("old", get(store, "b"));
        assertEquals("change", get(store, "c"));
        assertNull(get(store, "d"), "it is newer than the reader");
        if (reader instanceof StoreCursor cursor) {
          assertEquals(List.of("b=old", "c=change"), records(cursor));
        }
        reader.close();
      }
      put(store, "b", "old");
      put(store, "c", "change");
      store.flush();
      assertNull(get(store, "b"));
      assertEquals("changed c", get(store, "c"));
    }
  }

  private static List<String> records(StoreCursor cursor) throws Exception {
    List<String> records = new ArrayList<>();
    for (cursor.first(); cursor.isValid(); cursor.next()) {
      records.add(
          Fixtures.text(Fixtures.array(cursor.key()))
              + "="
              + Fixtures.text(Fixtures.array(cursor.value())));
    }
    return records;
  }

  /** The filter has decided already when they come; another family is flushed with it. */
  @ParameterizedTest
  @ValueSource(strings = {"snapshot", "cursor", "refresh"})
  void readersThatComeDuringAFlushKeepWhatTheySeeToo(String how) throws Exception {
    AtomicReference<Callable<AutoCloseable>> opening = new AtomicReference<>();
    AtomicReference<AutoCloseable> meanwhile = new AtomicReference<>();
    CompactionFilter filter =
        (key, value, result) -> {
          CompactionFilter.Decision decision = decide(key, value, result);
          Callable<AutoCloseable> open = opening.getAndSet(null);
          if (open != null) { // on another thread, as a filter must not call the store
            FutureTask<AutoCloseable> task = new FutureTask<>(open);
            Thread.ofVirtual().start(task);
            try {
              meanwhile.set(task.get());
            } catch (Exception e) {
              throw new AssertionError(e);
            }
          }
          return decision;
        };
    try (Store store = openWithFlushes(filter)) {
      Family other = store.createFamily("other");
      StoreCursor early = store.cursor();
      put(store, "b", "old");
      put(store, "c", "change");
      put(store, "d", "old");
      other.put(Fixtures.bytes("x"), Fixtures.bytes("y"), Durability.NONE);
      opening.set(
          () ->
              switch (how) {
                case "snapshot" -> store.snapshot();
                case "cursor" -> store.cursor();
                default -> {
                  early.refresh();
                  yield early;
                }
              });
      store.flush();
      List<String> all = List.of("b=old", "c=change", "d=old");
      try (StoreCursor now = store.cursor()) {
        assertEquals(all, records(now));
      }
      if (meanwhile.get() instanceof Snapshot snapshot) {
        try (StoreCursor cursor = snapshot.cursor()) {
          assertEquals(all, records(cursor));
        }
      } else {
        assertEquals(all, records((StoreCursor) meanwhile.get()));
      }
      assertEquals("y", Fixtures.text(other.get(Fixtures.bytes("x"))));
      meanwhile.get().close();
      early.close();
      assertEquals(2, Fixtures.tables(engine).size(), "what was written first is gone");
      store.compact();
      assertNull(get(store, "b"));
    }
  }

  @Test
  void cursorsWaitForTheEndOfAFlushThatRemoves() throws Exception {
    StoreParts parts =
        new StoreParts(engine, new StoreFiles(Fixtures.DIRECTORY), options(CompactionFilter.NONE));
    StoreOpener.open(parts);
    try {
      VersionSet versions = parts.versions;
      Snapshot view = versions.openSnapshot(parts.counters);
      StoreCursor before = versions.openCursor(view, CursorOptions.defaults(), null);
      assertFalse(versions.tryHoldReaders(before.sequence() - 1));
      assertTrue(versions.tryHoldReaders(before.sequence()));
      List<FutureTask<?>> waiting =
          List.of(
              new FutureTask<>(() -> versions.openCursor(view, CursorOptions.defaults(), null)),
              new FutureTask<>(() -> versions.refreshCursor(before, view)),
              new FutureTask<>(() -> versions.openSnapshot(parts.counters)));
      for (FutureTask<?> each : waiting) {
        startAndAwaitThatItWaits(each);
      }
      versions.releaseReaders();
      for (FutureTask<?> each : waiting) {
        Object unused = each.get(1, TimeUnit.MINUTES);
      }
    } finally {
      parts.close();
    }
  }

  private static void startAndAwaitThatItWaits(FutureTask<?> task) {
    Thread thread = Thread.ofPlatform().daemon().start(task);
    while (thread.getState() != Thread.State.WAITING) {
      assertFalse(task.isDone(), "it does not wait");
      Thread.onSpinWait();
    }
    assertFalse(task.isDone());
  }

  /** Between the decision that no snapshot sees it, and the tables without it. */
  @Test
  void snapshotsWaitForTheEndOfACompactionThatRemoves() throws Exception {
    StoreParts parts =
        new StoreParts(engine, new StoreFiles(Fixtures.DIRECTORY), options(CompactionFilter.NONE));
    StoreOpener.open(parts);
    try {
      VersionSet versions = parts.versions;
      assertTrue(versions.tryHoldSnapshots(versions.newestSnapshot()));
      FutureTask<Snapshot> waiting = new FutureTask<>(() -> versions.openSnapshot(parts.counters));
      startAndAwaitThatItWaits(waiting);
      versions.releaseSnapshots();
      try (Snapshot snapshot = waiting.get()) {
        assertFalse(versions.tryHoldSnapshots(snapshot.sequence() - 1));
        assertTrue(versions.tryHoldSnapshots(snapshot.sequence()));
        versions.releaseSnapshots();
      }
    } finally {
      parts.close();
    }
  }

  /** On the background thread, which must not wait for itself. */
  @Test
  void listenersOpenSnapshots() throws Exception {
    AtomicReference<Store> opened = new AtomicReference<>();
    AtomicReference<String> seen = new AtomicReference<>("nothing");
    StoreListener listener =
        new StoreListener() {
          @Override
          public void compacted(Compacted compacted) {
            try (Snapshot snapshot = opened.get().snapshot()) {
              seen.set(get(snapshot, "b"));
            } catch (Exception e) {
              throw new AssertionError(e);
            }
          }
        };
    StoreOptions options = options(CompactionFilterTest::decide).withListener(listener);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      opened.set(store);
      put(store, "b", "old");
      store.compact();
      assertNull(seen.get());
    }
  }

  @Test
  void aFilterThatFailsKeepsValues() throws Exception {
    List<String> shown = new ArrayList<>();
    CompactionFilter filter =
        (key, value, result) -> {
          shown.add(Fixtures.text(Fixtures.array(key)));
          return switch (shown.getLast()) {
            case "a" -> throw new StackOverflowError("not today");
            case "b" -> null;
            case "c" -> CompactionFilter.Decision.CHANGE;
            case "d" -> {
              result.reserve(1 << 20);
              yield CompactionFilter.Decision.CHANGE;
            }
            default -> CompactionFilter.Decision.REMOVE;
          };
        };
    try (Store store = open(filter)) {
      for (String key : List.of("a", "b", "c", "d", "e")) {
        put(store, key, "value of " + key);
      }
      store.delete(Fixtures.bytes("f"), Durability.SYNCED);
      store.compact();
      assertEquals(List.of("a", "b", "c", "d", "e"), shown);
      for (String key : List.of("a", "b", "c", "d")) {
        assertEquals("value of " + key, get(store, key));
      }
      assertNull(get(store, "e"));
    }
  }

  /** What it keeps against the rules stays memory. */
  @Test
  void segmentsAreCopies() throws Exception {
    List<MemorySegment> kept = new ArrayList<>();
    CompactionFilter filter =
        (key, value, result) -> {
          assertTrue(key.isReadOnly() && value.isReadOnly());
          kept.add(key);
          kept.add(value);
          return CompactionFilter.Decision.KEEP;
        };
    try (Store store = open(filter)) {
      put(store, "a", "1");
      store.compact();
    }
    assertEquals(2, kept.size());
    assertArrayEquals(Fixtures.bytes("1"), Fixtures.array(kept.get(1)));
  }
}
