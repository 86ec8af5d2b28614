package io.ewok.gds.lsm.sst;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.Hex;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Files that others wrote: a database of LevelDB 1.23, and tables of RocksDB 9.8 in the versions 0
 * and 1, which later ones do not write any more. All have 40 records, one of them deleted.
 */
class GoldenSstTest {
  @TempDir Path folder;

  static byte[] golden(String name) throws IOException {
    return Hex.parse(Hex.resource("sst/" + name + ".hex"));
  }

  /** Lays the database of LevelDB out. */
  static void writeDatabase(Path directory) throws IOException {
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("CURRENT"), "MANIFEST-000002\n");
    Files.write(directory.resolve("MANIFEST-000002"), golden("leveldb-manifest"));
    Files.write(directory.resolve("000004.log"), golden("leveldb-log"));
    Files.write(directory.resolve("000005.ldb"), golden("leveldb-table"));
  }

  private static Map<String, String> records(String value) {
    Map<String, String> records = new TreeMap<>();
    for (int i = 0; i < 40; i++) {
      records.put("key" + (100 + i), value + i);
    }
    records.remove("key120");
    return records;
  }

  @Test
  void databaseOfLevelDbIsItsTablesAndThenItsLog() throws Exception {
    writeDatabase(folder);
    Map<String, String> records = records("value value value ");
    records.put("key105", "newer");
    records.remove("key106");
    records.put("zlast", "of the log");
    assertEquals(records.toString(), SstImportTest.shown(SstImport.ofDatabase(folder)));
  }

  @Test
  void tableOfLevelDbIsReadAlone() throws Exception {
    writeDatabase(folder);
    assertEquals(
        records("value value value ").toString(),
        SstImportTest.shown(SstImport.ofTables(List.of(folder.resolve("000005.ldb")))));
  }

  @Test
  void logThatEndsWithinAWriteIsToldAndReadUpToThere() throws Exception {
    writeDatabase(folder);
    byte[] log = golden("leveldb-log");
    Files.write(folder.resolve("000004.log"), Arrays.copyOf(log, log.length - 1));
    Map<String, String> records = records("value value value ");
    records.put("key105", "newer");
    records.remove("key106");
    SstImport source = SstImport.ofDatabase(folder);
    assertEquals(records.toString(), SstImportTest.shown(source));
    assertTrue(source.warnings().getFirst().contains("000004.log"), source.warnings().toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"rocksdb-v0", "rocksdb-v1"})
  void firstVersionsOfRocksDbAreRead(String name) throws Exception {
    Path table = folder.resolve("000009.sst");
    Files.write(table, golden(name));
    assertEquals(
        records("value value value ").toString(),
        SstImportTest.shown(SstImport.ofTables(List.of(table))));
  }
}
