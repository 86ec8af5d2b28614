package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.lsm.table.NotReadableHereException;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableInspection;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.values.ValueFileMeta;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.DirectoryLock;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.MissingFileException;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.PlainFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnknownKeyException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import io.ewok.gds.pagestore.WrongKeyException;
import io.ewok.gds.wal.RecoveryMode;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.LongConsumer;

/**
 * Makes a store that cannot be opened, or not be read everywhere, good again, with all that can be
 * read of it, and says what cannot. A store that is sound stays as it is.
 *
 * <ul>
 *   <li>Of a damaged table the records that can be read are written to new tables in its place. If
 *       its range deletes cannot be read, what they had hidden in older tables is back. A table is
 *       damaged, too, if values are that it refers to. These stay where they are, in a damaged
 *       value file, too, if only they are sound.
 *   <li>A manifest that cannot be read is made anew: the newest record of each key in the table
 *       files that are there becomes one sorted run of each family. Families other than the default
 *       one have lost their names, and are called {@code lost-} and their number then. Of the
 *       files, those are left out of which what is left of the old manifest says that they had been
 *       replaced. What a family that was cloned has in files of the other one is in both of them if
 *       that is left of the old manifest, else in the other one alone. When their records were
 *       written is not known then: they expire as if that was now, also those that had expired
 *       already.
 *   <li>Of a damaged log every record that can be read is kept. If none can, or if the log does not
 *       go on where the tables end, sequence numbers begin anew.
 *   <li>If what the store knows of the archive of its log is damaged, it is forgotten: the archive
 *       begins anew when the store is opened with one. It does so after any repair of the others.
 * </ul>
 *
 * <p>Nothing gets worse: files that were not sound are set aside, under their name with {@code
 * .damaged} behind it, and a repair that is interrupted, by a crash or a full disk, can be started
 * anew. While it runs it needs as much room as all that it has to write again.
 *
 * <p>Threads: the call is confined to one; the store is locked.
 *
 * {@snippet :
 * RepairReport report = StoreRepair.run(directory, StoreOptions.defaults(), engine, read -> {});
 * if (!report.isComplete()) {
 *   report.damagedTables().forEach(table -> print(table.file(), table.gaps()));
 * }
 * }
 */
public final class StoreRepair {
  private static final String ASIDE_SUFFIX = ".damaged";
  private static final String LOST_NAME = "lost-";

  private final IoEngine engine;
  private final StoreFiles files;
  private final StoreOptions options;
  private final LongConsumer bytesRead;

  private Optional<String> manifestProblem = Optional.empty();

  /** Null if it cannot be read. */
  private Manifest manifest;

  private final List<Part> parts = new ArrayList<>();

  /** Numbers of the families that the log has something of. */
  private final Set<Integer> familiesOfLog = new TreeSet<>();

  private Optional<String> logProblem = Optional.empty();
  private RecoveryMode logMode;
  private boolean logIsLost;
  private long logHorizonLsn;
  private long logEndLsn;

  private Optional<String> archiveProblem = Optional.empty();
  private Optional<ArchiveNote> archive = Optional.empty();
  private final List<Path> setAside = new ArrayList<>();

  /** A table of the store, or a file that may be one. */
  private static final class Part {
    final Path path;
    final long number;
    final int level;

    /** What is known of it, null if nothing is. */
    TableMeta meta;

    List<String> problems = List.of();
    TableSalvage salvage;

    Part(Path path, long number, int level, TableMeta meta) {
      this.path = path;
      this.number = number;
      this.level = level;
      this.meta = meta;
    }

    boolean isSound() {
      return problems.isEmpty();
    }

    List<TableMeta> replacement() {
      return isSound() ? List.of(meta) : salvage == null ? List.of() : salvage.written();
    }
  }

  private StoreRepair(
      Path directory, StoreOptions options, IoEngine engine, LongConsumer bytesRead) {
    this.engine = engine;
    this.files = new StoreFiles(directory.toAbsolutePath());
    this.options = options;
    this.bytesRead = bytesRead;
  }

  /**
   * Repairs a store that nobody has open.
   *
   * @param options with memory for the largest block and record, and with the merge operator of the
   *     store, if it has operands; new tables have the form that they say
   * @param engine borrowed
   * @param bytesRead told the size of each table after it was checked
   * @throws NotAStoreException if the directory has neither manifest nor tables
   * @throws StoreLockedException if the store is open, here or in another process
   * @throws UnsupportedFormatException if a newer version wrote some of it
   * @throws UnknownKeyException if a file is encrypted, and the engine does not have the key; the
   *     store is as it was
   * @throws WrongKeyException if it has another one, or somebody has changed what the file says of
   *     its key; the store is as it was
   * @throws PlainFileException if a file is not encrypted, and should be; the store is as it was
   * @throws IOException if a sound table cannot be read with these options or without a library of
   *     compression, or if the device fails; the store is as it was
   */
  public static RepairReport run(
      Path directory, StoreOptions options, IoEngine engine, LongConsumer bytesRead)
      throws IOException {
    return new StoreRepair(directory, options, engine, bytesRead).run();
  }

  private RepairReport run() throws IOException {
    requireStore();
    try (DirectoryLock _ = files.lock(engine)) {
      examineAndRewrite();
    }
    if (isJustCreated()) {
      logProblem = Optional.empty();
      logIsLost = false;
    }
    if (!report().isSoundButForTheArchive()) {
      settle();
    }
    return report();
  }

  private void requireStore() throws IOException {
    boolean found = engine.exists(files.directory()) && engine.exists(files.manifest());
    if (!found && engine.exists(files.directory())) {
      for (Path path : engine.list(files.directory())) {
        found |= StoreFiles.repairedNumber(path).isPresent();
      }
    }
    if (!found) {
      throw new NotAStoreException("there is no store", files.directory());
    }
  }

  private void examineAndRewrite() throws IOException {
    takeBackNames();
    readLog();
    readManifest();
    readNote();
    try (RepairTables tables =
        new RepairTables(engine, files, options, unusedNumber(), valuesOfManifest())) {
      ManifestEdit edit;
      try {
        for (long number : valueNumbers()) {
          tables.requireKey(number);
        }
        for (Part part : parts) {
          check(part, tables);
          bytesRead.accept(part.meta == null ? 0 : part.meta.sizeBytes());
        }
        checkPositions();
        if (report().isSoundButForTheArchive() || isJustCreated()) {
          setAsideNote();
          return;
        }
        List<ManifestEdit.Added> added = replacement(tables);
        edit =
            edit(added, tables.nextNumber())
                .addingValues(
                    tables.valueFiles(added.stream().map(ManifestEdit.Added::meta).toList()));
      } catch (IOException | RuntimeException | Error e) {
        tables.discard();
        throw e;
      }
      install(edit);
    }
  }

  private Map<Long, ValueFileMeta> valuesOfManifest() {
    Map<Long, ValueFileMeta> metas = new HashMap<>();
    if (manifest != null) {
      manifest.values().forEach((number, use) -> metas.put(number, use.meta()));
    }
    return metas;
  }

  // ---- what is there

  /**
   * A repair that did not come to its end may have renamed tables. If its manifest is there, they
   * are replaced and stay what they are; else they are the store's.
   */
  private void takeBackNames() throws IOException {
    for (long number : numbers()) {
      if (!engine.exists(files.table(number))) {
        if (isReplaced(number)) {
          setAside(number);
        } else {
          engine.rename(files.repairing(number), files.table(number));
        }
      }
    }
    if (!setAside.isEmpty()) {
      engine.syncDirectory(files.directory());
    }
  }

  private boolean isReplaced(long number) throws IOException {
    if (!engine.exists(files.manifest())) {
      return false;
    }
    try {
      Manifest readable = ManifestLog.open(engine, files.manifest()).current();
      return !readable.tableFileNumbers().contains(number);
    } catch (CorruptFileException e) {
      return false;
    }
  }

  private void setAside(long number) throws IOException {
    Path aside = unusedAside(files.table(number));
    engine.rename(files.repairing(number), aside);
    setAside.add(aside);
  }

  /** Opens the log as the store would, and if that fails with all of it that can be read. */
  private void readLog() throws IOException {
    if (!engine.exists(files.log()) || engine.list(files.log()).isEmpty()) {
      loseLog("there is none: path=" + files.log());
      return;
    }
    for (RecoveryMode mode : new RecoveryMode[] {options.recovery(), RecoveryMode.SALVAGE}) {
      try (WriteAheadLog log = openLog(mode)) {
        logMode = mode;
        logHorizonLsn = log.horizonLsn();
        logEndLsn = log.endLsn();
        return;
      } catch (CorruptFileException | MissingFileException e) {
        logProblem = Optional.of(e.getMessage());
      }
    }
    loseLog(logProblem.orElseThrow());
  }

  private WriteAheadLog openLog(RecoveryMode mode) throws IOException {
    return WriteAheadLog.open(
        engine,
        files.log(),
        StoreMemory.logOptions(options).withRecovery(mode),
        StoreMemory.of(options).log(),
        (_, record) -> noteFamilies(record));
  }

  private void noteFamilies(MemorySegment record) {
    if (BatchFormat.defect(record) == null) {
      BatchFormat.forEachFamily(record, familiesOfLog::add);
    }
  }

  private void readNote() throws IOException {
    try {
      archive = ArchiveNote.read(engine, files.archive());
    } catch (CorruptFileException e) {
      archiveProblem = Optional.of(e.getMessage());
    }
  }

  private void loseLog(String problem) {
    logProblem = Optional.of(problem);
    logIsLost = true;
  }

  private void readManifest() throws IOException {
    try {
      if (!engine.exists(files.manifest())) {
        throw new CorruptFileException(files.manifest(), 0, "a manifest", "no file");
      }
      ManifestLog log = ManifestLog.open(engine, files.manifest());
      manifest = log.current();
      for (FamilyManifest family : manifest.all()) {
        for (int level = 0; level < Manifest.LEVELS; level++) {
          for (TableMeta meta : family.level(level)) {
            long file = meta.fileNumber();
            parts.add(new Part(files.table(file), file, level, meta));
          }
        }
      }
      if (log.damagedOffset() >= 0 && !isWhole()) {
        throw new CorruptFileException(
            files.manifest(), log.damagedOffset(), "the edit of these files", "damage");
      }
    } catch (CorruptFileException e) {
      manifestProblem = Optional.of(e.getMessage());
      manifest = null;
      findTables();
    }
  }

  /** Whether the files can be those of the manifest. */
  private boolean isWhole() throws IOException {
    for (Part part : parts) {
      if (!engine.exists(part.path)) {
        return false;
      }
    }
    for (long number : manifest.values().keySet()) {
      if (!engine.exists(files.values(number))) {
        return false;
      }
    }
    return logIsLost || logContains(manifest.horizonLsn());
  }

  /** A creation that was cut off; opening completes it. */
  private boolean isJustCreated() {
    return manifest != null && !manifest.created() && parts.isEmpty();
  }

  private boolean logContains(long lsn) {
    return logHorizonLsn <= lsn && lsn <= logEndLsn;
  }

  private void findTables() throws IOException {
    parts.clear();
    ManifestLog.Remains remains = new ManifestLog.Remains(Set.of(), List.of());
    try {
      remains = ManifestLog.remains(engine, files.manifest());
    } catch (CorruptFileException | MissingFileException e) {
      // There is nothing to learn from it.
    }
    Set<Long> numbers = numbers();
    for (long number : numbers) {
      if (!remains.removed().contains(number)) {
        parts.add(new Part(files.table(number), number, -1, null));
      }
    }
    for (TableMeta meta : remains.cloned()) {
      if (numbers.contains(meta.fileNumber())) {
        parts.add(new Part(files.table(meta.fileNumber()), meta.fileNumber(), -1, meta));
      }
    }
  }

  private NavigableSet<Long> numbers() throws IOException {
    NavigableSet<Long> numbers = new TreeSet<>();
    for (Path path : engine.list(files.directory())) {
      StoreFiles.repairedNumber(path).ifPresent(numbers::add);
    }
    return numbers;
  }

  private Set<Long> valueNumbers() throws IOException {
    Set<Long> numbers = new TreeSet<>();
    for (Path path : engine.list(files.directory())) {
      StoreFiles.valuesNumber(path).ifPresent(numbers::add);
    }
    return numbers;
  }

  private long unusedNumber() throws IOException {
    NavigableSet<Long> numbers = numbers();
    numbers.addAll(valueNumbers());
    return Math.max(
        manifest == null ? 1 : manifest.nextNumber(), numbers.isEmpty() ? 1 : numbers.last() + 1);
  }

  /** Reads all of a table, and writes what can be read of a damaged one again. */
  private void check(Part part, RepairTables tables) throws IOException {
    if (!engine.exists(part.path)) {
      part.problems = List.of("there is no such file: path=" + part.path);
      return;
    }
    engine.open(part.path, OpenMode.READ_ONLY).close(); // what prevents that is no damage
    Table table;
    try {
      if (part.meta == null) {
        part.meta = tables.meta(part.path);
      }
      table = tables.open(part.path, part.meta);
    } catch (NotReadableHereException
        | UnsupportedFormatException
        | UnknownKeyException
        | WrongKeyException
        | PlainFileException e) {
      throw e; // that is no damage, and who has the right keys loses nothing
    } catch (StorageException e) {
      part.problems = List.of(e.getMessage());
      return;
    }
    try {
      part.problems = TableInspection.verify(table).problems();
      if (!part.isSound()) {
        part.salvage =
            TableSalvage.of(table, family(part.meta.family()), tables, Math.max(part.level, 0));
      }
    } finally {
      table.release();
    }
  }

  /** Sequence numbers are positions in the log: it must not begin before they end. */
  private void checkPositions() {
    if (logIsLost) {
      return;
    }
    long lastSequence =
        parts.stream()
            .flatMap(part -> part.replacement().stream())
            .mapToLong(TableMeta::lastSequence)
            .max()
            .orElse(0);
    boolean fits =
        manifest == null ? lastSequence <= logEndLsn : logContains(manifest.horizonLsn());
    if (!fits) {
      loseLog(
          "it is not the one of the tables, it has positions %d to %d: path=%s"
              .formatted(logHorizonLsn, logEndLsn, files.log()));
    }
  }

  // ---- what becomes of it

  /** The tables that are to be the store's. */
  private List<ManifestEdit.Added> replacement(RepairTables tables) throws IOException {
    List<ManifestEdit.Added> added = new ArrayList<>();
    if (manifest != null && !logIsLost) {
      for (Part part : parts) {
        part.replacement().forEach(meta -> added.add(new ManifestEdit.Added(part.level, meta)));
      }
    } else {
      merged(tables).forEach(meta -> added.add(new ManifestEdit.Added(Manifest.LEVELS - 1, meta)));
    }
    return added;
  }

  /** From here on nothing is deleted: after a failure it is not known which manifest is there. */
  private void install(ManifestEdit edit) throws IOException {
    beginArchiveAnew();
    hideDamaged();
    engine.syncDirectory(files.directory());
    ManifestLog.replace(engine, files.manifest(), edit);
    for (Part part : parts) {
      if (engine.exists(files.repairing(part.number))) {
        setAside(part.number);
      }
    }
    setAsideValues(edit);
    engine.syncDirectory(files.directory());
  }

  /** What the archive has of the log is not what the store has now. Before anything is changed. */
  private void beginArchiveAnew() throws IOException {
    setAsideNote();
    if (archive.isPresent()) {
      ArchiveNote.anew(archive.get().directory()).write(engine, files.archive());
    }
  }

  /** Without one the store has no archive, until it is opened with one, which begins anew then. */
  private void setAsideNote() throws IOException {
    if (archiveProblem.isPresent()) {
      Path aside = unusedAside(files.archive());
      engine.rename(files.archive(), aside);
      engine.syncDirectory(files.directory());
      setAside.add(aside);
    }
  }

  /** Those that no table refers to any more may have been those of a table that is damaged. */
  private void setAsideValues(ManifestEdit edit) throws IOException {
    Set<Long> kept = new HashSet<>();
    edit.values().forEach(meta -> kept.add(meta.number()));
    for (long number : valueNumbers()) {
      if (!kept.contains(number)) {
        Path aside = unusedAside(files.values(number));
        engine.rename(files.values(number), aside);
        setAside.add(aside);
      }
    }
  }

  /** The newest record of each key, as one run of each family. */
  private List<TableMeta> merged(RepairTables tables) throws IOException {
    List<TableMeta> merged = new ArrayList<>();
    for (FamilyEdit family : families()) {
      merged.addAll(merged(family, tables));
    }
    return merged;
  }

  private List<TableMeta> merged(FamilyEdit family, RepairTables tables) throws IOException {
    List<Table> sources = new ArrayList<>();
    try {
      for (Part part : parts) {
        for (TableMeta meta : part.replacement()) {
          if (meta.family() == family.id()) {
            sources.add(tables.open(files.table(meta.fileNumber()), meta));
          }
        }
      }
      return tables.merge(family, sources, !logIsLost);
    } finally {
      sources.forEach(Table::release);
    }
  }

  /** Takes out of the way what the store would delete, or stumble over. */
  private void hideDamaged() throws IOException {
    for (Part part : parts) {
      if (!part.isSound() && engine.exists(files.table(part.number))) {
        engine.rename(files.table(part.number), files.repairing(part.number));
      }
    }
    if (manifest == null && engine.exists(files.manifest())) {
      Path aside = unusedAside(files.manifest());
      ManifestLog.copy(engine, files.manifest(), aside); // it may tell more to a second attempt
      setAside.add(aside);
    }
    if (logIsLost && engine.exists(files.log()) && !engine.list(files.log()).isEmpty()) {
      Path aside = unusedAside(files.log());
      engine.createDirectories(aside);
      for (Path file : engine.list(files.log())) {
        engine.rename(file, aside.resolve(file.getFileName()));
      }
      engine.syncDirectory(aside);
      engine.syncDirectory(files.log());
      setAside.add(aside);
    }
  }

  private Path unusedAside(Path name) throws IOException {
    Path aside = name.resolveSibling(name.getFileName() + ASIDE_SUFFIX);
    for (int i = 2; engine.exists(aside); i++) {
      aside = name.resolveSibling(name.getFileName() + ASIDE_SUFFIX + "-" + i);
    }
    return aside;
  }

  private ManifestEdit edit(List<ManifestEdit.Added> added, long nextNumber) {
    long lastSequence =
        added.stream().mapToLong(table -> table.meta().lastSequence()).max().orElse(0);
    long horizonLsn = logHorizonLsn;
    if (logIsLost) {
      horizonLsn = 0;
    } else if (manifest != null) {
      horizonLsn = manifest.horizonLsn();
      lastSequence = manifest.lastSequence();
    }
    ManifestEdit edit =
        Manifest.EMPTY
            .edit()
            .withState(!logIsLost, nextNumber, horizonLsn, lastSequence)
            .withNextFamily(nextFamily());
    for (FamilyEdit family : families()) {
      // Sequence numbers that begin anew say nothing of times.
      WriteTimes times = logIsLost ? WriteTimes.NONE : family.writeTimes().upTo(logEndLsn);
      edit = edit.withFamily(family.withWriteTimes(times));
    }
    for (ManifestEdit.Added table : added) {
      edit = edit.adding(table.level(), List.of(table.meta()));
    }
    return edit;
  }

  // ---- families

  /** What is known of all families, the default one first. */
  private List<FamilyEdit> families() {
    if (manifest != null) {
      return manifest.all().stream().map(FamilyManifest::about).toList();
    }
    SortedSet<Integer> numbers = new TreeSet<>(familiesOfLog);
    parts.stream()
        .flatMap(part -> part.replacement().stream())
        .forEach(meta -> numbers.add(meta.family()));
    numbers.add(Manifest.MAIN);
    return numbers.stream().map(this::family).toList();
  }

  /** What is known of one. */
  private FamilyEdit family(int id) {
    if (manifest != null) {
      return manifest.family(id).about();
    }
    FamilyEdit main = Manifest.EMPTY.main().about();
    return id == Manifest.MAIN ? main : new FamilyEdit(id, LOST_NAME + id, "", WriteTimes.NONE);
  }

  private int nextFamily() {
    return manifest == null ? families().getLast().id() + 1 : manifest.nextFamily();
  }

  // ---- the log

  /** Has the store replay its log, and leave behind what is damaged of it. */
  private void settle() throws IOException {
    StoreOptions opening = options.withCreateIfMissing(true);
    if (!logIsLost) {
      opening = opening.withRecovery(logMode);
    }
    try (Store store = Store.open(files.directory(), opening, engine)) {
      store.flush();
    }
    if (logProblem.isPresent() && !logIsLost) {
      leaveDamageBehind();
    }
  }

  /** Damage behind the last record of a log goes when its horizon is moved there. */
  private void leaveDamageBehind() throws IOException {
    try (DirectoryLock _ = files.lock(engine);
        WriteAheadLog log = openLog(RecoveryMode.SALVAGE)) {
      Manifest flushed = ManifestLog.open(engine, files.manifest()).current();
      ManifestLog.replace(
          engine,
          files.manifest(),
          flushed.snapshot().withHorizon(log.endLsn(), flushed.lastSequence()));
      log.truncate(log.endLsn());
    }
  }

  // ---- the report

  private RepairReport report() {
    return new RepairReport(
        manifestProblem,
        logProblem,
        logIsLost,
        archiveProblem,
        parts.size(),
        parts.stream().filter(part -> !part.isSound()).map(StoreRepair::damaged).toList(),
        setAside);
  }

  private static RepairReport.DamagedTable damaged(Part part) {
    List<RepairReport.Gap> gaps;
    if (part.salvage != null) {
      gaps = part.salvage.gaps();
    } else {
      Optional<TableMeta> meta = Optional.ofNullable(part.meta);
      gaps =
          List.of(
              new RepairReport.Gap(meta.map(TableMeta::firstKey), meta.map(TableMeta::lastKey)));
    }
    return new RepairReport.DamagedTable(
        part.path,
        part.level,
        part.meta == null ? -1 : part.meta.entries(),
        part.salvage == null ? 0 : part.salvage.kept(),
        gaps,
        part.problems);
  }
}
