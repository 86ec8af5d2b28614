package io.ewok.gds.lsm;

import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.lsm.memtable.EntryCursor;
import io.ewok.gds.lsm.memtable.EntryFormat;
import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes a memtable as tables. Usually one: more only if long keys fill its index.
 *
 * <p>Threads: confined to the background thread, or to the one that recovers.
 */
final class FlushJob {
  private final TableSet tables;
  private final TableWriter writer;
  private final LiveOptions live;
  private final Merging merging;
  private final StoreCounters counters;
  private final StoreEvents events;
  private final WriteDelay delay;

  /** How many there were when this looked last. */
  private long gets;

  FlushJob(TableWriter writer, StoreParts parts) {
    this.tables = parts.tables;
    this.writer = writer;
    this.live = parts.live;
    this.merging = Merging.of(parts.options, parts.files.directory());
    this.counters = parts.counters;
    this.events = parts.events;
    this.delay = parts.delay;
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
    List<TableMeta> metas =
        write(
            memtable,
            versions.liveSequences(),
            versions.lowestExpiryFloor(tables.manifest()),
            new OlderTables(version));
    List<Table> opened = List.of();
    try {
      tables.syncNames();
      opened = tables.openAll(metas);
      tables.install(
          tables
              .manifest()
              .edit()
              .withHorizon(memtable.endLsn(), memtable.lastSequence())
              .adding(0, metas));
    } catch (IOException | RuntimeException | Error e) {
      opened.forEach(Table::release);
      tables.closeUnused();
      tables.discard(metas);
      throw e;
    }
    memtable.setFlushed(opened);
    versions.flushed(opened);
    opened.forEach(Table::release);
    long bytes = metas.stream().mapToLong(TableMeta::sizeBytes).sum();
    long nanos = System.nanoTime() - start;
    delay.flushed(memtable.takenBytes(), nanos);
    events.flushed(event, new StoreListener.Flush(metas.size(), bytes, nanos));
  }

  /**
   * Writes the records of a memtable that nobody reads yet, or nobody but at the newest sequence.
   * The tables are synced, their names are not.
   */
  List<TableMeta> write(Memtable memtable) throws IOException {
    return write(memtable, new long[] {RecordKind.SEQUENCE_MAX}, 0, OlderRecords.UNKNOWN);
  }

  private List<TableMeta> write(
      Memtable memtable, long[] liveSequences, long expiryFloor, OlderRecords older)
      throws IOException {
    List<TableMeta> metas = new ArrayList<>();
    long bytesBefore = writer.bytesWritten();
    boolean isRead = isRead();
    List<RangeDelete> deletes = memtable.allRangeDeletes();
    RangeOutput ranges =
        new RangeOutput(RangeReducer.reduce(deletes, liveSequences, expiryFloor, older));
    try {
      VersionReducer reducer =
          new VersionReducer(
              liveSequences,
              expiryFloor,
              merging,
              null,
              older,
              RangeDeletes.ofOrNull(deletes),
              (newKey, key, stamp, valueAddress, valueBytes) -> {
                if (writer.isStarted() && writer.isIndexFull()) {
                  ranges.endTable(writer);
                  metas.add(tables.finish(writer));
                }
                start();
                writer.add(stamp, key.address(), key.lengthBytes(), valueAddress, valueBytes);
                if (isRead) {
                  // What was written last is often read; or else it goes first.
                  writer.want(Priority.LOW);
                }
              });
      EntryCursor entries = memtable.entries();
      for (long entry = entries.first(); entry != Memtable.NONE; entry = entries.next()) {
        reducer.take(
            EntryFormat.stamp(entry),
            EntryFormat.keyAddress(entry),
            EntryFormat.keyBytes(entry),
            EntryFormat.valueAddress(entry),
            EntryFormat.valueBytes(entry));
      }
      reducer.end();
      if (!ranges.isEmpty()) {
        start();
        ranges.endLastTable(writer);
      }
      if (writer.isStarted()) { // or else nothing of it is left
        metas.add(tables.finish(writer));
      }
      return metas;
    } catch (IOException | RuntimeException | Error e) {
      abandon(e);
      tables.discard(metas);
      throw e;
    } finally {
      counters.flushBytes.add(writer.bytesWritten() - bytesBefore);
    }
  }

  private void start() throws IOException {
    if (!writer.isStarted()) {
      tables.start(writer, live.compaction().layouts().getFirst());
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
  }
}
