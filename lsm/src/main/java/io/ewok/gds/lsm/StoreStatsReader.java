package io.ewok.gds.lsm;

import io.ewok.gds.buffers.BufferStats;
import io.ewok.gds.lsm.cache.RecordCacheStats;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.values.ValueReferences;
import io.ewok.gds.pagestore.IoStats;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** Reads the counters of all parts of a store. Any thread. */
final class StoreStatsReader {
  private StoreStatsReader() {}

  static StoreStats read(StoreParts parts) {
    VersionSet versions = parts.versions;
    StoreCounters counters = parts.counters;
    // Retained throughout, so that a close waits until everything was read.
    Version version = versions.retain();
    try {
      return read(parts, versions, version, counters);
    } finally {
      versions.release(version);
    }
  }

  private static StoreStats read(
      StoreParts parts, VersionSet versions, Version version, StoreCounters counters) {
    IoStats io = parts.engine.stats();
    BufferStats blocks = parts.buffers.stats();
    List<StoreStats.OfFamily> families = families(parts, version);
    return new StoreStats(
        parts.engine.name(),
        parts.engine.description(),
        versions.sequence(),
        new StoreStats.Written(
            counters.operations.sum(),
            counters.userBytes.sum(),
            parts.log.stats().bytesWritten(),
            counters.flushBytes.sum(),
            counters.mergeBytes.sum()),
        new StoreStats.Read(
            counters.gets.sum(), io.reads(), io.bytesRead(), blocks.hits(), blocks.misses()),
        sum(families),
        families,
        sharedBytes(version),
        new StoreStats.Memory(
            parts.memory.root().usedBytes(),
            parts.memory.root().peakBytes(),
            parts.memory.root().limitBytes()),
        stalls(counters),
        counters.flushes.sum(),
        counters.merges.sum(),
        versions.openCursors().size(),
        valueFiles(parts, version),
        recordCache(parts),
        archive(parts));
  }

  private static StoreStats.Archive archive(StoreParts parts) {
    LogArchiver archive = parts.archive;
    if (archive == null) {
      return new StoreStats.Archive("", 0, 0, 0, "");
    }
    return new StoreStats.Archive(
        archive.path().toString(),
        archive.archivedLsn(),
        parts.counters.archivedFiles.sum(),
        parts.counters.archivedBytes.sum(),
        archive.failure());
  }

  private static StoreStats.Records recordCache(StoreParts parts) {
    if (parts.recordCache == null) {
      return new StoreStats.Records(0, 0, 0, 0, 0);
    }
    RecordCacheStats stats = parts.recordCache.stats();
    return new StoreStats.Records(
        stats.hits(),
        stats.misses(),
        stats.records(),
        stats.bytes(),
        parts.memory.records().limitBytes());
  }

  private static long sharedBytes(Version version) {
    Set<Long> files = new HashSet<>();
    return version.families().values().stream()
        .flatMap(levels -> levels.tables().stream())
        .map(Table::meta)
        .filter(meta -> !files.add(meta.fileNumber()))
        .mapToLong(TableMeta::sizeBytes)
        .sum();
  }

  private static List<StoreStats.ValueFile> valueFiles(StoreParts parts, Version version) {
    List<StoreStats.ValueFile> files = new ArrayList<>();
    for (FamilyState family : parts.families.all()) {
      Levels levels = version.levels(family.id());
      if (levels != null) { // else it is dropped meanwhile
        for (ValueFileUse use : ValueGarbage.uses(levels.tables()).values()) {
          files.add(
              new StoreStats.ValueFile(
                  use.meta().number(),
                  family.name(),
                  use.meta().sizeBytes(),
                  use.meta().entries(),
                  use.meta().entryBytes(),
                  use.liveBytes()));
        }
      }
    }
    return files;
  }

  /** Reads what the tables of all families are. */
  static List<StoreStats.OfFamily> families(StoreParts parts) {
    Version version = parts.versions.retain();
    try {
      return families(parts, version);
    } finally {
      parts.versions.release(version);
    }
  }

  private static List<StoreStats.OfFamily> families(StoreParts parts, Version version) {
    List<StoreStats.OfFamily> families = new ArrayList<>();
    for (FamilyState family : parts.families.all()) {
      Levels levels = version.levels(family.id());
      if (levels != null) { // else it is dropped meanwhile
        CompactionPicker picker = CompactionPicker.of(parts.live.compaction(family));
        List<StoreStats.Level> read = new ArrayList<>();
        for (int level = 0; level < Manifest.LEVELS; level++) {
          read.add(level(family, levels, level, picker));
        }
        families.add(new StoreStats.OfFamily(family.name(), read, filesByKey(levels.tables())));
      }
    }
    return families;
  }

  private static SortedMap<Integer, Long> filesByKey(List<Table> tables) {
    SortedMap<Integer, Long> files = new TreeMap<>();
    Map<Long, Integer> keysOfValues = new HashMap<>();
    for (Table table : tables) {
      files.merge(table.keyId(), 1L, Long::sum);
      ValueReferences references = table.meta().references();
      for (int i = 0; i < references.count(); i++) {
        long number = references.file(i);
        keysOfValues.put(number, table.openValueFile(number).keyId());
      }
    }
    keysOfValues.values().forEach(key -> files.merge(key, 1L, Long::sum));
    return files;
  }

  private static StoreStats.Level level(
      FamilyState family, Levels levels, int level, CompactionPicker picker) {
    StoreCounters.Level counted = family.counters(level);
    List<TableMeta> metas = levels.level(level).stream().map(Table::meta).toList();
    return new StoreStats.Level(
        metas.size(),
        metas.stream().mapToLong(TableMeta::sizeBytes).sum(),
        metas.stream().mapToLong(TableMeta::entries).sum(),
        metas.stream().mapToLong(TableMeta::deletes).sum(),
        levels.level(level).stream().mapToLong(StoreStatsReader::rangeDeletes).sum(),
        picker.score(levels, level),
        counted.compactions.sum(),
        counted.moves.sum(),
        counted.bytesRead.sum(),
        counted.bytesWritten.sum());
  }

  private static List<StoreStats.Level> sum(List<StoreStats.OfFamily> families) {
    List<StoreStats.Level> sum = new ArrayList<>(families.getFirst().levels());
    for (StoreStats.OfFamily family : families.subList(1, families.size())) {
      for (int level = 0; level < Manifest.LEVELS; level++) {
        sum.set(level, sum.get(level).plus(family.levels().get(level)));
      }
    }
    return sum;
  }

  private static long rangeDeletes(Table table) {
    return table.hasRangeDeletes() ? table.rangeDeletesOrNull().all().size() : 0;
  }

  private static StoreStats.Stalls stalls(StoreCounters counters) {
    Map<StallReason, StoreStats.Stall> byReason = new EnumMap<>(StallReason.class);
    long count = 0;
    long nanos = 0;
    for (StallReason reason : StallReason.values()) {
      StoreStats.Stall stall =
          new StoreStats.Stall(
              counters.stall(reason).count.sum(), counters.stall(reason).nanos.sum());
      byReason.put(reason, stall);
      count += stall.count();
      nanos += stall.nanos();
    }
    return new StoreStats.Stalls(count, nanos, byReason);
  }
}
