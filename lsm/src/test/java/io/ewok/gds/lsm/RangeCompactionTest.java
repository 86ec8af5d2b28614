package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Range deletes go down soon, with what they hide, where that is worth it; and then they go. */
class RangeCompactionTest {
  private static final int KEYS = 10_000;
  private static final int PIECE = 100;
  private static final byte[] VALUE = new byte[100];

  private final SimEngine engine = new SimEngine(1);

  private Store open() throws IOException {
    Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY.withTablesBeforeMerge(20), engine);
    store.background().setRest(TimeUnit.HOURS.toNanos(1));
    return store;
  }

  private static byte[] key(int number) {
    return Fixtures.bytes("key/%06d".formatted(number));
  }

  /** All keys, on the deepest level. */
  private static void fill(Store store) throws IOException {
    for (int i = 0; i < KEYS; i++) {
      store.put(key(i), VALUE, Durability.NONE);
    }
    store.compact();
    assertTrue(store.stats().levels().get(1).tables() > 3, store.stats()::toString);
  }

  /** Of each piece of the keys so many are deleted. */
  private static void deletePartOfEachPiece(Store store, int count) throws IOException {
    for (int i = 0; i < KEYS; i += PIECE) {
      store.deleteRange(key(i + 10), key(i + 10 + count), Durability.NONE);
    }
  }

  private static void assertLeft(ReadView view, int count) throws Exception {
    int left = 0;
    try (StoreCursor cursor = view.cursor()) {
      for (cursor.first(); cursor.isValid(); cursor.next()) {
        left++;
      }
    }
    assertEquals(KEYS - KEYS / PIECE * count, left);
    for (int i = 0; i < KEYS; i += 7) {
      boolean isThere = i % PIECE < 10 || i % PIECE >= 10 + count;
      assertArrayEquals(isThere ? VALUE : null, view.get(key(i)), "key " + i);
    }
  }

  private static long rangeDeletes(Store store) {
    return store.stats().levels().stream().mapToLong(StoreStats.Level::rangeDeletes).sum();
  }

  private static long bytes(Store store) {
    return store.stats().levels().stream().mapToLong(StoreStats.Level::bytes).sum();
  }

  /** What is hidden is gone once nobody writes, and so are the deletes. */
  @Test
  void atRestNothingIsLeftOfThem() throws Exception {
    try (Store store = open()) {
      fill(store);
      long before = bytes(store);
      deletePartOfEachPiece(store, 30);
      store.flush();
      assertEquals(KEYS / PIECE, rangeDeletes(store));
      assertLeft(store, 30);
      store.background().setRest(TimeUnit.MILLISECONDS.toNanos(1));
      Fixtures.await(store, () -> rangeDeletes(store) == 0);
      assertTrue(bytes(store) < 0.8 * before, store.stats()::toString);
      assertLeft(store, 30);
    }
    try (Store store = open()) {
      assertLeft(store, 30);
    }
  }

  /** Whatever of a compaction at rest a power cut has left. */
  @Test
  void powerCutsMeanwhileBringNothingBack() throws Exception {
    AtomicInteger cuts = new AtomicInteger();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    try (Store store = open()) {
      fill(store);
      deletePartOfEachPiece(store, 30);
      store.flush();
      engine.onSync(
          () -> {
            try (Store after =
                Store.open(
                    Fixtures.DIRECTORY, Fixtures.TINY, engine.crash(cuts.incrementAndGet()))) {
              assertLeft(after, 30);
            } catch (Exception | AssertionError e) {
              failure.compareAndSet(null, e);
            }
          });
      store.background().setRest(TimeUnit.MILLISECONDS.toNanos(1));
      Fixtures.await(store, () -> rangeDeletes(store) == 0);
      engine.onSync(() -> {});
    }
    assertNull(failure.get());
    assertTrue(cuts.get() > 3, "cuts: " + cuts);
  }

  /** A reader keeps both; when he has left, nobody has to write for them to go. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void atRestTheyGoWhenTheLastReaderHasLeft(boolean compacted) throws Exception {
    try (Store store = open()) {
      fill(store);
      Snapshot snapshot = store.snapshot();
      deletePartOfEachPiece(store, 30);
      store.flush();
      if (compacted) {
        store.compact(); // the records stay with the deletes, on the last level
      }
      store.background().setRest(TimeUnit.MILLISECONDS.toNanos(1));
      TimeUnit.MILLISECONDS.sleep(50);
      assertTrue(rangeDeletes(store) >= KEYS / PIECE, store.stats()::toString);
      assertLeft(store, 30);
      assertLeft(snapshot, 0);
      snapshot.close();
      Fixtures.await(store, () -> rangeDeletes(store) == 0);
      assertLeft(store, 30);
    }
  }

  /** Shows levels whose tables are those of the store, the newest alone on one of the first. */
  private static void lookAt(Store store, int level, Consumer<Levels> look) throws IOException {
    VersionSet versions = store.writer().versions();
    Version version = versions.retain();
    try {
      Levels levels = version.levels(Manifest.MAIN);
      assertEquals(1, levels.level(0).size());
      List<List<Table>> all = new ArrayList<>();
      for (int i = 0; i < Manifest.LEVELS; i++) {
        all.add(i == level ? levels.level(0) : i == level + 2 ? levels.level(1) : List.of());
      }
      Levels shown = new Levels(all);
      shown.estimateHiddenShares();
      look.accept(shown);
    } finally {
      versions.release(version);
    }
  }

  private static CompactionPicker picker() {
    StoreOptions options = Fixtures.TINY.withTablesBeforeMerge(20);
    return CompactionPicker.of(CompactionOptions.of(options, options.tree()));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void whatHidesMuchGoesDownAtRest(int level) throws Exception {
    try (Store store = open()) {
      fill(store);
      deletePartOfEachPiece(store, 10);
      store.flush();
      lookAt(
          store,
          level,
          levels -> {
            long newest = levels.level(level).getFirst().meta().lastSequence();
            CompactionInputs inputs = picker().pickAtRest(levels, newest);
            assertNotNull(inputs);
            assertEquals(level, inputs.level());
            assertEquals(levels.level(level), inputs.tables().subList(0, 1));
            assertNull(picker().pickAtRest(levels, newest - 1), "somebody does not see them");
          });
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void whatHidesLittleIsNotWorthWhatIsWrittenForIt(int level) throws Exception {
    try (Store store = open()) {
      fill(store);
      deletePartOfEachPiece(store, 3);
      store.flush();
      lookAt(
          store, level, levels -> assertNull(picker().pickAtRest(levels, RecordKind.SEQUENCE_MAX)));
    }
  }

  /** Below them nothing is left, whatever they hid. */
  @Test
  void whatHidesNothingIsWrittenWithout() throws Exception {
    try (Store store = open()) {
      fill(store);
      deletePartOfEachPiece(store, 3);
      store.put(key(20), VALUE, Durability.NONE);
      store.flush();
      lookAt(
          store,
          Manifest.LEVELS - 1,
          levels -> {
            CompactionInputs inputs = picker().pickAtRest(levels, RecordKind.SEQUENCE_MAX);
            assertEquals(CompactionKind.MERGE, inputs.kind());
            assertEquals(Manifest.LEVELS - 1, inputs.level());
            assertEquals(Manifest.LEVELS - 1, inputs.outputLevel());
            assertNull(picker().pickAtRest(levels, 1), "somebody does not see them");
          });
    }
  }

  /** Which writes no more than it frees. */
  @Test
  void whatHidesMostGoesDownBesideWrites() throws Exception {
    for (int count : new int[] {30, 70}) {
      try (Store store = Store.open(Fixtures.DIRECTORY.resolve("of" + count), options(), engine)) {
        store.background().setRest(TimeUnit.HOURS.toNanos(1));
        fill(store);
        deletePartOfEachPiece(store, count);
        store.put(key(50), VALUE, Durability.NONE);
        store.put(key(51), VALUE, Durability.NONE);
        store.flush();
        lookAt(
            store,
            1,
            levels -> {
              CompactionInputs inputs = picker().pick(levels, RecordKind.SEQUENCE_MAX);
              if (count < 50) {
                assertNull(inputs);
              } else {
                assertEquals(1, inputs.level());
              }
              assertNull(picker().pick(levels, 1), "somebody does not see them");
            });
      }
    }
  }

  private static StoreOptions options() {
    return Fixtures.TINY.withTablesBeforeMerge(20);
  }

  /** Of all ranges, or of some of very many. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatIsHiddenIsEstimatedByIndexes(boolean many) throws Exception {
    try (Store store = open()) {
      fill(store);
      for (int i = 0; i < KEYS; i += many ? 5 : PIECE) {
        store.deleteRange(key(i), key(i + (many ? 2 : 40)), Durability.NONE);
      }
      store.flush();
      lookAt(
          store,
          1,
          levels -> {
            Table table = levels.level(1).getFirst();
            long below = CompactionInputs.bytes(levels.level(3));
            double share = levels.hiddenShares().of(table);
            double hidden = share * (below + table.meta().sizeBytes()) / below;
            assertEquals(0.4, hidden, 0.08);
            assertEquals(0, levels.hiddenShares().of(levels.level(3).getFirst()));
          });
    }
  }
}
