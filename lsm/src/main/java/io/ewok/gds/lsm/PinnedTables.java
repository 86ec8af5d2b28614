package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.Table;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The tables of an open store at one moment, with the value files that they refer to, and the
 * manifest that names them: none of their files goes before this is closed, whatever is merged or
 * dropped. What is in memory is not kept.
 *
 * <p>Threads: one at a time.
 */
final class PinnedTables implements AutoCloseable {
  private final Manifest manifest;
  private final List<Table> tables;
  private final Archived archived;

  private PinnedTables(Manifest manifest, List<Table> tables, Archived archived) {
    this.manifest = manifest;
    this.tables = tables;
    this.archived = archived;
  }

  /**
   * How the manifest lies to the archive of the log.
   *
   * @param history see {@link ArchivedLog}; 0 if the log is not archived
   * @param marksLsn up to here the manifest has what the log has marks of, though its horizon may
   *     lie before that
   */
  record Archived(long history, long marksLsn) {
    static final Archived NONE = new Archived(0, 0);
  }

  /**
   * Writes what is in memory as tables and retains all there are.
   *
   * @param writer entered: the store is not closed before this is
   */
  static PinnedTables flushed(StoreParts parts, StoreWriter writer) throws IOException {
    writer.flush();
    return parts.background.run(
        () -> {
          flushMarks(parts, writer);
          return ofNow(parts);
        },
        "the tables cannot be kept");
  }

  /**
   * Moves the horizon behind the marks of what the manifest has, if it can be now: so a backup can
   * be gone on with from its own end. Marks alone do not fill a memtable.
   */
  private static void flushMarks(StoreParts parts, StoreWriter writer) throws IOException {
    if (parts.archive != null && parts.archive.marksLsn() > parts.tables.manifest().horizonLsn()) {
      parts.background.flushNow();
      boolean unused = writer.room().tryFreeze(() -> {});
      parts.background.flushNow();
    }
  }

  /** On the background thread, which alone changes manifest and version, both or neither. */
  private static PinnedTables ofNow(StoreParts parts) {
    Manifest manifest = parts.tables.manifest();
    List<Table> tables = new ArrayList<>();
    Version version = parts.versions.retain();
    try {
      for (FamilyManifest family : manifest.all()) {
        Levels levels = version.levels(family.id());
        if (levels != null) { // else it could not be created, and has nothing
          for (Table table : levels.tables()) {
            table.references.retain();
            tables.add(table);
          }
        }
      }
    } finally {
      parts.versions.release(version);
    }
    Archived archived =
        parts.archive == null
            ? Archived.NONE
            : new Archived(parts.archive.history(), parts.archive.marksLsn());
    PinnedTables pinned = new PinnedTables(manifest, tables, archived);
    if (!pinned.isComplete()) {
      pinned.close();
      throw new IllegalStateException(
          "the tables in use are not those of the manifest: tables=" + tables.size());
    }
    return pinned;
  }

  private boolean isComplete() {
    Set<Long> numbers =
        tables.stream().map(table -> table.meta().number()).collect(Collectors.toSet());
    return numbers.equals(manifest.tableNumbers());
  }

  /** What names the tables; its horizon is up to where writes are in them. */
  Manifest manifest() {
    return manifest;
  }

  /** How that lies to the archive. */
  Archived archived() {
    return archived;
  }

  /** Lets go of the tables; those that were replaced meanwhile are deleted then. */
  @Override
  public void close() {
    tables.forEach(Table::release);
  }
}
