package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsRun.gds;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.StallReason;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.lsm.StoreWatch;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TopCommandTest {
  @TempDir private Path temp;

  private static StoreWatch.Reading reading(long millis, Map<String, Long> values) {
    Map<String, String> texts = new HashMap<>();
    values.forEach((name, value) -> texts.put(name, Long.toString(value)));
    texts.put("nanos", Long.toString(millis * 1_000_000));
    return new StoreWatch.Reading(millis, 17, texts);
  }

  /** One line of the view, with single blanks. */
  private static String line(String text, String name) {
    List<String> lines = text.lines().filter(line -> line.startsWith(name)).toList();
    assertEquals(1, lines.size(), text);
    return lines.getFirst().replaceAll(" +", " ");
  }

  @Test
  void ratesAreOfTheTimeBetweenTwoReadings() {
    StoreWatch.Reading before =
        reading(
            10_000,
            Map.of(
                "operations",
                1_000L,
                "bytes.user",
                100_000L,
                "bytes.log",
                0L,
                "gets",
                5L,
                "blocks.hit",
                50L,
                "blocks.miss",
                50L,
                "stall.log.nanos",
                0L));
    StoreWatch.Reading now =
        reading(
            12_000,
            Map.of(
                "operations",
                5_000L,
                "bytes.user",
                300_000L,
                "bytes.log",
                500_000L,
                "gets",
                105L,
                "blocks.hit",
                125L,
                "blocks.miss",
                75L,
                "stall.log.nanos",
                500_000_000L));
    String text = new TopView(before, now).text("/store", 0);
    assertEquals("writes 2,000/s 97.7 KiB/s, 2.50 bytes written for one", line(text, "writes"));
    assertEquals("gets 50/s blocks in memory 75.0 %, records -", line(text, "gets"));
    assertEquals("writers wait 25.0 % of the time: log 25.0 %", line(text, "writers wait"));
    assertEquals("store /store process 17", line(text, "store"));
    String old = new TopView(before, now).text("/store", 7_000);
    assertTrue(line(old, "store").endsWith("which has said nothing for 7 s"), old);
  }

  @Test
  void levelsAndLimitsAreShown() {
    StoreWatch.Reading now =
        reading(
            1,
            Map.of(
                "level.0.tables",
                2L,
                "level.0.bytes",
                2_048L,
                "level.0.score",
                500L,
                "level.1.tables",
                0L,
                "level.2.tables",
                3L,
                "level.2.bytes",
                1_048_576L,
                "level.3.tables",
                0L,
                "class.compaction.operations",
                9L));
    String text = new TopView(now, now).text("/store", 0);
    assertEquals("0 2 2.0 KiB 0.50", line(text, "0 "));
    assertEquals("2 3 1.0 MiB 0.00", line(text, "2 "));
    assertTrue(text.lines().noneMatch(line -> line.startsWith("3 ")), text);
    assertTrue(line(text, "limits").contains("compaction 0/s"), text);
  }

  @Test
  void eachReasonToWaitIsShown() {
    for (StallReason reason : StallReason.values()) {
      String name = reason.name().toLowerCase(Locale.ROOT);
      String counter = "stall." + name + ".nanos";
      StoreWatch.Reading before = reading(0, Map.of(counter, 0L));
      StoreWatch.Reading now = reading(1_000, Map.of(counter, 500_000_000L));
      String line = line(new TopView(before, now).text("/store", 0), "writers wait");
      assertEquals("writers wait 50.0 % of the time: " + name + " 50.0 %", line);
    }
  }

  @Test
  void openStoreIsShown() throws Exception {
    Path path = temp.resolve("store");
    try (Store store = Store.open(path, StoreOptions.defaults())) {
      store.put("key".getBytes(UTF_8), "value".getBytes(UTF_8), Durability.NONE);
      String text = gds("top", path, "--count", 1).ok();
      assertTrue(line(text, "memory").contains(" of "), text);
      assertTrue(text.startsWith("store"), text);
      GdsRun run = gds("top", path, "--count=2", "--json");
      assertEquals("", run.err());
      assertEquals(2, run.json().size());
      assertEquals(1L, run.json().getLast().get("operations"));
      assertEquals(store.stats().engine(), run.json().getLast().get("engine"));
      assertEquals(0L, run.json().getLast().get("writes_per_second"));
    }
  }

  @Test
  void whatIsNotOpenIsSaidSo() throws Exception {
    Path path = temp.resolve("store");
    Store.open(path, StoreOptions.defaults()).close();
    String failure = gds("top", path).failure(ExitStatus.FAILED);
    assertTrue(failure.contains("no process has a store open here"), failure);
    gds("top", temp.resolve("absent")).failure(ExitStatus.FAILED);
    gds("top", path, "--interval", 0).failure(ExitStatus.USAGE);
    gds("top", path, "--count=-1").failure(ExitStatus.USAGE);
  }
}
