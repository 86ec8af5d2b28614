package io.ewok.gds.lsm;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.RunReader;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.table.TableProperties;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.lsm.values.ValueFileMeta;
import io.ewok.gds.lsm.values.ValueFileWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.LongPredicate;

/**
 * One compaction, done step by step: {@link #step} until it says that it is done, with anything in
 * between; or {@link #abandon}, which leaves the store as it was.
 *
 * <p>It is of one family. What it keeps of the versions of a key is for {@link VersionReducer} to
 * say.
 *
 * <pre>
 *   NEW --step--> MERGING --step, all records are written--> DONE
 *    |               |
 *    +----abandon----+----> DONE
 * </pre>
 *
 * <p>Ownership: writer and buffer are the caller's, and used by one compaction at a time. Threads:
 * confined to the background thread.
 */
final class Compaction {
  private static final System.Logger LOGGER = System.getLogger(Compaction.class.getName());

  private final FamilyState family;
  private final CompactionInputs inputs;
  private final VersionSet versions;
  private final TableSet tables;
  private final TableWriter writer;
  private final ValueFileWriter valueWriter;
  private final Region readBuffer;
  private final CompactionOptions options;
  private final StoreCounters counters;
  private final StoreEvents events;
  private final CompactionEvent event = new CompactionEvent();
  private final long startNanos = System.nanoTime();

  private final List<TableMeta> outputs = new ArrayList<>();
  private final List<ValueFileMeta> outputValues = new ArrayList<>();

  /** What a step counts of all inputs; and of them what is merged. */
  private final long allBytes;

  private long mergedBytes;
  private RecordMerge merge;
  private DeeperRecords deeper;
  private VersionReducer reducer;
  private RangeOutput ranges;
  private ValueOutput values;

  /** Null if there is none, or it is not to be asked. */
  private FilterRun filter;

  /** Whether readers use what the current record was read from. */
  private boolean isUsed;

  /** Bytes of the level below the output's that the open table overlaps. */
  private long overlapBytes;

  /**
   * Prepares a compaction.
   *
   * @param inputs of the family in the current version
   */
  Compaction(
      FamilyState family,
      CompactionInputs inputs,
      VersionSet versions,
      TableSet tables,
      TableWriter writer,
      ValueFileWriter valueWriter,
      Region readBuffer,
      CompactionOptions options,
      StoreCounters counters,
      StoreEvents events) {
    this.family = family;
    this.inputs = inputs;
    this.versions = versions;
    this.tables = tables;
    this.writer = writer;
    this.valueWriter = valueWriter;
    this.readBuffer = readBuffer;
    this.options = options;
    this.counters = counters;
    this.events = events;
    this.allBytes = inputs.tables().stream().mapToLong(Compaction::recordBytes).sum();
    event.begin();
    prepare(options.filter());
  }

  private static long recordBytes(Table table) {
    TableProperties of = table.properties();
    return of.keyBytes() + of.valueBytes() + of.entries() * Long.BYTES;
  }

  private void prepare(CompactionFilter wanted) {
    deeper = new DeeperRecords(inputs.deeper());
    long[] liveSequences = versions.liveSequences(family);
    filter =
        wanted == CompactionFilter.NONE
            ? null
            : new FilterRun(
                wanted,
                versions.newestSnapshot(),
                liveSequences[liveSequences.length - 1],
                family.merging().valueBytesMax());
    ExpiryBounds expiry = versions.expiryBounds(family, tables.manifest().family(family.id()));
    List<RangeDelete> deletes = new ArrayList<>();
    for (Table table : inputs.tables()) {
      if (table.hasRangeDeletes()) {
        deletes.addAll(table.rangeDeletesOrNull().all());
      }
    }
    ranges = new RangeOutput(RangeReducer.reduce(deletes, liveSequences, expiry.lowest(), deeper));
    StoredValues stored = new StoredValues(tables.values());
    values =
        new ValueOutput(tables, valueWriter, family, options, valueGarbage(), stored, outputValues);
    reducer =
        new VersionReducer(
            liveSequences,
            expiry,
            family.merging(),
            filter,
            deeper,
            rangesOfTables(),
            stored,
            this::write);
  }

  /** What is to be moved as far as this meets it: from full value files, and to another key. */
  private ValueGarbage valueGarbage() {
    Version version = versions.retain();
    try {
      return version.levels(family).valueGarbage(options.valueGarbagePercent(), tables.keyId());
    } finally {
      versions.release(version);
    }
  }

  /** Those of tables above hide records, too: they do not go before this compaction is done. */
  private RangeDeletes rangesOfTables() {
    Version version = versions.retain();
    try {
      TableRanges found = version.levels(family).rangesOrNull();
      return found == null ? null : found.union();
    } finally {
      versions.release(version);
    }
  }

  FamilyState family() {
    return family;
  }

  CompactionInputs inputs() {
    return inputs;
  }

  /** What part of a table is still to be merged: 1 of one that is not among the inputs. */
  double leftOf(Table table) {
    return inputs.tables().contains(table) ? 1 - (double) mergedBytes / Math.max(1, allBytes) : 1;
  }

  /**
   * Goes on, for about so many bytes of records. After an exception it is to be abandoned.
   *
   * @return whether it is done
   */
  boolean step(long byteBudget) throws IOException {
    if (inputs.kind() != CompactionKind.MERGE) {
      moveOrDrop();
      return true;
    }
    long bytesBefore = bytesWritten();
    try {
      if (merge == null) {
        open();
      }
      // What is moved of value files takes its time, too.
      long end = mergedBytes + values.movedBytes() + byteBudget;
      while (mergedBytes + values.movedBytes() < end && merge.isValid()) {
        RunReader record = merge.current();
        mergedBytes += (long) record.keyBytes() + record.valueBytes() + Long.BYTES;
        isUsed = record.isUsed();
        reducer.take(
            record.stamp(),
            record.keyAddress(),
            record.keyBytes(),
            record.valueAddress(),
            record.valueBytes());
        merge.next();
      }
      if (merge.isValid()) {
        return false;
      }
      reducer.end();
      if (!ranges.isEmpty()) {
        start();
        ranges.endLastTable(writer);
      }
      values.finish();
      if (writer.isStarted()) {
        outputs.add(tables.finish(writer));
      }
    } finally {
      long bytes = bytesWritten() - bytesBefore;
      counters.mergeBytes.add(bytes);
      family.counters(inputs.outputLevel()).bytesWritten.add(bytes);
    }
    if (filter != null && filter.hasActed()) {
      if (!versions.tryHoldSnapshots(filter.newestSnapshot())) {
        startAnew();
        return false;
      }
      try {
        install();
      } finally {
        versions.releaseSnapshots();
      }
    } else {
      install();
    }
    // When nobody waits for it: a listener may open a snapshot.
    tell(
        outputs.size(),
        outputs.stream().mapToLong(TableMeta::sizeBytes).sum()
            + outputValues.stream().mapToLong(ValueFileMeta::sizeBytes).sum());
    return true;
  }

  private long bytesWritten() {
    return writer.bytesWritten() + valueWriter.bytesWritten();
  }

  /** A snapshot was opened that sees what the filter has removed or changed: without it, then. */
  private void startAnew() {
    abandon();
    merge = null;
    mergedBytes = 0;
    prepare(CompactionFilter.NONE);
  }

  private void open() throws IOException {
    List<RunReader> readers = tables.readers(inputs.runs(), readBuffer);
    merge = new RecordMerge(readers);
    LongPredicate moved = values.movedFilesOrNull();
    if (moved != null) {
      readers.forEach(reader -> reader.readAhead(moved));
    }
    merge.first();
  }

  // ---- records

  private void write(boolean newKey, SearchKey key, long stamp, long valueAddress, int valueBytes)
      throws IOException {
    if (writer.isStarted() && (writer.isIndexFull() || (newKey && isFull(key)))) {
      ranges.endTable(writer);
      outputs.add(tables.finish(writer));
    }
    start();
    values.add(writer, key, stamp, valueAddress, valueBytes);
    if (isUsed) {
      writer.want(Priority.NORMAL);
    }
  }

  private void start() throws IOException {
    if (!writer.isStarted()) {
      tables.start(writer, family.id(), options.layouts().get(inputs.outputLevel()));
      overlapBytes = 0;
    }
  }

  /** On level 0 each table is one to look into: there it is one, however large. */
  private boolean isFull(SearchKey key) {
    if (inputs.outputLevel() == 0) {
      return false;
    }
    overlapBytes += deeper.takePassedBytes(key);
    return writer.sizeBytes() >= options.tableBytes() || overlapBytes > options.overlapBytesMax();
  }

  // ---- the end

  private void install() throws IOException {
    merge.close();
    tables.syncNames();
    List<Table> opened = tables.openAll(outputs);
    try {
      tables.install(edit());
    } catch (IOException | RuntimeException | Error e) {
      opened.forEach(Table::release);
      tables.closeUnused();
      throw e;
    }
    // From here on nothing fails.
    inputs.tables().forEach(Table::setReplaced);
    versions.compacted(
        family.id(), Set.copyOf(inputs.tables()), inputs.outputLevel(), opened, filter != null);
    opened.forEach(Table::release);
  }

  private ManifestEdit edit() {
    ManifestEdit edit = tables.manifest().edit().removing(metas(inputs.tables()));
    if (inputs.outputLevel() == 0) {
      // An edit puts tables of level 0 before all: those that were flushed meanwhile go once more.
      long newest = inputs.tables().getFirst().meta().number();
      List<TableMeta> flushed =
          tables.manifest().family(family.id()).level(0).stream()
              .takeWhile(meta -> meta.number() != newest)
              .toList();
      edit = edit.removing(flushed).adding(0, flushed);
    }
    return edit.addingValues(outputValues).adding(inputs.outputLevel(), outputs);
  }

  private void moveOrDrop() throws IOException {
    boolean isMove = inputs.kind() == CompactionKind.MOVE;
    List<Table> taken = inputs.tables();
    List<Table> kept = isMove ? taken : List.of();
    tables.install(
        tables.manifest().edit().removing(metas(taken)).adding(inputs.outputLevel(), metas(kept)));
    // From here on nothing fails.
    if (isMove) {
      versions.compacted(family.id(), Set.copyOf(taken), inputs.outputLevel(), taken, false);
    } else {
      taken.forEach(Table::setReplaced);
      if (inputs.losesWrites()) {
        taken.forEach(table -> family.lose(table.meta().lastSequence())); // before the version
      }
      versions.dropped(family.id(), Set.copyOf(taken));
    }
    tell(kept.size(), 0);
  }

  private void tell(int tablesAfter, long bytesWritten) {
    events.compacted(
        event,
        family,
        new StoreListener.Compacted(
            family.name(),
            inputs.level(),
            inputs.outputLevel(),
            inputs.kind(),
            inputs.tables().size(),
            tablesAfter,
            inputs.bytes(),
            bytesWritten,
            System.nanoTime() - startNanos));
  }

  private static List<TableMeta> metas(List<Table> tables) {
    return tables.stream().map(Table::meta).toList();
  }

  /** Gives up; the store is as it was. */
  void abandon() {
    try {
      if (merge != null) {
        merge.close();
      }
    } catch (IOException e) {
      LOGGER.log(System.Logger.Level.WARNING, "cannot close a table that was merged", e);
    }
    try {
      writer.abandon();
    } catch (IOException e) {
      // The next recovery finds the file, because no manifest names it.
      LOGGER.log(System.Logger.Level.WARNING, "cannot remove an unfinished table", e);
    }
    try {
      valueWriter.abandon();
    } catch (IOException e) {
      LOGGER.log(System.Logger.Level.WARNING, "cannot remove an unfinished value file", e);
    }
    tables.closeUnused();
    tables.discard(outputs);
    outputs.clear();
    tables.discardValues(outputValues);
    outputValues.clear();
  }
}
