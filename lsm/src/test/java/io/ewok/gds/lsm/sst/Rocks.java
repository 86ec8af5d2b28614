package io.ewok.gds.lsm.sst;

import io.ewok.gds.lsm.Fixtures;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.EnvOptions;
import org.rocksdb.FlushOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileWriter;

/** A RocksDB database, and beside it a model of what is in it. */
final class Rocks implements AutoCloseable {
  private static final int LARGE_BYTES = 150_000;

  static {
    RocksDB.loadLibrary();
  }

  final Map<byte[], byte[]> model = new TreeMap<>(Fixtures.ORDER);
  final RocksDB db;
  private final Options options;

  /** Creates a database in an empty directory; it owns the options. */
  Rocks(Path directory, Options options) throws RocksDBException {
    this.options = options;
    this.db = RocksDB.open(options, directory.toString());
  }

  /** Small blocks and tables, so that little data makes many. */
  static Options options(BlockBasedTableConfig tables) {
    return new Options()
        .setCreateIfMissing(true)
        .setTableFormatConfig(tables)
        .setWriteBufferSize(64 << 10)
        .setTargetFileSizeBase(32 << 10)
        .setMaxBytesForLevelBase(128 << 10)
        .setLevel0FileNumCompactionTrigger(3);
  }

  static BlockBasedTableConfig tables(int version) {
    return new BlockBasedTableConfig()
        .setFormatVersion(version)
        .setBlockSize(512)
        .setNoBlockCache(true);
  }

  void put(String key, String value) throws RocksDBException {
    put(Fixtures.bytes(key), Fixtures.bytes(value));
  }

  void put(byte[] key, byte[] value) throws RocksDBException {
    db.put(key, value);
    model.put(key, value);
  }

  void delete(byte[] key) throws RocksDBException {
    db.delete(key);
    model.remove(key);
  }

  void deleteRange(byte[] from, byte[] to) throws RocksDBException {
    db.deleteRange(from, to);
    model
        .keySet()
        .removeIf(
            key -> Arrays.compareUnsigned(from, key) <= 0 && Arrays.compareUnsigned(key, to) < 0);
  }

  void flush() throws RocksDBException {
    try (FlushOptions waiting = new FlushOptions().setWaitForFlush(true)) {
      db.flush(waiting);
    }
  }

  static byte[] key(SplittableRandom random, int keys) {
    return Fixtures.bytes("key-%05d".formatted(random.nextInt(keys)));
  }

  /** Puts, overwrites and deletes. */
  void write(SplittableRandom random, int operations, int keys) throws RocksDBException {
    for (int i = 0; i < operations; i++) {
      byte[] key = key(random, keys);
      int what = random.nextInt(1000);
      if (what < 150) {
        delete(key);
      } else {
        put(key, value(random, what));
      }
    }
  }

  /** Half of it compresses well. */
  private static byte[] value(SplittableRandom random, int what) {
    byte[] value = new byte[what < 151 ? LARGE_BYTES : random.nextInt(300)];
    byte[] noise = Fixtures.randomBytes(random, value.length / 2);
    System.arraycopy(noise, 0, value, 0, noise.length);
    return value;
  }

  /** The tables that the database consists of; from now on it keeps those it does not need. */
  List<Path> tables() throws RocksDBException {
    db.disableFileDeletions();
    List<Path> paths = new ArrayList<>();
    db.getLiveFilesMetaData().forEach(file -> paths.add(Path.of(file.path(), file.fileName())));
    return paths;
  }

  /** Writes a table outside of a database. */
  static void writeTable(Path path, Options options, Map<byte[], byte[]> records)
      throws RocksDBException {
    try (EnvOptions env = new EnvOptions();
        SstFileWriter writer = new SstFileWriter(env, options)) {
      writer.open(path.toString());
      for (Map.Entry<byte[], byte[]> each : records.entrySet()) {
        writer.put(each.getKey(), each.getValue());
      }
      writer.finish();
    }
  }

  /** What is there after all that an import brings was done. */
  static Map<byte[], byte[]> contents(SstImport source) throws Exception {
    Map<byte[], byte[]> contents = new TreeMap<>(Fixtures.ORDER);
    try (source) {
      while (source.next()) {
        if (source.valueOrNull() == null) {
          contents.remove(source.key());
        } else {
          contents.put(source.key(), source.valueOrNull());
        }
      }
    }
    return contents;
  }

  /** Both as text, so that a difference is shown. */
  static Map<String, String> text(Map<byte[], byte[]> contents) {
    Map<String, String> text = new TreeMap<>();
    contents.forEach(
        (key, value) ->
            text.put(Fixtures.text(key), value.length + " bytes, hash " + Arrays.hashCode(value)));
    return text;
  }

  @Override
  public void close() {
    db.close();
    options.close();
  }
}
