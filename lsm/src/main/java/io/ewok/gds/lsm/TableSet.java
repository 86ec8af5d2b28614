package io.ewok.gds.lsm;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.table.BlockHints;
import io.ewok.gds.lsm.table.RunReader;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableBlocks;
import io.ewok.gds.lsm.table.TableLayout;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.pagestore.IoEngine;
import java.io.IOException;
import java.lang.System.Logger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The table files of a store and the manifest that names them. A table becomes part of the store in
 * this order: its file is synced, its name is synced, the manifest that names it is durable,
 * readers see it. Only then may the log, or the tables that it replaces, go.
 *
 * <p>Threads: the background thread, and the thread that opens or closes the store; {@link #unused}
 * any.
 */
final class TableSet {
  private static final Logger LOGGER = System.getLogger(TableSet.class.getName());

  private final IoEngine engine;
  private final StoreFiles files;
  private final ManifestLog manifest;
  private final Runnable whenUnused;
  private final Queue<Table> unused = new ConcurrentLinkedQueue<>();

  private BufferManager buffers;
  private BlockHints hints;
  private long nextNumber;

  /** By number, what the pool has of tables that are complete and not open yet. */
  private final Map<Long, TableBlocks> written = new HashMap<>();

  /** Files that were written for a manifest of which it is not known whether it is durable. */
  private final List<Path> doubtful = new ArrayList<>();

  /**
   * The tables of a store.
   *
   * @param manifest as it was read
   * @param nextNumber a number from which on no file has one
   * @param whenUnused called when {@link #closeUnused} has work to do, on any thread
   */
  TableSet(
      IoEngine engine,
      StoreFiles files,
      ManifestLog manifest,
      long nextNumber,
      Runnable whenUnused) {
    this.engine = engine;
    this.files = files;
    this.manifest = manifest;
    this.nextNumber = nextNumber;
    this.whenUnused = whenUnused;
  }

  /** Sets the pool through which tables are read, before the first is opened. */
  void usePool(BufferManager buffers) {
    this.buffers = buffers;
    this.hints = new BlockHints(buffers);
  }

  Manifest manifest() {
    return manifest.current();
  }

  /** Whether an edit that failed may be there after a crash. Any thread. */
  boolean isManifestDoubtful() {
    return manifest.isDoubtful();
  }

  /** A number that all tables from now on reach, and none before does. */
  long nextNumber() {
    return nextNumber;
  }

  /** Takes so many numbers for tables that others write; returns the first. */
  long takeNumbers(int count) {
    long first = nextNumber;
    nextNumber += count;
    return first;
  }

  /** Starts the next table, of a family. */
  void start(TableWriter writer, int family, TableLayout layout) throws IOException {
    long number = nextNumber++;
    writer.start(files.table(number), number, family, layout, buffers);
  }

  /** Completes it. It is to be opened or discarded then. */
  TableMeta finish(TableWriter writer) throws IOException {
    TableMeta meta = writer.finish();
    TableBlocks blocks = writer.takeBlocks();
    if (blocks != null) {
      written.put(meta.number(), blocks);
    }
    return meta;
  }

  /** Opens a table. The caller is its first user. */
  Table open(TableMeta meta) throws IOException {
    TableBlocks blocks = written.remove(meta.number());
    if (blocks == null) {
      blocks = TableBlocks.open(buffers, files.table(meta.number()), meta.number());
    }
    Table table = Table.open(buffers, blocks, meta, hints, this::unused);
    try {
      RangeDeletes unused = table.readRangeDeletes();
      return table;
    } catch (IOException | RuntimeException | Error e) {
      table.release();
      throw e;
    }
  }

  /** Opens all tables or none. */
  List<Table> openAll(List<TableMeta> metas) throws IOException {
    List<Table> tables = new ArrayList<>();
    try {
      for (TableMeta meta : metas) {
        tables.add(open(meta));
      }
      return tables;
    } catch (IOException | RuntimeException | Error e) {
      tables.forEach(Table::release);
      throw e;
    }
  }

  /** New readers of runs, which share a buffer that the kernel may write to. */
  List<RunReader> readers(List<List<Table>> runs, Region buffer) {
    return RunReader.sharing(engine, runs, buffer);
  }

  /** Makes the names of new tables durable. */
  void syncNames() throws IOException {
    engine.syncDirectory(files.directory());
  }

  /**
   * Makes an edit of the manifest durable. If that fails, it may be there after a crash or not; so
   * nothing that it names is deleted until a later one is known to be durable.
   */
  void install(ManifestEdit edit) throws IOException {
    try {
      manifest.append(edit.withNextNumber(nextNumber));
    } catch (IOException | RuntimeException | Error e) {
      if (manifest.isDoubtful()) {
        // Not those that only go to another level.
        Set<Long> known = manifest.current().tableNumbers();
        edit.added().stream()
            .map(added -> added.meta().number())
            .filter(number -> !known.contains(number))
            .forEach(number -> doubtful.add(files.table(number)));
      }
      throw e;
    }
    doubtful.removeIf(this::delete);
  }

  /** Deletes tables that were written and never became part of the store. */
  void discard(List<TableMeta> metas) {
    for (TableMeta meta : metas) {
      Path path = files.table(meta.number());
      close(written.remove(meta.number()), path);
      if (!doubtful.contains(path)) {
        delete(path);
      }
    }
  }

  private static void close(TableBlocks blocksOrNull, Path path) {
    try {
      if (blocksOrNull != null) {
        blocksOrNull.close();
      }
    } catch (IOException e) {
      LOGGER.log(Logger.Level.WARNING, "cannot close a table: path=" + path, e);
    }
  }

  /** Takes a table that nobody uses any more. Any thread. */
  private void unused(Table table) {
    unused.add(table);
    whenUnused.run();
  }

  boolean hasUnused() {
    return !unused.isEmpty();
  }

  /** Closes the tables that nobody uses any more, and deletes those that were replaced. */
  void closeUnused() {
    for (Table table = unused.poll(); table != null; table = unused.poll()) {
      try {
        table.close();
      } catch (IOException e) {
        LOGGER.log(Logger.Level.WARNING, "cannot close a table: path=" + table.path(), e);
      }
      if (table.isReplaced()) {
        delete(table.path());
      }
    }
  }

  /** What cannot be deleted now is found by the next recovery, because no manifest names it. */
  private boolean delete(Path path) {
    try {
      engine.delete(path);
    } catch (IOException e) {
      LOGGER.log(Logger.Level.WARNING, "cannot delete a table that is not needed: path=" + path, e);
    }
    return true;
  }
}
