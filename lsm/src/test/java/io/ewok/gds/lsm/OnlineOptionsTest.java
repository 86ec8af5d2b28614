package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.IoRate;
import io.ewok.gds.pagestore.WorkClass;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is changed while a store is open takes effect when it is said to, and all or nothing. */
class OnlineOptionsTest {
  private static final int VALUE_BYTES = 1_000;

  /** Nothing is merged by itself, blocks may have 16 KiB, no filters. */
  private static final StoreOptions OPTIONS =
      Fixtures.TINY
          .withTablesBeforeMerge(64)
          .with(
              Map.of(
                  "store.block", "16K,4K",
                  "store.filter-bits", "0",
                  "store.level-1", "64M"));

  private final SplittableRandom random = new SplittableRandom(1);
  private Store store;

  @BeforeEach
  void open() throws IOException {
    store = Store.open(Fixtures.DIRECTORY, OPTIONS, new SimEngine(1));
    store.background().setRest(TimeUnit.HOURS.toNanos(1));
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  private void change(String name, String value) {
    store.change(Map.of(name, value));
  }

  /** Writes so many records of about a kilobyte. */
  private void fill(int records, boolean compressible) throws IOException {
    for (int i = 0; i < records; i++) {
      byte[] value =
          compressible ? new byte[VALUE_BYTES] : Fixtures.randomBytes(random, VALUE_BYTES);
      store.put(Fixtures.bytes("key%05d".formatted(i)), value, Durability.NONE);
    }
  }

  private StoreStats.Level level(int number) {
    return store.stats().levels().get(number);
  }

  // ---- each takes effect

  @Test
  void tablesBeforeMerge() throws IOException {
    for (int i = 0; i < 4; i++) {
      fill(10, false);
      store.flush();
    }
    assertEquals(4, level(0).tables());
    change("store.tables-before-merge", "2");
    Fixtures.await(store, () -> level(0).tables() == 0);
    assertEquals(2, store.options().tree().tablesBeforeMerge());
  }

  @Test
  void level1() throws IOException {
    fill(1_000, false);
    store.compact();
    assertTrue(level(1).tables() > 2, () -> store.stats().toString());
    change("store.level-1", "256K");
    Fixtures.await(store, () -> level(1).bytes() <= 256 << 10);
    assertTrue(level(2).tables() > 0);
  }

  @Test
  void growth() throws IOException {
    fill(1_500, false);
    store.compact();
    store.change(Map.of("store.level-1", "256K", "store.growth", "100"));
    Fixtures.await(store, () -> level(1).bytes() <= 256 << 10);
    assertTrue(level(2).bytes() > 2 * (256 << 10));
    assertEquals(0, level(3).tables());
    change("store.growth", "2");
    Fixtures.await(store, () -> level(2).bytes() <= 2 * (256 << 10));
    assertTrue(level(3).tables() > 0);
  }

  @Test
  void table() throws IOException {
    fill(1_500, false);
    store.compact();
    int small = level(1).tables();
    change("store.table", "1M");
    fill(1_500, false);
    store.compact();
    int large = level(1).tables();
    assertTrue(small >= 5 && large <= small / 2, small + " and " + large);
  }

  @Test
  void compression() throws IOException {
    fill(200, true);
    store.flush();
    long plain = level(0).bytes();
    change("store.compression", "lz4");
    fill(200, true);
    store.flush();
    assertTrue(level(0).bytes() - plain < plain / 4, () -> store.stats().toString());
    change("store.compression", "lz4,none");
    store.compact();
    assertTrue(level(1).bytes() > plain / 2, () -> store.stats().toString());
  }

  @Test
  void block() throws IOException {
    fill(200, false);
    store.compact();
    long small = dataBlocks();
    change("store.block", "16K");
    store.compact();
    assertTrue(dataBlocks() < small / 2, dataBlocks() + " after " + small);
    assertThrows(IllegalArgumentException.class, () -> change("store.block", "32K"));
    assertEquals(16 << 10, store.options().tree().level(1).blockBytes());
  }

  private long dataBlocks() throws IOException {
    return store.explainScan(CursorOptions.defaults(), Long.MAX_VALUE).sources().stream()
        .mapToLong(ScanExplanation.Source::dataBlocks)
        .sum();
  }

  @Test
  void filterBits() throws IOException {
    fill(200, false);
    store.flush();
    assertEquals(0, filtered());
    change("store.filter-bits", "20");
    store.compact();
    assertTrue(filtered() > 90, "filtered=" + filtered());
  }

  /** For how many of a hundred keys that are not there a filter says so. */
  private int filtered() throws IOException {
    int filtered = 0;
    for (int i = 0; i < 100; i++) {
      Explanation explanation = store.explain(Fixtures.bytes("key%05dx".formatted(i)));
      if (explanation.steps().getLast().outcome() == Explanation.Outcome.FILTERED) {
        filtered++;
      }
    }
    return filtered;
  }

  @Test
  void filterPrefix() throws IOException {
    store.put(Fixtures.bytes("a"), new byte[1], Durability.NONE);
    store.put(Fixtures.bytes("z"), new byte[1], Durability.NONE);
    store.flush();
    CursorOptions absent = CursorOptions.defaults().withPrefix(Fixtures.bytes("m"));
    assertEquals(ScanExplanation.Outcome.READ, outcome(absent));
    store.change(Map.of("store.filter-prefix", "1", "store.filter-bits", "20"));
    store.compact();
    assertEquals(ScanExplanation.Outcome.FILTERED, outcome(absent));
  }

  private ScanExplanation.Outcome outcome(CursorOptions options) throws IOException {
    return store.explainScan(options, Long.MAX_VALUE).sources().getLast().outcome();
  }

  @Test
  void throttleOfTheStoresOwnEngine(@TempDir Path directory) throws IOException {
    StoreOptions options = OPTIONS.with(Map.of("throttle.backup.write", "/1MB"));
    try (Store own = Store.open(directory, options)) {
      own.put(Fixtures.bytes("key"), new byte[1], Durability.SYNCED);
      own.change(Map.of("throttle.write", "10"));
      assertEquals(IoRate.ofOperations(10), own.options().engine().throttle().write());
      assertEquals(
          IoRate.ofBytes(1_000_000),
          own.options().engine().throttle().of(WorkClass.BACKUP).write());
      long start = System.nanoTime();
      for (int i = 0; i < 12; i++) {
        own.put(Fixtures.bytes("key"), new byte[1], Durability.SYNCED);
      }
      long nanos = System.nanoTime() - start;
      assertTrue(nanos > 500_000_000, "nanos=" + nanos);
      own.change(Map.of("throttle.write", "unlimited"));
      assertEquals(IoRate.UNLIMITED, own.options().engine().throttle().write());
    }
  }

  // ---- all or nothing

  @Test
  void nothingChangesIfOneOfThemIsWrong() throws IOException {
    StoreOptions before = store.options();
    for (Map<String, String> wrong :
        List.of(
            Map.of("store.growth", "5", "store.pool", "1G"),
            Map.of("store.growth", "5", "store.grwoth", "5"),
            Map.of("store.growth", "5", "page-file.step", "1M"),
            Map.of("store.growth", "5", "store.compression", "brotli"),
            Map.of("store.growth", "5", "store.table", "1"),
            Map.of("store.growth", "5", "store.block", "64K"),
            Map.of("store.growth", "5", "throttle.read", "10"),
            Map.of("store.growth", "1000"))) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> store.change(wrong));
      assertTrue(e.getMessage().matches("(?s).*=[^=]+"), e.getMessage());
      assertSame(before, store.options(), wrong::toString);
    }
    store.change(Map.of());
    assertEquals(before, store.options());
    store.close();
    assertThrows(IllegalStateException.class, () -> change("store.growth", "5"));
  }

  @Test
  void throttleIsNotChangedIfAnotherSettingIsWrong(@TempDir Path directory) throws IOException {
    try (Store own = Store.open(directory, OPTIONS)) {
      assertThrows(
          IllegalArgumentException.class,
          () -> own.change(Map.of("throttle.write", "1", "store.growth", "1")));
      assertThrows(IllegalArgumentException.class, () -> own.change(Map.of("throttle.wirte", "1")));
      for (int i = 0; i < 100; i++) { // or else this takes minutes
        own.put(Fixtures.bytes("key"), new byte[1], Durability.SYNCED);
      }
    }
  }

  @Test
  void changesEndWithTheStore() throws IOException {
    SimEngine engine = new SimEngine(2);
    try (Store first = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      first.change(Map.of("store.growth", "5"));
      assertEquals(5, first.options().tree().growth());
    }
    try (Store second = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      assertEquals(OPTIONS, second.options());
    }
  }

  // ---- what can be changed

  @ParameterizedTest
  @EnumSource
  void settingCanBeChangedOrSaysWhyNot(StoreSetting setting) {
    String name = setting.settingName().replace("…", "read");
    if (setting.isChangeable() && setting != StoreSetting.THROTTLE) {
      store.change(Map.of(name, valueOf(setting)));
    } else {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> change(name, "1"));
      assertTrue(e.getMessage().endsWith(name + "=1"), e.getMessage());
    }
  }

  private static String valueOf(StoreSetting setting) {
    return switch (setting) {
      case TABLES_BEFORE_MERGE, GROWTH, FILTER_BITS, FILTER_PREFIX, VALUE_GARBAGE -> "3";
      case COMPRESSION -> "zstd";
      case BLOCK -> "8K";
      case STYLE -> "tiered";
      case TTL, PERIODIC_COMPACTION -> "1h";
      default -> "1M";
    };
  }

  @Test
  void everySettingIsListed() {
    List<String> listed = new ArrayList<>();
    for (StoreSetting setting : StoreSetting.values()) {
      listed.add(setting.settingName());
    }
    StoreSettings.NAMES_KNOWN.forEach(
        name -> assertTrue(listed.contains(name), name + " is not in " + listed));
    listed.stream()
        .filter(name -> name.startsWith("store."))
        .forEach(name -> assertTrue(StoreSettings.NAMES_KNOWN.contains(name), name));
  }

  /** Rows such as {@code | `store.level-1`, `store.growth` | default | meaning | at once |}. */
  @Test
  void readmeSaysTheSame() throws IOException {
    Pattern row = Pattern.compile("\\| (`[^|]+`) \\|.*\\| ([^|]+) \\|");
    Map<String, String> said = new HashMap<>();
    for (String line : Files.readAllLines(Path.of("..", "README.md"))) {
      Matcher matcher = row.matcher(line);
      if (matcher.matches()) {
        Matcher name = Pattern.compile("`([^`]+)`").matcher(matcher.group(1));
        while (name.find()) {
          said.put(name.group(1), matcher.group(2));
        }
      }
    }
    Map<String, String> expected = new TreeMap<>();
    Map<String, String> found = new TreeMap<>();
    for (StoreSetting setting : StoreSetting.values()) {
      expected.put(setting.settingName(), setting.effect().toString());
      found.put(setting.settingName(), said.get(setting.settingName()));
    }
    assertEquals(expected, found);
  }
}
