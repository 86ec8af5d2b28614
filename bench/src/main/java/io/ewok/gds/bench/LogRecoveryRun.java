package io.ewok.gds.bench;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.bench.scratch.ScratchDirectories;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * How fast a log is replayed, beside reading its files once.
 *
 * @param replayed bytes of the log's files in a second, when it is opened
 * @param read the same when they are only read, a mebibyte at a time
 */
record LogRecoveryRun(double replayed, double read) {
  private static final int CHUNK_BYTES = 1 << 20;
  private static final long SEGMENT_BYTES = 32L << 20;
  private static final double NANOS_PER_SECOND = 1e9;

  /** Fills a log of so many segments in a directory of its own, and opens it again. */
  static LogRecoveryRun measure(Path parent, int segments) throws IOException {
    Path directory = ScratchDirectories.create(parent, "gds-bench-log-");
    LogOptions options =
        LogOptions.defaults().withSegmentBytes(SEGMENT_BYTES).withSegmentCount(segments);
    try (IoEngine engine = IoEngines.open(EngineOptions.defaults())) {
      Path logDirectory = directory.resolve("log");
      long records = fill(engine, logDirectory, options);
      long readNanos = read(engine, logDirectory);
      long[] replayed = new long[1];
      long start = System.nanoTime();
      open(engine, logDirectory, options, replayed).close();
      long replayNanos = System.nanoTime() - start;
      if (replayed[0] != records) {
        throw new IOException(
            "not all was replayed: records=" + records + " replayed=" + replayed[0]);
      }
      double bytes = NANOS_PER_SECOND * segments * SEGMENT_BYTES;
      return new LogRecoveryRun(bytes / replayNanos, bytes / readNanos);
    } finally {
      ScratchDirectories.delete(directory);
    }
  }

  private static long fill(IoEngine engine, Path directory, LogOptions options) throws IOException {
    MemorySegment record = MemorySegment.ofArray(new byte[LogContender.RECORD_BYTES]);
    long records = 0;
    try (WriteAheadLog log = open(engine, directory, options, new long[1])) {
      while (log.hasRoomFor(record.byteSize())) {
        log.append(record);
        records++;
      }
    }
    return records;
  }

  private static WriteAheadLog open(
      IoEngine engine, Path directory, LogOptions options, long[] replayed) throws IOException {
    return WriteAheadLog.open(
        engine,
        directory,
        options,
        MemoryBudget.root("bench", options.memoryBytes()),
        (lsn, record) -> replayed[0]++);
  }

  private static long read(IoEngine engine, Path directory) throws IOException {
    try (Region region =
        Region.map(MemoryBudget.root("bench", CHUNK_BYTES), RegionOptions.ofSize(CHUNK_BYTES))) {
      long start = System.nanoTime();
      for (Path path : engine.list(directory)) {
        try (IoFile file = engine.open(path, OpenMode.READ_ONLY)) {
          for (long at = 0; at < file.sizeBytes(); at += CHUNK_BYTES) {
            file.read(at, region, 0, CHUNK_BYTES);
          }
        }
      }
      return System.nanoTime() - start;
    }
  }
}
