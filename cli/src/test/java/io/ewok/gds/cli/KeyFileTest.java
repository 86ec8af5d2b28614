package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsRun.gds;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
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
    assertTrue(gds("verify", store, first).ok().contains("encrypted with key 1: 1 files\n"));
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
}
