package io.ewok.gds.lsm;

import io.ewok.gds.lsm.BackupFormat.Content;
import io.ewok.gds.lsm.values.ValueFileInspection;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.DirectoryLock;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.LockedException;
import io.ewok.gds.pagestore.MissingFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import java.io.IOException;
import java.lang.System.Logger;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Backups of a store in a directory, best on another device. Tables, and value files, never change;
 * so a backup copies those that no older one in the directory has, and they share the others. Each
 * can be restored, and deleted, by itself; with an archive of the store's log ({@link
 * StoreOptions#archiveOrNull}) also what came after it, up to any sequence number or time.
 *
 * <p>A backup is there when all that it consists of is durable and was read again, or it is not
 * there: whatever cuts it off, a crash or a full disk, the older ones are as they were. What it
 * left the next one removes. Every byte is under a checksum. A backup reads all tables of the
 * store, also those that it does not copy: so damage in the store is found while older backups are
 * good.
 *
 * <p>Ownership: whoever opened it closes it, before the engine. It holds the lock of the directory;
 * calls map up to some megabytes for their duration. Threads: one at a time, which may wait.
 *
 * {@snippet :
 * try (Backups backups = Backups.open(directory, engine)) {
 *   BackupInfo made = backups.create(store, bytes -> {});
 *   backups.restore(made.number(), elsewhere, bytes -> {});
 * }
 * }
 *
 * <p>Errors: {@link CorruptFileException} names the file that is damaged, {@link
 * MissingFileException} one that is gone; {@link io.ewok.gds.pagestore.OutOfSpaceException} if the
 * device is full.
 */
public final class Backups implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(Backups.class.getName());

  private static final String LOCK = "LOCK";
  private static final String TABLES = "tables";
  private static final String INCOMING = "incoming";
  private static final Pattern BACKUP = Pattern.compile("backup-([0-9]{10})");
  private static final long NUMBER_MAX = 9_999_999_999L;

  /** What a table is read through when it was copied; more if records are large. */
  private static final long CHECK_POOL_BYTES = 16L << 20;

  private final IoEngine engine;
  private final Path directory;
  private final ArchiveDirectory archive;
  private final DirectoryLock lock;

  private Backups(IoEngine engine, Path directory, ArchiveDirectory archive, DirectoryLock lock) {
    this.engine = engine;
    this.directory = directory;
    this.archive = archive;
    this.lock = lock;
  }

  /**
   * Opens a directory of backups; it is created if there is none, for its owner only.
   *
   * @param engine borrowed; it has to see the files of the stores, too
   * @throws LockedException if somebody else has it open, here or in another process
   * @throws StorageException if the directory holds something else
   */
  public static Backups open(Path directory, IoEngine engine) throws IOException {
    return open(directory, archive(directory), engine);
  }

  /** Where the archive of the store's log is expected: {@code log} in a directory of backups. */
  public static Path archive(Path directory) {
    return directory.resolve(ArchiveDirectory.NAME);
  }

  /**
   * The same with an archive that lies elsewhere, see {@link StoreOptions#archiveOrNull}; there
   * need not be one.
   *
   * @throws IOException as {@link #open(Path, IoEngine)}
   */
  public static Backups open(Path directory, Path archive, IoEngine engine) throws IOException {
    Path absolute = directory.toAbsolutePath().normalize();
    Path tables = absolute.resolve(TABLES);
    if (!engine.exists(tables)) {
      if (engine.exists(absolute)) {
        for (Path entry : engine.list(absolute)) {
          if (!entry.equals(absolute.resolve(LOCK)) && !entry.equals(archive(absolute))) {
            throw new StorageException(
                "the directory is not empty and holds no backups, but " + entry.getFileName(),
                absolute);
          }
        }
      }
      engine.createDirectories(tables);
    }
    return new Backups(
        engine,
        absolute,
        new ArchiveDirectory(engine, archive),
        engine.lock(absolute.resolve(LOCK)));
  }

  /** What was found in the files of some backups. */
  private static final class Named {
    final SortedMap<Long, Content> backups = new TreeMap<>();

    /** Names of the files of tables, and the numbers in these. */
    final Set<String> tables = new HashSet<>();

    final Set<Long> tableNumbers = new HashSet<>();
  }

  /**
   * What {@link #verify} has found.
   *
   * @param backups how many there are
   * @param tables files that were read
   * @param tableBytes their size, in bytes
   * @param archived files of the archive that were read
   * @param archivedBytes their size, in bytes
   * @param problems what is wrong, for people; empty if nothing is
   */
  public record Findings(
      int backups,
      int tables,
      long tableBytes,
      int archived,
      long archivedBytes,
      List<String> problems) {}

  private Path file(long number) {
    return directory.resolve(String.format(Locale.ROOT, "backup-%010d", number));
  }

  private Path table(String name) {
    return directory.resolve(TABLES).resolve(name);
  }

  private static String name(FileMeta file, long checksum) {
    String suffix = file.isValues() ? "values" : "table";
    return String.format(Locale.ROOT, "%016x-%016x.%s", file.number(), checksum, suffix);
  }

  private NavigableSet<Long> numbers() throws IOException {
    NavigableSet<Long> numbers = new TreeSet<>();
    for (Path path : engine.list(directory)) {
      Matcher matcher = BACKUP.matcher(path.getFileName().toString());
      if (matcher.matches()) {
        numbers.add(Long.parseLong(matcher.group(1)));
      }
    }
    return numbers;
  }

  private Named named() throws IOException {
    Named named = new Named();
    for (long number : numbers()) {
      Content content = BackupFormat.read(engine, file(number));
      named.backups.put(number, content);
      for (FileMeta each : content.manifest().files()) {
        named.tables.add(name(each, content.checksums().get(each.number())));
      }
      named.tableNumbers.addAll(content.checksums().keySet());
    }
    return named;
  }

  /**
   * Returns all backups, the oldest first.
   *
   * @throws CorruptFileException if one is damaged; {@link #verify} says which are
   */
  public List<BackupInfo> list() throws IOException {
    List<BackupInfo> list = new ArrayList<>();
    named().backups.forEach((number, content) -> list.add(info(number, content)));
    return list;
  }

  private static BackupInfo info(long number, Content content) {
    return new BackupInfo(
        number,
        Instant.ofEpochMilli(content.millis()),
        content.manifest().horizonLsn(),
        content.checksums().size(),
        BackupFormat.fileBytes(content.manifest()),
        content.newBytes());
  }

  /**
   * Makes a backup of a store as it is now, all families: what was written before the call is in
   * it, as if {@link Store#flush} had been called, and it ends between two writes. Writers and
   * readers go on meanwhile; if the store is closed, this ends with the table that it is at. Its
   * number is one more than that of the newest there is. If the store's log is archived, the
   * archive then has what was written up to there, or {@link StoreStats.Archive#failure} says why
   * not.
   *
   * @param bytesRead told how much of the store's tables was read, part by part, in bytes
   * @return what was made; it is durable
   * @throws CorruptFileException if a table of the store is damaged, or an older backup; the latter
   *     can be deleted
   * @throws IllegalStateException if the store is closed
   * @throws IOException if that fails; the backup is not there then, unless the failure was in
   *     making its name durable
   */
  public BackupInfo create(Store store, LongConsumer bytesRead) throws IOException {
    StoreParts parts = store.parts();
    StoreWriter writer = store.writer();
    StoreWriter.requireMayWait();
    writer.enter();
    try {
      Named before = named();
      removeUnnamed(before);
      long number = before.backups.isEmpty() ? 1 : before.backups.lastKey() + 1;
      if (number > NUMBER_MAX) {
        throw new StorageException("all numbers of backups were given", directory);
      }
      long millis = parts.clock.getAsLong();
      long poolBytes = Math.max(CHECK_POOL_BYTES, 4L * parts.options.batchBytesMax());
      SortedMap<Long, Long> checksums = new TreeMap<>();
      long newBytes = 0;
      try (PinnedTables pinned = PinnedTables.flushed(parts, writer);
          FileCopier copier = new FileCopier(engine, bytesRead)) {
        for (FileMeta each : pinned.manifest().files()) {
          writer.requireOpen();
          Path from = parts.files.path(each);
          OptionalLong shared = shared(copier, from, each, before);
          if (shared.isEmpty()) {
            newBytes += each.sizeBytes();
          }
          checksums.put(
              each.number(),
              shared.isPresent() ? shared.getAsLong() : copy(copier, from, each, poolBytes));
        }
        engine.syncDirectory(directory.resolve(TABLES));
        Content content =
            new Content(
                millis,
                newBytes,
                parts.log.options(),
                pinned.manifest().withoutLog(pinned.manifest().horizonLsn()),
                checksums,
                pinned.archived());
        BackupFormat.write(engine, file(number), content);
        archiveLog(parts);
        return info(number, content);
      }
    } finally {
      writer.exit();
    }
  }

  /** The backup is there and good, whatever comes of it. */
  private static void archiveLog(StoreParts parts) {
    if (parts.archive != null) {
      try {
        long unused = parts.archive.archiveNow();
      } catch (IOException | RuntimeException e) {
        LOGGER.log(
            Logger.Level.WARNING,
            "the backup is made, but the log cannot be archived: path=" + parts.archive.path(),
            e);
      }
    }
  }

  /** The checksum of a file of the store if an older backup has it, or nothing. */
  private OptionalLong shared(FileCopier copier, Path from, FileMeta file, Named before)
      throws IOException {
    if (!before.tableNumbers.contains(file.number())) {
      return OptionalLong.empty();
    }
    long checksum = copier.checksum(from, file.sizeBytes());
    String name = name(file, checksum);
    // A file that somebody has deleted is written again, for the older backups too.
    return before.tables.contains(name) && engine.exists(table(name))
        ? OptionalLong.of(checksum)
        : OptionalLong.empty();
  }

  /** Copies a file of the store, and reads what was written. Returns its checksum. */
  private long copy(FileCopier copier, Path from, FileMeta file, long poolBytes)
      throws IOException {
    Path incoming = table(INCOMING);
    if (engine.exists(incoming)) {
      engine.delete(incoming);
    }
    long checksum = copier.copy(from, incoming, file.sizeBytes());
    requireChecksum(incoming, file.sizeBytes(), checksum);
    // What is damaged in the store has the right checksum in its copy.
    List<String> problems =
        file.isValues()
            ? ValueFileInspection.inspect(engine, incoming).problems()
            : problemsOfTable(incoming, poolBytes);
    if (!problems.isEmpty()) {
      throw new CorruptFileException(from, 0, "a sound file", problems.getFirst());
    }
    engine.rename(incoming, table(name(file, checksum)));
    return checksum;
  }

  /** Without the values that it refers to: these are copied, and read, by themselves. */
  private List<String> problemsOfTable(Path table, long poolBytes) throws IOException {
    try (StoreInspection inspection = StoreInspection.ofTableAlone(engine, table, poolBytes)) {
      return inspection.verify(inspection.tables().getFirst()).problems();
    }
  }

  /** Reads a file. */
  private void requireChecksum(Path path, long sizeBytes, long expected) throws IOException {
    try (FileCopier reader = new FileCopier(engine, _ -> {})) {
      requireSame(path, expected, reader.checksum(path, sizeBytes));
    }
  }

  static void requireSame(Path path, long expected, long found) throws CorruptFileException {
    if (found != expected) {
      throw new CorruptFileException(
          path, 0, "checksum 0x%016x".formatted(expected), "0x%016x".formatted(found));
    }
  }

  /** Deletes tables that no backup names, and what was being written when a call was cut off. */
  private void removeUnnamed(Named named) throws IOException {
    // A name that was deleted and can come back after a power cut would find its tables gone.
    engine.syncDirectory(directory);
    for (Path path : engine.list(directory.resolve(TABLES))) {
      if (!named.tables.contains(path.getFileName().toString())) {
        engine.delete(path);
      }
    }
  }

  /**
   * Deletes a backup, also a damaged one, and the tables that no other has; these stay for the time
   * being if another backup is damaged.
   *
   * @throws MissingFileException if there is none of this number
   */
  public void delete(long number) throws IOException {
    engine.delete(existing(number));
    engine.syncDirectory(directory);
    Named left;
    try {
      left = named();
    } catch (CorruptFileException | UnsupportedFormatException e) {
      return; // nobody knows what that one needs
    }
    removeUnnamed(left);
  }

  /**
   * Deletes what the archive has that no backup needs to be gone on with: what the oldest of them
   * has in its tables, and what stores have written that none is of. It stays for the time being if
   * a backup is damaged. The newest file of each store stays in any case, where that goes on.
   *
   * <p>Only the backups of this directory count: if others need the same archive, which lies
   * elsewhere then, this is not to be called.
   *
   * @return how many files it were
   */
  public int removeArchived() throws IOException {
    Named named;
    try {
      named = named();
    } catch (CorruptFileException | UnsupportedFormatException e) {
      return 0; // nobody knows what that one needs
    }
    List<ArchivedLog> files = archive.files();
    Map<Long, ArchivedLog> newest = new HashMap<>();
    files.forEach(file -> newest.put(file.history(), file)); // they are in order
    List<ArchivedLog> unneeded = new ArrayList<>();
    for (ArchivedLog file : files) {
      boolean isNeeded =
          file.equals(newest.get(file.history()))
              || named.backups.values().stream()
                  .anyMatch(
                      content ->
                          content.archived().history() == file.history()
                              && file.toLsn() > content.horizonLsn());
      if (!isNeeded) {
        unneeded.add(file);
      }
    }
    archive.remove(unneeded);
    return unneeded.size();
  }

  private Path existing(long number) throws IOException {
    Path file = file(number);
    if (!engine.exists(file)) {
      throw new MissingFileException(file, null);
    }
    return file;
  }

  /**
   * Makes a store of a backup. All that was read and written is checked before its directory
   * appears: at once, and whole. Its log is empty and as large as that of the store was.
   *
   * @param number of the backup
   * @param target the new store's directory, which does not exist
   * @param bytesRead told how much of the backup's tables was read, part by part, in bytes
   * @throws MissingFileException if there is no backup of this number, or a table of it is gone
   * @throws CorruptFileException if it is damaged
   * @throws StorageException if there is something of the target's name
   * @throws IOException if that fails; there is no such directory then, unless the failure was in
   *     making its name durable
   */
  public void restore(long number, Path target, LongConsumer bytesRead) throws IOException {
    Content content = BackupFormat.read(engine, existing(number));
    try (StoreCopy copy = StoreCopy.begin(engine, target)) {
      copyTables(content, copy, bytesRead);
      copy.complete(content.manifest(), content.log());
    }
  }

  private void copyTables(Content content, StoreCopy copy, LongConsumer bytesRead)
      throws IOException {
    try (FileCopier copier = new FileCopier(engine, bytesRead)) {
      for (FileMeta file : content.manifest().files()) {
        long checksum = content.checksums().get(file.number());
        Path from = table(name(file, checksum));
        Path to = copy.path(file);
        requireSame(from, checksum, copier.copy(from, to, file.sizeBytes()));
        requireChecksum(to, file.sizeBytes(), checksum);
      }
    }
  }

  /**
   * What was restored.
   *
   * @param backup the one that it began with
   * @param sequence sequence number of the last write that is in the store, or of the backup
   * @param time of the last mark of the time before that, if the archive has one: at a time all of
   *     it was written by then, at a sequence number what lies behind that mark is newer
   */
  public record Restored(BackupInfo backup, long sequence, Optional<Instant> time) {}

  /**
   * Makes a store as one was at a point in time: of a backup, and of what the archive has of the
   * log behind it. All sequence numbers are as they were. All that was read, and what was copied,
   * is checked before the store's directory appears, at once and whole; of tables that are made of
   * the archive each block has its checksum, for whoever reads them.
   *
   * <p>What compactions took away in between without a write, since it had expired, was the oldest
   * of a {@link CompactionStyle#FIFO} store, or by a {@link CompactionFilter}, is there until they
   * do it again. Operands are merged if the options name their operator, or later.
   *
   * @param point which has to be reached exactly
   * @param target the new store's directory, which does not exist
   * @param options memory, and the form of new tables; batches have to fit into a memtable
   * @param bytesRead told how much of backup and archive was read, part by part, in bytes; the
   *     archive is read twice, for a time once of it to the end
   * @throws UnreachablePointException if backups and archive do not lead there; it says how far
   * @throws MissingFileException if there is no such backup, or a table of it is gone
   * @throws CorruptFileException if the backup is damaged
   * @throws IOException if that fails; there is no such directory then, unless the failure was in
   *     making its name durable
   */
  public Restored restore(
      PointInTime point, Path target, StoreOptions options, LongConsumer bytesRead)
      throws IOException {
    return restore(point, target, options, _ -> {}, bytesRead);
  }

  /**
   * The same, for who wants to tell how long it may still take.
   *
   * @param bytesPlanned told once, when the way to the point has been found, how much is read from
   *     then on at most, in bytes
   */
  public Restored restore(
      PointInTime point,
      Path target,
      StoreOptions options,
      LongConsumer bytesPlanned,
      LongConsumer bytesRead)
      throws IOException {
    RestorePlan plan = plan(point, bytesRead);
    bytesPlanned.accept(plan.bytes(engine));
    Content content = plan.content();
    try (StoreCopy copy = StoreCopy.begin(engine, target)) {
      copyTables(content, copy, bytesRead);
      Manifest manifest = content.manifest();
      if (!plan.files().isEmpty()) {
        StoreParts parts = new StoreParts(engine, copy.files(), ReplayMerges.options(options));
        try (ArchiveReplay replay = ArchiveReplay.open(parts, content)) {
          replay(plan, replay, bytesRead);
          manifest = replay.finish();
        }
      }
      copy.complete(manifest, content.log());
    }
    return new Restored(info(plan.backup(), content), plan.toLsn(), plan.time());
  }

  private void replay(RestorePlan plan, ArchiveReplay replay, LongConsumer bytesRead)
      throws IOException {
    for (ArchivedLog file : plan.files()) {
      try (ArchiveReader reader = ArchiveReader.open(engine, file, bytesRead)) {
        while (reader.endLsn() < plan.toLsn() && reader.next()) {
          if (reader.endLsn() > plan.content().horizonLsn()) {
            replay.take(file, reader);
          }
        }
      }
    }
  }

  /** Looks for the newest backup from which there is a way. */
  private RestorePlan plan(PointInTime point, LongConsumer bytesRead) throws IOException {
    SortedMap<Long, Content> candidates = new TreeMap<>();
    if (point.backup().isPresent()) {
      long number = point.backup().getAsLong();
      candidates.put(number, BackupFormat.read(engine, existing(number)));
    } else {
      candidates.putAll(named().backups);
    }
    UnreachablePointException later = null;
    for (long number : candidates.sequencedKeySet().reversed()) {
      Content content = candidates.get(number);
      if (point.sequence().isPresent()) {
        long sequence = point.sequence().getAsLong();
        if (content.firstLsn() <= sequence) {
          return new RestorePlan.Search(engine, archive, number, content, bytesRead)
              .toSequence(sequence);
        }
      } else {
        Instant time = point.time().orElseThrow();
        try {
          Optional<RestorePlan> found =
              new RestorePlan.Search(engine, archive, number, content, bytesRead).toTime(time);
          if (found.isPresent()) {
            return found.get();
          }
          later = null; // it is known now that this one is later, and so are those behind it
        } catch (UnreachablePointException e) {
          if (content.millis() <= time.toEpochMilli()) {
            throw e;
          }
          later = later == null ? e : later; // begun later: one before it may lead there
        }
      }
    }
    if (later != null) {
      throw later;
    }
    throw new UnreachablePointException(
        "%s cannot be restored: no backup is old enough%s"
            .formatted(
                point,
                candidates.isEmpty()
                    ? ", there is none"
                    : "; the oldest has sequence " + candidates.firstEntry().getValue().firstLsn()),
        directory,
        -1,
        null);
  }

  /**
   * Reads all backups, every table that one of them has once, and the archive.
   *
   * @param bytesRead told how much of tables and archive was read, part by part, in bytes
   * @throws IOException if the directory cannot be read
   */
  public Findings verify(LongConsumer bytesRead) throws IOException {
    List<String> problems = new ArrayList<>();
    Set<String> read = new HashSet<>();
    NavigableSet<Long> numbers = numbers();
    long bytes = 0;
    try (FileCopier copier = new FileCopier(engine, bytesRead)) {
      for (long number : numbers) {
        try {
          Content content = BackupFormat.read(engine, file(number));
          gap(number, content).ifPresent(problems::add);
          for (FileMeta file : content.manifest().files()) {
            long checksum = content.checksums().get(file.number());
            String name = name(file, checksum);
            if (read.add(name)) {
              bytes += file.sizeBytes();
              verify(copier, name, file.sizeBytes(), checksum, problems);
            }
          }
        } catch (StorageException e) {
          problems.add(e.getMessage());
        }
      }
    }
    List<ArchivedLog> archived = archive.files();
    long archivedBytes = 0;
    for (ArchivedLog file : archived) {
      try {
        archivedBytes += archive.verify(file, bytesRead);
      } catch (StorageException e) {
        problems.add(e.getMessage());
      }
    }
    return new Findings(
        numbers.size(), read.size(), bytes, archived.size(), archivedBytes, problems);
  }

  private Optional<String> gap(long number, Content content) throws IOException {
    if (content.archived().history() == 0) {
      return Optional.empty();
    }
    ArchiveDirectory.Chain chain =
        archive.chain(content.archived().history(), content.horizonLsn());
    return chain
        .gapEndLsn()
        .map(
            next ->
                "the archive misses what was written behind backup %d from sequence %d to %d: path=%s"
                    .formatted(number, chain.toLsn(), next, archive.path()));
  }

  private void verify(
      FileCopier copier, String name, long sizeBytes, long checksum, List<String> problems) {
    try {
      requireSame(table(name), checksum, copier.checksum(table(name), sizeBytes));
    } catch (IOException e) {
      problems.add(e.getMessage());
    }
  }

  /** Lets go of the directory. */
  @Override
  public void close() throws IOException {
    lock.close();
  }
}
