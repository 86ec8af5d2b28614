package io.ewok.gds.lsm.sst;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.pagestore.CorruptFileException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.BuiltinComparator;
import org.rocksdb.ChecksumType;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.CompressionOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DataBlockIndexType;
import org.rocksdb.IndexType;
import org.rocksdb.IngestExternalFileOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.Snapshot;
import org.rocksdb.StringAppendOperator;

/** What RocksDB writes comes back as a model says it must. */
class SstImportTest {
  private static final int KEYS = 1_200;

  @TempDir Path folder;

  @BeforeAll
  static void loadLibrary() {
    RocksDB.loadLibrary();
  }

  @ParameterizedTest
  @CsvSource({
    "2, kCRC32c, NO_COMPRESSION, kBinarySearch",
    "3, kxxHash, SNAPPY_COMPRESSION, kBinarySearch",
    "3, kCRC32c, ZLIB_COMPRESSION, kTwoLevelIndexSearch",
    "4, kxxHash64, LZ4_COMPRESSION, kTwoLevelIndexSearch",
    "4, kCRC32c, NO_COMPRESSION, kHashSearch",
    "5, kXXH3, ZSTD_COMPRESSION, kBinarySearchWithFirstKey",
    "5, kNoChecksum, SNAPPY_COMPRESSION, kTwoLevelIndexSearch",
    "6, kXXH3, LZ4HC_COMPRESSION, kTwoLevelIndexSearch",
    "6, kNoChecksum, NO_COMPRESSION, kBinarySearch",
    "6, kxxHash64, ZSTD_COMPRESSION, kBinarySearchWithFirstKey",
    "7, kCRC32c, ZLIB_COMPRESSION, kBinarySearch",
    "7, kXXH3, SNAPPY_COMPRESSION, kTwoLevelIndexSearch",
    "7, kxxHash, ZSTD_COMPRESSION, kHashSearch",
    "7, kXXH3, LZ4_COMPRESSION, kBinarySearch"
  })
  void databasesOfAllFormsComeBack(
      int version, ChecksumType checksum, CompressionType compression, IndexType index)
      throws Exception {
    BlockBasedTableConfig tables =
        Rocks.tables(version)
            .setChecksumType(checksum)
            .setIndexType(index)
            .setMetadataBlockSize(256)
            .setIndexBlockRestartInterval(version < 4 ? 1 : 3);
    Options options =
        Rocks.options(tables).setCompressionType(compression).useFixedLengthPrefixExtractor(6);
    check(options, 11 + version);
  }

  @ParameterizedTest
  @ValueSource(strings = {"separate values", "hashed blocks", "aligned", "filters", "plain keys"})
  void otherFormsOfBlocksComeBack(String form) throws Exception {
    BlockBasedTableConfig tables = Rocks.tables(7);
    Options options = Rocks.options(tables).setCompressionType(CompressionType.NO_COMPRESSION);
    try (BloomFilter filter = new BloomFilter(10)) {
      switch (form) {
        case "separate values" -> tables.setSeparateKeyValueInDataBlock(true);
        case "hashed blocks" ->
            tables.setDataBlockIndexType(DataBlockIndexType.kDataBlockBinaryAndHash);
        case "aligned" -> tables.setBlockAlign(true);
        case "filters" ->
            tables
                .setFilterPolicy(filter)
                .setPartitionFilters(true)
                .setIndexType(IndexType.kTwoLevelIndexSearch);
        default -> tables.setUseDeltaEncoding(false);
      }
      check(options.setTableFormatConfig(tables), 5);
    }
  }

  private void check(Options options, long seedOffset) throws Exception {
    long seed = Fixtures.seed(seedOffset);
    SplittableRandom random = new SplittableRandom(seed);
    Path directory = folder.resolve("db");
    Map<byte[], byte[]> model;
    try (Rocks rocks = new Rocks(directory, options)) {
      rocks.write(random, 1_500, KEYS);
      rocks.flush();
      rocks.db.compactRange();
      rocks.write(random, 1_000, KEYS);
      rocks.flush();
      List<Path> tables = rocks.tables();
      Collections.shuffle(tables, new Random(seed));
      assertTrue(tables.size() > 2, tables.toString());
      assertEquals(
          Rocks.text(rocks.model),
          Rocks.text(Rocks.contents(SstImport.ofTables(tables))),
          Fixtures.replay(getClass(), seed));
      rocks.write(random, 100, KEYS);
      model = rocks.model;
    }
    SstImport source = SstImport.ofDatabase(directory);
    assertTrue(source.tableCount() > 0 && source.logCount() > 0);
    assertEquals(
        Rocks.text(model), Rocks.text(Rocks.contents(source)), Fixtures.replay(getClass(), seed));
    assertEquals(List.of(), source.warnings());
    assertEquals(source.totalBytes(), source.doneBytes());
  }

  @Test
  void deletedRangesHideWhatIsOlder() throws Exception {
    long seed = Fixtures.seed(3);
    SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 4; round++) {
      Path directory = folder.resolve("db" + round);
      Map<byte[], byte[]> model;
      try (Rocks rocks = new Rocks(directory, Rocks.options(Rocks.tables(7)))) {
        Snapshot snapshot = null;
        for (int step = 0; step < 12; step++) {
          rocks.write(random, 150, 300);
          byte[] from = Rocks.key(random, 300);
          byte[] to = Rocks.key(random, 300);
          if (Fixtures.ORDER.compare(from, to) < 0) {
            rocks.deleteRange(from, to);
          }
          if (step == 5) {
            snapshot = rocks.db.getSnapshot(); // So that compactions keep ranges.
          }
          rocks.write(random, 30, 300);
          rocks.flush();
          if (random.nextInt(3) == 0) {
            rocks.db.compactRange();
          }
        }
        rocks.db.releaseSnapshot(snapshot);
        model = rocks.model;
      }
      assertEquals(
          Rocks.text(model),
          Rocks.text(Rocks.contents(SstImport.ofDatabase(directory))),
          Fixtures.replay(getClass(), seed));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void ingestedTablesHaveTheSequenceNumberTheyWereGiven(boolean written) throws Exception {
    Path directory = folder.resolve("db");
    Path table = folder.resolve("outside.sst");
    Map<byte[], byte[]> model;
    try (Rocks rocks = new Rocks(directory, Rocks.options(Rocks.tables(5)));
        Options options = Rocks.options(Rocks.tables(5));
        IngestExternalFileOptions ingest =
            new IngestExternalFileOptions().setWriteGlobalSeqno(written).setMoveFiles(false)) {
      for (int i = 0; i < 100; i++) {
        rocks.put("key-%05d".formatted(i), "old " + i);
      }
      rocks.flush();
      Map<byte[], byte[]> records = new TreeMap<>(Fixtures.ORDER);
      for (int i = 50; i < 150; i++) {
        records.put(Fixtures.bytes("key-%05d".formatted(i)), Fixtures.bytes("outside " + i));
      }
      Rocks.writeTable(table, options, records);
      assertEquals(
          Rocks.text(records), Rocks.text(Rocks.contents(SstImport.ofTables(List.of(table)))));
      rocks.db.ingestExternalFile(List.of(table.toString()), ingest);
      rocks.model.putAll(records);
      for (int i = 100; i < 200; i += 3) {
        rocks.put("key-%05d".formatted(i), "new " + i);
      }
      rocks.flush();
      model = rocks.model;
    }
    assertEquals(Rocks.text(model), Rocks.text(Rocks.contents(SstImport.ofDatabase(directory))));
  }

  @Test
  void logsOfFilesThatAreUsedAgainEndWhereTheyWereWritten() throws Exception {
    Path directory = folder.resolve("db");
    Options options = Rocks.options(Rocks.tables(7));
    options.setRecycleLogFileNum(2);
    Map<byte[], byte[]> model;
    try (Rocks rocks = new Rocks(directory, options)) {
      SplittableRandom random = new SplittableRandom(4);
      for (int i = 0; i < 5; i++) {
        rocks.write(random, 300, 200);
        rocks.flush();
      }
      rocks.write(random, 50, 200);
      model = rocks.model;
    }
    assertEquals(Rocks.text(model), Rocks.text(Rocks.contents(SstImport.ofDatabase(directory))));
  }

  @Test
  void ofTablesThatWereNeverInADatabaseTheLaterHolds() throws Exception {
    try (Options options = Rocks.options(Rocks.tables(6))) {
      Path first = folder.resolve("1.sst");
      Path second = folder.resolve("2.sst");
      Rocks.writeTable(first, options, records("a", "1", "b", "1"));
      Rocks.writeTable(second, options, records("b", "2", "c", "2"));
      assertEquals("{a=1, b=2, c=2}", shown(SstImport.ofTables(List.of(first, second))));
      assertEquals("{a=1, b=1, c=2}", shown(SstImport.ofTables(List.of(second, first))));
    }
  }

  private static Map<byte[], byte[]> records(String... keysAndValues) {
    Map<byte[], byte[]> records = new TreeMap<>(Fixtures.ORDER);
    for (int i = 0; i < keysAndValues.length; i += 2) {
      records.put(Fixtures.bytes(keysAndValues[i]), Fixtures.bytes(keysAndValues[i + 1]));
    }
    return records;
  }

  static String shown(SstImport source) throws Exception {
    Map<String, String> shown = new TreeMap<>();
    Rocks.contents(source)
        .forEach((key, value) -> shown.put(Fixtures.text(key), Fixtures.text(value)));
    return shown.toString();
  }

  @Test
  void mergeOperandsAreRefusedUnlessAValueHidesThem() throws Exception {
    Path directory = folder.resolve("db");
    try (StringAppendOperator operator = new StringAppendOperator();
        Rocks rocks =
            new Rocks(
                directory,
                Rocks.options(Rocks.tables(7))
                    .setMergeOperator(operator)
                    .setDisableAutoCompactions(true))) {
      rocks.db.merge(Fixtures.bytes("a"), Fixtures.bytes("1"));
      rocks.flush();
      rocks.put("a", "2");
      rocks.flush();
      assertEquals("{a=2}", shown(SstImport.ofTables(rocks.tables())));
      rocks.db.merge(Fixtures.bytes("a"), Fixtures.bytes("3"));
      rocks.flush();
    }
    assertRefused("merge operand", directory);
  }

  @Test
  void blobsAreRefused() throws Exception {
    Path directory = folder.resolve("db");
    Options options = Rocks.options(Rocks.tables(7)).setEnableBlobFiles(true).setMinBlobSize(0);
    Path table;
    try (Rocks rocks = new Rocks(directory, options)) {
      rocks.put("a", "1");
      rocks.flush();
      table = rocks.tables().getFirst();
    }
    assertRefused("blob file", directory);
    assertTrue(
        assertThrows(
                UnsupportedContentException.class,
                () -> Rocks.contents(SstImport.ofTables(List.of(table))))
            .getMessage()
            .contains("blob file"));
  }

  @Test
  void otherOrdersAreRefused() throws Exception {
    Path directory = folder.resolve("db");
    Options options =
        Rocks.options(Rocks.tables(7)).setComparator(BuiltinComparator.REVERSE_BYTEWISE_COMPARATOR);
    Path table;
    try (Rocks rocks = new Rocks(directory, options)) {
      rocks.put("a", "1");
      rocks.flush();
      table = rocks.tables().getFirst();
    }
    assertRefused("comparator=rocksdb.ReverseBytewiseComparator", directory);
    assertTrue(
        assertThrows(
                UnsupportedContentException.class, () -> SstImport.ofTables(List.of(table)).close())
            .getMessage()
            .contains("comparator=rocksdb.Reverse"));
  }

  @Test
  void otherCompressionsAndDictionariesAreNamed() throws Exception {
    Path bzip = folder.resolve("bzip");
    try (Rocks rocks =
        new Rocks(
            bzip,
            Rocks.options(Rocks.tables(7))
                .setCompressionType(CompressionType.BZLIB2_COMPRESSION))) {
      rocks.put("a", "1".repeat(1_000));
      rocks.flush();
    }
    assertRefused("compression=BZip2", bzip);
    Path dictionary = folder.resolve("dictionary");
    try (CompressionOptions compression = new CompressionOptions().setMaxDictBytes(4 << 10)) {
      Options options =
          Rocks.options(Rocks.tables(7))
              .setCompressionType(CompressionType.ZSTD_COMPRESSION)
              .setCompressionOptions(compression);
      try (Rocks rocks = new Rocks(dictionary, options)) {
        rocks.write(new SplittableRandom(1), 500, KEYS);
        rocks.flush();
        rocks.db.compactRange();
      }
    }
    assertRefused("dictionary", dictionary);
  }

  @Test
  void rangeDeletesInLogsAreRefused() throws Exception {
    Path directory = folder.resolve("db");
    try (Rocks rocks = new Rocks(directory, Rocks.options(Rocks.tables(7)))) {
      rocks.put("a", "1");
      rocks.deleteRange(Fixtures.bytes("a"), Fixtures.bytes("b"));
    }
    assertRefused("range deletion", directory);
  }

  @Test
  void otherColumnFamiliesAreNamedAndPassedOver() throws Exception {
    Path directory = folder.resolve("db");
    try (Rocks rocks = new Rocks(directory, Rocks.options(Rocks.tables(7)));
        ColumnFamilyHandle other =
            rocks.db.createColumnFamily(
                new ColumnFamilyDescriptor("other".getBytes(StandardCharsets.UTF_8)))) {
      rocks.put("a", "1");
      rocks.db.put(other, Fixtures.bytes("a"), Fixtures.bytes("other"));
      rocks.flush();
      rocks.put("b", "2");
      rocks.db.put(other, Fixtures.bytes("b"), Fixtures.bytes("other"));
    }
    SstImport source = SstImport.ofDatabase(directory);
    assertEquals("{a=1, b=2}", shown(source));
    assertTrue(source.warnings().toString().contains("others=other"), source.warnings().toString());
  }

  @Test
  void whatIsNoTableOrDatabaseIsToldSo() throws Exception {
    Path text = Files.writeString(folder.resolve("text.sst"), "no table".repeat(20));
    assertThrows(CorruptFileException.class, () -> SstImport.ofTables(List.of(text)).close());
    Path empty = Files.createFile(folder.resolve("empty.sst"));
    assertThrows(CorruptFileException.class, () -> SstImport.ofTables(List.of(empty)).close());
    assertRefused("CURRENT", Files.createDirectory(folder.resolve("none")));
    Path evil = Files.createDirectory(folder.resolve("evil"));
    Files.writeString(evil.resolve("CURRENT"), "../MANIFEST-000001\n");
    assertThrows(CorruptFileException.class, () -> SstImport.ofDatabase(evil).close());
  }

  @Test
  void emptyDatabaseHasNothing() throws Exception {
    Path directory = folder.resolve("db");
    new Rocks(directory, Rocks.options(Rocks.tables(7))).close();
    try (SstImport source = SstImport.ofDatabase(directory)) {
      assertFalse(source.next());
      assertEquals(0, source.tableCount());
    }
  }

  private static void assertRefused(String why, Path directory) {
    UnsupportedContentException refused =
        assertThrows(
            UnsupportedContentException.class,
            () -> Rocks.contents(SstImport.ofDatabase(directory)));
    assertTrue(refused.getMessage().contains(why), refused.getMessage());
    assertTrue(refused.getMessage().contains(directory.toString()), refused.getMessage());
  }
}
