package io.ewok.gds.lsm;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.RunReader;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableInspection;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.lsm.values.ValueFile;
import io.ewok.gds.lsm.values.ValueFileMeta;
import io.ewok.gds.lsm.values.ValueReferences;
import io.ewok.gds.pagestore.IoEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.LongStream;

/**
 * Reads the tables of a store that is being repaired, and writes new ones beside them. Values stay
 * in the value files that they are in: of a damaged one what can still be read.
 *
 * <p>Ownership: to be closed; what was written stays. Threads: confined to one.
 */
final class RepairTables implements AutoCloseable {
  private static final System.Logger LOGGER = System.getLogger(RepairTables.class.getName());

  private final IoEngine engine;
  private final StoreFiles files;
  private final StoreOptions options;
  private final BufferManager buffers;
  private final Region writeBuffer;
  private final Region readBuffer;
  private final TableWriter writer;
  private final ValueFilesBeside values;
  private final List<Path> written = new ArrayList<>();
  private long nextNumber;

  /**
   * Prepares for reading and writing.
   *
   * @param nextNumber a number from which on no file has one
   * @param values what a manifest says of value files, by number
   */
  RepairTables(
      IoEngine engine,
      StoreFiles files,
      StoreOptions options,
      long nextNumber,
      Map<Long, ValueFileMeta> values) {
    this.engine = engine;
    this.files = files;
    this.options = options;
    this.nextNumber = nextNumber;
    StoreMemory memory = StoreMemory.of(options);
    buffers = new BufferManager(engine, memory.pool(), StoreMemory.bufferOptions(options));
    writeBuffer = region(memory, TableWriter.bufferBytes(StoreMemory.tableOptions(options)));
    readBuffer = region(memory, StoreMemory.readBufferBytes(options));
    writer = new TableWriter(engine, writeBuffer, StoreMemory.tableOptions(options));
    this.values = new ValueFilesBeside(buffers, engine, files, values);
  }

  private static Region region(StoreMemory memory, long bytes) {
    return Region.map(memory.writing(), RegionOptions.ofSize(bytes));
  }

  /** Reads of a table itself what a manifest would say of it. */
  TableMeta meta(Path path) throws IOException {
    return TableInspection.meta(buffers, path);
  }

  /**
   * Makes sure that a value file, should it be needed, is not taken for a damaged one since its key
   * is not there.
   */
  void requireKey(long valueFile) throws IOException {
    ValueFile.requireKey(buffers, files.values(valueFile), valueFile);
  }

  /** Opens a table; the caller closes it. */
  Table open(Path path, TableMeta meta) throws IOException {
    return Table.open(buffers, path, meta, values, RepairTables::close);
  }

  /** The value files that some tables refer to. */
  List<ValueFileMeta> valueFiles(List<TableMeta> tables) throws IOException {
    SortedMap<Long, Map<Integer, Long>> live = new TreeMap<>();
    for (TableMeta table : tables) {
      ValueReferences references = table.references();
      for (int i = 0; i < references.count(); i++) {
        live.computeIfAbsent(references.file(i), _ -> new HashMap<>())
            .merge(table.family(), references.bytes(i), Long::sum);
      }
    }
    List<ValueFileMeta> metas = new ArrayList<>();
    for (Map.Entry<Long, Map<Integer, Long>> entry : live.entrySet()) {
      ValueFileMeta meta = values.meta(entry.getKey());
      // Of a damaged file whose manifest is lost nobody knows all.
      metas.add(
          new ValueFileMeta(
              meta.number(),
              meta.family(),
              meta.sizeBytes(),
              Math.max(1, meta.entries()),
              Math.max(Collections.max(entry.getValue().values()), meta.entryBytes())));
    }
    return metas;
  }

  private static void close(Table table) {
    try {
      table.close();
    } catch (IOException e) {
      LOGGER.log(System.Logger.Level.WARNING, "cannot close a table: path=" + table.path(), e);
    }
  }

  /** A number that no table has. */
  long nextNumber() {
    return nextNumber;
  }

  /**
   * Appends a record, to the table that is being written or to a new one of a family.
   *
   * @param ranges to be written with the records
   */
  void add(
      FamilyEdit family,
      long stamp,
      MemorySegment key,
      MemorySegment value,
      RangeOutput ranges,
      int level,
      List<TableMeta> into)
      throws IOException {
    if (writer.isStarted() && writer.isIndexFull()) {
      ranges.endTable(writer);
      into.add(writer.finish());
    }
    start(family, level);
    writer.add(stamp, key.address(), (int) key.byteSize(), value.address(), (int) value.byteSize());
  }

  private CompactionOptions form(FamilyEdit family) {
    return CompactionOptions.of(options, options.tree(family.name()));
  }

  private void start(FamilyEdit family, int level) throws IOException {
    if (!writer.isStarted()) {
      long number = nextNumber++;
      Path path = files.table(number);
      written.add(path);
      writer.start(path, number, family.id(), form(family).layouts().get(level), null);
    }
  }

  /** Ends the table that is being written, if there is one, or one is needed for range deletes. */
  void finishInto(FamilyEdit family, RangeOutput ranges, int level, List<TableMeta> into)
      throws IOException {
    if (!ranges.isEmpty()) {
      start(family, level);
      ranges.endLastTable(writer);
    }
    if (writer.isStarted()) {
      into.add(writer.finish());
    }
  }

  /**
   * Writes the newest record of each key of a family, or what its operands make, in tables of the
   * deepest level. Deletes go, and so do range deletes with what they hide.
   *
   * @param keepSequences else sequence numbers become 0: for a store whose log, and with it its
   *     sequence numbers, begins anew
   * @throws MergeFailedException if there are operands then that cannot be merged
   */
  List<TableMeta> merge(FamilyEdit family, List<Table> tables, boolean keepSequences)
      throws IOException {
    List<TableMeta> into = new ArrayList<>();
    if (tables.isEmpty()) {
      return into;
    }
    int level = Manifest.LEVELS - 1;
    long tableBytes = form(family).tableBytes();
    List<RangeDeletes> ranges = new ArrayList<>();
    for (Table table : tables) {
      if (table.hasRangeDeletes()) {
        ranges.add(table.readRangeDeletes());
      }
    }
    RangeOutput none = new RangeOutput(List.of());
    RecordMerge merge = new RecordMerge(RunReader.sharing(engine, runs(tables), readBuffer));
    try {
      VersionReducer reducer =
          new VersionReducer(
              new long[] {RecordKind.SEQUENCE_MAX},
              expiry(family, keepSequences),
              Merging.of(options, options.tree(family.name()), files.directory()),
              null,
              OlderRecords.NONE, // all tables are merged
              RangeDeletes.union(ranges),
              new StoredValues(values),
              (newKey, key, stamp, valueAddress, valueBytes) -> {
                if (writer.isStarted()
                    && (writer.isIndexFull() || (newKey && writer.sizeBytes() >= tableBytes))) {
                  finishInto(family, none, level, into);
                }
                start(family, level);
                writer.add(
                    keepSequences ? stamp : withoutSequence(stamp, key),
                    key.address(),
                    key.lengthBytes(),
                    valueAddress,
                    valueBytes);
              });
      for (merge.first(); merge.isValid(); merge.next()) {
        RunReader record = merge.current();
        reducer.take(
            record.stamp(),
            record.keyAddress(),
            record.keyBytes(),
            record.valueAddress(),
            record.valueBytes());
      }
      reducer.end();
      finishInto(family, none, level, into);
      return into;
    } finally {
      merge.close();
    }
  }

  /** Without sequence numbers nothing is known to be younger than anything else. */
  private static ExpiryBounds expiry(FamilyEdit family, boolean keepSequences) {
    WriteTimes times = family.writeTimes();
    return new ExpiryBounds(
        LongStream.of(times.expiryFloor()),
        keepSequences ? times.laterFloors() : LongStream.empty());
  }

  private long withoutSequence(long stamp, SearchKey key) throws MergeFailedException {
    int kind = RecordKind.kind(stamp);
    if (kind == RecordKind.OPERAND) { // there is no order without sequence numbers
      throw new MergeFailedException(
          "the log is lost, and a repair needs the store's merge operator for that",
          key,
          files.directory(),
          null);
    }
    return RecordKind.stamp(0, kind);
  }

  /** Deals tables out so that those of a run do not overlap. */
  private static List<List<Table>> runs(List<Table> tables) {
    List<List<Table>> runs = new ArrayList<>();
    List<Table> sorted = new ArrayList<>(tables);
    sorted.sort((a, b) -> FamilyManifest.RUN_ORDER.compare(a.meta(), b.meta()));
    for (Table table : sorted) {
      List<Table> fitting = null;
      for (List<Table> run : runs) {
        if (Keys.compare(run.getLast().meta().lastKey(), table.meta().firstKey()) < 0) {
          fitting = run;
          break;
        }
      }
      if (fitting == null) {
        fitting = new ArrayList<>();
        runs.add(fitting);
      }
      fitting.add(table);
    }
    return runs;
  }

  /** Deletes what was written, because it is not going to be used. */
  void discard() {
    try {
      writer.abandon();
    } catch (IOException e) {
      LOGGER.log(System.Logger.Level.WARNING, "cannot remove an unfinished table", e);
    }
    for (Path path : written) {
      try {
        if (engine.exists(path)) {
          engine.delete(path);
        }
      } catch (IOException e) {
        LOGGER.log(System.Logger.Level.WARNING, "cannot delete a new table: path=" + path, e);
      }
    }
  }

  @Override
  public void close() throws IOException {
    try {
      values.close();
      buffers.close();
    } finally {
      writeBuffer.close();
      readBuffer.close();
    }
  }
}
