package io.ewok.gds.lsm;

import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.lsm.cache.RecordCache;
import io.ewok.gds.lsm.memtable.EntryCursor;
import io.ewok.gds.lsm.memtable.EntryFormat;
import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableLayout;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.lsm.values.ValueFileMeta;
import io.ewok.gds.lsm.values.ValueFileWriter;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/**
 * Writes a memtable as tables. Usually one for each family that has something in it: more only if
 * long keys fill its index.
 *
 * <p>Threads: confined to the background thread, or to the one that recovers.
 */
final class FlushJob {
  /** How much the last flush counts in what is usual. */
  private static final double LAST_WEIGHT = 0.3;

  private final TableSet tables;
  private final TableWriter writer;
  private final ValueFileWriter valueWriter;
  private final LiveOptions live;
  private final Families families;
  private final StoreCounters counters;
  private final StoreEvents events;
  private final WriteDelay delay;
  private final BackgroundPace pace;

  /** How many there were when this looked last. */
  private long gets;

  /** Size of the tables that a flush writes, as it was with the last ones, in bytes. */
  private double usualBytes;

  /** Whether the store is read, as far as the current flush knows. */
  private boolean isRead;

  FlushJob(TableWriter writer, ValueFileWriter valueWriter, StoreParts parts) {
    this.tables = parts.tables;
    this.writer = writer;
    this.valueWriter = valueWriter;
    this.live = parts.live;
    this.families = parts.families;
    this.counters = parts.counters;
    this.events = parts.events;
    this.delay = parts.delay;
    this.pace = parts.pace;
  }

  /**
   * What became of a memtable.
   *
   * @param values files that the tables refer to
   */
  record Written(List<TableMeta> tables, List<ValueFileMeta> values) {
    /** Size of all files. */
    private long sizeBytes() {
      return tables.stream().mapToLong(TableMeta::sizeBytes).sum()
          + values.stream().mapToLong(ValueFileMeta::sizeBytes).sum();
    }
  }

  /**
   * Flushes the frozen memtable of the current version and makes its tables part of the store.
   * After an exception the store is as it was, the memtable and the log still have everything.
   *
   * @param version the current one, retained during the call
   */
  void run(Version version, WriteAheadLog log, VersionSet versions) throws IOException {
    Memtable memtable = version.frozen();
    FlushEvent event = new FlushEvent();
    event.begin();
    long start = System.nanoTime();
    // Else the log could end, after a crash, before the horizon that the manifest is about to name.
    log.sync(memtable.endLsn());
    long newestReader = versions.newestReader();
    List<FilterRun> filters = new ArrayList<>();
    Written written =
        write(
            version,
            versions,
            (family, newest) -> filterOrNull(family, newestReader, newest, filters));
    boolean isFiltered = filters.stream().anyMatch(FilterRun::hasActed);
    boolean isHeld = isFiltered && versions.tryHoldReaders(newestReader);
    if (isFiltered && !isHeld) {
      // A reader was opened that sees what a filter has removed or changed: without them, then.
      discard(written);
      written = write(version, versions, (_, _) -> null);
    }
    try {
      install(memtable, written, versions);
    } finally {
      if (isHeld) {
        versions.releaseReaders();
      }
    }
    long bytes = written.tables().stream().mapToLong(TableMeta::sizeBytes).sum();
    usualBytes += (usualBytes == 0 ? 1 : LAST_WEIGHT) * (bytes - usualBytes);
    long nanos = System.nanoTime() - start;
    delay.flushed(memtable.takenBytes(), nanos);
    events.flushed(
        event, new StoreListener.Flush(written.tables().size(), written.sizeBytes(), nanos));
  }

  /** Writes the frozen memtable of a version, for those who read now and later. */
  private Written write(
      Version version, VersionSet versions, BiFunction<FamilyState, Long, FilterRun> filters)
      throws IOException {
    Memtable memtable = version.frozen();
    return write(
        memtable,
        (family, into) -> {
          long[] liveSequences = versions.liveSequences(family);
          write(
              memtable,
              family,
              liveSequences,
              versions.expiryBounds(family, tables.manifest().family(family.id())),
              new OlderTables(version.levels(family)),
              filters.apply(family, liveSequences[liveSequences.length - 1]),
              into);
        });
  }

  /** Who decides about the values of a family, or null; one more of those that there are. */
  private FilterRun filterOrNull(
      FamilyState family, long newestReader, long newestSequence, List<FilterRun> filters) {
    CompactionOptions options = live.compaction(family);
    if (!options.filtersFlushes() || options.filter() == CompactionFilter.NONE) {
      return null;
    }
    filters.add(
        new FilterRun(
            options.filter(), newestReader, newestSequence, family.merging().valueBytesMax()));
    return filters.getLast();
  }

  /** Makes tables part of the store, in the place of the memtable that is in them. */
  private void install(Memtable memtable, Written written, VersionSet versions) throws IOException {
    Map<Integer, List<Table>> opened = new HashMap<>();
    try {
      tables.syncNames();
      for (FamilyState family : families.all()) {
        opened.put(family.id(), tables.openAll(of(family, written.tables())));
      }
      tables.install(
          tables
              .manifest()
              .edit()
              .withHorizon(memtable.endLsn(), memtable.lastSequence())
              .addingValues(written.values())
              .adding(0, written.tables()));
    } catch (IOException | RuntimeException | Error e) {
      release(opened);
      tables.closeUnused();
      discard(written);
      throw e;
    }
    memtable.setFlushed(opened);
    forgetRecords(memtable, versions);
    versions.flushed(opened);
    release(opened);
  }

  /** Before anybody reads the tables. */
  private void forgetRecords(Memtable memtable, VersionSet versions) {
    RecordCache cache = versions.recordCacheOrNull();
    if (cache == null) {
      return;
    }
    long number = versions.nextTablesNumber();
    for (FamilyState family : families.all()) {
      if (memtable.entries(family.id()) != null) {
        EntryCursor entries = memtable.entries(family.id()).fetching();
        for (long entry = entries.first(); entry != Memtable.NONE; entry = entries.next()) {
          cache.changed(
              EntryFormat.keyAddress(entry), EntryFormat.keyBytes(entry), family.id(), number);
        }
      }
    }
  }

  /** The size of all tables that a flush writes together, in bytes; 0 before the first. */
  long usualBytes() {
    return (long) usualBytes;
  }

  private static List<TableMeta> of(FamilyState family, List<TableMeta> metas) {
    return metas.stream().filter(meta -> meta.family() == family.id()).toList();
  }

  private static void release(Map<Integer, List<Table>> opened) {
    opened.values().forEach(of -> of.forEach(Table::release));
  }

  /** Writes what a memtable has of one family. */
  @FunctionalInterface
  private interface Part {
    void write(FamilyState family, Written into) throws IOException;
  }

  /**
   * Writes the records of a memtable that nobody reads yet, or nobody but at the newest sequence.
   * The files are synced, their names are not.
   */
  Written write(Memtable memtable) throws IOException {
    long[] newest = {RecordKind.SEQUENCE_MAX};
    return write(
        memtable,
        (family, into) ->
            write(
                memtable,
                family,
                newest,
                ExpiryBounds.ofRecovery(tables.manifest().family(family.id()).about().writeTimes()),
                OlderRecords.UNKNOWN,
                null,
                into));
  }

  /** What it has of families that are dropped is left out. */
  private Written write(Memtable memtable, Part part) throws IOException {
    Written written = new Written(new ArrayList<>(), new ArrayList<>());
    long bytesBefore = bytesWritten();
    isRead = isRead();
    try {
      for (FamilyState family : families.all()) {
        if (memtable.entries(family.id()) != null) {
          part.write(family, written);
        }
      }
      return written;
    } catch (IOException | RuntimeException | Error e) {
      abandon(e);
      discard(written);
      throw e;
    } finally {
      counters.flushBytes.add(bytesWritten() - bytesBefore);
    }
  }

  private long bytesWritten() {
    return writer.bytesWritten() + valueWriter.bytesWritten();
  }

  private void discard(Written written) {
    tables.discard(written.tables());
    tables.discardValues(written.values());
  }

  private void write(
      Memtable memtable,
      FamilyState family,
      long[] liveSequences,
      ExpiryBounds expiry,
      OlderRecords older,
      FilterRun filterOrNull,
      Written into)
      throws IOException {
    CompactionOptions options = live.compaction(family);
    TableLayout layout = options.layouts().getFirst();
    ValueOutput values =
        new ValueOutput(
            tables, valueWriter, family, options, ValueGarbage.NONE, null, into.values());
    List<TableMeta> metas = into.tables();
    List<RangeDelete> deletes = memtable.allRangeDeletes(family.id());
    RangeOutput ranges =
        new RangeOutput(RangeReducer.reduce(deletes, liveSequences, expiry.lowest(), older));
    VersionReducer reducer =
        new VersionReducer(
            liveSequences,
            expiry,
            family.merging(),
            filterOrNull,
            older,
            RangeDeletes.ofOrNull(deletes),
            (newKey, key, stamp, valueAddress, valueBytes) -> {
              if (writer.isStarted() && writer.isIndexFull()) {
                ranges.endTable(writer);
                metas.add(tables.finish(writer));
              }
              start(family, layout);
              values.add(writer, key, stamp, valueAddress, valueBytes);
              if (isRead) {
                // What was written last is often read; or else it goes first.
                writer.want(Priority.LOW);
              }
            });
    EntryCursor entries = memtable.entries(family.id()).fetching();
    for (long entry = entries.first(); entry != Memtable.NONE; entry = entries.next()) {
      reducer.take(
          EntryFormat.stamp(entry),
          EntryFormat.keyAddress(entry),
          EntryFormat.keyBytes(entry),
          EntryFormat.valueAddress(entry),
          EntryFormat.valueBytes(entry));
      pace.passed((long) EntryFormat.keyBytes(entry) + EntryFormat.valueBytes(entry) + Long.BYTES);
    }
    reducer.end();
    if (!ranges.isEmpty()) {
      start(family, layout);
      ranges.endLastTable(writer);
    }
    values.finish();
    if (writer.isStarted()) { // or else nothing of it is left
      metas.add(tables.finish(writer));
    }
  }

  private void start(FamilyState family, TableLayout layout) throws IOException {
    if (!writer.isStarted()) {
      tables.start(writer, family.id(), layout);
    }
  }

  /** Whether there were gets since the last flush: a mere load is not to pay for readers. */
  private boolean isRead() {
    long before = gets;
    gets = counters.gets.sum();
    return gets > before;
  }

  private void abandon(Throwable failure) {
    try {
      writer.abandon();
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
    try {
      valueWriter.abandon();
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }
}
