package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsRun.gds;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.FlushOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;

class ImportCommandTest {
  @TempDir private Path temp;
  private Path store;
  private Path database;
  private Path table;

  @BeforeEach
  void writeDatabase() throws Exception {
    store = temp.resolve("store");
    database = temp.resolve("rocks");
    RocksDB.loadLibrary();
    try (Options options = new Options().setCreateIfMissing(true);
        RocksDB db = RocksDB.open(options, database.toString());
        FlushOptions waiting = new FlushOptions().setWaitForFlush(true)) {
      for (int i = 0; i < 1_000; i++) {
        db.put(bytes("key%04d".formatted(i)), bytes("value" + i));
      }
      db.delete(bytes("key0007"));
      db.flush(waiting);
      table = Path.of(database.toString(), db.getLiveFilesMetaData().getFirst().fileName());
      db.put(bytes("key0003"), bytes("of the log"));
      db.delete(bytes("key0009"));
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void databaseIsImportedWithItsLog() {
    String out = gds("import", store, database).ok();
    assertTrue(out.startsWith("imported 1,000 records, "), out);
    assertTrue(out.contains("2 deletes from 1 table and 1 log"), out);
    assertEquals(998, gds("scan", store).ok().lines().count());
    assertEquals("of the log\n", gds("get", store, "key0003").ok());
    assertEquals("value999\n", gds("get", store, "key0999").ok());
    gds("verify", store).ok();
  }

  @Test
  void tableIsImportedAloneAndItsDeletesReachTheStore() {
    gds("put", store, "key0007", "ours").ok();
    gds("put", store, "other", "ours").ok();
    Map<String, Object> object = gds("import", store, table, "--json").json().getFirst();
    assertEquals(999L, object.get("records"));
    assertEquals(1L, object.get("deletes"));
    assertEquals(1L, object.get("tables"));
    assertEquals(0L, object.get("logs"));
    assertEquals("value3\n", gds("get", store, "key0003").ok());
    assertEquals("ours\n", gds("get", store, "other").ok());
    assertEquals(1_000, gds("scan", store).ok().lines().count());
  }

  @Test
  void importTwiceChangesNothing() {
    gds("import", store, database).ok();
    String once = gds("scan", store).ok();
    gds("import", store, database, database).ok();
    assertEquals(once, gds("scan", store).ok());
  }

  @Test
  void whatCannotBeImportedIsNamedAndLeavesNoStoreBehind() throws Exception {
    assertTrue(fail(temp.resolve("none.sst")).contains("none.sst"));
    assertTrue(fail(temp).contains("CURRENT"));
    Path text = Files.writeString(temp.resolve("text"), "text".repeat(100));
    assertTrue(fail(text).contains("path=" + text));
    byte[] damaged = Files.readAllBytes(table);
    damaged[damaged.length - 60] ^= 1;
    Files.write(table, damaged);
    assertTrue(fail(database).contains("corrupt: offset="));
    assertFalse(Files.exists(store));
    assertTrue(gds("import", store).failure(ExitStatus.USAGE).contains("FILE|DIRECTORY"));
  }

  private String fail(Path input) {
    return gds("import", store, input).failure(ExitStatus.FAILED);
  }

  @Test
  void whatIsImportedIsEncryptedWithTheKeyThatIsNamed() throws Exception {
    Path file = Files.createTempFile(temp, "keys", "");
    Files.writeString(file, "1 " + "0f".repeat(32) + "\nencrypted only\n");
    String keys = "--key-file=" + file;
    gds("import", store, database, keys).ok();
    assertEquals("of the log\n", gds("get", store, "key0003", keys).ok());
    assertEquals(998, gds("scan", store, keys).ok().lines().count());
    try (Stream<Path> files = Files.walk(store)) {
      for (Path each : files.filter(Files::isRegularFile).toList()) {
        String content = Files.readString(each, StandardCharsets.ISO_8859_1);
        assertFalse(content.contains("value99") || content.contains("key00"), each.toString());
      }
    }
    String message = gds("import", store, database).failure(ExitStatus.FAILED);
    assertTrue(message.contains("not among those given: keyId=1"), message);
  }
}
