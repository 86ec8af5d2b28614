package io.ewok.gds.lsm;

import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.memtable.MemtableSpace;
import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;

/**
 * Writes the records of an archive as tables beside those of a backup, with the sequence numbers
 * that they had: what a recovery does with a log, but for as many records as there are.
 *
 * <p>Ownership: whoever opened it closes it, also after {@link #finish}. Has the memory of a store
 * until then. Threads: confined to one.
 */
final class ArchiveReplay implements AutoCloseable {
  private final StoreParts parts;
  private final StoreOptions options;
  private final long marksLsn;
  private FlushJob flush;
  private Memtable active;
  private long endLsn;

  private ArchiveReplay(StoreParts parts, long marksLsn) {
    this.parts = parts;
    this.options = parts.options;
    this.marksLsn = marksLsn;
  }

  /**
   * Begins with the tables of a backup, which are there.
   *
   * @param parts of a store that nobody has opened
   * @throws StorageException if the options name another merge operator than it has
   */
  static ArchiveReplay open(StoreParts parts, BackupFormat.Content content) throws IOException {
    ArchiveReplay replay = new ArchiveReplay(parts, content.archived().marksLsn());
    try {
      replay.begin(content.manifest());
      return replay;
    } catch (IOException | RuntimeException | Error e) {
      try {
        parts.close();
      } catch (IOException | RuntimeException | Error closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  private void begin(Manifest manifest) throws IOException {
    parts.live.requireLibraries();
    for (FamilyManifest family : manifest.all()) {
      Merging.requireOperator(options, family, parts.files.directory());
    }
    endLsn = manifest.horizonLsn();
    Path file = parts.files.manifest();
    ManifestLog.replace(parts.engine, file, manifest.snapshot());
    ManifestLog log = ManifestLog.open(parts.engine, file);
    parts.closeLater(log::close);
    parts.families = StoreOpener.families(parts, manifest);
    parts.flushBuffer =
        StoreOpener.ioBuffer(parts, TableWriter.bufferBytes(StoreMemory.tableOptions(options)));
    parts.space =
        new MemtableSpace(
            parts.memory.memtables(),
            StoreMemory.memtable(options),
            StoreOptions.MEMTABLES_MAX,
            () -> {});
    parts.closeLater(parts.space::close);
    parts.tables =
        new TableSet(parts.engine, parts.files, log, manifest.nextNumber(), parts.clock, () -> {});
    flush =
        new FlushJob(
            new TableWriter(parts.engine, parts.flushBuffer, StoreMemory.tableOptions(options)),
            StoreOpener.valueWriter(parts),
            parts);
    parts.closeLater(this::releaseMemtable);
    active = newMemtable();
  }

  private void releaseMemtable() {
    if (active != null) {
      active.release();
      active = null;
    }
  }

  private Memtable newMemtable() {
    Memtable memtable = parts.space.tryCreate();
    if (memtable == null) {
      throw new IllegalStateException("no place for a memtable while an archive is read");
    }
    return memtable;
  }

  /**
   * Does once more what a record says, which is behind the backup.
   *
   * @param file where it is from
   * @param end where it ends
   * @param record a sound one
   */
  void take(ArchivedLog file, long end, MemorySegment record) throws IOException {
    if (BatchFormat.isMark(record)) {
      takeMark(file, end, record);
    } else {
      takeBatch(file, end, record);
    }
    endLsn = end;
    active.setEnd(end, end);
  }

  private void takeBatch(ArchivedLog file, long end, MemorySegment record) throws IOException {
    Manifest manifest = parts.tables.manifest();
    LoggedBatch.requireSound(file.path(), end, record, manifest.nextFamily());
    IntPredicate isThere = id -> manifest.family(id) != null;
    long sizeBytes = BatchFormat.memtableBytes(record);
    if (!active.tryEnter(sizeBytes, record, isThere)) {
      flush();
      if (!active.tryEnter(sizeBytes, record, isThere)) {
        throw new StorageException(
            "a batch in the archive is larger than a memtable, restore it with larger ones:"
                + " memtableBytes=%d batchBytes=%d".formatted(options.memtableBytes(), sizeBytes),
            file.path());
      }
    }
    active.insert(record, WriteAheadLog.startLsn(end, record.byteSize()) + 1);
    active.exit();
  }

  private void takeMark(ArchivedLog file, long end, MemorySegment record) throws IOException {
    LogMark mark;
    try {
      mark = LogMark.decode(record);
    } catch (IllegalArgumentException e) {
      throw new CorruptFileException(file.path(), 0, "a mark before " + end, e.getMessage());
    }
    if (end <= marksLsn) {
      return; // the manifest has that
    }
    switch (mark) {
      case LogMark.Time _ -> {}
      case LogMark.Barrier(String what) ->
          throw new StorageException("not in the log: " + what, file.path());
      case LogMark.FamilyList(List<LogMark.OfFamily> families) -> {
        try {
          change(families);
        } catch (IllegalArgumentException e) {
          throw new CorruptFileException(
              file.path(), 0, "families before " + end + " that can follow", e.getMessage());
        }
      }
    }
  }

  /** Makes the families be those that a mark names. */
  private void change(List<LogMark.OfFamily> wanted) throws IOException {
    Map<Integer, LogMark.OfFamily> byId = new HashMap<>();
    wanted.forEach(family -> byId.put(family.id(), family));
    Manifest manifest = parts.tables.manifest();
    ManifestEdit edit = manifest.edit();
    boolean isChanged = false;
    for (FamilyManifest family : manifest.all()) {
      LogMark.OfFamily found = byId.remove(family.id());
      if (found == null) {
        edit = edit.dropping(family.id());
        parts.families.remove(parts.families.find(family.id()));
        isChanged = true;
      } else if (!found.mergeOperator().equals(family.mergeOperator())) {
        edit = edit.withFamily(family.about().withMergeOperator(found.mergeOperator()));
        isChanged = true;
      }
    }
    for (LogMark.OfFamily family : wanted) {
      if (byId.containsKey(family.id())) {
        edit =
            edit.creating(
                new FamilyEdit(
                    family.id(), family.name(), family.mergeOperator(), WriteTimes.NONE));
        isChanged = true;
      }
    }
    if (!isChanged) {
      return;
    }
    // What memory has of a family that is dropped goes with it.
    parts.tables.install(edit);
    for (LogMark.OfFamily family : wanted) {
      if (byId.containsKey(family.id())) {
        parts.families.add(
            new FamilyState(
                family.id(),
                family.name(),
                Merging.of(options, options.tree(family.name()), parts.files.directory())));
      }
    }
    for (FamilyManifest family : parts.tables.manifest().all()) {
      Merging.requireOperator(options, family, parts.files.directory());
    }
  }

  /** Writes what is in memory as tables, for which the manifest speaks then. */
  private void flush() throws IOException {
    FlushJob.Written written = flush.write(active);
    parts.tables.syncNames();
    Manifest manifest = parts.tables.manifest();
    parts.tables.install(
        manifest
            .edit()
            .withHorizon(endLsn, Math.max(manifest.lastSequence(), endLsn))
            .addingValues(written.values())
            .adding(0, written.tables()));
    releaseMemtable();
    active = newMemtable();
  }

  /**
   * Ends with the last record that was taken.
   *
   * @return the manifest of all of it; other tables and value files are gone
   */
  Manifest finish() throws IOException {
    flush();
    Manifest manifest = parts.tables.manifest();
    Set<Long> named = new HashSet<>(manifest.fileNumbers());
    for (Path path : parts.engine.list(parts.files.directory())) {
      if (StoreFiles.fileNumber(path).isPresent()
          && !named.contains(StoreFiles.fileNumber(path).getAsLong())) {
        parts.engine.delete(path); // of families that were dropped
      }
    }
    return manifest;
  }

  @Override
  public void close() throws IOException {
    parts.close();
  }
}
