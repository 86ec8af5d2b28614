package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a repair finds of a family is that family's afterwards, and no other's. */
class FamilyRepairTest {
  private static final StoreFiles FILES = new StoreFiles(Fixtures.DIRECTORY);
  private static final StoreOptions OPTIONS = Fixtures.TINY.withTablesBeforeMerge(20);

  private final SimEngine base = new SimEngine(1);

  /** By name of the family. */
  private final Map<String, Map<byte[], byte[]>> contents = new TreeMap<>();

  /** The same keys in two families and the default one, and a third family in the log alone. */
  @BeforeEach
  void makeStore() throws Exception {
    SplittableRandom random = new SplittableRandom(7);
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, base)) {
      store.background().setRest(TimeUnit.HOURS.toNanos(1));
      Family gone = store.createFamily("gone");
      fill(gone, random, 50);
      store.flush();
      store.createFamily("one");
      store.createFamily("two");
      for (int round = 0; round < 3; round++) {
        for (Family family : store.families()) {
          fill(family, random, 100);
        }
        store.flush();
      }
      store.family("one").orElseThrow().compact();
      store.dropFamily(gone);
      store.createFamily("three");
      for (Family family : store.families()) {
        fill(family, random, 20);
        contents.put(family.name(), Fixtures.contents(family));
      }
      store.put(Fixtures.bytes("last"), new byte[0], Durability.SYNCED);
      contents.put(Family.DEFAULT_NAME, Fixtures.contents(store));
    }
  }

  private static void fill(Family family, SplittableRandom random, int count) throws IOException {
    for (int i = 0; i < count; i++) {
      byte[] key = Fixtures.bytes("key" + random.nextInt(200));
      if (random.nextInt(5) == 0) {
        family.delete(key, Durability.NONE);
      } else {
        family.put(key, Fixtures.randomBytes(random, random.nextInt(300)), Durability.NONE);
      }
    }
  }

  private static RepairReport repair(SimEngine engine) throws IOException {
    return StoreRepair.run(Fixtures.DIRECTORY, OPTIONS, engine, _ -> {});
  }

  private static Map<String, Map<String, String>> read(SimEngine engine) throws Exception {
    Map<String, Map<String, String>> found = new TreeMap<>();
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      for (Family family : store.families()) {
        found.put(family.name(), Fixtures.text(Fixtures.contents(family)));
      }
    }
    return found;
  }

  private Map<String, Map<String, String>> expected() {
    Map<String, Map<String, String>> expected = new TreeMap<>();
    contents.forEach((name, of) -> expected.put(name, Fixtures.text(of)));
    return expected;
  }

  @Test
  void aSoundStoreWithFamiliesStaysAsItIs() throws Exception {
    assertTrue(repair(base).isSound());
    assertEquals(expected(), read(base));
  }

  @Test
  void withoutAManifestFamiliesAreFoundInTablesAndLogAndLoseTheirNames() throws Exception {
    List<Integer> ids;
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, base.crash(1))) {
      ids = store.families().stream().map(Family::id).toList();
    }
    assertEquals(List.of(0, 2, 3, 4), ids);
    base.delete(FILES.manifest());
    RepairReport report = repair(base);
    assertTrue(report.manifestProblem().isPresent());
    Map<String, Map<String, String>> expected = new TreeMap<>(expected());
    expected.put("lost-2", expected.remove("one"));
    expected.put("lost-3", expected.remove("two"));
    expected.put("lost-4", expected.remove("three"));
    Map<String, Map<String, String>> found = read(base);
    found.remove("lost-1"); // what the log may have of it still
    assertEquals(expected, found);
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, base)) {
      assertEquals(5, store.createFamily("next").id());
    }
  }

  @Test
  void withoutALogTheTablesOfEachFamilyAreMerged() throws Exception {
    for (Path file : base.list(FILES.log())) {
      base.delete(file);
    }
    RepairReport report = repair(base);
    assertTrue(report.logIsLost());
    Map<String, Map<String, String>> found = read(base);
    assertEquals(contents.keySet(), found.keySet());
    assertTrue(found.get("three").isEmpty(), "it was in the log");
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, base)) {
      for (String name : List.of("one", "two")) {
        Family family = store.family(name).orElseThrow();
        assertFalse(Fixtures.contents(family).isEmpty());
        family.put(Fixtures.bytes("key"), Fixtures.bytes("new"), Durability.NONE);
        family.compact();
        assertEquals("new", Fixtures.text(family.get(Fixtures.bytes("key"))));
      }
    }
  }

  @Test
  void ofADamagedTableTheRecordsStayInTheirFamily() throws Exception {
    int damaged = 0;
    for (Path table : Fixtures.tables(base)) {
      SimEngine engine = base.crash(1);
      engine.flipBit(table, 8 * 40);
      RepairReport report = repair(engine);
      damaged += report.damagedTables().size();
      Map<String, Map<String, String>> found = read(engine);
      assertEquals(contents.keySet(), found.keySet());
      long wrong =
          contents.keySet().stream()
              .filter(name -> !expected().get(name).equals(found.get(name)))
              .count();
      assertTrue(wrong <= 1, "families that have changed: " + wrong);
    }
    assertTrue(damaged > 3, "damaged: " + damaged);
  }
}
