package io.ewok.gds.lsm;

import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.lsm.memtable.EntryCursor;
import io.ewok.gds.lsm.memtable.EntryFormat;
import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableLayout;
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
  private final StoreCounters counters;
  private final StoreEvents events;
  private final WriteDelay delay;

  /** How many there were when this looked last. */
  private long gets;

  FlushJob(TableWriter writer, StoreParts parts) {
    this.tables = parts.tables;
    this.writer = writer;
    this.live = parts.live;
    this.counters = parts.counters;
    this.events = parts.events;
    this.delay = parts.delay;
  }

  /**
   * Flushes a frozen memtable and makes it part of the store. After an exception the store is as it
   * was, the memtable and the log still have everything.
   *
   * @param oldestSequence no reader asks for what was at an older sequence
   */
  void run(Memtable memtable, WriteAheadLog log, VersionSet versions, long oldestSequence)
      throws IOException {
    FlushEvent event = new FlushEvent();
    event.begin();
    long start = System.nanoTime();
    // Else the log could end, after a crash, before the horizon that the manifest is about to name.
    log.sync(memtable.endLsn());
    List<TableMeta> metas = write(memtable, oldestSequence);
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

  /** Writes the records of a memtable. The tables are synced, their names are not. */
  List<TableMeta> write(Memtable memtable, long oldestSequence) throws IOException {
    TableLayout layout = live.compaction().layouts().getFirst();
    List<TableMeta> metas = new ArrayList<>();
    long bytesBefore = writer.bytesWritten();
    boolean isRead = isRead();
    try {
      long kept = Memtable.NONE;
      EntryCursor entries = memtable.entries();
      for (long entry = entries.first(); entry != Memtable.NONE; entry = entries.next()) {
        if (kept != Memtable.NONE && isShadowed(entry, kept, oldestSequence)) {
          continue;
        }
        kept = entry;
        if (writer.isStarted() && writer.isIndexFull()) {
          metas.add(tables.finish(writer));
        }
        if (!writer.isStarted()) {
          tables.start(writer, layout);
        }
        writer.add(
            EntryFormat.stamp(entry),
            EntryFormat.keyAddress(entry),
            EntryFormat.keyBytes(entry),
            EntryFormat.valueAddress(entry),
            EntryFormat.valueBytes(entry));
        if (isRead) {
          writer.want(Priority.LOW); // what was written last is often read; or else it goes first
        }
      }
      if (writer.isStarted()) { // or else it has nothing but promises that nobody kept
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

  /** Whether every reader sees the newer record {@code kept} instead of this one. */
  private static boolean isShadowed(long entry, long kept, long oldestSequence) {
    return RecordKind.sequence(EntryFormat.stamp(kept)) <= oldestSequence
        && EntryFormat.isSameKey(entry, kept);
  }
}
