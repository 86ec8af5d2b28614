package io.ewok.gds.lsm;

import io.ewok.gds.buffers.BufferStats;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.pagestore.IoStats;
import java.util.List;

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
        version.levels().stream().map(StoreStatsReader::level).toList(),
        new StoreStats.Memory(
            parts.memory.root().usedBytes(),
            parts.memory.root().peakBytes(),
            parts.memory.root().limitBytes()),
        new StoreStats.Stalls(counters.stalls.sum(), counters.stallNanos.sum()),
        counters.flushes.sum(),
        counters.merges.sum(),
        versions.openCursors().size());
  }

  private static StoreStats.Level level(List<Table> tables) {
    long bytes = 0;
    long entries = 0;
    for (Table table : tables) {
      bytes += table.meta().sizeBytes();
      entries += table.meta().entries();
    }
    return new StoreStats.Level(tables.size(), bytes, entries);
  }
}
