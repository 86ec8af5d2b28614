package io.ewok.gds.lsm;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableInspection;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.table.TableProperties;
import io.ewok.gds.lsm.values.ValueFileInspection;
import io.ewok.gds.lsm.values.ValueFileMeta;
import io.ewok.gds.lsm.values.ValueSource;
import io.ewok.gds.pagestore.DirectoryLock;
import io.ewok.gds.pagestore.IoEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Looks at the tables and value files of a store, best one that nobody has open, or at one table
 * file, and changes nothing: for tools. Values that a table refers to are looked for beside it.
 *
 * <p>Ownership: whoever opened it closes it; a store stays locked for as long. The engine is
 * borrowed. Threads: confined to one at a time.
 *
 * {@snippet :
 * try (StoreInspection inspection = StoreInspection.ofStore(engine, directory, 64L << 20)) {
 *   for (StoreInspection.TableFile table : inspection.tables()) {
 *     print(table.path(), inspection.verify(table).problems());
 *   }
 * }
 * }
 *
 * <p>Errors: {@link io.ewok.gds.pagestore.CorruptFileException} where the manifest, or the footer
 * of a table, is damaged. What else is wrong with a table is among its problems.
 */
public final class StoreInspection implements AutoCloseable {
  private static final int FRAME_BYTES = 4096;

  private final IoEngine engine;
  private final List<String> families;
  private final List<TableFile> tables;
  private final List<ValuesFile> valueFiles;
  private final DirectoryLock lockOrNull;
  private final BufferManager buffers;

  /** Null if values are not to be looked for. */
  private final ValueFilesBeside valuesOrNull;

  private StoreInspection(
      IoEngine engine,
      List<String> families,
      List<TableFile> tables,
      List<ValuesFile> valueFiles,
      DirectoryLock lockOrNull,
      BufferManager buffers,
      ValueFilesBeside valuesOrNull) {
    this.engine = engine;
    this.families = List.copyOf(families);
    this.tables = List.copyOf(tables);
    this.valueFiles = List.copyOf(valueFiles);
    this.lockOrNull = lockOrNull;
    this.buffers = buffers;
    this.valuesOrNull = valuesOrNull;
  }

  /**
   * A value file of a store.
   *
   * @param path the name of the file
   * @param family the name of the family that the values are of, or of one cloned from it
   * @param sizeBytes the size of the file
   * @param entries how many values it has
   * @param entryBytes what these take, with their keys, in bytes
   * @param liveBytes what tables refer to of that; the rest is garbage
   */
  public record ValuesFile(
      Path path, String family, long sizeBytes, long entries, long entryBytes, long liveBytes) {}

  /** A table file. */
  public static final class TableFile {
    private final Path path;
    private final String familyOrNull;
    private final int level;
    private final TableMeta meta;

    private TableFile(Path path, String familyOrNull, int level, TableMeta meta) {
      this.path = path;
      this.familyOrNull = familyOrNull;
      this.level = level;
      this.meta = meta;
    }

    /** Returns the name of the file. */
    public Path path() {
      return path;
    }

    /** Returns the name of the family that it is of, or nothing if the file was named alone. */
    public Optional<String> family() {
      return Optional.ofNullable(familyOrNull);
    }

    /** Returns the level that the store has it in, or -1 if the file was named alone. */
    public int level() {
      return level;
    }

    /** Returns the size of the file in bytes. */
    public long sizeBytes() {
      return meta.sizeBytes();
    }

    /** Returns the number of records. */
    public long entries() {
      return meta.entries();
    }

    /** Returns how many of them are deletes. */
    public long deletes() {
      return meta.deletes();
    }

    /** Returns the smallest key of records and range deletes. */
    public MemorySegment firstKey() {
      return meta.firstKey().asReadOnly();
    }

    /** Returns the greatest key, or where a range delete ends behind that. */
    public MemorySegment lastKey() {
      return meta.lastKey().asReadOnly();
    }
  }

  /**
   * What a table says of itself in its footer.
   *
   * @param number the table's, as in the name of its file
   * @param firstSequence smallest sequence number of its records
   * @param lastSequence greatest sequence number of its records
   * @param keyBytes of all keys, in bytes
   * @param valueBytes of all values, in bytes
   * @param dataBlocks how many data blocks there are
   * @param dataBytes what they are when decompressed, in bytes
   * @param dataStoredBytes what they are as stored, in bytes
   * @param indexBytes the index as stored, in bytes
   * @param filterBytes the filters as stored, in bytes
   * @param compression what was asked for
   * @param filterBitsPerKey 0 if there are no filters
   */
  public record Properties(
      long number,
      long firstSequence,
      long lastSequence,
      long keyBytes,
      long valueBytes,
      long dataBlocks,
      long dataBytes,
      long dataStoredBytes,
      long indexBytes,
      long filterBytes,
      Compression compression,
      int filterBitsPerKey) {}

  /**
   * What was found in a table.
   *
   * @param blocks data blocks that could be read
   * @param entries records in them
   * @param problems what is wrong, for people; empty if nothing is
   */
  public record Findings(long blocks, long entries, List<String> problems) {}

  /** What a record says of its key. */
  public enum Kind {
    /** It has this value. */
    PUT,
    /** It has none. */
    DELETE,
    /** The same, see {@link Store#singleDelete}. */
    SINGLE_DELETE,
    /** Its value changes by this, see {@link Store#merge}. */
    OPERAND,
    /**
     * It and all keys from it to before the value, which is a key here, have none; see {@link
     * Store#deleteRange}.
     */
    RANGE_DELETE
  }

  /** Takes the records of a table. */
  @FunctionalInterface
  public interface RecordConsumer {
    /**
     * Takes one record.
     *
     * @param sequence number of the operation that made it
     * @param key read-only, usable until this method returns, as is the value
     */
    void accept(long sequence, Kind kind, MemorySegment key, MemorySegment value);
  }

  /** Does something with an open table. */
  @FunctionalInterface
  private interface Look<T> {
    T at(Table table) throws IOException;
  }

  /**
   * Looks at a store.
   *
   * @param poolBytes memory for blocks, in bytes; several times the largest value
   * @throws NotAStoreException if there is none in the directory
   * @throws StoreLockedException if the store is open, here or in another process
   */
  public static StoreInspection ofStore(IoEngine engine, Path directory, long poolBytes)
      throws IOException {
    StoreFiles files = new StoreFiles(directory.toAbsolutePath());
    if (!engine.exists(files.manifest())) {
      throw new NotAStoreException("there is no store", files.directory());
    }
    DirectoryLock lock = files.lock(engine);
    try {
      return of(engine, files, lock, poolBytes);
    } catch (IOException | RuntimeException | Error e) {
      lock.close();
      throw e;
    }
  }

  /**
   * Looks at the tables of a store that others may have open, without a lock: those that it has
   * now. Before one is looked at it may be gone.
   *
   * @param poolBytes memory for blocks, in bytes; several times the largest value
   * @throws NotAStoreException if there is no store
   */
  public static StoreInspection ofOpenStore(IoEngine engine, Path directory, long poolBytes)
      throws IOException {
    StoreFiles files = new StoreFiles(directory.toAbsolutePath());
    if (!engine.exists(files.manifest())) {
      throw new NotAStoreException("there is no store", files.directory());
    }
    return of(engine, files, null, poolBytes);
  }

  private static StoreInspection of(
      IoEngine engine, StoreFiles files, DirectoryLock lockOrNull, long poolBytes)
      throws IOException {
    List<TableFile> tables = new ArrayList<>();
    List<String> families = new ArrayList<>();
    Manifest manifest = ManifestLog.open(engine, files.manifest()).current();
    for (FamilyManifest family : manifest.all()) {
      families.add(family.name());
      for (int level = 0; level < Manifest.LEVELS; level++) {
        for (TableMeta meta : family.level(level)) {
          tables.add(new TableFile(files.table(meta.fileNumber()), family.name(), level, meta));
        }
      }
    }
    List<ValuesFile> valueFiles = new ArrayList<>();
    Map<Long, ValueFileMeta> known = new HashMap<>();
    for (ValueFileUse use : manifest.values().values()) {
      ValueFileMeta meta = use.meta();
      known.put(meta.number(), meta);
      valueFiles.add(
          new ValuesFile(
              files.values(meta.number()),
              familyOf(manifest, meta),
              meta.sizeBytes(),
              meta.entries(),
              meta.entryBytes(),
              Math.min(use.liveBytes(), meta.entryBytes())));
    }
    BufferManager buffers = buffers(engine, poolBytes);
    ValueFilesBeside values = new ValueFilesBeside(buffers, engine, files, known);
    return new StoreInspection(engine, families, tables, valueFiles, lockOrNull, buffers, values);
  }

  /** The family that wrote a value file; if that is gone the first of its clones that has it. */
  private static String familyOf(Manifest manifest, ValueFileMeta meta) {
    FamilyManifest family = manifest.family(meta.family());
    return family != null
        ? family.name()
        : manifest.all().stream()
            .filter(
                each ->
                    each.tables().stream()
                        .anyMatch(
                            table ->
                                table.references().bytesOf(number -> number == meta.number()) > 0))
            .findFirst()
            .orElseThrow()
            .name();
  }

  /**
   * Looks at one table file, wherever it lies; it may be of a store that is open.
   *
   * @param poolBytes memory for blocks, in bytes; several times the largest value
   */
  public static StoreInspection ofTable(IoEngine engine, Path file, long poolBytes)
      throws IOException {
    return ofTable(engine, file, poolBytes, true);
  }

  /** The same, but values that it refers to are not looked at. */
  static StoreInspection ofTableAlone(IoEngine engine, Path file, long poolBytes)
      throws IOException {
    return ofTable(engine, file, poolBytes, false);
  }

  private static StoreInspection ofTable(
      IoEngine engine, Path file, long poolBytes, boolean withValues) throws IOException {
    BufferManager buffers = buffers(engine, poolBytes);
    try {
      Path path = file.toAbsolutePath();
      TableFile table = new TableFile(path, null, -1, TableInspection.meta(buffers, path));
      StoreFiles beside = new StoreFiles(path.getParent());
      ValueFilesBeside values =
          withValues ? new ValueFilesBeside(buffers, engine, beside, Map.of()) : null;
      return new StoreInspection(
          engine, List.of(), List.of(table), List.of(), null, buffers, values);
    } catch (IOException | RuntimeException | Error e) {
      buffers.close();
      throw e;
    }
  }

  private static BufferManager buffers(IoEngine engine, long poolBytes) {
    BufferOptions options = new BufferOptions(poolBytes, FRAME_BYTES, null);
    return new BufferManager(
        engine, MemoryBudget.root("inspection", 2 * options.blockMemoryBytes()), options);
  }

  /**
   * Returns the names of the families of a store, those without tables too; nothing if a file was
   * named alone.
   */
  public List<String> families() {
    return families;
  }

  /**
   * Returns the tables: of a store family by family and level by level, in the order in which a key
   * is looked for.
   */
  public List<TableFile> tables() {
    return tables;
  }

  /** Returns the value files; none if a table file was named alone. */
  public List<ValuesFile> valueFiles() {
    return valueFiles;
  }

  /**
   * Reads all of a value file, garbage included, and checks each value. Whether it has those that
   * tables refer to, {@link #verify(TableFile)} finds out.
   *
   * @throws IOException if it is no value file, or its header is damaged
   */
  public Findings verify(ValuesFile file) throws IOException {
    ValueFileInspection.Findings found = ValueFileInspection.inspect(engine, file.path());
    List<String> problems = new ArrayList<>(found.problems());
    if (problems.isEmpty() && found.meta().entryBytes() != file.entryBytes()) {
      problems.add(
          "the manifest says otherwise: path=%s entryBytes=%d manifest=%d"
              .formatted(file.path(), found.meta().entryBytes(), file.entryBytes()));
    }
    return new Findings(0, found.meta().entries(), problems);
  }

  /**
   * Returns what a table says of itself.
   *
   * @throws IOException if its footer cannot be read, or does not fit the manifest
   */
  public Properties properties(TableFile table) throws IOException {
    TableProperties found = look(table, Table::properties);
    return new Properties(
        table.meta.fileNumber(),
        found.firstSequence(),
        found.lastSequence(),
        found.keyBytes(),
        found.valueBytes(),
        found.dataBlocks(),
        found.dataBytes(),
        found.dataStoredBytes(),
        found.indexBytes(),
        found.filterBytes(),
        found.compression(),
        found.filterBitsPerKey());
  }

  /**
   * Returns the number of the master key that a table is encrypted with, or 0 if it is not.
   *
   * @throws IOException if its footer cannot be read, or does not fit the manifest
   */
  public int keyId(TableFile table) throws IOException {
    return look(table, Table::keyId);
  }

  /**
   * Returns the number of the master key that a value file is encrypted with, or 0 if it is not.
   *
   * @throws IOException if its header cannot be read, or does not fit the manifest
   */
  public int keyId(ValuesFile file) throws IOException {
    long number = StoreFiles.valuesNumber(file.path()).orElseThrow();
    return valuesOrNull.findOrNull(number).keyId();
  }

  /**
   * Reads all of a table, with the values that it refers to, and checks that index, filters, footer
   * and records agree. What cannot be read is a problem, and what is behind it is read all the
   * same.
   *
   * @throws IOException if its footer cannot be read, or does not fit the manifest
   */
  public Findings verify(TableFile table) throws IOException {
    return look(table, open -> findings(TableInspection.verify(open)));
  }

  /**
   * Shows all range deletes of a table, and then all records, each in order and whatever their
   * version.
   *
   * @throws IOException if its footer cannot be read, or does not fit the manifest
   */
  public Findings dump(TableFile table, RecordConsumer consumer) throws IOException {
    return look(
        table,
        open ->
            findings(
                TableInspection.dump(
                    open,
                    new TableInspection.RecordConsumer() {
                      @Override
                      public void accept(long stamp, MemorySegment key, MemorySegment value) {
                        consumer.accept(RecordKind.sequence(stamp), kind(stamp), key, value);
                      }

                      @Override
                      public void acceptReference(
                          long stamp,
                          MemorySegment key,
                          MemorySegment reference,
                          MemorySegment referred) {
                        accept(stamp, key, referred);
                      }
                    })));
  }

  private static Kind kind(long stamp) {
    return switch (RecordKind.kind(stamp)) {
      case RecordKind.PUT, RecordKind.VALUE_REFERENCE -> Kind.PUT;
      case RecordKind.SINGLE_DELETE -> Kind.SINGLE_DELETE;
      case RecordKind.OPERAND -> Kind.OPERAND;
      case RecordKind.RANGE_DELETE -> Kind.RANGE_DELETE;
      default -> Kind.DELETE;
    };
  }

  private static Findings findings(TableInspection.Findings found) {
    return new Findings(found.blocks(), found.entries(), found.problems());
  }

  private <T> T look(TableFile file, Look<T> look) throws IOException {
    ValueSource values = valuesOrNull == null ? ValueSource.NONE : valuesOrNull;
    Table table = Table.open(buffers, file.path, file.meta, values, _ -> {});
    try {
      return look.at(table);
    } finally {
      table.close();
    }
  }

  @Override
  public void close() throws IOException {
    try {
      if (valuesOrNull != null) {
        valuesOrNull.close();
      }
    } finally {
      buffers.close();
      if (lockOrNull != null) {
        lockOrNull.close();
      }
    }
  }
}
