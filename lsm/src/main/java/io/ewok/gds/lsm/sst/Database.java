package io.ewok.gds.lsm.sst;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.MissingFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the default column family of a RocksDB or LevelDB database consists of: the tables that its
 * manifest names, and the write-ahead logs with what is in no table yet.
 *
 * <p>Immutable once read.
 */
final class Database {
  private static final Pattern MANIFEST = Pattern.compile("(MANIFEST-\\d{1,18})\n?");
  private static final Pattern LOG = Pattern.compile("(\\d{1,18})\\.log");
  private static final int CURRENT_BYTES_MAX = 64;

  /** A write-ahead log. */
  record Log(Path path, long number) {}

  private final Path directory;
  private final Path manifest;
  private final Map<Long, VersionEdit.NewFile> files = new TreeMap<>();
  private final Map<Integer, String> otherFamilies = new TreeMap<>();
  private final List<TableFile> tables = new ArrayList<>();
  private final List<Log> logs = new ArrayList<>();
  private long logNumber;
  private long previousLogNumber;
  private boolean torn;

  private Database(Path directory) throws IOException {
    this.directory = directory;
    this.manifest = manifest(directory);
  }

  static Database read(Path directory) throws IOException {
    Database database = new Database(directory);
    database.readManifest();
    for (VersionEdit.NewFile file : database.files.values()) {
      database.tables.add(database.table(file));
    }
    database.findLogs();
    return database;
  }

  List<TableFile> tables() {
    return tables;
  }

  /** In the order in which they were written. */
  List<Log> logs() {
    return logs;
  }

  /** Names of the column families that are not looked at. */
  List<String> otherFamilies() {
    return List.copyOf(otherFamilies.values());
  }

  /** The manifest, if it ends within a change. */
  Optional<Path> tornManifest() {
    return torn ? Optional.of(manifest) : Optional.empty();
  }

  private static Path manifest(Path directory) throws IOException {
    Path current = directory.resolve("CURRENT");
    if (!Files.isRegularFile(current)) {
      throw new UnsupportedContentException(
          directory, "a directory without CURRENT is no database of RocksDB or LevelDB");
    }
    try (SstFile file = new SstFile(current)) {
      int length = (int) Math.min(CURRENT_BYTES_MAX, file.sizeBytes());
      String name = new String(file.read(0, length), StandardCharsets.US_ASCII);
      Matcher matcher = MANIFEST.matcher(name);
      if (!matcher.matches()) {
        throw new CorruptFileException(current, 0, "the name of a manifest", "another text");
      }
      return directory.resolve(matcher.group(1));
    }
  }

  private void readManifest() throws IOException {
    try (LogFile records = new LogFile(manifest, 0)) {
      List<VersionEdit> group = new ArrayList<>();
      for (ByteReader record = records.next(); record != null; record = records.next()) {
        VersionEdit edit = VersionEdit.read(record);
        group.add(edit);
        // Of a group that does not end in the file nothing has happened.
        if (edit.groupLeft <= 0) {
          for (VersionEdit each : group) {
            apply(each);
          }
          group.clear();
        }
      }
      torn = records.isTorn();
    }
  }

  private void apply(VersionEdit edit) throws IOException {
    if (edit.family != 0) {
      if (edit.familyAddedOrNull != null) {
        otherFamilies.put(edit.family, edit.familyAddedOrNull);
      } else if (edit.familyDropped) {
        otherFamilies.remove(edit.family);
      }
      return;
    }
    edit.requireBytewise(manifest);
    logNumber = edit.logNumber >= 0 ? edit.logNumber : logNumber;
    previousLogNumber = edit.previousLogNumber >= 0 ? edit.previousLogNumber : previousLogNumber;
    // A table that moves to another level is deleted and new in one edit.
    edit.deletedFiles.forEach(files::remove);
    edit.newFiles.forEach(file -> files.put(file.number(), file));
  }

  private TableFile table(VersionEdit.NewFile file) throws IOException {
    TableFile.Bounds bounds = TableFile.Bounds.of(file.smallestKey(), file.largestKey());
    for (String suffix : List.of(".sst", ".ldb")) {
      Path path = directory.resolve("%06d%s".formatted(file.number(), suffix));
      if (Files.exists(path)) {
        return new TableFile(path, file.sequenceMax(), bounds);
      }
    }
    throw new MissingFileException(directory.resolve("%06d.sst".formatted(file.number())), null);
  }

  private void findLogs() throws IOException {
    Map<Long, Path> found = new TreeMap<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, "*.log")) {
      for (Path path : entries) {
        Matcher matcher = LOG.matcher(path.getFileName().toString());
        if (matcher.matches()) {
          found.put(Long.parseLong(matcher.group(1)), path);
        }
      }
    }
    found.forEach(
        (number, path) -> {
          if (number >= logNumber || (number == previousLogNumber && number > 0)) {
            logs.add(new Log(path, number));
          }
        });
  }
}
