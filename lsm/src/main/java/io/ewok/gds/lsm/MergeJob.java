package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.table.TableWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Merges all tables into one new run. Since all of them take part, nothing older can lie below: a
 * delete has done its work, and goes.
 *
 * <p>Threads: confined to the background thread.
 */
final class MergeJob {
  private final TableSet tables;
  private final TableWriter writer;
  private final StoreCounters counters;
  private final long tableBytes;

  /** What is done between two records. */
  @FunctionalInterface
  interface Pause {
    /** Returns whether the merge is to go on. */
    boolean run();
  }

  MergeJob(TableSet tables, TableWriter writer, StoreCounters counters, long tableBytes) {
    this.tables = tables;
    this.writer = writer;
    this.counters = counters;
    this.tableBytes = tableBytes;
  }

  /**
   * Merges the tables of the current version. After an exception the store is as it was.
   *
   * @param pause asked at least every few blocks
   * @return false if the pause ended it; the store is as it was
   */
  boolean run(VersionSet versions, Pause pause) throws IOException {
    if (versions.openSnapshots() > 0) {
      throw new IOException("a merge waits for the close of snapshots");
    }
    List<Table> replaced;
    MergeCursor merge;
    Version version = versions.retain();
    try {
      // Not the version itself: that would keep its memtables. The tables stay, since only this
      // thread replaces any.
      replaced = version.tables();
      merge = new MergeCursor(version.tableSources());
    } finally {
      versions.release(version);
    }
    List<TableMeta> metas = new ArrayList<>();
    List<Table> opened = List.of();
    long bytesBefore = writer.bytesWritten();
    try {
      if (!write(merge, metas, pause)) {
        writer.abandon();
        tables.discard(metas);
        return false;
      }
      tables.syncNames();
      opened = tables.openAll(metas);
      tables.install(
          tables
              .manifest()
              .edit()
              .removing(replaced.stream().map(Table::meta).toList())
              .adding(1, metas));
      // From here on nothing fails.
      replaced.forEach(Table::setReplaced);
      versions.merged(Set.copyOf(replaced), opened);
      opened.forEach(Table::release);
      counters.merges.increment();
      return true;
    } catch (IOException | RuntimeException | Error e) {
      abandon(e);
      opened.forEach(Table::release);
      tables.closeUnused();
      tables.discard(metas);
      throw e;
    } finally {
      counters.mergeBytes.add(writer.bytesWritten() - bytesBefore);
    }
  }

  private boolean write(MergeCursor merge, List<TableMeta> metas, Pause pause) throws IOException {
    try {
      for (merge.first(); merge.isValid(); merge.next()) {
        if (!pause.run()) {
          return false;
        }
        if (writer.isStarted() && (writer.isIndexFull() || writer.sizeBytes() >= tableBytes)) {
          metas.add(writer.finish());
        }
        if (!writer.isStarted()) {
          tables.start(writer);
        }
        RecordSource record = merge.current();
        writer.add(
            record.stamp(),
            record.keyAddress(),
            record.keyBytes(),
            record.valueAddress(),
            record.valueBytes());
      }
      if (writer.isStarted()) {
        metas.add(writer.finish());
      }
      return true;
    } finally {
      merge.close();
    }
  }

  private void abandon(Throwable failure) {
    try {
      writer.abandon();
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }
}
