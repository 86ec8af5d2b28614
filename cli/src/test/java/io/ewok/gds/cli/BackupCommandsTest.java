package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsRun.gds;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code gds checkpoint}, {@code backup}, {@code restore} and {@code verify-backup}. */
class BackupCommandsTest {
  @TempDir private Path directory;
  private Path store;
  private Path backups;
  private Path fresh;

  @BeforeEach
  void putOne() {
    store = directory.resolve("store");
    backups = directory.resolve("backups");
    fresh = directory.resolve("fresh");
    gds("put", store, "key", "one").ok();
  }

  @Test
  void checkpointIsAStoreOfItsOwn() {
    Map<String, Object> told = gds("checkpoint", store, fresh, "--json").json().getFirst();
    assertTrue((Long) told.get("sequence") > 0);
    gds("put", store, "key", "two").ok();
    assertEquals("one\n", gds("get", fresh, "key").ok());
    gds("put", fresh, "key", "three").ok();
    assertEquals("two\n", gds("get", store, "key").ok());
    assertTrue(gds("verify", fresh).ok().contains("0 problems"));
    String taken = gds("checkpoint", store, fresh).failure(ExitStatus.FAILED);
    assertTrue(taken.contains("already: path=" + fresh), taken);
    String inside = gds("checkpoint", store, store.resolve("in")).failure(ExitStatus.FAILED);
    assertTrue(inside.contains("inside"), inside);
  }

  @Test
  void backupsAreMadeListedRestoredAndDeleted() {
    gds("backup", store, backups).ok();
    gds("put", store, "key", "two").ok();
    String text = gds("backup", store, backups).ok();
    assertTrue(text.startsWith("backup 2 of "), text);
    List<Map<String, Object>> listed = gds("verify-backup", backups, "--json").json();
    assertEquals(
        List.of(1L, 2L), listed.stream().limit(2).map(line -> line.get("backup")).toList());
    assertEquals(0L, listed.getLast().get("problems"));
    gds("restore", backups, fresh).ok();
    assertEquals("two\n", gds("get", fresh, "key").ok());
    Path first = directory.resolve("first");
    assertEquals(
        1L,
        gds("restore", backups, first, "--number", 1, "--json").json().getFirst().get("backup"));
    assertEquals("one\n", gds("get", first, "key").ok());

    Map<String, Object> third =
        gds("backup", store, backups, "--keep", 1, "--json").json().getFirst();
    assertEquals(3L, third.get("backup"));
    assertTrue(gds("verify-backup", backups).ok().contains("\n1 backup in "));
    String gone =
        gds("restore", backups, directory.resolve("x"), "--number", 1).failure(ExitStatus.FAILED);
    assertTrue(gone.contains("there is no such backup") && gone.contains("number=1"), gone);
  }

  @Test
  void storesComeBackAtSequencesAndTimes() throws Exception {
    Path archive = backups.resolve("log");
    gds("backup", store, backups, "--set", "store.archive=" + archive).ok();
    gds("put", store, "key", "two").ok(); // it is remembered
    Instant before = Instant.now();
    Map<String, Object> stats = gds("stats", store, "--json").json().getFirst();
    long sequence = (Long) stats.get("sequence");
    Thread.sleep(2); // marks of the time are of milliseconds
    gds("put", store, "key", "three").ok();
    gds("backup", store, backups).ok();

    String told = gds("restore", backups, fresh, "--to-sequence", sequence).ok();
    assertTrue(told.startsWith("backup 1 of ") && told.contains("\nrestored to sequence "), told);
    assertEquals("two\n", gds("get", fresh, "key").ok());
    assertTrue(gds("verify", fresh).ok().contains("0 problems"));
    Path timed = directory.resolve("timed");
    Map<String, Object> restored =
        gds("restore", backups, timed, "--to-time", before, "--json").json().getFirst();
    assertEquals(1L, restored.get("backup"));
    assertTrue((Long) restored.get("restored_sequence") > 0);
    assertFalse(Instant.parse((String) restored.get("restored_time")).isAfter(before));
    assertEquals("two\n", gds("get", timed, "key").ok());

    Path none = directory.resolve("none");
    String late =
        gds("restore", backups, none, "--to-sequence", Long.MAX_VALUE).failure(ExitStatus.FAILED);
    assertTrue(late.contains("cannot be restored: backup 2 leads to sequence "), late);
    gds("restore", backups, none, "--to-sequence", 1, "--to-time", before)
        .failure(ExitStatus.USAGE);
    gds("restore", backups, none, "--to-time", "noon").failure(ExitStatus.USAGE);
    assertFalse(Files.exists(none));
    Map<String, Object> found = gds("verify-backup", backups, "--json").json().getLast();
    assertTrue((Long) found.get("archived") > 1, found.toString());
    assertEquals(0L, found.get("problems"));
    gds("backup", store, backups, "--keep", 1).ok();
    try (Stream<Path> files = Files.list(archive)) {
      long left = files.filter(file -> file.toString().endsWith(".archived")).count();
      assertTrue(left < (Long) found.get("archived"), "left=" + left);
    }
    assertTrue(gds("verify-backup", backups).ok().contains(" of the log of "));
  }

  private static long archived(Path archive) throws IOException {
    try (Stream<Path> files = Files.list(archive)) {
      return files.filter(file -> file.toString().endsWith(".archived")).count();
    }
  }

  /** Others may need it. */
  @Test
  void archiveThatLiesElsewhereIsPrunedOnlyIfThatIsWanted() throws Exception {
    Path archive = directory.resolve("archive");
    Path others = directory.resolve("others");
    gds("backup", store, others, "--set", "store.archive=" + archive).ok();
    for (int i = 0; i < 3; i++) {
      gds("put", store, "key", "value" + i).ok();
      gds("backup", store, backups, "--keep", 1).ok();
    }
    assertEquals(List.of(), problems(others, archive));
    long sequence = (Long) gds("stats", store, "--json").json().getFirst().get("sequence");
    gds("backup", store, backups).ok();
    gds("restore", others, fresh, "--archive", archive, "--to-sequence", sequence).ok();
    assertEquals("value2\n", gds("get", fresh, "key").ok());

    gds("backup", store, backups, "--prune-archive").failure(ExitStatus.USAGE);
    long before = archived(archive);
    gds("backup", store, backups, "--keep", 1, "--prune-archive").ok();
    assertTrue(archived(archive) < before, "before=" + before);
  }

  private static List<String> problems(Path backups, Path archive) {
    Map<String, Object> found =
        gds("verify-backup", backups, "--archive", archive, "--json").json().getLast();
    return (Long) found.get("problems") == 0 ? List.of() : List.of(found.toString());
  }

  @Test
  void changedByteIsFoundAndNothingRestored() throws IOException {
    gds("backup", store, backups).ok();
    Path table;
    try (Stream<Path> tables = Files.list(backups.resolve("tables"))) {
      table = tables.findFirst().orElseThrow();
    }
    byte[] content = Files.readAllBytes(table);
    content[10] ^= 1;
    Files.write(table, content);
    GdsRun run = gds("verify-backup", backups);
    assertEquals(ExitStatus.FAILED, run.status());
    assertTrue(run.out().contains(table.getFileName().toString()), run.out());
    assertTrue(run.err().contains("this is damaged: path=" + backups), run.err());
    gds("restore", backups, fresh).failure(ExitStatus.FAILED);
    assertFalse(Files.exists(fresh));
  }

  @Test
  void wrongDirectoriesAreNamed() {
    String none = gds("verify-backup", directory.resolve("no")).failure(ExitStatus.FAILED);
    assertTrue(none.contains("there is no such directory: path="), none);
    String foreign = gds("backup", store, directory).failure(ExitStatus.FAILED);
    assertTrue(foreign.contains("holds no backups"), foreign);
    String missing = gds("backup", fresh, backups).failure(ExitStatus.FAILED);
    assertTrue(missing.contains("there is no store"), missing);
    assertFalse(Files.exists(backups));
    gds("backup", store, backups, "--keep", 0).failure(ExitStatus.USAGE);
  }
}
