package io.ewok.gds.lsm;

import io.ewok.gds.allocator.BudgetExceededException;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.lsm.cache.RecordCache;
import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.memtable.MemtableSpace;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.lsm.values.ValueFileMeta;
import io.ewok.gds.lsm.values.ValueFileWriter;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.MissingFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntPredicate;

/**
 * Opens a store: creates it where there is none, or recovers it from manifest and log.
 *
 * <p>A store is created as an empty manifest that says so, then the log, then the manifest again; a
 * crash in between leaves what the next opening completes. Recovery removes nothing before it has
 * found manifest, log and tables sound.
 *
 * <p>Threads: confined to one.
 */
final class StoreOpener {
  private static final Logger LOGGER = System.getLogger(StoreOpener.class.getName());

  private final StoreParts parts;
  private final IoEngine engine;
  private final StoreFiles files;
  private final StoreOptions options;

  private Memtable active;
  private Memtable frozen;
  private FlushJob flush;

  /**
   * Tables of memtables that became full during the replay. The manifest does not name them yet.
   */
  private final List<TableMeta> overflow = new ArrayList<>();

  /** Those that they refer to. */
  private final List<ValueFileMeta> overflowValues = new ArrayList<>();

  private long overflowLsn;

  private StoreOpener(StoreParts parts) {
    this.parts = parts;
    this.engine = parts.engine;
    this.files = parts.files;
    this.options = parts.options;
  }

  /** Opens all parts of a store. After an exception the caller closes those that are open. */
  static void open(StoreParts parts) throws IOException {
    new StoreOpener(parts).run();
  }

  private void run() throws IOException {
    parts.live.requireLibraries();
    // Before anything is written that could not be read again.
    int unused = FileKey.currentId(engine.keys(), files.directory());
    enterDirectory();
    parts.reserve.open();
    ManifestLog log = manifest();
    for (FamilyManifest family : log.current().all()) {
      Merging.requireOperator(options, family, files.directory());
    }
    parts.families = families(parts, log.current());
    try {
      recover(log);
    } catch (CorruptFileException | MissingFileException e) {
      throw log.damagedOffset() < 0 ? e : lostEdit(log, e);
    }
    boolean unusedReserve = parts.reserve.tryTake(); // before somebody writes
    startBackground();
  }

  /** The manifest's last edit cannot be read, and something shows that it had been durable. */
  private CorruptFileException lostEdit(ManifestLog log, StorageException evidence) {
    CorruptFileException lost =
        new CorruptFileException(
            files.manifest(), log.damagedOffset(), "an edit", "damage: " + evidence.getMessage());
    lost.addSuppressed(evidence);
    return lost;
  }

  private void recover(ManifestLog log) throws IOException {
    Manifest manifest = log.current();
    List<Path> orphans = orphans(manifest);
    openMemtables(log, orphans);
    // Before the pool: a log that was written with larger sizes needs its memory for a moment.
    replay(manifest);
    openPools();
    installOverflow();
    openTables();
    installCreation();
    removeOrphans(orphans);
  }

  // ---- directory and manifest

  private void enterDirectory() throws IOException {
    Path directory = files.directory();
    if (!engine.exists(directory)) {
      requireCreatable("there is no store");
      engine.createDirectories(directory);
    }
    requireStoreOrRoom();
    parts.lock = files.lock(engine);
    parts.closeLater(parts.lock::close);
    requireStoreOrRoom(); // Again: another process may have been at work before this one had the
    // lock.
  }

  private void requireStoreOrRoom() throws IOException {
    if (engine.exists(files.manifest())) {
      return;
    }
    List<Path> entries = engine.list(files.directory());
    for (Path entry : entries) {
      if (StoreFiles.fileNumber(entry).isPresent()) {
        throw new CorruptFileException(
            files.manifest(), 0, "a manifest beside " + entry.getFileName(), "no file");
      }
    }
    for (Path entry : entries) {
      if (!StoreFiles.isLeftByCreation(entry)) {
        throw new NotAStoreException(
            "the directory is not empty and holds no store, but " + entry.getFileName(),
            files.directory());
      }
    }
    requireCreatable("the directory is empty");
  }

  private void requireCreatable(String reason) throws NotAStoreException {
    if (!options.createIfMissing()) {
      throw new NotAStoreException(
          reason + ", and none is to be created: createIfMissing=false", files.directory());
    }
  }

  private ManifestLog manifest() throws IOException {
    if (!engine.exists(files.manifest())) {
      ManifestLog.create(engine, files.manifest());
    }
    ManifestLog manifest = ManifestLog.open(engine, files.manifest());
    parts.closeLater(manifest::close);
    if (!manifest.current().created()) {
      requireCreatable("the creation of the store has not come to its end");
    } else if (!engine.exists(files.log()) || engine.list(files.log()).isEmpty()) {
      // Opening the log would create a new one.
      throw new CorruptFileException(files.log(), 0, "the log of the store", "nothing");
    }
    return manifest;
  }

  private String operator(FamilyManifest family) {
    return options.tree(family.name()).mergeOperator().name();
  }

  /** The families that a manifest has. */
  static Families families(StoreParts parts, Manifest manifest) {
    StoreOptions options = parts.options;
    Families families = null;
    for (FamilyManifest family : manifest.all()) {
      FamilyState state =
          new FamilyState(
              family.id(),
              family.name(),
              Merging.of(options, options.tree(family.name()), parts.files.directory()));
      if (families == null) {
        families = new Families(state);
      } else {
        families.add(state);
      }
    }
    return families;
  }

  /** Says that the store is created; and which operators there are, before the first operand. */
  private void installCreation() throws IOException {
    Manifest manifest = parts.tables.manifest();
    ManifestEdit edit = manifest.edit().withCreated();
    boolean isNew = !manifest.created();
    for (FamilyManifest family : manifest.all()) {
      String operator = operator(family);
      if (!operator.isEmpty() && family.mergeOperator().isEmpty()) {
        edit = edit.withFamily(family.about().withMergeOperator(operator));
        isNew = true;
      }
    }
    if (isNew) {
      parts.tables.install(edit);
    }
  }

  private List<Path> orphans(Manifest manifest) throws IOException {
    Set<Long> tables = manifest.tableFileNumbers();
    List<Path> orphans = new ArrayList<>();
    for (Path entry : engine.list(files.directory())) {
      OptionalLong table = StoreFiles.tableNumber(entry);
      OptionalLong values = StoreFiles.valuesNumber(entry);
      if ((table.isPresent() && !tables.contains(table.getAsLong()))
          || (values.isPresent() && !manifest.values().containsKey(values.getAsLong()))) {
        orphans.add(entry);
      }
    }
    return orphans;
  }

  /** Removes files that were being written, or were replaced, when the store stopped. */
  private void removeOrphans(List<Path> orphans) {
    for (Path orphan : orphans) {
      try {
        engine.delete(orphan);
      } catch (IOException e) {
        LOGGER.log(Logger.Level.WARNING, "cannot delete an unused file: path=" + orphan, e);
      }
    }
  }

  // ---- memory and tables

  private void openMemtables(ManifestLog manifest, List<Path> orphans) {
    flush = openMemtables(parts, manifest, unusedNumber(manifest.current(), orphans));
    parts.closeLater(this::releaseMemtables);
    active = newMemtable();
  }

  /** Memtables, the tables, and what writes the ones as the others: parts of a store. */
  static FlushJob openMemtables(StoreParts parts, ManifestLog manifest, long nextNumber) {
    StoreOptions options = parts.options;
    parts.flushBuffer = ioBuffer(parts, TableWriter.bufferBytes(StoreMemory.tableOptions(options)));
    parts.space =
        new MemtableSpace(
            parts.memory.memtables(),
            StoreMemory.memtable(options),
            StoreOptions.MEMTABLES_MAX,
            parts::signalBackground);
    parts.closeLater(parts.space::close);
    parts.tables =
        new TableSet(
            parts.engine, parts.files, manifest, nextNumber, parts.clock, parts::signalBackground);
    return new FlushJob(
        new TableWriter(parts.engine, parts.flushBuffer, StoreMemory.tableOptions(options)),
        valueWriter(parts),
        parts);
  }

  /** Part of a store that is opened. */
  static ValueFileWriter valueWriter(StoreParts parts) {
    ValueFileWriter writer = new ValueFileWriter(parts.engine, parts.memory.writing());
    parts.closeLater(writer::close);
    return writer;
  }

  private void releaseMemtables() {
    if (active != null) {
      active.release();
      active = null;
    }
    if (frozen != null) {
      frozen.release();
      frozen = null;
    }
  }

  private void openPools() {
    openBuffers(parts);
    if (options.recordCacheBytes() > 0) {
      parts.recordCache = new RecordCache(parts.memory.records(), StoreMemory.recordCache(options));
      parts.closeLater(parts.recordCache::close);
    }
  }

  /** What tables are read and merged through, parts of a store that is opened. */
  static void openBuffers(StoreParts parts) {
    StoreOptions options = parts.options;
    parts.buffers =
        new BufferManager(parts.engine, parts.memory.pool(), StoreMemory.bufferOptions(options));
    parts.closeLater(parts.buffers::close);
    parts.mergeBuffer = ioBuffer(parts, TableWriter.bufferBytes(StoreMemory.tableOptions(options)));
    parts.readBuffer = ioBuffer(parts, StoreMemory.readBufferBytes(options));
    parts.tables.usePool(parts.buffers);
    parts.closeLater(parts.tables::closeUnused);
  }

  /** Memory that the kernel reads from, part of a store that is opened. */
  static Region ioBuffer(StoreParts parts, long bytes) {
    IoEngine engine = parts.engine;
    Region region = Region.map(parts.memory.writing(), parts.options.memory().buffer(bytes));
    parts.closeLater(region::close);
    engine.register(region);
    parts.closeLater(() -> engine.unregister(region));
    return region;
  }

  private void openTables() throws IOException {
    Manifest manifest = parts.tables.manifest();
    for (FamilyState family : parts.families.all()) {
      family.withExpiration(
          new Expiration(
              () -> parts.live.compaction(family).ttl(),
              parts.clock,
              manifest.family(family.id()).writeTimes().upTo(parts.log.endLsn())));
      family.expiration().advance(parts.log.endLsn());
    }
    openVersions(parts, active, frozen, parts.log.endLsn());
    releaseMemtables();
  }

  /**
   * Opens all tables of the manifest and makes the first version of them, part of a store that is
   * opened.
   *
   * @param frozen null for none
   * @param sequence up to which records are visible
   */
  static void openVersions(StoreParts parts, Memtable active, Memtable frozen, long sequence)
      throws IOException {
    SortedMap<Integer, Levels> families = new TreeMap<>();
    List<Table> opened = new ArrayList<>();
    try {
      for (FamilyManifest family : parts.tables.manifest().all()) {
        List<List<Table>> levels = new ArrayList<>();
        for (List<TableMeta> level : family.levels()) {
          levels.add(parts.tables.openAll(level));
          opened.addAll(levels.getLast());
        }
        families.put(family.id(), new Levels(levels));
      }
      Version version = new Version(active, frozen, families);
      parts.versions = new VersionSet(version, sequence, parts.families, parts.recordCache);
      parts.closeLater(parts.versions::close);
    } finally {
      // The version has retained them, if there is one.
      opened.forEach(Table::release);
    }
  }

  /** Orphans are removed last, so new tables must not take their names. */
  private static long unusedNumber(Manifest manifest, List<Path> orphans) {
    long number = manifest.nextNumber();
    for (Path orphan : orphans) {
      number = Math.max(number, StoreFiles.fileNumber(orphan).orElseThrow() + 1);
    }
    return number;
  }

  private Memtable newMemtable() {
    Memtable memtable = parts.space.tryCreate();
    if (memtable == null) {
      throw new IllegalStateException("no place for a memtable during recovery");
    }
    return memtable;
  }

  // ---- the log

  private void replay(Manifest manifest) throws IOException {
    try {
      parts.log =
          WriteAheadLog.open(
              engine,
              files.log(),
              StoreMemory.logOptions(options),
              parts.memory.log(),
              (lsn, record) -> {
                if (lsn > manifest.horizonLsn()) {
                  replay(manifest, lsn, record);
                }
              });
    } catch (BudgetExceededException e) {
      throw new StorageException(
          "the log holds a batch too large for this memory, open the store with larger sizes:"
              + " memoryBytes="
              + options.memoryBytes(),
          files.log(),
          e);
    }
    parts.closeLater(parts.log::close);
    // Positions are compared with the horizon at the next recovery, and with what has expired: they
    // must not run twice.
    if (parts.log.endLsn() < manifest.horizonLsn()
        || manifest.all().stream()
            .anyMatch(family -> parts.log.endLsn() < family.writeTimes().expiryFloor() - 1)
        || parts.log.horizonLsn() > manifest.horizonLsn()) {
      throw new CorruptFileException(
          files.log(),
          manifest.horizonLsn(),
          "a log that contains the position of the manifest",
          "positions " + parts.log.horizonLsn() + " to " + parts.log.endLsn());
    }
  }

  private void replay(Manifest manifest, long lsn, MemorySegment record) throws IOException {
    LoggedBatch.requireSound(files.log(), lsn, record, manifest.nextFamily());
    // What is of families that were dropped is passed over.
    IntPredicate isThere = id -> manifest.family(id) != null;
    if (!LoggedBatch.tryInsert(active, lsn, record, isThere)) {
      makeRoom();
      if (!LoggedBatch.tryInsert(active, lsn, record, isThere)) {
        throw LoggedBatch.tooLarge(files.log(), record, options);
      }
    }
    active.setEnd(lsn, lsn);
  }

  /**
   * The log holds no more than two memtables, unless they were larger when it was written. So a
   * recovery usually needs no space on the device.
   */
  private void makeRoom() throws IOException {
    if (frozen != null) {
      FlushJob.Written written = flush.write(frozen);
      overflow.addAll(0, written.tables());
      overflowValues.addAll(written.values());
      overflowLsn = frozen.endLsn();
      frozen.release();
    }
    frozen = active;
    active = null;
    active = newMemtable();
  }

  private void installOverflow() throws IOException {
    if (overflow.isEmpty()) {
      return;
    }
    parts.tables.syncNames();
    long lastSequence = overflow.stream().mapToLong(TableMeta::lastSequence).max().orElseThrow();
    parts.tables.install(
        parts
            .tables
            .manifest()
            .edit()
            .withHorizon(overflowLsn, lastSequence)
            .addingValues(overflowValues)
            .adding(0, overflow));
  }

  private void startBackground() throws IOException {
    parts.familyChanges = new FamilyChanges(parts);
    parts.holds =
        new LogHolds(parts.log, parts.tables.manifest().horizonLsn(), parts::signalBackground);
    // Before the first truncation: what is not archived has to stay.
    parts.archive = LogArchiver.openOrNull(parts);
    if (parts.archive != null) {
      parts.closeLater(parts.archive::close);
    }
    WatchedStats watched = WatchedStats.of(parts);
    parts.closeLater(watched::close);
    parts.background =
        new Background(
            parts,
            watched,
            flush,
            new TableWriter(engine, parts.mergeBuffer, StoreMemory.tableOptions(options)),
            valueWriter(parts));
    parts.closeLater(parts.background::close);
    parts.background.start();
  }
}
