package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsRun.gds;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code gds verify}, {@code dump}, {@code explain}, {@code compact} and {@code repair}. */
class StoreUpkeepTest {
  private static final int RECORDS = 2_000;

  @TempDir private Path directory;
  private Path store;

  /** Each record twice, in a table each. */
  @BeforeEach
  void writeTwoTables() throws IOException {
    store = directory.resolve("store");
    try (Store opened = Store.open(store, StoreOptions.defaults())) {
      for (int round = 0; round < 2; round++) {
        for (int i = 0; i < RECORDS; i++) {
          opened.put(bytes("key%06d".formatted(i)), bytes("value" + round), Durability.NONE);
        }
        opened.flush();
      }
    }
  }

  @Test
  void soundStoreIsSound() throws IOException {
    String text = gds("verify", store).ok();
    assertTrue(text.startsWith("4,000 records in 2 tables of "), text);
    Map<String, Object> counts = gds("verify", store, "--json").json().getFirst();
    assertEquals(2L * RECORDS, counts.get("records"));
    assertEquals(0L, counts.get("problems"));
    assertTrue(gds("verify", tables().getFirst()).ok().startsWith("2,000 records in 1 table"));
  }

  @Test
  void changedByteOfATableIsFoundAndItsFileNamed() throws IOException {
    Path table = tables().getFirst();
    byte[] content = Files.readAllBytes(table);
    content[content.length / 4] ^= 1;
    Files.write(table, content);
    for (Path path : List.of(store, table)) {
      GdsRun run = gds("verify", path);
      assertEquals(ExitStatus.FAILED, run.status());
      assertTrue(run.out().contains(table.getFileName().toString()), run.out());
      assertTrue(run.err().contains("this is damaged: path=" + path), run.err());
      GdsRun json = gds("verify", path, "--json");
      assertEquals(table.toRealPath().toString(), json.json().getFirst().get("file"));
      assertTrue((Long) json.json().getLast().get("problems") > 0);
    }
    assertEquals(ExitStatus.FAILED, gds("dump", table).status());
  }

  @Test
  void dumpListsTablesAndTheirRecords() throws IOException {
    gds("delete", store, "key000000").ok();
    try (Store opened = Store.open(store, StoreOptions.defaults())) {
      opened.flush();
    }
    List<Map<String, Object>> listed = gds("dump", store, "--json").json();
    assertEquals(3, listed.size());
    assertEquals(0L, listed.getFirst().get("level"));
    assertEquals(1L, listed.getFirst().get("deletes"));
    assertEquals("key001999", listed.getLast().get("last_key"));
    assertTrue(gds("dump", store).ok().contains("\"key001999\""));
    Object newest = listed.getFirst().get("file");
    List<Map<String, Object>> deleted = gds("dump", newest, "--json").json();
    long sequence = (Long) deleted.getFirst().get("sequence");
    assertEquals(sequence + "\tdelete\tkey000000\t\n", gds("dump", newest).ok());
    List<Map<String, Object>> records = gds("dump", listed.getLast().get("file"), "--json").json();
    assertEquals(RECORDS, records.size());
    long older = (Long) records.getFirst().get("sequence");
    assertTrue(older < sequence, older + " and " + sequence);
    assertEquals(
        Map.of("sequence", older, "kind", "put", "key", "key000000", "value", "value0"),
        records.getFirst());
  }

  @Test
  void tableTellsWhatItHas() throws IOException {
    Path table = tables().getFirst();
    Map<String, Object> object = gds("stats", table, "--json").json().getFirst();
    assertEquals((long) RECORDS, object.get("records"));
    assertEquals(9L * RECORDS, object.get("key_bytes"));
    assertEquals("key000000", object.get("first_key"));
    assertTrue(gds("stats", table).ok().contains("bits a key"));
  }

  @Test
  void getAndScanAreExplained() throws IOException {
    gds("delete", store, "key000003").ok();
    List<Map<String, Object>> steps = gds("explain", store, "key000001", "--json").json();
    assertEquals("ABSENT", steps.getFirst().get("outcome"));
    assertEquals("FOUND", steps.get(1).get("outcome"));
    assertEquals(true, steps.getLast().get("found"));
    assertTrue(gds("explain", store, "key000003").ok().contains("DELETED"));
    assertTrue(gds("explain", store, "--hex", "00").ok().contains("found=false"));
    List<Map<String, Object>> lines =
        gds("explain", store, "--prefix", "key00000", "--json").json();
    Map<String, Object> whole = lines.getLast();
    assertEquals(List.of(9L, 1L), List.of(whole.get("returned"), whole.get("deleted")));
    assertEquals(20L - 9, whole.get("hidden"));
    assertEquals(4, lines.size());
    assertTrue(lines.stream().limit(3).allMatch(line -> line.get("outcome").equals("READ")));
    assertTrue((Long) whole.get("blocks_read") >= 4);
    String text = gds("explain", store, "--from", "key000001", "--to", "key000009").ok();
    assertTrue(text.contains("returned=7 "), text);
    text = gds("explain", store, "--prefix", "key", "--to", "key000002", "--limit", "1").ok();
    assertTrue(text.contains("returned=1 ") && text.contains("complete=false"), text);
    gds("explain", store, "key", "--limit", "1").failure(ExitStatus.USAGE);
    gds("explain", store, "--limit", "-1").failure(ExitStatus.USAGE);
    gds("explain", directory.resolve("none"), "key").failure(ExitStatus.FAILED);
  }

  @Test
  void whatIsNoTableIsRefused() throws IOException {
    Path text = Files.writeString(directory.resolve("text"), "dear");
    for (String command : List.of("stats", "verify", "dump")) {
      String message = gds(command, text).failure(ExitStatus.FAILED);
      assertTrue(message.contains("text"), message);
    }
  }

  @Test
  void repairTellsWhatItCouldNotKeepAndTheRestIsThere() throws IOException {
    assertEquals("2 tables: nothing to repair\n", gds("repair", store).ok());
    Path table = tables().getLast(); // the newer one
    byte[] content = Files.readAllBytes(table);
    content[content.length / 4] ^= 1;
    Files.write(table, content);
    GdsRun run = gds("repair", store);
    assertEquals(ExitStatus.FAILED, run.status());
    assertTrue(run.out().contains("lost: records from \"key0"), run.out());
    assertTrue(run.out().contains("/" + table.getFileName() + ".damaged\n"), run.out());
    assertTrue(run.err().contains("not complete: path=" + store), run.err());
    gds("verify", store).ok();
    assertEquals("value1\n", gds("get", store, "key000000").ok());
    assertEquals(RECORDS, gds("scan", store).ok().lines().count());
  }

  @Test
  void repairMakesALostManifestAnew() throws IOException {
    Files.delete(store.resolve("MANIFEST"));
    gds("scan", store).failure(ExitStatus.FAILED);
    Map<String, Object> report = gds("repair", store, "--json").json().getLast();
    assertEquals(true, report.get("complete"));
    assertEquals(false, report.get("sound"));
    assertTrue(report.get("manifest_problem").toString().contains("MANIFEST"));
    assertEquals("value1\n", gds("get", store, "key001999").ok());
    assertEquals(RECORDS, gds("scan", store).ok().lines().count());
  }

  @Test
  void missingTableIsToldAndNothingRemoved() throws IOException {
    Files.delete(tables().getFirst());
    int left = tables().size();
    assertEquals(ExitStatus.FAILED, gds("verify", store).status());
    assertEquals(left, tables().size());
  }

  @Test
  void compactionLeavesEachRecordOnce() {
    Map<String, Object> sums = gds("compact", store, "--json").json().getFirst();
    assertEquals(2L * RECORDS, sums.get("records_before"));
    assertEquals((long) RECORDS, sums.get("records"));
    assertEquals(1L, sums.get("tables"));
    assertEquals("value1\n", gds("get", store, "key000007").ok());
    assertTrue(gds("compact", store).ok().startsWith("1 table, "));
  }

  @Test
  void compactionOfSomeKeysLeavesThemOnce() {
    Map<String, Object> sums =
        gds("compact", store, "--from", "key000000", "--to", "key000001", "--json")
            .json()
            .getFirst();
    assertEquals((long) RECORDS, sums.get("records"));
    gds("compact", store, "--from", "z").ok();
    gds("compact", store, "--to", "a").ok();
    assertEquals("value1\n", gds("get", store, "key000007").ok());
  }

  @Test
  void statsShowTheTablesOfEachLevel() {
    String text = gds("stats", store).ok();
    assertTrue(text.contains("level  tables"), text);
    Map<String, Object> object = gds("stats", store, "--json").json().getFirst();
    assertEquals(2L, ((List<?>) object.get("level_tables")).getFirst());
    assertEquals(0L, ((List<?>) object.get("level_deletes")).getFirst());
  }

  @Test
  void openStoreIsRefused() throws IOException {
    try (Store opened = Store.open(store, StoreOptions.defaults())) {
      for (String command : List.of("verify", "compact", "repair")) {
        String message = gds(command, store).failure(ExitStatus.FAILED);
        assertTrue(message.contains("open already"), message);
      }
      opened.flush();
    }
  }

  @Test
  void whatIsNoStoreIsNotMadeOne() throws IOException {
    Path nothing = directory.resolve("nothing");
    for (String command : List.of("verify", "dump", "compact", "repair")) {
      gds(command, nothing).failure(ExitStatus.FAILED);
    }
    assertTrue(Files.notExists(nothing));
  }

  private List<Path> tables() throws IOException {
    try (Stream<Path> files = Files.list(store)) {
      return files.filter(file -> file.toString().endsWith(".table")).sorted().toList();
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
