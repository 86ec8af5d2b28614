package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Long values lie in files of their own, and nobody sees that. */
class ValueLogTest {
  private static final int SEPARATED_BYTES = 200;
  private static final int PERCENT = 30;
  private static final int KEYS = 300;

  private static final StoreOptions OPTIONS =
      Fixtures.TINY.withTree(
          Fixtures.TINY
              .tree()
              .withSeparatedValueBytes(SEPARATED_BYTES)
              .withValueGarbagePercent(PERCENT));

  private final SimEngine engine = new SimEngine(1);
  private final SplittableRandom random = new SplittableRandom(3);
  private final NavigableMap<byte[], byte[]> model = new TreeMap<>(Fixtures.ORDER);

  private Store open() throws IOException {
    return open(OPTIONS);
  }

  /** At rest only what a test asks for is done. */
  private Store open(StoreOptions options) throws IOException {
    Store store = Store.open(Fixtures.DIRECTORY, options, engine);
    store.background().setRest(TimeUnit.HOURS.toNanos(1));
    return store;
  }

  private static byte[] key(int number) {
    return Fixtures.bytes("key%05d".formatted(number));
  }

  private void put(Family family, int number, int valueBytes) throws IOException {
    byte[] value = Fixtures.randomBytes(random, valueBytes);
    family.put(key(number), value, Durability.NONE);
    model.put(key(number), value);
  }

  /** Short ones among long ones. */
  private void putAll(Store store) throws IOException {
    for (int i = 0; i < KEYS; i++) {
      put(store, i, i % 5 == 0 ? random.nextInt(SEPARATED_BYTES) : 1_000 + random.nextInt(2_000));
    }
  }

  private static void assertSame(Map<byte[], byte[]> expected, ReadView view) throws Exception {
    assertEquals(Fixtures.text(expected), Fixtures.text(Fixtures.contents(view)));
    for (Map.Entry<byte[], byte[]> entry : expected.entrySet()) {
      assertArrayEquals(entry.getValue(), view.get(entry.getKey()));
    }
  }

  private List<Path> valueFiles() throws IOException {
    return engine.list(Fixtures.DIRECTORY).stream()
        .filter(path -> StoreFiles.valuesNumber(path).isPresent())
        .toList();
  }

  /** Files of values are those that the manifest names, once nobody reads others. */
  private void assertNoOthers(Store store) {
    Fixtures.await(
        store,
        () -> {
          try {
            return valueFiles().size() == store.stats().valueFiles().size();
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
  }

  @Test
  void everyReadShowsTheValue() throws Exception {
    try (Store store = open();
        PinnedValue pinned = new PinnedValue()) {
      putAll(store);
      store.flush();
      StoreStats stats = store.stats();
      assertFalse(stats.valueFiles().isEmpty());
      long tableBytes = stats.levels().stream().mapToLong(StoreStats.Level::bytes).sum();
      assertTrue(tableBytes < 60_000, "tables have references only: " + tableBytes);
      assertSame(model, store);
      for (Map.Entry<byte[], byte[]> entry : model.entrySet()) {
        MemorySegment key = MemorySegment.ofArray(entry.getKey());
        byte[] value = entry.getValue();
        assertTrue(store.get(key, shown -> assertArrayEquals(value, Fixtures.array(shown))));
        byte[] into = new byte[4_000];
        assertEquals(value.length, store.get(key, MemorySegment.ofArray(into)));
        assertArrayEquals(value, Arrays.copyOf(into, value.length));
        assertTrue(store.get(key, pinned));
        assertEquals(value.length, pinned.lengthBytes());
        assertArrayEquals(value, Fixtures.array(pinned.segment()));
        pinned.unpin();
        assertArrayEquals(value, store.getAsync(entry.getKey()).join());
        assertTrue(store.explain(entry.getKey()).found());
      }
      List<byte[]> keys = new ArrayList<>(model.keySet());
      List<byte[]> all = store.multiGet(keys);
      for (int i = 0; i < keys.size(); i++) {
        assertArrayEquals(model.get(keys.get(i)), all.get(i));
      }
      try (StoreCursor cursor =
          store.cursor(CursorOptions.defaults().withFilter(r -> r.value().byteSize() > 2_000))) {
        int seen = 0;
        for (cursor.last(); cursor.isValid(); cursor.previous()) {
          assertArrayEquals(
              model.get(Fixtures.array(cursor.key())), Fixtures.array(cursor.value()));
          seen++;
        }
        assertEquals(model.values().stream().filter(v -> v.length > 2_000).count(), seen);
      }
    }
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine.crash(1))) {
      assertSame(model, store);
    }
  }

  @Test
  void cursorsHaveValuesReadBeforeTheyComeToThem() throws Exception {
    long values = 100;
    try (Store store = open()) {
      for (int i = 0; i < values; i++) {
        put(store, i, 1_500);
      }
      store.flush();
    }
    try (Store store = open()) {
      long before = store.stats().read().deviceReads();
      ScanExplanation scan = store.explainScan(CursorOptions.defaults(), Long.MAX_VALUE);
      assertEquals(values, scan.returned());
      assertTrue(scan.blocksRead() < values / 5, "waited for: " + scan.blocksRead());
      long reads = store.stats().read().deviceReads() - before;
      assertTrue(reads >= values && reads < 2 * values, "each is read once: " + reads);
    }
    try (Store store = open();
        StoreCursor cursor = store.cursor()) {
      long before = store.stats().read().blockMisses();
      int seen = 0;
      for (cursor.last(); cursor.isValid(); cursor.previous()) {
        seen++;
      }
      assertEquals(values, seen);
      assertTrue(store.stats().read().blockMisses() - before <= 2 * values);
    }
  }

  @Test
  void whatIsOverwrittenIsGarbageAndFilesWithMuchOfItGo() throws Exception {
    try (Store store = open()) {
      long most = 0;
      for (int round = 0; round < 25; round++) {
        putAll(store);
        store.flush();
        assertTrue(store.awaitRest(Duration.ofMinutes(1)));
        most = Math.max(most, store.stats().valueFiles().stream().mapToLong(f -> f.bytes()).sum());
      }
      assertSame(model, store);
      assertNoOthers(store);
      long live = model.values().stream().mapToLong(value -> value.length).sum();
      StoreStats stats = store.stats();
      for (StoreStats.ValueFile file : stats.valueFiles()) {
        assertTrue(100 * file.garbageBytes() < PERCENT * file.entryBytes(), file.toString());
      }
      assertTrue(most < 8 * live, "space: " + most + " live: " + live);
    }
    try (Store store = open()) {
      assertSame(model, store);
      assertNoOthers(store);
    }
  }

  @Test
  void whoReadsKeepsWhatIsMoved() throws Exception {
    try (Store store = open();
        PinnedValue pinned = new PinnedValue()) {
      putAll(store);
      store.flush();
      Map<byte[], byte[]> before = new TreeMap<>(model);
      List<Path> filesBefore = valueFiles();
      assertTrue(store.get(MemorySegment.ofArray(key(7)), pinned));
      try (StoreCursor cursor = store.cursor()) {
        cursor.first();
        for (int i = 0; i < KEYS; i++) {
          if (i % 3 > 0) {
            put(store, i, 1_500);
          }
        }
        store.compact();
        store.compact(); // the first one finds out what is garbage
        assertSame(model, store);
        assertTrue(valueFiles().containsAll(filesBefore), "a reader needs them");
        int seen = 0;
        for (; cursor.isValid(); cursor.next()) {
          assertArrayEquals(
              before.get(Fixtures.array(cursor.key())), Fixtures.array(cursor.value()));
          seen++;
        }
        assertEquals(before.size(), seen);
        assertArrayEquals(before.get(key(7)), Fixtures.array(pinned.segment()));
      }
      store.compact();
      assertArrayEquals(before.get(key(7)), Fixtures.array(pinned.segment()));
      pinned.unpin();
      store.compact();
      assertTrue(store.awaitRest(Duration.ofMinutes(1)));
      assertNoOthers(store);
      assertTrue(filesBefore.stream().noneMatch(valuesOf(store)::contains), "they were moved");
    }
  }

  /** What is garbage is known before the reader comes, and is collected while he is there. */
  @Test
  void filesWhoseValuesWereMovedStayForWhoReadsThem() throws Exception {
    StoreOptions lazy = OPTIONS.withTree(OPTIONS.tree().withValueGarbagePercent(99));
    try (Store store = open(lazy);
        PinnedValue pinned = new PinnedValue()) {
      putAll(store);
      store.flush();
      for (int i = 0; i < KEYS; i += 2) {
        put(store, i, 1_500);
      }
      store.compact();
      List<Path> filesBefore = valueFiles();
      try (StoreCursor cursor = store.cursor()) {
        cursor.first();
        assertTrue(store.get(MemorySegment.ofArray(key(7)), pinned));
        store.change(Map.of("store.value-garbage", "10"));
        assertTrue(store.awaitRest(Duration.ofMinutes(1)));
        List<Path> filesNow = valuesOf(store);
        assertTrue(filesBefore.stream().anyMatch(file -> !filesNow.contains(file)), "moved");
        assertTrue(valueFiles().containsAll(filesBefore), "a reader needs them");
        int seen = 0;
        for (; cursor.isValid(); cursor.next()) {
          assertArrayEquals(
              model.get(Fixtures.array(cursor.key())), Fixtures.array(cursor.value()));
          seen++;
        }
        assertEquals(model.size(), seen);
      }
      assertArrayEquals(model.get(key(7)), Fixtures.array(pinned.segment()));
      pinned.unpin();
      assertSame(model, store);
      assertNoOthers(store);
    }
  }

  private List<Path> valuesOf(Store store) {
    StoreFiles files = new StoreFiles(Fixtures.DIRECTORY);
    return store.stats().valueFiles().stream().map(file -> files.values(file.number())).toList();
  }

  @Test
  void deletedKeysStayDeletedAndSnapshotsSeeThemWhateverIsMoved() throws Exception {
    try (Store store = open()) {
      putAll(store);
      store.flush();
      store.compact();
      Map<byte[], byte[]> before = new TreeMap<>(model);
      try (Snapshot snapshot = store.snapshot()) {
        for (int i = 0; i < KEYS; i += 2) {
          store.delete(key(i), Durability.NONE);
          model.remove(key(i));
        }
        for (int round = 0; round < 4; round++) {
          for (int i = 1; i < KEYS; i += 4) {
            put(store, i, 900);
          }
          store.flush();
          store.compact();
          assertSame(model, store);
          assertSame(before, snapshot);
        }
      }
      for (int round = 0; round < 3; round++) {
        store.compact();
        assertSame(model, store);
      }
      assertNoOthers(store);
    }
    try (Store store = open()) {
      assertSame(model, store);
      for (int i = 0; i < KEYS; i += 2) {
        assertNull(store.get(key(i)));
      }
    }
  }

  @Test
  void valuesGoBackAndForthWhenTheLengthIsChanged() throws Exception {
    try (Store store = open(Fixtures.TINY)) {
      putAll(store);
      store.flush();
      assertEquals(List.of(), valueFiles());
    }
    try (Store store = open()) {
      store.compact();
      assertFalse(store.stats().valueFiles().isEmpty());
      assertSame(model, store);
      store.change(Map.of("store.separate-values", "0"));
      store.compact();
      assertNoOthers(store);
      assertEquals(List.of(), valueFiles());
      assertSame(model, store);
    }
  }

  @Test
  void operandsStandOnValuesAndFiltersSeeThem() throws Exception {
    byte[] delimiter = new byte[0];
    StoreOptions options =
        OPTIONS.withTree(
            OPTIONS
                .tree()
                .withMergeOperator(MergeOperators.append(delimiter))
                .withCompactionFilter(
                    (key, value, result) ->
                        value.byteSize() == 1_111
                            ? CompactionFilter.Decision.REMOVE
                            : CompactionFilter.Decision.KEEP));
    try (Store store = open(options)) {
      putAll(store);
      store.flush();
      for (int i = 10; i < KEYS; i += 7) {
        byte[] operand = Fixtures.randomBytes(random, 30);
        store.merge(key(i), operand, Durability.NONE);
        byte[] before = model.get(key(i));
        byte[] both = Arrays.copyOf(before, before.length + operand.length);
        System.arraycopy(operand, 0, both, before.length, operand.length);
        model.put(key(i), both);
      }
      assertSame(model, store);
      store.flush();
      assertSame(model, store);
      put(store, 3, 1_111);
      store.flush();
      store.compact();
      model.remove(key(3));
      assertSame(model, store);
    }
  }

  @Test
  void fifoCountsWhatTablesReferTo() throws Exception {
    StoreOptions options =
        OPTIONS.withTree(OPTIONS.tree().withStyle(CompactionStyle.FIFO).withFifoBytes(512 << 10));
    try (Store store = open(options)) {
      for (int round = 0; round < 8; round++) {
        putAll(store);
        store.flush();
      }
      assertTrue(store.awaitRest(Duration.ofMinutes(1)));
      assertNoOthers(store);
      long bytes = store.stats().valueFiles().stream().mapToLong(f -> f.bytes()).sum();
      assertTrue(bytes <= 512 << 10, "bytes: " + bytes);
      assertFalse(store.stats().valueFiles().isEmpty());
    }
  }

  @Test
  void droppedFamilyTakesItsValuesAlong() throws Exception {
    try (Store store = open()) {
      Family family = store.createFamily("other", OPTIONS.tree());
      for (int i = 0; i < KEYS; i++) {
        family.put(key(i), Fixtures.randomBytes(random, 1_000), Durability.NONE);
      }
      store.flush();
      assertEquals("other", store.stats().valueFiles().getFirst().family());
      store.dropFamily(family);
      assertNoOthers(store);
      assertEquals(List.of(), valueFiles());
    }
  }

  @Test
  void eachFlippedByteOfAValueIsToldWithItsKey() throws Exception {
    try (Store store = open()) {
      for (int i = 0; i < 12; i++) {
        put(store, i, 250);
      }
      store.flush();
    }
    Path values = valueFiles().getFirst();
    int told = 0;
    for (long offset = 32; offset < 32 + 12 * 280; offset += 3) {
      SimEngine damaged = engine.crash(1);
      damaged.flipBit(values, offset);
      try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, damaged)) {
        int wrong = 0;
        for (Map.Entry<byte[], byte[]> entry : model.entrySet()) {
          try {
            assertArrayEquals(entry.getValue(), store.get(entry.getKey()));
          } catch (CorruptFileException e) {
            wrong++;
            assertTrue(e.getMessage().contains(values.getFileName().toString()), e.getMessage());
            String hex = HexFormat.of().formatHex(entry.getKey());
            assertTrue(e.getMessage().contains("key=" + hex), e.getMessage());
          }
        }
        assertTrue(wrong <= 1, "offset=" + offset);
        if (wrong == 1) {
          told++;
          assertThrows(CorruptFileException.class, () -> Fixtures.contents(store));
        }
      }
    }
    assertTrue(told > 1_000, "told: " + told);
  }

  @Test
  void valueFileThatIsGoneOrAnotherIsToldWhenTheStoreIsOpened() throws Exception {
    try (Store store = open()) {
      putAll(store);
      store.flush();
      putAll(store);
      store.flush();
    }
    List<Path> files = valueFiles();
    SimEngine without = engine.crash(1);
    without.delete(files.getFirst());
    IOException gone =
        assertThrows(IOException.class, () -> Store.open(Fixtures.DIRECTORY, OPTIONS, without));
    assertTrue(gone.getMessage().contains(files.getFirst().toString()), gone.getMessage());
    SimEngine swapped = engine.crash(1);
    swapped.rename(files.getFirst(), Path.of("/other"));
    swapped.rename(files.getLast(), files.getFirst());
    swapped.rename(Path.of("/other"), files.getLast());
    assertThrows(
        CorruptFileException.class, () -> Store.open(Fixtures.DIRECTORY, OPTIONS, swapped));
  }

  @Test
  void valueFilesThatNoTableRefersToAreRemovedWhenTheStoreIsOpened() throws Exception {
    try (Store store = open()) {
      putAll(store);
      store.flush();
    }
    Path left = new StoreFiles(Fixtures.DIRECTORY).values(0xFFFF);
    assertTrue(engine.link(valueFiles().getFirst(), left));
    try (Store store = open()) {
      assertFalse(engine.exists(left));
      assertNoOthers(store);
      putAll(store);
      store.flush();
      assertTrue(valueFiles().getLast().compareTo(left) > 0, "its number is not used again");
      assertSame(model, store);
    }
  }

  @Test
  void repairKeepsAllButWhatIsDamaged() throws Exception {
    try (Store store = open()) {
      for (int i = 0; i < 60; i++) {
        put(store, i, i % 5 == 0 ? 100 : 1_500);
      }
      store.flush();
    }
    Path values = valueFiles().getFirst();
    SimEngine damaged = engine.crash(1);
    damaged.flipBit(values, 5_000);
    RepairReport report = StoreRepair.run(Fixtures.DIRECTORY, OPTIONS, damaged, _ -> {});
    assertEquals(1, report.damagedTables().size());
    assertEquals(59, report.damagedTables().getFirst().kept());
    assertEquals(1, report.damagedTables().getFirst().gaps().size());
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, damaged)) {
      Map<byte[], byte[]> found = Fixtures.contents(store);
      assertEquals(59, found.size());
      found.forEach((key, value) -> assertArrayEquals(model.get(key), value));
    }
    SimEngine without = engine.crash(1);
    without.delete(values);
    assertFalse(StoreRepair.run(Fixtures.DIRECTORY, OPTIONS, without, _ -> {}).isComplete());
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, without)) {
      model.values().removeIf(value -> value.length >= SEPARATED_BYTES);
      assertSame(model, store);
    }
  }

  @Test
  void toolsReadValuesAndSayWhatIsWrong() throws Exception {
    try (Store store = open()) {
      for (int i = 0; i < 60; i++) {
        put(store, i, i % 5 == 0 ? 100 : 1_500);
      }
      store.flush();
    }
    NavigableMap<byte[], byte[]> dumped = new TreeMap<>(Fixtures.ORDER);
    try (StoreInspection inspection =
        StoreInspection.ofStore(engine, Fixtures.DIRECTORY, 16 << 20)) {
      StoreInspection.TableFile table = inspection.tables().getFirst();
      assertEquals(List.of(), inspection.verify(table).problems());
      inspection.dump(
          table, (_, _, key, value) -> dumped.put(Fixtures.array(key), Fixtures.array(value)));
      StoreInspection.ValuesFile values = inspection.valueFiles().getFirst();
      StoreInspection.Findings findings = inspection.verify(values);
      assertEquals(List.of(), findings.problems());
      assertEquals(values.entries(), findings.entries());
      assertEquals(values.entryBytes(), values.liveBytes());
    }
    assertEquals(Fixtures.text(model), Fixtures.text(dumped));
    engine.flipBit(valueFiles().getFirst(), 9_000);
    try (StoreInspection inspection =
        StoreInspection.ofStore(engine, Fixtures.DIRECTORY, 16 << 20)) {
      assertEquals(1, inspection.verify(inspection.tables().getFirst()).problems().size());
      assertEquals(1, inspection.verify(inspection.valueFiles().getFirst()).problems().size());
    }
    try (StoreInspection alone =
        StoreInspection.ofTable(engine, Fixtures.tables(engine).getFirst(), 16 << 20)) {
      assertEquals(1, alone.verify(alone.tables().getFirst()).problems().size());
    }
  }
}
