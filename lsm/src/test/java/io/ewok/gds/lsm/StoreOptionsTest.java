package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.lsm.StoreInspection.TableFile;
import io.ewok.gds.pagestore.EngineKind;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.wal.RecoveryMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What options say is what a store does. */
class StoreOptionsTest {
  private static final LevelOptions PLAIN = LevelOptions.defaults();

  /** A level of each kind. */
  private static final TreeOptions MIXED =
      Fixtures.TINY
          .tree()
          .withTablesBeforeMerge(2)
          .withLevel1Bytes(256 << 10)
          .withGrowth(2)
          .withFilterPrefixBytes(6)
          .withLevels(
              List.of(
                  PLAIN,
                  PLAIN.withCompression(Compression.LZ4).withFilterBitsPerKey(16),
                  PLAIN.withCompression(Compression.ZSTD).withBlockBytes(32 << 10)));

  private final SimEngine engine = new SimEngine(1);

  @Test
  void settingsAreReadByName() {
    StoreOptions options =
        StoreOptions.from(
            Map.ofEntries(
                Map.entry("store.memtable", "8M"),
                Map.entry("store.pool", "32M"),
                Map.entry("store.batch-max", "512K"),
                Map.entry("store.huge-pages", "off"),
                Map.entry("store.numa.pool", "bind:0; bind:1"),
                Map.entry("store.numa.memtable", "interleave:0-1"),
                Map.entry("store.numa.record-cache", "preferred:1"),
                Map.entry("store.numa.buffers", "local"),
                Map.entry("store.create-if-missing", "false"),
                Map.entry("store.tables-before-merge", "3"),
                Map.entry("store.level-1", "64M"),
                Map.entry("store.growth", "8"),
                Map.entry("store.table", "4M"),
                Map.entry("store.filter-prefix", "5"),
                Map.entry("store.compression", "none, lz4,zstd"),
                Map.entry("store.block", "4K,16K"),
                Map.entry("store.filter-bits", "12"),
                Map.entry("store.merge", "max64"),
                Map.entry("store.ttl", "0"),
                Map.entry("store.periodic-compaction", "30d"),
                Map.entry("store.style", "tiered"),
                Map.entry("store.fifo", "10M"),
                Map.entry("store.separate-values", "1K"),
                Map.entry("store.value-garbage", "30"),
                Map.entry("log.segment-bytes", "1M"),
                Map.entry("log.segments", "6"),
                Map.entry("log.recovery", "strict"),
                Map.entry("io.engine", "pool"),
                Map.entry("somebody.else", "1")));
    assertEquals(8 << 20, options.memtableBytes());
    assertEquals(32 << 20, options.poolBytes());
    assertEquals(512 << 10, options.batchBytesMax());
    assertEquals(
        new MemoryOptions(
            HugePages.OFF,
            List.of(PlacementPolicy.bind(0), PlacementPolicy.bind(1)),
            PlacementPolicy.interleave(0, 1),
            PlacementPolicy.preferred(1),
            PlacementPolicy.local()),
        options.memory());
    assertFalse(options.createIfMissing());
    assertEquals(
        new TreeOptions(
            3,
            64 << 20,
            8,
            4 << 20,
            5,
            List.of(
                new LevelOptions(Compression.NONE, 4 << 10, 12),
                new LevelOptions(Compression.LZ4, 16 << 10, 12),
                new LevelOptions(Compression.ZSTD, 16 << 10, 12)),
            MergeOperators.max64(),
            CompactionFilter.NONE,
            false,
            Duration.ZERO,
            CompactionStyle.TIERED,
            10 << 20,
            1 << 10,
            30,
            Duration.ofDays(30)),
        options.tree());
    assertEquals(1 << 20, options.logSegmentBytes());
    assertEquals(6, options.logSegmentCount());
    assertEquals(RecoveryMode.STRICT, options.recovery());
    assertEquals(EngineKind.POOL, options.engine().wanted());
  }

  @Test
  void settingsChangeOnlyWhatTheyName() {
    StoreOptions options =
        Fixtures.TINY.withTree(MIXED).withRecovery(RecoveryMode.SALVAGE).withCreateIfMissing(false);
    assertEquals(options, options.with(Map.of()));
    assertEquals(StoreOptions.defaults(), StoreOptions.from(Map.of("other", "x")));
    TreeOptions changed = options.with(Map.of("store.filter-bits", "0")).tree();
    assertEquals(MIXED.withEachLevel(level -> level.withFilterBitsPerKey(0)), changed);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "store.memtables=1M",
        "store.memtable=50%",
        "store.pool=much",
        "store.huge-pages=on",
        "store.numa.pool=bind:0;bind:x",
        "store.numa.memtable=bind",
        "store.numa.record-cache=local:0",
        "store.numa.buffers=near",
        "store.compression=none,snappy",
        "store.filter-bits=10,x",
        "store.block=4K,",
        "store.create-if-missing=yes",
        "log.buffer-bytes=1M",
        "log.recovery=none",
        "io.engine=fast"
      })
  void badSettingsAreNamed(String setting) {
    String[] words = setting.split("=", 2);
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> StoreOptions.from(Map.of(words[0], words[1])))
            .getMessage();
    assertTrue(message.contains(words[0] + "="), message);
  }

  @Test
  void shapesOutsideTheirRangeAreNamed() {
    TreeOptions tree = TreeOptions.defaults();
    assertNamed("growth", () -> tree.withGrowth(1));
    assertNamed("level1Bytes", () -> tree.withLevel1Bytes(1));
    assertNamed("filterPrefixBytes", () -> tree.withFilterPrefixBytes(65_536));
    assertNamed("levels", () -> tree.withLevels(List.of()));
    assertNamed("filterBitsPerKey", () -> PLAIN.withFilterBitsPerKey(25));
    assertNamed("blockBytes", () -> PLAIN.withBlockBytes(128 << 10));
    assertThrows(NullPointerException.class, () -> PLAIN.withCompression(null));
  }

  private static void assertNamed(String name, org.junit.jupiter.api.function.Executable bad) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, bad);
    assertTrue(e.getMessage().contains(name + "="), e.getMessage());
  }

  @Test
  void tablesAreAsTheirLevelWantsThem() throws Exception {
    StoreOptions options = Fixtures.TINY.withTree(MIXED);
    TreeMap<byte[], byte[]> model = new TreeMap<>(Fixtures.ORDER);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      fill(store, model, 1);
    }
    List<Integer> levels = checkTables(MIXED);
    assertTrue(levels.contains(1) && levels.contains(2), "levels: " + levels);
    checkContents(options, model);
  }

  /** In the order of keys nothing overlaps, so tables could go down as they are. */
  @Test
  void tablesThatGoDownTakeTheFormOfTheirNewLevel() throws Exception {
    StoreOptions options = Fixtures.TINY.withTree(MIXED);
    TreeMap<byte[], byte[]> model = new TreeMap<>(Fixtures.ORDER);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      for (int i = 0; i < 6_000; i++) {
        put(store, model, i, Fixtures.bytes("value " + "so ".repeat(100) + i));
      }
      store.flush();
    }
    List<Integer> levels = checkTables(MIXED);
    assertTrue(levels.stream().anyMatch(level -> level > 0), "levels: " + levels);
    checkContents(options, model);
  }

  @Test
  void storeIsReadWithWhateverOptionsItIsOpenedNext() throws Exception {
    TreeMap<byte[], byte[]> model = new TreeMap<>(Fixtures.ORDER);
    StoreOptions before = Fixtures.TINY;
    for (TreeOptions tree :
        List.of(
            MIXED,
            Fixtures.TINY.tree(),
            MIXED.withLevels(MIXED.levels().reversed()).withFilterPrefixBytes(0))) {
      StoreOptions options = before.withTree(tree);
      try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
        fill(store, model, model.size());
      }
      checkContents(options, model);
    }
    try (Store store = Store.open(Fixtures.DIRECTORY, before.withTree(MIXED), engine)) {
      store.compact();
    }
    assertNotEquals(0, checkTables(MIXED).size());
  }

  /** Five tables of level 0 with keys that lie between each other's, and a gap behind each five. */
  private void makeTablesWithGaps(StoreOptions options) throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      store.background().setRest(TimeUnit.HOURS.toNanos(1));
      for (int table = 0; table < 5; table++) {
        for (int number = table; number < 1_200; number += 6) {
          byte[] key = Fixtures.bytes("%06d/a key".formatted(number));
          store.put(key, new byte[1_000], Durability.NONE);
        }
        store.flush();
      }
      assertEquals(5, store.stats().levels().getFirst().tables());
    }
  }

  private static boolean hasKeys(Store store, int prefix) throws Exception {
    CursorOptions options =
        CursorOptions.defaults().withPrefix(Fixtures.bytes("%06d".formatted(prefix)));
    try (StoreCursor cursor = store.cursor(options)) {
      cursor.first();
      boolean found = cursor.isValid();
      cursor.seekForPrev(Fixtures.bytes("%06d~".formatted(prefix)));
      assertEquals(found, cursor.isValid());
      cursor.last();
      assertEquals(found, cursor.isValid());
      return found;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 6})
  void cursorsReadNoBlocksOfTablesWithoutTheirPrefix(int filterPrefixBytes) throws Exception {
    StoreOptions options =
        Fixtures.TINY
            .withMemtableBytes(1 << 20)
            .withTree(
                Fixtures.TINY
                    .tree()
                    .withTablesBeforeMerge(8)
                    .withFilterPrefixBytes(filterPrefixBytes));
    makeTablesWithGaps(options);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      store.background().setRest(TimeUnit.HOURS.toNanos(1));
      long before = store.stats().read().blockMisses();
      for (int number = 5; number < 1_200; number += 6) {
        assertFalse(hasKeys(store, number));
      }
      long misses = store.stats().read().blockMisses() - before;
      assertEquals(filterPrefixBytes > 0, misses < 100, "misses: " + misses);
      for (int number = 0; number < 1_200; number++) {
        assertEquals(number % 6 < 5, hasKeys(store, number));
      }
    }
  }

  @Test
  void cursorsLookOnlyIntoTablesWithinTheirBounds() throws Exception {
    StoreOptions options = Fixtures.TINY.withTree(Fixtures.TINY.tree().withTablesBeforeMerge(8));
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      store.background().setRest(TimeUnit.HOURS.toNanos(1));
      for (int table = 0; table < 5; table++) {
        for (int i = 0; i < 10; i++) {
          byte[] key = Fixtures.bytes("%d/%d".formatted(table, i));
          store.put(key, Fixtures.bytes("value"), Durability.NONE);
        }
        store.flush();
      }
      CursorOptions bounds =
          CursorOptions.defaults()
              .withLower(Fixtures.bytes("1/8"))
              .withUpper(Fixtures.bytes("2/2"));
      List<String> keys = new ArrayList<>();
      StoreStats.Read before = store.stats().read();
      try (StoreCursor cursor = store.cursor(bounds)) {
        for (cursor.first(); cursor.isValid(); cursor.next()) {
          keys.add(Fixtures.text(Fixtures.array(cursor.key())));
        }
        for (cursor.last(); cursor.isValid(); cursor.previous()) {
          assertEquals(keys.removeLast(), Fixtures.text(Fixtures.array(cursor.key())));
          keys.addFirst("");
        }
      }
      assertEquals(List.of("", "", "", ""), keys);
      StoreStats.Read after = store.stats().read();
      // Of the other three tables not even the footer, which opening them has read.
      long misses = after.blockMisses() - before.blockMisses();
      assertTrue(misses <= 2 * 3, "misses: " + misses);
    }
  }

  private static void fill(Store store, Map<byte[], byte[]> model, long seed) throws Exception {
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 6_000; i++) {
      byte[] half = Fixtures.randomBytes(random, random.nextInt(600));
      put(store, model, random.nextInt(5_000), twice(half));
    }
    store.flush();
  }

  private static byte[] twice(byte[] half) {
    byte[] both = Arrays.copyOf(half, 2 * half.length);
    System.arraycopy(half, 0, both, half.length, half.length);
    return both;
  }

  private static void put(Store store, Map<byte[], byte[]> model, int number, byte[] value)
      throws Exception {
    byte[] key = Fixtures.bytes("key%06d".formatted(number));
    store.put(key, value, Durability.BUFFERED);
    model.put(key, value);
  }

  private void checkContents(StoreOptions options, Map<byte[], byte[]> model) throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      assertEquals(text(model), text(Fixtures.contents(store)));
      for (Map.Entry<byte[], byte[]> entry : model.entrySet()) {
        assertEquals(Fixtures.text(entry.getValue()), Fixtures.text(store.get(entry.getKey())));
      }
    }
  }

  private static List<String> text(Map<byte[], byte[]> records) {
    List<String> texts = new ArrayList<>();
    records.forEach((key, value) -> texts.add(Fixtures.text(key) + "=" + Fixtures.text(value)));
    return texts;
  }

  private void assertInspectedAlone(TableFile table) throws Exception {
    try (StoreInspection inspection = StoreInspection.ofTable(engine, table.path(), 4 << 20)) {
      TableFile alone = inspection.tables().getFirst();
      assertEquals(table.entries(), alone.entries());
      assertEquals(-1, table.firstKey().mismatch(alone.firstKey()));
      assertEquals(-1, table.lastKey().mismatch(alone.lastKey()));
      assertEquals(List.of(), inspection.verify(alone).problems());
    }
  }

  /** Returns the levels that have tables. */
  private List<Integer> checkTables(TreeOptions tree) throws Exception {
    List<Integer> levels = new ArrayList<>();
    try (StoreInspection inspection =
        StoreInspection.ofStore(engine, Fixtures.DIRECTORY, 4 << 20)) {
      for (TableFile table : inspection.tables()) {
        LevelOptions level = tree.level(table.level());
        StoreInspection.Properties properties = inspection.properties(table);
        assertEquals(level.compression(), properties.compression(), "level " + table.level());
        assertEquals(level.filterBitsPerKey(), properties.filterBitsPerKey());
        long meanBlock = properties.dataBytes() / properties.dataBlocks();
        assertTrue(meanBlock <= level.blockBytes(), "block: " + meanBlock);
        if (properties.dataBlocks() > 4) {
          assertTrue(meanBlock > level.blockBytes() / 2, "block: " + meanBlock);
        }
        if (level.compression() != Compression.NONE) {
          assertTrue(properties.dataStoredBytes() < properties.dataBytes() * 7 / 8);
        }
        assertInspectedAlone(table);
        levels.add(table.level());
      }
    }
    return levels;
  }
}
