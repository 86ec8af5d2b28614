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
import io.ewok.gds.lsm.values.ValueFileMeta;
import io.ewok.gds.lsm.values.ValueFileWriter;
import io.ewok.gds.lsm.values.ValueSource;
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
import java.util.function.LongSupplier;

/**
 * The table files of a store, the value files that these refer to, and the manifest that names
 * both. A table becomes part of the store in this order: its file and those of its values are
 * synced, their names are synced, the manifest that names them is durable, readers see it. Only
 * then may the log, or the tables that it replaces, go.
 *
 * <p>Threads: the background thread, and the thread that opens or closes the store; {@link #unused}
 * any.
 */
final class TableSet {
  private static final Logger LOGGER = System.getLogger(TableSet.class.getName());

  private final IoEngine engine;
  private final StoreFiles files;
  private final ManifestLog manifest;
  private final LongSupplier clock;
  private final Runnable whenUnused;
  private final Queue<Table> unused = new ConcurrentLinkedQueue<>();
  private final ValueFileSet values;

  private BufferManager buffers;
  private BlockHints hints;
  private long nextNumber;

  /** By the number of a file, how many open tables are in it. */
  private final Map<Long, Integer> openInFile = new HashMap<>();

  /** By number, what the pool has of tables that are complete and not open yet. */
  private final Map<Long, TableBlocks> written = new HashMap<>();

  /** Files that were written for a manifest of which it is not known whether it is durable. */
  private final List<Path> doubtful = new ArrayList<>();

  /**
   * The tables of a store.
   *
   * @param manifest as it was read
   * @param nextNumber a number from which on no file has one
   * @param clock milliseconds since the epoch
   * @param whenUnused called when {@link #closeUnused} has work to do, on any thread
   */
  TableSet(
      IoEngine engine,
      StoreFiles files,
      ManifestLog manifest,
      long nextNumber,
      LongSupplier clock,
      Runnable whenUnused) {
    this.engine = engine;
    this.files = files;
    this.manifest = manifest;
    this.nextNumber = nextNumber;
    this.clock = clock;
    this.whenUnused = whenUnused;
    this.values = new ValueFileSet(files, this::delete, whenUnused);
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
    TableMeta meta = writer.finish().writtenAt(nowMillis());
    TableBlocks blocks = writer.takeBlocks();
    if (blocks != null) {
      written.put(meta.number(), blocks);
    }
    return meta;
  }

  /** Now, as tables are told that they were written. */
  long nowMillis() {
    return Math.max(0, clock.getAsLong());
  }

  /** Number of the key that files are encrypted with from now on; 0 if they are not. */
  int keyId() {
    return engine.keys().currentId();
  }

  /** Starts the next value file, of a family. */
  void start(ValueFileWriter writer, int family) throws IOException {
    long number = nextNumber++;
    writer.start(files.values(number), number, family);
  }

  /** Completes it. It is to become part of the store, or to be discarded then. */
  ValueFileMeta finish(ValueFileWriter writer) throws IOException {
    ValueFileMeta meta = writer.finish();
    values.finished(meta);
    return meta;
  }

  /** The value files of open tables, for who keeps those. */
  ValueSource values() {
    return values;
  }

  /** Opens a table. The caller is its first user. */
  Table open(TableMeta meta) throws IOException {
    TableBlocks blocks = written.remove(meta.number());
    if (blocks == null) {
      blocks = TableBlocks.open(buffers, files.table(meta.fileNumber()), meta.fileNumber());
    }
    Table table = open(blocks, meta);
    try {
      RangeDeletes unused = table.readRangeDeletes();
      return table;
    } catch (IOException | RuntimeException | Error e) {
      table.release();
      throw e;
    }
  }

  private Table open(TableBlocks blocks, TableMeta meta) throws IOException {
    ValueSource source;
    try {
      Path path = files.table(meta.fileNumber());
      source = values.retain(buffers, path, meta.references(), manifest());
    } catch (IOException | RuntimeException | Error e) {
      close(blocks, files.table(meta.fileNumber()));
      throw e;
    }
    try {
      Table table = Table.open(buffers, blocks, meta, hints, source, this::unused);
      openInFile.merge(meta.fileNumber(), 1, Integer::sum);
      return table;
    } catch (IOException | RuntimeException | Error e) {
      source.release();
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
    Set<Long> before = manifest().values().keySet();
    try {
      manifest.append(edit.withNextNumber(nextNumber));
    } catch (IOException | RuntimeException | Error e) {
      if (manifest.isDoubtful()) {
        // Not those that only go to another level, or get a clone.
        Set<Long> known = manifest.current().tableFileNumbers();
        edit.added().stream()
            .map(added -> added.meta().fileNumber())
            .filter(number -> !known.contains(number))
            .forEach(number -> doubtful.add(files.table(number)));
        edit.values().forEach(meta -> doubtful.add(files.values(meta.number())));
      }
      throw e;
    }
    edit.values().forEach(values::forget);
    Set<Long> after = manifest().values().keySet();
    before.stream().filter(number -> !after.contains(number)).forEach(values::remove);
    doubtful.forEach(this::delete);
    doubtful.clear();
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

  /** Deletes value files that were written and never became part of the store. */
  void discardValues(List<ValueFileMeta> metas) {
    for (ValueFileMeta meta : metas) {
      values.forget(meta);
      Path path = files.values(meta.number());
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
    return !unused.isEmpty() || values.hasUnused();
  }

  /**
   * Closes the tables that nobody uses any more, and deletes the files of those that were replaced,
   * unless others are in them too: in the manifest, or open for somebody who still reads.
   */
  void closeUnused() {
    for (Table table = unused.poll(); table != null; table = unused.poll()) {
      try {
        table.close();
      } catch (IOException e) {
        LOGGER.log(Logger.Level.WARNING, "cannot close a table: path=" + table.path(), e);
      }
      long file = table.meta().fileNumber();
      boolean isLast = openInFile.merge(file, -1, Integer::sum) == 0;
      if (isLast) {
        openInFile.remove(file);
      }
      if (isLast && table.isReplaced() && !manifest().hasTableIn(file)) {
        delete(table.path());
      }
    }
    values.closeUnused();
  }

  /** What cannot be deleted now is found by the next recovery, because no manifest names it. */
  private void delete(Path path) {
    try {
      engine.delete(path);
    } catch (IOException e) {
      LOGGER.log(Logger.Level.WARNING, "cannot delete a file that is not needed: path=" + path, e);
    }
  }
}
