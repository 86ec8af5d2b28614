package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.MissingFileException;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** What can be read of a damaged store is there after a repair, and what cannot is told. */
@ParameterizedClass
@ValueSource(ints = {0, 50})
class StoreRepairTest {
  private static final StoreFiles FILES = new StoreFiles(Fixtures.DIRECTORY);
  private static final int KEYS = 400;

  /** What a loss of power may leave differs: one state seldom shows that a sync is missing. */
  private static final int STATES_PER_CUT = 12;

  private final SimEngine base = new SimEngine(1);
  private final SplittableRandom ranges = new SplittableRandom(8);

  /** What the store has, in its tables and all told. */
  private Map<byte[], byte[]> inTables;

  private Map<byte[], byte[]> contents;

  /** All values that a key ever had; none for "no value". */
  private final Map<String, Set<String>> history = new HashMap<>();

  private final StoreOptions options;

  StoreRepairTest(int separatedValueBytes) {
    options = Fixtures.separated(separatedValueBytes);
  }

  /** Tables on several levels, with old values and deletes, and records in the log. */
  @BeforeEach
  void makeStore() throws Exception {
    SplittableRandom random = new SplittableRandom(7);
    try (Store store = openUnmerged(base)) {
      for (int round = 0; round < 9; round++) {
        for (int i = 0; i < KEYS / 2; i++) {
          write(store, random, "key" + random.nextInt(KEYS));
        }
        store.flush();
        if (round == 3) {
          store.compact();
        }
      }
      inTables = Fixtures.contents(store);
      for (int i = 0; i < 50; i++) {
        write(store, random, "key" + random.nextInt(KEYS));
      }
      write(store, random, "the last one");
      contents = Fixtures.contents(store);
    }
    assertTrue(Fixtures.tables(base).size() > 3, "tables: " + Fixtures.tables(base));
  }

  /** Opens the store so that it merges nothing unless told to. */
  private Store openUnmerged(SimEngine engine) throws IOException {
    Store store = Store.open(Fixtures.DIRECTORY, options.withTablesBeforeMerge(20), engine);
    store.background().setRest(TimeUnit.HOURS.toNanos(1));
    return store;
  }

  private void write(Store store, SplittableRandom random, String key) throws IOException {
    Set<String> values = history.computeIfAbsent(key, _ -> new HashSet<>(Set.of("none")));
    if (ranges.nextInt(60) == 0) {
      store.deleteRange(Fixtures.bytes(key), Fixtures.bytes(key + "9"), Durability.SYNCED);
    } else if (random.nextInt(4) == 0) {
      store.delete(Fixtures.bytes(key), Durability.SYNCED);
    } else {
      byte[] value = Fixtures.randomBytes(random, random.nextInt(400));
      values.add(HexFormat.of().formatHex(value));
      store.put(Fixtures.bytes(key), value, Durability.SYNCED);
    }
  }

  private RepairReport repair(SimEngine engine) throws IOException {
    return StoreRepair.run(Fixtures.DIRECTORY, options, engine, _ -> {});
  }

  private Map<byte[], byte[]> read(SimEngine engine) throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      Map<byte[], byte[]> found = Fixtures.contents(store);
      for (Map.Entry<byte[], byte[]> entry : found.entrySet()) {
        assertArrayEquals(entry.getValue(), store.get(entry.getKey()));
      }
      return found;
    }
  }

  private static void assertSame(Map<byte[], byte[]> expected, Map<byte[], byte[]> actual) {
    assertEquals(Fixtures.text(expected), Fixtures.text(actual));
  }

  /** Outside of the gaps everything is as it was; in them every value was once the key's. */
  private void assertRightBut(RepairReport report, Map<byte[], byte[]> found) {
    Map<byte[], byte[]> all = new TreeMap<>(Fixtures.ORDER);
    all.putAll(contents);
    found.forEach(all::putIfAbsent);
    for (byte[] key : all.keySet()) {
      byte[] value = found.get(key);
      if (isInGap(report, key)) {
        String once = value == null ? "none" : HexFormat.of().formatHex(value);
        assertTrue(history.get(Fixtures.text(key)).contains(once), Fixtures.text(key));
      } else {
        assertArrayEquals(contents.get(key), value, () -> Fixtures.text(key) + " " + report);
      }
    }
  }

  private static boolean isInGap(RepairReport report, byte[] key) {
    MemorySegment segment = MemorySegment.ofArray(key);
    return report.damagedTables().stream()
        .flatMap(table -> table.gaps().stream())
        .anyMatch(
            gap ->
                gap.first().stream().allMatch(first -> Keys.compare(first, segment) <= 0)
                    && gap.last().stream().allMatch(last -> Keys.compare(segment, last) <= 0));
  }

  /** Everything but the log, which each opening changes. */
  private static Map<Path, String> files(SimEngine engine) throws IOException {
    Map<Path, String> files = new TreeMap<>();
    for (Path path : engine.list(Fixtures.DIRECTORY)) {
      if (!path.equals(FILES.log()) && !path.equals(FILES.lock())) {
        files.put(path, HexFormat.of().formatHex(bytes(engine, path)));
      }
    }
    return files;
  }

  @Test
  void soundStoreStaysAsItIs() throws Exception {
    Map<Path, String> before = files(base);
    RepairReport report = repair(base);
    assertTrue(report.isSound() && report.isComplete(), report.toString());
    assertEquals(Fixtures.tables(base).size(), report.tables());
    assertEquals(before, files(base));
    assertSame(contents, read(base));
  }

  @Test
  void damagedTableLosesOnlyWhatCannotBeRead() throws Exception {
    int kept = 0;
    for (Path table : Fixtures.tables(base)) {
      for (long offset = 5; offset < Fixtures.sizeBytes(base, table); offset += 5003) {
        SimEngine engine = base.crash(1);
        engine.flipBit(table, offset);
        RepairReport report = repair(engine);
        assertRightBut(report, read(engine));
        assertTrue(repair(engine).isSound());
        for (RepairReport.DamagedTable damaged : report.damagedTables()) {
          assertEquals(table, damaged.file());
          boolean isOfRanges =
              damaged.problems().toString().contains("range deletes cannot be read");
          assertTrue(
              damaged.kept() < damaged.entries() || damaged.gaps().isEmpty() || isOfRanges,
              report::toString);
          List<Path> aside = new ArrayList<>(report.setAside());
          aside.removeIf(path -> path.toString().contains(".values")); // of values that are gone
          assertEquals(1, aside.size());
          assertTrue(report.setAside().stream().allMatch(engine::exists));
          engine.delete(FILES.manifest()); // what is set aside hides nothing
          assertThrows(CorruptFileException.class, () -> read(engine));
          repair(engine);
          assertTrue(repair(engine).isSound());
          kept += damaged.kept() > 0 ? 1 : 0;
        }
      }
    }
    assertTrue(kept > 2, "kept: " + kept);
  }

  @Test
  void tablesThatAreGoneAreTold() throws Exception {
    for (Path table : Fixtures.tables(base)) {
      SimEngine engine = base.crash(1);
      engine.delete(table);
      RepairReport report = repair(engine);
      assertEquals(1, report.damagedTables().size());
      assertEquals(0, report.damagedTables().getFirst().kept());
      assertFalse(report.isComplete());
      assertRightBut(report, read(engine));
    }
  }

  @Test
  void manifestIsMadeAnewFromTheTables() throws Exception {
    long size = Fixtures.sizeBytes(base, FILES.manifest());
    for (long offset = 3; offset < size; offset += 1021) {
      SimEngine engine = base.crash(1);
      engine.flipBit(FILES.manifest(), offset);
      repair(engine);
      assertSame(contents, read(engine));
    }
    SimEngine without = base.crash(1);
    without.delete(FILES.manifest());
    RepairReport report = repair(without);
    assertTrue(report.manifestProblem().isPresent() && report.isComplete(), report.toString());
    assertSame(contents, read(without));
    SimEngine empty = base.crash(1);
    try (IoFile file = empty.open(FILES.manifest(), OpenMode.READ_WRITE)) {
      file.truncate(0);
    }
    repair(empty);
    assertSame(contents, read(empty));
  }

  @Test
  void replacedTablesThatAreStillThereDoNotComeBack() throws Exception {
    SimEngine engine = base.crash(1);
    Map<Path, byte[]> old = new HashMap<>();
    try (Store store = openUnmerged(engine)) {
      store.flush(); // what the log had: else a table may come when the others are copied already
      for (byte[] key : contents.keySet()) {
        store.delete(key, Durability.NONE);
      }
      for (Path table : Fixtures.tables(engine)) {
        try {
          old.put(table, bytes(engine, table));
        } catch (MissingFileException e) {
          // All that it had is hidden by deletes of ranges, or most of its values are garbage.
        }
      }
      assertTrue(old.size() > 1);
      store.compact();
      assertSame(Map.of(), Fixtures.contents(store));
    }
    for (Map.Entry<Path, byte[]> file : old.entrySet()) {
      assertFalse(engine.exists(file.getKey()));
      create(engine, file.getKey(), file.getValue());
    }
    engine.flipBit(FILES.manifest(), 3);
    assertTrue(repair(engine).manifestProblem().isPresent());
    assertSame(Map.of(), read(engine));
  }

  static byte[] bytes(SimEngine engine, Path path) throws IOException {
    try (IoFile file = engine.open(path, OpenMode.READ_ONLY);
        Region region = region(file.sizeBytes())) {
      file.readFully(0, region, 0, (int) file.sizeBytes());
      return region.segment().asSlice(0, file.sizeBytes()).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static void create(SimEngine engine, Path path, byte[] bytes) throws IOException {
    try (IoFile file = engine.open(path, OpenMode.CREATE_NEW);
        Region region = region(bytes.length)) {
      region.segment().copyFrom(MemorySegment.ofArray(bytes));
      file.write(0, region, 0, bytes.length);
    }
  }

  private static Region region(long bytes) {
    return Region.map(
        MemoryBudget.root("test", Region.SIZE_BYTES_MAX), RegionOptions.ofSize(bytes));
  }

  @Test
  void damagedLogKeepsWhatCanBeRead() throws Exception {
    int damagedLogs = 0;
    for (Path segment : base.list(FILES.log())) {
      for (long offset = 1; offset < Fixtures.sizeBytes(base, segment); offset += 5001) {
        SimEngine engine = base.crash(1);
        engine.flipBit(segment, offset);
        RepairReport report = repair(engine);
        Map<byte[], byte[]> found = read(engine);
        if (report.isSound()) {
          assertSame(contents, found);
          continue;
        }
        damagedLogs++;
        assertTrue(report.logProblem().isPresent());
        for (Map.Entry<byte[], byte[]> entry : found.entrySet()) {
          assertTrue(
              history
                  .get(Fixtures.text(entry.getKey()))
                  .contains(HexFormat.of().formatHex(entry.getValue())));
        }
        assertTrue(repair(engine).isSound(), () -> segment + " " + report);
      }
    }
    assertTrue(damagedLogs > 2, "damaged: " + damagedLogs);
  }

  @Test
  void storeWithoutItsLogHasItsTablesAndGoesOn() throws Exception {
    SimEngine engine = base.crash(1);
    for (Path path : engine.list(FILES.log())) {
      engine.delete(path);
    }
    RepairReport report = repair(engine);
    assertTrue(report.logIsLost() && !report.isComplete());
    assertSame(inTables, read(engine));
    byte[] key = inTables.keySet().iterator().next();
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      store.put(key, Fixtures.bytes("newer"), Durability.SYNCED);
      assertEquals("newer", Fixtures.text(store.get(key)));
      store.flush();
      store.compact();
      assertEquals("newer", Fixtures.text(store.get(key)));
    }
    assertTrue(repair(engine).isSound());
  }

  @Test
  void repairThatIsCutOffCanBeDoneAgain() throws Exception {
    for (int what = 0; what < 4; what++) {
      int statesPerCut = what == 0 ? STATES_PER_CUT : 1;
      SimEngine damaged = damaged(what);
      Path table = Fixtures.tables(damaged).getLast();
      long tableBytes = Fixtures.sizeBytes(damaged, table);
      List<SimEngine> cuts = new ArrayList<>();
      damaged.onSync(
          () -> {
            for (int i = 0; i < statesPerCut; i++) {
              cuts.add(damaged.crash(cuts.size()));
            }
          });
      repair(damaged);
      Map<byte[], byte[]> expected = read(damaged);
      assertTrue(cuts.size() > 5 * statesPerCut, "cuts: " + cuts.size());
      for (SimEngine cut : cuts) {
        repair(cut);
        assertSame(expected, read(cut));
        if (what == 0 || what == 3) {
          assertTrue(isKept(cut, table, tableBytes), "what is damaged is set aside, not deleted");
        }
      }
    }
  }

  /** Under its own name or one that was made from it; what is salvaged has another. */
  private static boolean isKept(SimEngine engine, Path table, long bytes) throws IOException {
    for (Path file : engine.list(Fixtures.DIRECTORY)) {
      if (file.toString().startsWith(table.toString())
          && Fixtures.sizeBytes(engine, file) == bytes) {
        return true;
      }
    }
    return false;
  }

  @Test
  void repairThatFailsCanBeDoneAgain() throws Exception {
    SimEngine undisturbed = damaged(3);
    repair(undisturbed);
    Map<byte[], byte[]> expected = read(undisturbed);
    for (SimOperation operation :
        List.of(
            SimOperation.WRITE,
            SimOperation.SYNC,
            SimOperation.RENAME,
            SimOperation.SYNC_DIRECTORY,
            SimOperation.DELETE)) {
      boolean failed = true;
      for (int n = 1; failed; n++) {
        SimEngine engine = damaged(3);
        engine.failNth(operation, n, operation == SimOperation.WRITE ? Errno.ENOSPC : Errno.EIO);
        try {
          repair(engine);
          failed = false;
        } catch (IOException e) {
          SimEngine later = engine.crash(n);
          repair(later);
          assertSame(expected, read(later));
        }
      }
    }
  }

  /** A table, the manifest, the log, or all of them. */
  private SimEngine damaged(int what) throws Exception {
    SimEngine engine = base.crash(1);
    if (what == 0 || what == 3) {
      engine.flipBit(Fixtures.tables(engine).getLast(), 100);
    }
    if (what == 1 || what == 3) {
      engine.flipBit(FILES.manifest(), 100);
    }
    if (what == 2 || what == 3) {
      for (Path path : engine.list(FILES.log())) {
        engine.flipBit(path, 1);
      }
    }
    return engine;
  }

  @Test
  void tooSmallAPoolIsNotDamage() throws Exception {
    SimEngine engine = new SimEngine(2);
    StoreOptions large =
        options
            .withMemtableBytes(4 << 20)
            .withPoolBytes(16 << 20)
            .withLogSegmentBytes(4 << 20)
            .withBatchBytesMax(2 << 20);
    byte[] value = new byte[1 << 20];
    try (Store store = Store.open(Fixtures.DIRECTORY, large, engine)) {
      store.put(Fixtures.bytes("key"), value, Durability.SYNCED);
      store.flush();
    }
    engine.delete(FILES.manifest());
    assertThrows(StorageException.class, () -> repair(engine));
    StoreRepair.run(Fixtures.DIRECTORY, large, engine, _ -> {});
    try (Store store = Store.open(Fixtures.DIRECTORY, large, engine)) {
      assertArrayEquals(value, store.get(Fixtures.bytes("key")));
    }
  }

  @Test
  void directoryWithoutAStoreIsToldApart() throws Exception {
    SimEngine engine = new SimEngine(3);
    assertThrows(NotAStoreException.class, () -> repair(engine));
    engine.createDirectories(Fixtures.DIRECTORY);
    assertThrows(NotAStoreException.class, () -> repair(engine));
    try (Store _ = Store.open(Fixtures.DIRECTORY, options, engine)) {
      assertThrows(StoreLockedException.class, () -> repair(engine));
    }
    assertTrue(repair(engine).isSound());
  }
}
