package io.ewok.gds.bench;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.ReadArenaOptions;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.bench.scratch.ScratchDirectories;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.wal.LogDurability;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.WriteAheadLog;
import io.ewok.gds.wal.cache.LogCursor;
import io.ewok.gds.wal.cache.LogReadCache;
import io.ewok.gds.wal.cache.LogReadCacheOptions;
import io.ewok.gds.wal.cache.PayloadCheck;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * A log on the disk, full of records of one size, and readers of it: each a virtual thread at a
 * place of its own, which fetches a few records, goes away for a while, as somebody over a network
 * does, and fetches those behind.
 */
final class LogReadLoad implements AutoCloseable {
  private static final long SEGMENT_BYTES = 8L << 20;
  private static final long BUDGET_BYTES = 64L << 20;
  private static final long MEMORY_MIN_BYTES = 2L << 20;
  private static final long MEMORY_MAX_BYTES = 8L << 20;
  private static final double NANOS_PER_MICRO = 1e3;

  /**
   * What readers do.
   *
   * @param readers how many
   * @param fetches of each
   * @param records of a fetch
   * @param pauseNanos between two fetches
   */
  record Readers(int readers, int fetches, int records, long pauseNanos) {}

  /**
   * What it took.
   *
   * @param meanMicros mean time of a fetch
   * @param highMicros the time that one fetch in a hundred exceeds
   * @param memoryBytes the most memory of all readers, and the log's tail
   */
  record Sample(double meanMicros, double highMicros, long memoryBytes) {}

  private final Path directory;
  private final IoEngine engine;
  private final int recordBytes;
  private final List<Long> ends = new ArrayList<>();
  private final WriteAheadLog log;

  /**
   * Writes a log.
   *
   * @param parent on the disk in question
   */
  LogReadLoad(Path parent, int recordBytes, int segments) throws IOException {
    this.directory = ScratchDirectories.create(parent, "gds-bench-readers-");
    this.recordBytes = recordBytes;
    this.engine = IoEngines.open(EngineOptions.defaults());
    LogOptions options =
        LogOptions.defaults().withSegmentBytes(SEGMENT_BYTES).withSegmentCount(segments);
    this.log =
        WriteAheadLog.open(
            engine,
            directory.resolve("log"),
            options,
            MemoryBudget.root("bench", options.memoryBytes()),
            (lsn, record) -> {});
    MemorySegment record = MemorySegment.ofArray(new byte[recordBytes]);
    while (log.hasRoomFor(recordBytes)) {
      ends.add(log.append(record));
    }
    log.sync(log.endLsn());
  }

  /** Lets readers read. */
  Sample run(LogReadCacheOptions options, Readers load) throws IOException, InterruptedException {
    MemoryBudget budget = MemoryBudget.root("readers", BUDGET_BYTES);
    LogReadCacheOptions bounded =
        options.withMemory(ReadArenaOptions.ofBytes(MEMORY_MIN_BYTES, MEMORY_MAX_BYTES));
    long[][] nanos = new long[load.readers()][load.fetches()];
    try (LogReadCache cache = new LogReadCache(engine, log.source(), budget, bounded);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<LogCursor> cursors = new ArrayList<>();
      for (int i = 0; i < load.readers(); i++) {
        long lsn = ends.get((int) ((long) ends.size() * i / load.readers()));
        cursors.add(cache.open(lsn, LogDurability.SYNCED, PayloadCheck.NONE));
        // To find its way there takes many reads. What that costs is not counted, nor may it be in
        // the way of others who are.
        fetch(cursors.get(i), MemorySegment.ofArray(new byte[recordBytes]), load.records());
      }
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < load.readers(); i++) {
        LogCursor cursor = cursors.get(i);
        long[] own = nanos[i];
        long firstPauseNanos = load.pauseNanos() * i / load.readers(); // they do not come together
        all.add(
            threads.submit(
                () -> {
                  LockSupport.parkNanos(firstPauseNanos);
                  read(cursor, load, own);
                  return null;
                }));
      }
      for (Future<?> one : all) {
        one.get();
      }
    } catch (ExecutionException e) {
      throw new IOException("a reader failed", e);
    }
    long[] sorted = Stream.of(nanos).flatMapToLong(LongStream::of).sorted().toArray();
    return new Sample(
        Arrays.stream(sorted).average().orElseThrow() / NANOS_PER_MICRO,
        sorted[(int) (sorted.length * 0.99)] / NANOS_PER_MICRO,
        budget.peakBytes());
  }

  private void read(LogCursor cursor, Readers load, long[] nanos) throws IOException {
    MemorySegment memory = MemorySegment.ofArray(new byte[recordBytes]);
    for (int i = 0; i < nanos.length; i++) {
      if (load.pauseNanos() > 0) {
        LockSupport.parkNanos(load.pauseNanos());
      }
      long start = System.nanoTime();
      fetch(cursor, memory, load.records());
      nanos[i] = System.nanoTime() - start;
    }
  }

  private void fetch(LogCursor cursor, MemorySegment memory, int records) throws IOException {
    for (int i = 0; i < records; i++) {
      int bytes = cursor.next(memory);
      if (bytes == LogCursor.END) {
        cursor.seek(0);
      } else if (bytes != recordBytes) {
        throw new IOException("this is no record of ours: bytes=" + bytes);
      }
    }
  }

  /** Returns the microseconds of a read of so many bytes from anywhere in the log. */
  double readMicros(int bytes, int reads) throws IOException {
    Path segment = engine.list(directory.resolve("log")).getLast();
    SplittableRandom random = new SplittableRandom(reads);
    try (IoFile file = engine.open(segment, OpenMode.READ_ONLY);
        Region region =
            Region.map(MemoryBudget.root("read", 1 << 20), RegionOptions.ofSize(bytes))) {
      long start = System.nanoTime();
      for (int i = 0; i < reads; i++) {
        file.readFully(random.nextLong(SEGMENT_BYTES / bytes) * bytes, region, 0, bytes);
      }
      return (System.nanoTime() - start) / NANOS_PER_MICRO / reads;
    }
  }

  @Override
  public void close() throws IOException {
    try (engine) {
      log.close();
    } finally {
      ScratchDirectories.delete(directory);
    }
  }
}
