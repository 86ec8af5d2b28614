package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What was written long ago is written anew, when that is wanted, once in that time. */
class PeriodicCompactionTest {
  private static final Duration PERIOD = Duration.ofHours(10);
  private static final Duration HALF = PERIOD.dividedBy(2);
  private static final Duration MILLI = Duration.ofMillis(1);

  private final AtomicLong clock = new AtomicLong(1_700_000_000_000L);
  private final SplittableRandom random = new SplittableRandom(7);
  private SimEngine engine = new SimEngine(1);

  /** Nothing is merged because there is much. */
  private TreeOptions tree =
      Fixtures.TINY.tree().withTablesBeforeMerge(30).withPeriodicCompaction(PERIOD);

  private Store open() throws IOException {
    StoreOptions options = Fixtures.TINY.withTree(tree);
    Store store = Store.open(Fixtures.DIRECTORY, options, engine, clock::get);
    store.background().setRest(TimeUnit.HOURS.toNanos(1));
    return store;
  }

  /** Some tables of level 0. */
  private void fill(Store store, Family family, int from, int to) throws IOException {
    for (int i = from; i < to; i++) {
      byte[] value = Fixtures.randomBytes(random, 900);
      family.put(Fixtures.bytes("key%05d".formatted(i)), value, Durability.NONE);
    }
    store.flush();
  }

  /** Lets time go by; when this returns, the background thread has seen it. */
  private void pass(Store store, Duration time) throws IOException {
    clock.addAndGet(time.toMillis());
    for (int i = 0; i < 3; i++) {
      assertEquals(1, store.background().run(() -> 1, "nothing fails"));
    }
  }

  private static List<TableMeta> tables(Store store, Family family) {
    return store.parts().tables.manifest().family(family.family().id()).tables();
  }

  private static Set<Long> numbers(Store store, Family family) {
    Set<Long> numbers = new TreeSet<>();
    tables(store, family).forEach(meta -> numbers.add(meta.number()));
    return numbers;
  }

  /** Waits until none of these tables is there any more. */
  private static void awaitWritten(Store store, Family family, Set<Long> before) {
    Fixtures.await(store, () -> Collections.disjoint(numbers(store, family), before));
  }

  private static Map<String, String> contents(ReadView view) throws Exception {
    Map<String, String> contents = new TreeMap<>();
    for (Map.Entry<byte[], byte[]> each : Fixtures.contents(view).entrySet()) {
      contents.put(Fixtures.text(each.getKey()), Fixtures.text(each.getValue()));
    }
    return contents;
  }

  @Test
  void eachTableIsWrittenAnewOnceWhenItIsOldAndNotBefore() throws Exception {
    try (Store store = open()) {
      fill(store, store, 0, 1_200);
      store.compact();
      Set<Long> first = numbers(store, store);
      assertTrue(first.size() > 3);
      pass(store, HALF);
      fill(store, store, 2_000, 2_600);
      Set<Long> all = numbers(store, store);
      Set<Long> second = new TreeSet<>(all);
      second.removeAll(first);
      assertTrue(second.size() > 1);
      Map<String, String> expected = contents(store);
      pass(store, HALF.minus(MILLI));
      assertEquals(all, numbers(store, store), "none is old");

      long merges = store.stats().merges();
      pass(store, MILLI);
      awaitWritten(store, store, first);
      assertTrue(numbers(store, store).containsAll(second), "these are young");
      // The last of them is counted behind its edit.
      Fixtures.await(store, () -> store.stats().merges() >= merges + first.size());
      assertEquals(merges + first.size(), store.stats().merges());
      Set<Long> firstAgain = numbers(store, store);
      firstAgain.removeAll(second);
      assertEquals(expected, contents(store));

      pass(store, HALF);
      awaitWritten(store, store, second);
      pass(store, Duration.ZERO);
      assertTrue(numbers(store, store).containsAll(firstAgain), "not again");
      assertEquals(0, store.stats().levels().getFirst().tables(), "those of level 0 go down");
      assertEquals(expected, contents(store));
    }
  }

  @ParameterizedTest
  @EnumSource(CompactionStyle.class)
  void whatIsOldIsWrittenAnewInEachStyleThatMerges(CompactionStyle style) throws Exception {
    tree = tree.withStyle(style);
    try (Store store = open()) {
      fill(store, store, 0, 200);
      Set<Long> before = numbers(store, store);
      Map<String, String> expected = contents(store);
      pass(store, PERIOD);
      if (style == CompactionStyle.FIFO) {
        assertEquals(before, numbers(store, store));
        assertEquals(0, store.stats().merges());
      } else {
        awaitWritten(store, store, before);
        Set<Long> once = numbers(store, store);
        pass(store, PERIOD.minus(MILLI));
        assertEquals(once, numbers(store, store));
        pass(store, MILLI);
        awaitWritten(store, store, once); // from a deeper level now
      }
      assertEquals(expected, contents(store));
    }
  }

  @Test
  void filtersFormsAndKeysComeToAllRecordsInThatTime() throws Exception {
    TestKeys keys = new TestKeys(3);
    engine = new SimEngine(1, SimOptions.defaults().withKeys(keys));
    AtomicInteger asked = new AtomicInteger();
    tree =
        tree.withSeparatedValueBytes(500)
            .withCompactionFilter(
                (key, value, result) -> {
                  asked.incrementAndGet();
                  return CompactionFilter.Decision.KEEP;
                });
    try (Store store = open()) {
      fill(store, store, 0, 600);
      store.compact();
      Map<String, String> expected = contents(store);
      int before = asked.get();
      keys.use(2);
      store.change(Map.of("store.filter-bits", "5"));
      pass(store, PERIOD);
      Fixtures.await(
          store, () -> store.stats().families().getFirst().filesByKey().keySet().equals(Set.of(2)));
      assertEquals(600, asked.get() - before);
      Version version = store.parts().versions.retain();
      try {
        version
            .levels(store.family())
            .tables()
            .forEach(table -> assertEquals(5, table.properties().filterBitsPerKey()));
      } finally {
        store.parts().versions.release(version);
      }
      assertEquals(expected, contents(store));
    }
  }

  @Test
  void howOldTablesAreIsKnownAfterACrashAndOfClones() throws Exception {
    Map<String, String> expected;
    SimEngine after;
    try (Store store = open()) {
      fill(store, store, 0, 300);
      expected = contents(store);
      pass(store, HALF);
      Family unused = store.cloneFamily(store, "clone");
      after = engine.crash(3);
    }
    engine = after;
    try (Store store = open()) {
      Family clone = store.family("clone").orElseThrow();
      Set<Long> before = numbers(store, store);
      Set<Long> ofClone = numbers(store, clone);
      pass(store, HALF.minus(MILLI));
      assertEquals(before, numbers(store, store));
      assertEquals(ofClone, numbers(store, clone));
      pass(store, MILLI);
      awaitWritten(store, store, before);
      awaitWritten(store, clone, ofClone);
      assertEquals(expected, contents(store));
      assertEquals(expected, contents(clone));
    }
  }

  @Test
  void whatNobodyKnowsTheAgeOfIsOld() throws Exception {
    long now = clock.getAndSet(0);
    try (Store store = open()) {
      fill(store, store, 0, 100);
      assertEquals(0, tables(store, store).getFirst().writtenMillis());
      Set<Long> before = numbers(store, store);
      pass(store, PERIOD.minus(MILLI));
      assertEquals(before, numbers(store, store));
      pass(store, Duration.ofMillis(now));
      awaitWritten(store, store, before);
      assertEquals(clock.get(), tables(store, store).getFirst().writtenMillis());
    }
  }

  @Test
  void itIsOffUntilSomebodyAsksForItAndThenOfThatFamily() throws Exception {
    tree = tree.withPeriodicCompaction(TreeOptions.defaults().periodicCompaction());
    try (Store store = open()) {
      Family other = store.createFamily("other");
      fill(store, store, 0, 100);
      fill(store, other, 0, 100);
      Set<Long> before = numbers(store, store);
      Set<Long> ofOther = numbers(store, other);
      pass(store, Duration.ofDays(30_000));
      assertEquals(before, numbers(store, store));
      assertEquals(ofOther, numbers(store, other));
      store.change(Map.of("store.family.other.periodic-compaction", "1h"));
      awaitWritten(store, other, ofOther);
      assertEquals(before, numbers(store, store));
    }
  }

  /** One that is not called looks at its clock by itself. */
  @Test
  void theBackgroundThreadWakesUpForIt() throws Exception {
    tree = tree.withPeriodicCompaction(Duration.ofSeconds(1));
    try (Store store =
        Store.open(Fixtures.DIRECTORY, Fixtures.TINY.withTree(tree), new SimEngine(1))) {
      fill(store, store, 0, 100);
      awaitWritten(store, store, numbers(store, store));
    }
  }
}
