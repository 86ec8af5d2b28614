package io.ewok.gds.lsm.sst;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.pagestore.StorageException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rocksdb.ChecksumType;
import org.rocksdb.CompressionType;
import org.rocksdb.IndexType;
import org.rocksdb.Options;

/** Damage is found or harmless, and forged files end in an exception that names them. */
class HostileSstTest {
  private static final int RECORDS = 30;
  private static final int LOG_HEADER_BYTES = 7;

  @TempDir Path folder;
  private Path table;

  private byte[] write(ChecksumType checksum, CompressionType compression, int version)
      throws Exception {
    table = folder.resolve("table.sst");
    Map<byte[], byte[]> records = new TreeMap<>(Fixtures.ORDER);
    for (int i = 0; i < RECORDS; i++) {
      records.put(Fixtures.bytes("key" + (100 + i)), Fixtures.bytes("value ".repeat(4) + i));
    }
    try (Options options =
        Rocks.options(
                Rocks.tables(version)
                    .setChecksumType(checksum)
                    .setIndexType(IndexType.kTwoLevelIndexSearch)
                    .setMetadataBlockSize(64))
            .setCompressionType(compression)) {
      Rocks.writeTable(table, options, records);
    }
    return Files.readAllBytes(table);
  }

  /** The content of the changed table; null if it was refused, with its name. */
  private String readOrNull(byte[] bytes) throws Exception {
    Files.write(table, bytes);
    try {
      return SstImportTest.shown(SstImport.ofTables(List.of(table)));
    } catch (StorageException e) {
      assertEquals(table, e.path());
      return null;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "kCRC32c, LZ4_COMPRESSION, 5",
    "kXXH3, NO_COMPRESSION, 6",
    "kxxHash64, SNAPPY_COMPRESSION, 7"
  })
  void eachByteFlippedIsFoundOrHarmless(
      ChecksumType checksum, CompressionType compression, int version) throws Exception {
    byte[] sound = write(checksum, compression, version);
    String content = readOrNull(sound);
    int found = 0;
    for (int at = 0; at < sound.length; at++) {
      byte[] flipped = sound.clone();
      flipped[at] ^= (byte) (1 << (at % Byte.SIZE));
      String read = readOrNull(flipped);
      found += read == null ? 1 : 0;
      assertTrue(read == null || read.equals(content), "offset=" + at);
    }
    // What nobody reads are filters, of which there are none, and zeros at the end.
    assertTrue(found > sound.length - 64, "found=" + found + " of " + sound.length);
  }

  @Test
  void truncatedTablesAreRefused() throws Exception {
    byte[] sound = write(ChecksumType.kXXH3, CompressionType.ZSTD_COMPRESSION, 7);
    for (int length = 0; length < sound.length; length++) {
      assertEquals(null, readOrNull(Arrays.copyOf(sound, length)), "length=" + length);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "NO_COMPRESSION, 5",
    "SNAPPY_COMPRESSION, 5",
    "LZ4_COMPRESSION, 4",
    "ZSTD_COMPRESSION, 5",
    "ZLIB_COMPRESSION, 3"
  })
  void forgedTablesWithoutChecksumsAreReadOrRefused(CompressionType compression, int version)
      throws Exception {
    byte[] sound = write(ChecksumType.kNoChecksum, compression, version);
    long seed = Fixtures.seed(version);
    SplittableRandom random = new SplittableRandom(seed);
    int refused = 0;
    for (int i = 0; i < 500; i++) {
      byte[] forged = sound.clone();
      mutate(forged, random);
      try {
        refused += readOrNull(forged) == null ? 1 : 0;
      } catch (RuntimeException | Error e) {
        throw new AssertionError("run=" + i + " " + Fixtures.replay(getClass(), seed), e);
      }
    }
    assertTrue(refused > 50, "refused=" + refused);
  }

  private static void mutate(byte[] bytes, SplittableRandom random) {
    for (int left = 1 + random.nextInt(3); left > 0; left--) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(4)) {
        case 0 -> bytes[at] = (byte) random.nextInt();
        case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(Byte.SIZE));
        case 2 ->
            Arrays.fill(bytes, at, Math.min(bytes.length, at + 1 + random.nextInt(9)), (byte) -1);
        default -> bytes[at]++;
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"MANIFEST-000002", "000004.log"})
  void forgedLogsAreReadOrRefused(String name) throws Exception {
    GoldenSstTest.writeDatabase(folder);
    Path log = folder.resolve(name);
    byte[] sound = Files.readAllBytes(log);
    long seed = Fixtures.seed(8);
    SplittableRandom random = new SplittableRandom(seed);
    int refused = 0;
    for (int i = 0; i < 700; i++) {
      byte[] forged = sound.clone();
      mutate(forged, random);
      if (random.nextBoolean()) {
        reseal(forged);
      }
      Files.write(log, forged);
      try {
        SstImportTest.shown(SstImport.ofDatabase(folder));
      } catch (StorageException e) {
        refused++;
      } catch (RuntimeException | Error e) {
        throw new AssertionError("run=" + i + " " + Fixtures.replay(getClass(), seed), e);
      }
    }
    assertTrue(refused > 250 && refused < 700, "refused=" + refused);
  }

  /** Gives the fragments of a log, as far as they go, the checksums they should have. */
  private static void reseal(byte[] log) {
    int at = 0;
    while (log.length - at > LOG_HEADER_BYTES) {
      int length = (short) SstFormat.U16.get(log, at + 4) & 0xFFFF;
      if (length > log.length - at - LOG_HEADER_BYTES) {
        return;
      }
      CRC32C crc = new CRC32C();
      crc.update(log, at + 6, length + 1);
      SstFormat.U32.set(log, at, SstFormat.masked((int) crc.getValue()));
      at += LOG_HEADER_BYTES + length;
    }
  }

  /** A length that points beyond the end of the file is what a crash leaves, too: a warning. */
  @Test
  void eachByteFlippedInAManifestOrLogIsTold() throws Exception {
    GoldenSstTest.writeDatabase(folder);
    for (String name : List.of("MANIFEST-000002", "000004.log")) {
      Path log = folder.resolve(name);
      byte[] sound = Files.readAllBytes(log);
      for (int at = 0; at < sound.length; at++) {
        byte[] flipped = sound.clone();
        flipped[at] ^= (byte) (1 << (at % Byte.SIZE));
        Files.write(log, flipped);
        assertTrue(isTold(), name + " offset=" + at);
      }
      Files.write(log, sound);
      assertFalse(isTold());
    }
  }

  private boolean isTold() throws Exception {
    try {
      SstImport source = SstImport.ofDatabase(folder);
      SstImportTest.shown(source);
      return !source.warnings().isEmpty();
    } catch (StorageException e) {
      return true;
    }
  }
}
