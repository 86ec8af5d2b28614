package io.ewok.gds.lsm.sst;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What is in tables of RocksDB or LevelDB, or in a database of theirs, to be written into a store:
 * the newest record of each key of the tables, in the order of keys; then, of a database, the
 * operations in its write-ahead logs, in the order in which they were made. Written one after the
 * other they make a store what the database was.
 *
 * <p>Files are only read. A database must not be open elsewhere.
 *
 * <p>Ownership: whoever opened it closes it; it holds files.
 *
 * <p>Threads: confined to one at a time.
 *
 * {@snippet :
 * try (SstImport source = SstImport.ofDatabase(Path.of("/var/lib/rocks"))) {
 *   while (source.next()) {
 *     if (source.valueOrNull() == null) {
 *       store.delete(source.key(), Durability.NONE);
 *     } else {
 *       store.put(source.key(), source.valueOrNull(), Durability.NONE);
 *     }
 *   }
 * }
 * }
 *
 * <p>Errors, of all methods that read:
 *
 * <ul>
 *   <li>{@link io.ewok.gds.pagestore.CorruptFileException} for files that are damaged, or are not
 *       what they should be; it names file and offset.
 *   <li>{@link UnsupportedContentException} for what cannot be taken over into a store, such as
 *       merge operands, and for what is not read here, such as some compressions.
 *   <li>{@link IllegalStateException} where LZ4, zstd, Snappy or a checksum of the xxHash family is
 *       met, and the library {@code io.airlift:aircompressor-v3} is not there.
 * </ul>
 */
public final class SstImport implements AutoCloseable {
  private final SstMerge tables;
  private final int tableCount;
  private final List<Database.Log> logs;
  private final List<String> warnings = new ArrayList<>();
  private final long totalBytes;

  private boolean tablesDone;
  private int nextLog;
  private LogBatches log;
  private long closedLogBytes;
  private byte[] key;
  private byte[] value;

  private SstImport(List<TableFile> files, List<Database.Log> logs) throws IOException {
    this.tables = new SstMerge(files);
    this.tableCount = files.size();
    this.logs = logs;
    long bytes = tables.totalBytes();
    for (Database.Log each : logs) {
      bytes += Files.size(each.path());
    }
    this.totalBytes = bytes;
  }

  /**
   * Opens tables, all of which are looked at. Of a key in several of them the record with the
   * largest sequence number is the newest, and of equal ones that of the later table.
   */
  public static SstImport ofTables(List<Path> tables) throws IOException {
    List<TableFile> files = new ArrayList<>();
    for (Path table : tables) {
      requireRegular(table);
      files.add(new TableFile(table, -1, null));
    }
    return new SstImport(files, List.of());
  }

  /** Opens the default column family of a database; all its tables are looked at. */
  public static SstImport ofDatabase(Path directory) throws IOException {
    Database database = Database.read(directory);
    SstImport source = new SstImport(database.tables(), database.logs());
    database
        .tornManifest()
        .ifPresent(
            path ->
                source.warnings.add(
                    "a manifest ends within a change, which is not imported: path=" + path));
    if (!database.otherFamilies().isEmpty()) {
      source.warnings.add(
          "only the default column family is imported: others=%s path=%s"
              .formatted(String.join(",", database.otherFamilies()), directory));
    }
    return source;
  }

  /** Reading a pipe or a device would wait, or never end. */
  private static void requireRegular(Path table) throws IOException {
    if (Files.exists(table) && !Files.isRegularFile(table)) {
      throw new UnsupportedContentException(table, "a table is a regular file");
    }
  }

  /** Moves to the next key or operation; false at the end. */
  public boolean next() throws IOException {
    if (!tablesDone) {
      if (tables.next()) {
        key = tables.key();
        value = tables.valueOrNull();
        return true;
      }
      tablesDone = true;
    }
    while (log != null || nextLog < logs.size()) {
      if (log == null) {
        log = new LogBatches(logs.get(nextLog).path(), logs.get(nextLog).number());
        nextLog++;
      }
      if (log.next()) {
        key = log.key();
        value = log.valueOrNull();
        return true;
      }
      closeLog();
    }
    return false;
  }

  private void closeLog() throws IOException {
    if (log.isTorn()) {
      warnings.add(
          "a log ends within a write, which is not imported: path=" + logs.get(nextLog - 1).path());
    }
    closedLogBytes += log.doneBytes();
    log.close();
    log = null;
  }

  /** Returns the key; an array of the caller's. */
  public byte[] key() {
    return key;
  }

  /** Returns the value, an array of the caller's; null if the key was deleted. */
  public byte[] valueOrNull() {
    return value;
  }

  /** Returns the number of tables. */
  public int tableCount() {
    return tableCount;
  }

  /** Returns the number of write-ahead logs. */
  public int logCount() {
    return logs.size();
  }

  /** Returns the size of all files in bytes. */
  public long totalBytes() {
    return totalBytes;
  }

  /** Returns about how many of the bytes of all files are done. */
  public long doneBytes() {
    return tables.doneBytes() + closedLogBytes + (log == null ? 0 : log.doneBytes());
  }

  /** Returns what was met so far that is not imported and is no error; sentences for people. */
  public List<String> warnings() {
    return List.copyOf(warnings);
  }

  /** Closes all files. */
  @Override
  public void close() throws IOException {
    try {
      tables.close();
    } finally {
      if (log != null) {
        log.close();
        log = null;
      }
    }
  }
}
