package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Makes tables that were written beside the store part of it: all their records get one sequence
 * number, which is taken for them between two writes.
 *
 * <p>Threads: confined to the background thread, for which it is one errand.
 */
final class IngestJob {
  /*
   * A read takes the first record of a key that it finds, in memory, then level by level. So what is ingested must lie
   * below all that is newer and above all that is older. The number is taken while the active memtable is frozen: that
   * one, which is flushed, has what is older, and the next one what is newer. Until the tables are installed nothing
   * else is flushed or merged, because this thread does that; so all tables have what is older then.
   *
   * Who took a snapshot in between would not see the records at first, but later: so nobody can.
   */

  /** A writer may come first, and freeze a memtable that has become full. */
  private static final int TRIES_MAX = 100;

  private final TableSet tables;
  private final VersionSet versions;
  private final Background background;
  private final LiveOptions live;
  private final StoreEvents events;
  private final StoreFiles files;
  private final StoreWriter writer;
  private final FamilyState family;
  private final List<TableMeta> written;

  /** A job for tables of a family that are durable but for their names, in order of their keys. */
  IngestJob(StoreParts parts, StoreWriter writer, FamilyState family, List<TableMeta> written) {
    this.tables = parts.tables;
    this.versions = parts.versions;
    this.background = parts.background;
    this.live = parts.live;
    this.events = parts.events;
    this.files = parts.files;
    this.writer = writer;
    this.family = family;
    this.written = written;
  }

  /** Returns the sequence number. After an exception the tables are gone. */
  long run() throws IOException {
    boolean isInstalled = false;
    versions.holdSnapshots();
    events.tellLater(); // a listener may want a snapshot
    try {
      family.requireThere();
      long sequence = takeNumber();
      background.flushNow(); // there is something, and it makes all names in the directory durable
      install(sequence);
      isInstalled = true;
      return sequence;
    } finally {
      versions.releaseSnapshots();
      events.tellNow();
      if (!isInstalled) {
        tables.discard(written);
      }
    }
  }

  private long takeNumber() throws IOException {
    for (int tries = 0; tries < TRIES_MAX; tries++) {
      background.flushNow();
      long number = writer.freezeBehindNumber("tables were ingested: family=" + family.name());
      if (number >= 0) {
        return number;
      }
    }
    throw new StorageException(
        "there is no room in the log, or in the memory that open cursors keep: tries=" + TRIES_MAX,
        files.directory());
  }

  private void install(long sequence) throws IOException {
    long now = tables.nowMillis();
    List<TableMeta> metas =
        written.stream()
            .map(meta -> meta.addingSequence(sequence - meta.lastSequence()).writtenAt(now))
            .toList();
    SortedMap<Integer, List<Table>> opened = new TreeMap<>();
    try {
      ManifestEdit edit = tables.manifest().edit();
      for (Map.Entry<Integer, List<TableMeta>> each : byLevel(metas).entrySet()) {
        opened.put(each.getKey(), tables.openAll(each.getValue()));
        edit = edit.adding(each.getKey(), each.getValue());
        if (each.getKey() > 0) {
          background.endCompactionOf(
              family, each.getValue().getFirst().firstKey(), each.getValue().getLast().lastKey());
        }
      }
      tables.install(edit);
      versions.added(family.id(), opened);
    } finally {
      opened.values().forEach(of -> of.forEach(Table::release));
      tables.closeUnused();
    }
  }

  private SortedMap<Integer, List<TableMeta>> byLevel(List<TableMeta> metas) {
    SortedMap<Integer, List<TableMeta>> byLevel = new TreeMap<>();
    CompactionOptions options = live.compaction(family);
    long bytes = metas.stream().mapToLong(TableMeta::sizeBytes).sum();
    Version version = versions.retain();
    try {
      Levels levels = version.levels(family);
      int deepest = deepest(levels, options, bytes);
      for (TableMeta meta : metas) {
        int level = level(levels, deepest, meta);
        byLevel.computeIfAbsent(level, _ -> new ArrayList<>()).add(meta);
      }
    } finally {
      versions.release(version);
    }
    return byLevel;
  }

  /** The level that has room for so much, as deep as the deepest that there is. */
  private static int deepest(Levels levels, CompactionOptions options, long bytes) {
    if (options.style() != CompactionStyle.LEVELED) {
      return 0; // deeper ones are not simply of one size or another
    }
    int deepest = Math.max(1, levels.deepestLevel());
    while (deepest < Manifest.LEVELS - 1 && options.targetBytes(deepest) < bytes) {
      deepest++;
    }
    return deepest;
  }

  /** The deepest level above which, and in which, nothing overlaps with a table. */
  private static int level(Levels levels, int deepest, TableMeta meta) {
    boolean isNewest = levels.level(0).stream().anyMatch(table -> overlap(List.of(table), meta));
    int level = 0;
    while (!isNewest && level < deepest && !overlap(levels.level(level + 1), meta)) {
      level++;
    }
    return level;
  }

  private static boolean overlap(List<Table> run, TableMeta meta) {
    return !CompactionInputs.overlapping(run, meta.firstKey(), meta.lastKey()).isEmpty();
  }
}
