package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsRun.gds;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code --key-file}. */
class KeyFileTest {
  private static final String ONE = "1 " + "0f".repeat(32);
  private static final String TWO = "2 " + "1e".repeat(32);

  @TempDir private Path directory;
  private Path store;

  @BeforeEach
  void nameStore() {
    store = directory.resolve("store");
  }

  private String keys(String... lines) throws IOException {
    Path file = Files.createTempFile(directory, "keys", "");
    Files.write(file, List.of(lines));
    return "--key-file=" + file;
  }

  @Test
  void storeIsEncryptedAndReadWithItsKeyAlone() throws IOException {
    String keys = keys("# comment", "", ONE);
    assertEquals("", gds("put", store, "a secret key", "a secret value", keys).ok());
    assertEquals("a secret value\n", gds("get", store, "a secret key", keys).ok());
    gds("compact", store, keys);
    try (Stream<Path> files = Files.walk(store)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
        assertFalse(bytes.contains("secret"), file.toString());
      }
    }
    String without = gds("get", store, "a secret key").failure(ExitStatus.FAILED);
    assertTrue(without.contains("not among those given: keyId=1"), without);
    String other = gds("get", store, "k", keys(TWO.replace('2', '1'))).failure(ExitStatus.FAILED);
    assertTrue(other.contains("another key"), other);
    String unknown = gds("get", store, "k", keys(TWO)).failure(ExitStatus.FAILED);
    assertTrue(unknown.contains("not among those given: keyId=1"), unknown);
  }

  @Test
  void compactionChangesTheKeyAndVerifyTellsIt() throws IOException {
    String first = keys(ONE);
    gds("put", store, "a", "b", first).ok();
    gds("compact", store, first);
    assertTrue(gds("verify", store, first).ok().contains("encrypted with key 1: 1 file\n"));
    String both = keys(ONE, TWO);
    gds("put", store, "c", "d", both).ok();
    gds("compact", store, both);
    String changed = gds("verify", store, both).ok();
    assertTrue(changed.contains("encrypted with key 2: "), changed);
    assertFalse(changed.contains("key 1"), changed);
    assertEquals("b\n", gds("get", store, "a", keys(TWO)).ok());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1", "0 KEY", "x KEY", "1 0f", "1 KEY more", "1 zz"})
  void whatIsNoKeyIsRefusedAndNotShown(String line) throws IOException {
    String keys = keys(line.replace("KEY", "0f".repeat(32)));
    String message = gds("put", store, "a", "b", keys).failure(ExitStatus.FAILED);
    assertTrue(message.contains("path="), message);
    assertFalse(message.contains("0f0f"), message);
  }

  @Test
  void aFileThatOthersMayReadIsRefused() throws IOException {
    Path file = Files.write(directory.resolve("keys"), List.of(ONE));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    String message = gds("put", store, "a", "b", "--key-file=" + file).failure(ExitStatus.FAILED);
    assertTrue(message.contains("others than its owner"), message);
  }

  @Test
  void statsCountsTheFilesOfEachKey() throws IOException {
    gds("put", store, "a", "b").ok();
    gds("compact", store).ok();
    assertFalse(gds("stats", store).ok().contains("encrypted"));
    String both = keys(ONE, TWO);
    String first = keys(ONE);
    gds("put", store, "c", "d", first).ok();
    gds("compact", store, "--from=c", first).ok();
    String text = gds("stats", store, both).ok();
    Map<String, Object> object = gds("stats", store, both, "--json").json().getFirst();
    Map<String, Object> verified = gds("verify", store, both, "--json").json().getLast();
    assertEquals(verified.get("key_ids"), object.get("key_ids"));
    assertEquals(verified.get("key_files"), object.get("key_files"));
    assertTrue(text.contains("1 not encrypted, 1 encrypted with key 1\n"), text);
    gds("compact", store, both).ok();
    text = gds("stats", store, both).ok();
    assertTrue(text.contains(tables().size() + " encrypted with key 2\n"), text);
    assertFalse(text.contains("not encrypted") || text.contains("key 1"), text);
    object = gds("stats", store, both, "--json").json().getFirst();
    assertEquals(List.of(2L), object.get("key_ids"));
    assertEquals(List.of((long) tables().size()), object.get("key_files"));
    Path table = tables().getFirst();
    assertTrue(gds("stats", table, both).ok().contains("encrypted with key 2"));
    assertEquals(2L, gds("stats", table, both, "--json").json().getFirst().get("key_id"));
  }

  private List<Path> tables() throws IOException {
    try (Stream<Path> files = Files.list(store)) {
      return files.filter(file -> file.toString().endsWith(".table")).sorted().toList();
    }
  }

  @Test
  void repairOfAnEncryptedStoreNeedsItsKeys() throws IOException {
    String first = keys(ONE);
    gds("put", store, "a", "secret", first).ok();
    gds("compact", store, first).ok();
    String both = keys(ONE, TWO);
    gds("put", store, "b", "secret", both).ok(); // the manifest and the log have the other key
    byte[] manifest = Files.readAllBytes(store.resolve("MANIFEST"));
    String message = gds("repair", store, keys(TWO)).failure(ExitStatus.FAILED);
    assertTrue(message.contains("not among those given: keyId=1"), message);
    assertArrayEquals(manifest, Files.readAllBytes(store.resolve("MANIFEST")));
    assertEquals(1, tables().size());
    Files.delete(store.resolve("MANIFEST"));
    message = gds("repair", store, keys(TWO)).failure(ExitStatus.FAILED);
    assertTrue(message.contains("not among those given: keyId=1"), message);
    assertEquals(1, tables().size());
    Map<String, Object> report = gds("repair", store, both, "--json").json().getLast();
    assertEquals(true, report.get("complete"));
    assertEquals("secret\n", gds("get", store, "a", both).ok());
    assertEquals("secret\n", gds("get", store, "b", both).ok());
    assertNoPlaintext();
  }

  private void assertNoPlaintext() throws IOException {
    try (Stream<Path> files = Files.walk(store)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
        assertFalse(bytes.contains("secret"), file.toString());
      }
    }
  }

  @Test
  void onlyWhatIsEncryptedIsReadIfTheFileSaysSo() throws IOException {
    gds("put", store, "a", "b").ok();
    String only = keys(ONE, "encrypted only");
    String message = gds("get", store, "a", only).failure(ExitStatus.FAILED);
    assertTrue(message.contains("only what is encrypted is to be read"), message);
    gds("compact", store, keys(ONE)).ok();
    assertEquals("b\n", gds("get", store, "a", only).ok());
    gds("verify", store, only).ok();
  }

  /** Each is told which key is missing, or that it is another, and changes nothing. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "put STORE k v",
        "get STORE k",
        "delete STORE k",
        "scan STORE",
        "family list STORE",
        "family create STORE f",
        "family drop STORE f --yes",
        "load STORE INPUT",
        "stats STORE",
        "stats TABLE",
        "explain STORE k",
        "verify STORE",
        "verify TABLE",
        "dump STORE",
        "dump TABLE",
        "compact STORE",
        "repair STORE",
        "checkpoint STORE COPY",
        "backup STORE BACKUPS",
        "restore BACKUPS COPY",
        "verify-backup BACKUPS"
      })
  void everyCommandTellsWhichKeyItLacks(String command) throws IOException {
    String keys = keys(ONE);
    Path backups = directory.resolve("backups");
    gds("put", store, "k", "v", keys).ok();
    gds("compact", store, keys).ok();
    gds("backup", store, backups, keys).ok();
    List<String> before = contents();
    String words =
        command
            .replace("STORE", store.toString())
            .replace("TABLE", tables().getFirst().toString())
            .replace("INPUT", Files.writeString(directory.resolve("input"), "a\tb\n").toString())
            .replace("COPY", directory.resolve("copy").toString())
            .replace("BACKUPS", backups.toString());
    assertLacks(words, "not among those given: keyId=1");
    assertLacks(words + " " + keys(TWO), "not among those given: keyId=1");
    assertLacks(words + " " + keys(TWO.replace('2', '1')), "another key than the one given");
    assertEquals(before, contents());
  }

  private static void assertLacks(String words, String expected) {
    GdsRun run = gds((Object[]) words.split(" "));
    assertEquals(ExitStatus.FAILED, run.status(), run.toString());
    assertTrue((run.out() + run.err()).contains(expected), run.toString());
  }

  /** Names and bytes of all files of the store, but for what counts how often it was opened. */
  private List<String> contents() throws IOException {
    List<String> contents = new ArrayList<>();
    try (Stream<Path> files = Files.walk(store)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        if (file.endsWith("log.header")) {
          continue;
        }
        contents.add(file + " " + Arrays.hashCode(Files.readAllBytes(file)));
      }
    }
    return contents;
  }
}
