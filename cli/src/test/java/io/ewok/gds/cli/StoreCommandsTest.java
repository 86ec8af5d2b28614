package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsRun.gds;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreCommandsTest {
  @TempDir private Path temp;
  private Path store;

  @BeforeEach
  void nameStore() {
    store = temp.resolve("store");
  }

  private void put(String... keysAndValues) {
    for (int index = 0; index < keysAndValues.length; index += 2) {
      gds("put", store, keysAndValues[index], keysAndValues[index + 1]).ok();
    }
  }

  @Test
  void getPrintsWhatPutStored() {
    assertEquals("", gds("put", store, "greeting", "hello").ok());
    assertEquals("hello\n", gds("get", store, "greeting").ok());
  }

  @Test
  void storeThatIsOpenElsewhereIsReadAsItIs() throws IOException {
    put("a", "1");
    gds("put", store, "--family", "users", "u", "2").ok();
    try (Store opened = Store.open(store, StoreOptions.defaults())) {
      opened.put("b".getBytes(UTF_8), "3".getBytes(UTF_8), Durability.BUFFERED);
      assertEquals("3\n", seen("get", store, "b"));
      assertEquals("a\t1\nb\t3\n", seen("scan", store));
      assertEquals("u\t2\n", seen("scan", store, "--family=users"));
      assertTrue(seen("explain", store, "b").contains("found=true"));
      assertTrue(seen("stats", store).contains("family users"));
      assertEquals(
          List.of("default", "users"),
          gds("stats", store, "--json").json().getFirst().get("families"));
      assertEquals(2, seen("family", "list", store, "--json").lines().count());
      assertEquals(0, seen("dump", store, "--json").lines().count());
      opened.flush();
      assertEquals(2, seen("dump", store, "--json").lines().count());
      gds("get", store, "absent").failure(ExitStatus.FAILED);
      gds("put", store, "c", "4").failure(ExitStatus.FAILED);
      gds("verify", store).failure(ExitStatus.FAILED);
    }
    assertEquals("3\n", gds("get", store, "b").ok());
  }

  /** What is printed of a store that somebody else has open, of which the user is told. */
  private static String seen(Object... arguments) {
    GdsRun run = gds(arguments);
    assertEquals(ExitStatus.OK, run.status(), run.err());
    assertTrue(run.err().contains("open elsewhere"), run.err());
    return run.out();
  }

  @Test
  void emptyKeyAndValueAreKeyAndValue() {
    put("", "");
    assertEquals("\n", gds("get", store, "").ok());
    assertEquals("\t\n", gds("scan", store).ok());
  }

  @Test
  void familiesHaveKeysOfTheirOwn() throws IOException {
    put("key", "of the store");
    gds("put", store, "--family", "users", "key", "of users").ok();
    gds("put", store, "--family", "users", "other", "x").ok();
    assertEquals("of the store\n", gds("get", store, "key").ok());
    assertEquals("of users\n", gds("get", store, "key", "--family", "users").ok());
    assertEquals("key\tof the store\n", gds("scan", store).ok());
    gds("delete", store, "other", "--family=users").ok();
    assertEquals("key\tof users\n", gds("scan", store, "--family=users").ok());
    Path lines = Files.writeString(temp.resolve("lines"), "a\nb\n");
    gds("load", store, lines, "--family=lines").ok();
    assertEquals(2, gds("scan", store, "--family=lines").ok().lines().count());
    gds("compact", store).ok();
    Map<String, Object> stats = gds("stats", store, "--json").json().getFirst();
    assertEquals(List.of("default", "users", "lines"), stats.get("families"));
    assertEquals(List.of(1L, 1L, 1L), stats.get("family_tables"));
    assertTrue(gds("stats", store).ok().contains("family users"));
    assertEquals(
        List.of("users"),
        gds("stats", store, "--json", "--family=users").json().getFirst().get("families"));
    assertEquals(3, gds("dump", store, "--json").json().size());
    List<Map<String, Object>> tables = gds("dump", store, "--json", "--family=users").json();
    assertEquals(1, tables.size());
    assertEquals("users", tables.getFirst().get("family"));
    assertTrue(gds("verify", store).ok().startsWith("4 records in 3 tables"));
    assertTrue(gds("verify", store, "--family=users").ok().startsWith("1 record in 1 table"));
    gds("verify", store, "--family=absent").failure(ExitStatus.FAILED);
    gds("stats", store, "--family=absent").failure(ExitStatus.FAILED);
    for (String command : new String[] {"get", "delete", "explain"}) {
      String failure = gds(command, store, "key", "--family=absent").failure(ExitStatus.FAILED);
      assertTrue(failure.contains("--family=absent"), failure);
    }
    assertTrue(gds("explain", store, "key", "--family=users").ok().contains("found=true"));
  }

  @Test
  void familiesAreListedCreatedAndDropped() {
    put("key", "of the store");
    assertEquals("", gds("family", "create", store, "users").ok());
    assertEquals("", gds("family", "create", store, "journal").ok());
    gds("put", store, "--family=users", "key", "of users").ok();
    gds("compact", store).ok();
    List<Map<String, Object>> listed = gds("family", "list", store, "--json").json();
    assertEquals(
        List.of("default", "users", "journal"), listed.stream().map(f -> f.get("family")).toList());
    assertEquals(List.of(0L, 1L, 2L), listed.stream().map(f -> f.get("number")).toList());
    assertEquals(List.of(1L, 1L, 0L), listed.stream().map(f -> f.get("records")).toList());
    assertEquals(List.of(1L, 1L, 0L), listed.stream().map(f -> f.get("tables")).toList());
    assertTrue((Long) listed.getFirst().get("table_bytes") > 0);
    List<String> lines = gds("family", "list", store).ok().lines().toList();
    assertEquals(4, lines.size());
    assertTrue(lines.get(2).startsWith("users"), lines.get(2));

    assertEquals("", gds("family", "clone", store, "users", "kept").ok());
    gds("put", store, "--family=kept", "key", "of the clone").ok();
    assertEquals("of the clone\n", gds("get", store, "key", "--family=kept").ok());
    gds("family", "clone", store, "users", "kept").failure(ExitStatus.USAGE);
    String shared = gds("stats", store).ok();
    assertTrue(shared.contains("counted more than once"), shared);
    assertTrue(gds("stats", store, "--json").ok().contains("\"shared_bytes\":"), shared);
    gds("family", "clone", store, "absent", "other").failure(ExitStatus.FAILED);
    gds("family", "drop", store, "kept", "--yes").ok();

    String asked = gds("family", "drop", store, "users").failure(ExitStatus.USAGE);
    assertTrue(asked.contains("1 in tables of") && asked.contains("--yes"), asked);
    assertEquals("of users\n", gds("get", store, "key", "--family=users").ok());
    assertEquals("", gds("family", "drop", store, "users", "--yes").ok());
    gds("get", store, "key", "--family=users").failure(ExitStatus.FAILED);
    assertEquals("of the store\n", gds("get", store, "key").ok());
    assertEquals(2, gds("family", "list", store, "--json").json().size());
  }

  @Test
  void familiesThatCannotBeCreatedOrDroppedAreRefused() {
    put("key", "value");
    gds("family", "create", store, "users").ok();
    assertTrue(gds("family", "create", store, "users").failure(ExitStatus.USAGE).contains("users"));
    gds("family", "create", store, "").failure(ExitStatus.USAGE);
    gds("family", "create", store.resolve("absent"), "users").failure(ExitStatus.FAILED);
    gds("family", "drop", store, "default", "--yes").failure(ExitStatus.USAGE);
    String absent = gds("family", "drop", store, "absent", "--yes").failure(ExitStatus.FAILED);
    assertTrue(absent.contains("NAME=absent"), absent);
    assertEquals(2, gds("family", "list", store, "--json").json().size());
    gds("family").failure(ExitStatus.USAGE);
  }

  @Test
  void unknownFamilyIsToldTheNearest() {
    put("key", "value");
    String alone = gds("scan", store, "--family=x").failure(ExitStatus.FAILED);
    assertTrue(alone.contains("the nearest is default: --family=x"), alone);
    for (String family : new String[] {"users", "journal", "user-names"}) {
      gds("family", "create", store, family).ok();
    }
    for (String typed : new String[] {"user", "usres", "uesrs", "User"}) {
      for (String command : new String[] {"scan", "dump"}) {
        String failure = gds(command, store, "--family=" + typed).failure(ExitStatus.FAILED);
        assertTrue(failure.contains("the nearest is users: --family=" + typed), failure);
      }
    }
    String failure = gds("family", "drop", store, "jurnal").failure(ExitStatus.FAILED);
    assertTrue(failure.contains("the nearest is journal: NAME=jurnal"), failure);
  }

  @Test
  void atSignIsPartOfTheKey() {
    put("@home", "@value");
    assertEquals("@value\n", gds("get", store, "@home").ok());
  }

  @Test
  void dashedKeyGoesBehindTwoDashes() {
    gds("put", store, "--", "-5", "--json").ok();
    assertEquals("--json\n", gds("get", store, "--", "-5").ok());
  }

  @Test
  void missingKeyIsStatusOneAndNamed() {
    put("a", "1");
    assertTrue(gds("get", store, "b").failure(ExitStatus.FAILED).endsWith("key=\"b\""));
  }

  @Test
  void keysOfADeletedRangeAreGone() {
    put("a", "1", "b", "2", "c", "3", "d", "4");
    gds("delete", store, "b", "d", "--range").ok();
    assertEquals("a\t1\nd\t4\n", gds("scan", store).ok());
    assertTrue(gds("explain", store, "c").ok().contains("found=false"));
    gds("delete", store, "d", "b", "--range").failure(ExitStatus.USAGE);
    gds("delete", store, "b", "--range").failure(ExitStatus.USAGE);
    gds("delete", store, "b", "d").failure(ExitStatus.USAGE);
  }

  @Test
  void deletedKeyIsGone() {
    put("a", "1", "b", "2");
    gds("delete", store, "a").ok();
    gds("get", store, "a").failure(ExitStatus.FAILED);
    assertEquals("b\t2\n", gds("scan", store).ok());
  }

  @Test
  void deletingAnAbsentKeyIsNoError() {
    put("a", "1");
    gds("delete", store, "zebra").ok();
  }

  @Test
  void scanHonoursItsBounds() {
    put("a", "1", "ab", "2", "b", "3", "c", "4");
    assertEquals("a\t1\nab\t2\nb\t3\nc\t4\n", gds("scan", store).ok());
    assertEquals("ab\t2\nb\t3\n", gds("scan", store, "--from", "ab", "--to", "c").ok());
    assertEquals("b\t3\nab\t2\n", gds("scan", store, "--from=aa", "--to=c", "--reverse").ok());
    assertEquals("ab\t2\na\t1\n", gds("scan", store, "--prefix", "a", "--reverse").ok());
    assertEquals("c\t4\n", gds("scan", store, "--reverse", "--limit", "1").ok());
    assertEquals("", gds("scan", store, "--limit", "0").ok());
    assertEquals("", gds("scan", store, "--from", "x").ok());
    assertEquals("", gds("scan", store, "--to", "a", "--reverse").ok());
  }

  @Test
  void jsonKeepsTextAndBinaryApart() {
    put("täg", "a\tb\n\"");
    gds("put", store, "--hex", "ff00", "fe").ok();
    List<Map<String, Object>> lines = gds("scan", store, "--json").json();
    assertEquals(Map.of("key", "täg", "value", "a\tb\n\""), lines.get(0));
    assertEquals(Map.of("key_base64", "/wA=", "value_base64", "/g=="), lines.get(1));
    assertEquals(lines.subList(0, 1), gds("get", store, "täg", "--json").json());
  }

  @Test
  void hexIsBothReadAndPrinted() {
    gds("put", store, "--hex", "00FF", "0a").ok();
    assertEquals("0a\n", gds("get", store, "--hex", "00ff").ok());
    assertEquals("00ff\t0a\n", gds("scan", store, "--hex", "--from", "00").ok());
    assertTrue(gds("get", store, "--hex", "0").failure(ExitStatus.USAGE).contains("KEY=0"));
  }

  @Test
  void readingDoesNotCreateAStore() {
    for (String command : List.of("scan", "stats")) {
      gds(command, store).failure(ExitStatus.FAILED);
    }
    gds("get", store, "a").failure(ExitStatus.FAILED);
    gds("delete", store, "a").failure(ExitStatus.FAILED);
    assertFalse(Files.exists(store));
  }

  @Test
  void directoryOfOtherFilesIsNotAStoreAndLeftAlone() throws IOException {
    Files.createDirectory(store);
    Files.writeString(store.resolve("letter.txt"), "dear");
    String message = gds("put", store, "a", "1").failure(ExitStatus.FAILED);
    assertTrue(message.contains(store.toString()), message);
    try (var files = Files.list(store)) {
      assertEquals(1, files.count());
    }
  }

  @Test
  void storeOpenElsewhereIsNotWritten() throws IOException {
    try (Store opened = Store.open(store, StoreOptions.defaults())) {
      String message = gds("put", store, "a", "b").failure(ExitStatus.FAILED);
      assertTrue(message.contains("open already"), message);
      opened.flush();
    }
  }

  @Test
  void statsTellWhatIsThere() {
    put("a", "1");
    String text = gds("stats", store).ok();
    assertTrue(text.contains("sequence"), text);
    Map<String, Object> object = gds("stats", store, "--json").json().getFirst();
    assertTrue((Long) object.get("sequence") > 0);
    assertTrue((Long) object.get("memory_limit_bytes") > 0);
  }

  @Test
  void keyLongerThanAStoreTakesIsRefusedWithNumbers() {
    String message = gds("put", store, "k".repeat(65_536), "v").failure(ExitStatus.FAILED);
    assertTrue(message.contains("65536") || message.contains("65,536"), message);
    gds("put", store, "k".repeat(65_535), "v").ok();
  }

  @Test
  void valueLongerThanAStoreTakesIsRefused() {
    gds("put", store, "--memory", "12M", "k", "v".repeat(1 << 17)).ok();
    gds("put", store, "--memory", "12M", "k", "v".repeat(1 << 20)).failure(ExitStatus.FAILED);
  }

  @Test
  void memoryIsTheStoresLimit() {
    put("a", "1");
    Map<String, Object> object = gds("stats", store, "--json", "--memory", "16M").json().getFirst();
    long limit = (Long) object.get("memory_limit_bytes");
    assertTrue(limit <= 16 << 20 && limit > 12 << 20, "limit=" + limit);
  }

  @Test
  void chosenEngineIsUsed() {
    put("a", "1");
    Map<String, Object> object =
        gds("stats", store, "--json", "--engine", "pool").json().getFirst();
    assertEquals("POOL", object.get("engine"));
  }

  @Test
  void settingsChooseWhatTheStoreIsLike() throws IOException {
    Path file = temp.resolve("records.tsv");
    StringBuilder records = new StringBuilder();
    for (int i = 0; i < 20_000; i++) {
      records.append(i).append('\t').append("much the same ".repeat(10)).append(i).append('\n');
    }
    Files.writeString(file, records);
    gds("load", store, file, "--set", "store.compression=zstd").ok();
    gds("compact", store, "--set", "store.compression=zstd").ok();
    assertTrue(tableBytes() < 20_000 * 30, "bytes=" + tableBytes());
    assertEquals("much the same ".repeat(10) + "77", gds("get", store, "77").ok().strip());
    gds("compact", store, "--set", "store.block=16K").ok();
    assertTrue(tableBytes() > 20_000 * 140, "bytes=" + tableBytes());
  }

  private long tableBytes() throws IOException {
    try (Stream<Path> files = Files.list(store)) {
      return files
          .filter(each -> each.toString().endsWith(".table"))
          .mapToLong(each -> each.toFile().length())
          .sum();
    }
  }

  @Test
  void badSettingsAreNamed() {
    String message = gds("get", store, "a", "--set", "store.pol=1M").failure(ExitStatus.USAGE);
    assertTrue(message.contains("store.pol=1M"), message);
    message = gds("get", store, "a", "--set", "store.pool=1K").failure(ExitStatus.USAGE);
    assertTrue(message.contains("poolBytes="), message);
    gds("get", store, "a", "--set", "nothing").failure(ExitStatus.USAGE);
  }
}
