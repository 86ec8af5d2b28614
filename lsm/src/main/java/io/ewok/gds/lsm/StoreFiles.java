package io.ewok.gds.lsm;

import io.ewok.gds.pagestore.DirectoryLock;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.LockedException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names in a store's directory: {@code MANIFEST}, {@code LOCK}, the directory {@code log}, {@code
 * WATCH} while it is open, {@code ARCHIVE} if its log is archived, {@code RESERVE} if it keeps room
 * for when the device is full, and {@code 0000000000000001.table} and {@code
 * 0000000000000002.values} and so on.
 */
record StoreFiles(Path directory) {
  private static final String MANIFEST = "MANIFEST";
  private static final String LOCK = "LOCK";
  private static final String LOG = "log";
  private static final String WATCH = "WATCH";
  private static final String ARCHIVE = "ARCHIVE";
  private static final String RESERVE = "RESERVE";
  private static final String TEMPORARY_SUFFIX = ".tmp";
  private static final String REPAIRING_SUFFIX = ".repairing";
  private static final Pattern TABLE = Pattern.compile("([0-9a-f]{16})\\.table");
  private static final Pattern VALUES = Pattern.compile("([0-9a-f]{16})\\.values");
  private static final Pattern REPAIRED =
      Pattern.compile(TABLE.pattern() + "(" + Pattern.quote(REPAIRING_SUFFIX) + ")?");

  Path manifest() {
    return directory.resolve(MANIFEST);
  }

  Path lock() {
    return directory.resolve(LOCK);
  }

  /**
   * Locks the store against other processes, and against being opened twice here.
   *
   * @throws StoreLockedException if it is
   */
  DirectoryLock lock(IoEngine engine) throws IOException {
    try {
      return engine.lock(lock());
    } catch (LockedException e) {
      throw new StoreLockedException(directory, e);
    }
  }

  /** Where an open store shows its counters. */
  Path watch() {
    return directory.resolve(WATCH);
  }

  Path log() {
    return directory.resolve(LOG);
  }

  /** What the store knows of its archive, see {@link ArchiveNote}. */
  Path archive() {
    return directory.resolve(ARCHIVE);
  }

  /** Room that is kept, see {@link SpaceReserve}. */
  Path reserve() {
    return directory.resolve(RESERVE);
  }

  Path table(long number) {
    return directory.resolve(String.format(Locale.ROOT, "%016x.table", number));
  }

  Path values(long number) {
    return directory.resolve(String.format(Locale.ROOT, "%016x.values", number));
  }

  Path path(FileMeta file) {
    return file.isValues() ? values(file.number()) : table(file.number());
  }

  /**
   * The name of a damaged table while a repair replaces it: nobody deletes it, and a repair that
   * begins anew finds it.
   */
  Path repairing(long number) {
    Path table = table(number);
    return table.resolveSibling(table.getFileName() + REPAIRING_SUFFIX);
  }

  /** Returns the number of the table that a file is by its name. */
  static OptionalLong tableNumber(Path file) {
    return number(TABLE, file);
  }

  /** Returns the number of the value file that a file is by its name. */
  static OptionalLong valuesNumber(Path file) {
    return number(VALUES, file);
  }

  /** Returns the number of the table or value file that a file is by its name. */
  static OptionalLong fileNumber(Path file) {
    OptionalLong table = tableNumber(file);
    return table.isPresent() ? table : valuesNumber(file);
  }

  /** As {@link #tableNumber}, also of a table that a repair was replacing. */
  static OptionalLong repairedNumber(Path file) {
    return number(REPAIRED, file);
  }

  private static OptionalLong number(Pattern pattern, Path file) {
    Matcher matcher = pattern.matcher(file.getFileName().toString());
    return matcher.matches()
        ? OptionalLong.of(Long.parseUnsignedLong(matcher.group(1), 16))
        : OptionalLong.empty();
  }

  /** Whether it is the manifest, or one that was being written. */
  static boolean isManifest(Path file) {
    String name = file.getFileName().toString();
    return name.equals(MANIFEST) || name.equals(MANIFEST + TEMPORARY_SUFFIX);
  }

  /** Whether a creation that did not come to its end leaves such a file behind. */
  static boolean isLeftByCreation(Path file) {
    String name = file.getFileName().toString();
    return name.equals(LOCK) || name.equals(MANIFEST + TEMPORARY_SUFFIX);
  }
}
