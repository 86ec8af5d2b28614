package io.ewok.gds.lsm;

import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.table.BlockHints;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableBlocks;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.values.ValueSource;
import java.io.IOException;
import java.lang.System.Logger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The open tables of a store that somebody else writes, and the value files that they refer to. A
 * file that is open can be read although it is deleted meanwhile. None is deleted here.
 *
 * <p>Threads: confined to one at a time; tables are let go of by any.
 */
final class FollowedTables {
  private static final Logger LOGGER = System.getLogger(FollowedTables.class.getName());

  private final StoreFiles files;
  private final BufferManager buffers;
  private final BlockHints hints;
  private final ValueFileSet values;
  private final Queue<Table> unused = new ConcurrentLinkedQueue<>();

  /** By number; each has this as a user. */
  private final Map<Long, Table> open = new HashMap<>();

  FollowedTables(StoreFiles files, BufferManager buffers) {
    this.files = files;
    this.buffers = buffers;
    this.hints = new BlockHints(buffers);
    this.values = new ValueFileSet(files, _ -> {}, () -> {});
  }

  /**
   * Opens the tables of a manifest that are not open yet. They stay open until {@link #keepOnly}.
   *
   * @throws io.ewok.gds.pagestore.MissingFileException if one is gone, because the store has a
   *     newer manifest
   */
  SortedMap<Integer, Levels> open(Manifest manifest) throws IOException {
    SortedMap<Integer, Levels> families = new TreeMap<>();
    for (FamilyManifest family : manifest.all()) {
      List<List<Table>> levels = new ArrayList<>();
      for (List<TableMeta> level : family.levels()) {
        List<Table> tables = new ArrayList<>();
        for (TableMeta meta : level) {
          tables.add(open(meta, manifest));
        }
        levels.add(tables);
      }
      families.put(family.id(), new Levels(levels));
    }
    return families;
  }

  private Table open(TableMeta meta, Manifest manifest) throws IOException {
    Table found = open.get(meta.number());
    if (found != null) {
      return found;
    }
    Path path = files.table(meta.fileNumber());
    ValueSource source = values.retain(buffers, path, meta.references(), manifest);
    Table table;
    try {
      TableBlocks blocks = TableBlocks.open(buffers, path, meta.fileNumber());
      table = Table.open(buffers, blocks, meta, hints, source, unused::add);
    } catch (IOException | RuntimeException | Error e) {
      source.release();
      throw e;
    }
    boolean isRead = false;
    try {
      RangeDeletes unusedRanges = table.readRangeDeletes();
      isRead = true;
    } finally {
      if (!isRead) {
        table.release();
      }
    }
    open.put(meta.number(), table);
    return table;
  }

  /** Lets go of all tables that a manifest does not name. Their readers keep them. */
  void keepOnly(Manifest manifest) {
    Set<Long> named = manifest.tableNumbers();
    open.values()
        .removeIf(
            table -> {
              boolean goes = !named.contains(table.meta().number());
              if (goes) {
                table.release();
              }
              return goes;
            });
  }

  /** Lets go of all. */
  void releaseAll() {
    open.values().forEach(Table::release);
    open.clear();
  }

  /** Closes the tables that nobody uses any more. */
  void closeUnused() {
    for (Table table = unused.poll(); table != null; table = unused.poll()) {
      try {
        table.close();
      } catch (IOException e) {
        LOGGER.log(Logger.Level.WARNING, "cannot close a table: path=" + table.path(), e);
      }
    }
    values.closeUnused();
  }
}
