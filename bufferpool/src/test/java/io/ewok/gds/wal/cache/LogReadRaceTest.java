package io.ewok.gds.wal.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.ReadArena;
import io.ewok.gds.allocator.ReadArenaOptions;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.wal.LogDurability;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Readers and a writer on real files, with too little memory for all of them. */
final class LogReadRaceTest {
  private static final long SEED = 15;
  private static final int RECORDS = 4000;
  private static final int READERS = 24;
  private static final long FOREVER = 20_000_000_000L;
  private static final LogOptions LOG = new LogOptions(256 << 10, 40, 32 << 10);

  @TempDir Path directory;

  private final MemoryBudget budget = MemoryBudget.root("test", 64 << 20);

  /** The length of a record is said by its number, and so is what it holds. */
  private static int length(int number) {
    return 8 + number * 31 % 2500;
  }

  private static MemorySegment record(int number) {
    MemorySegment record = MemorySegment.ofArray(new byte[length(number)]);
    record.fill((byte) number);
    record.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, number);
    return record;
  }

  @Test
  void everyReaderSeesEveryRecordWhileTheLogGrowsAndMemoryIsShort() throws Exception {
    long max = 2L * ReadArena.BLOCK_BYTES;
    LogReadCacheOptions options =
        LogReadCacheOptions.defaults()
            .withMemory(ReadArenaOptions.ofBytes(ReadArena.BLOCK_BYTES, max))
            .withTailBytes(64 << 10);
    try (IoEngine engine = IoEngines.open(EngineOptions.defaults());
        WriteAheadLog log =
            WriteAheadLog.open(engine, directory.resolve("log"), LOG, budget, (lsn, r) -> {});
        LogReadCache cache = new LogReadCache(engine, log.source(), budget, options);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      // These hold memory that others need, and never come back for it.
      List<LogCursor> idle = new ArrayList<>();
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < READERS; i++) {
        int reader = i;
        LogCursor cursor = cache.open(0, LogDurability.BUFFERED, PayloadCheck.NONE);
        all.add(threads.submit(() -> read(cursor, reader)));
      }
      SplittableRandom random = new SplittableRandom(SEED);
      for (int number = 0; number < RECORDS; number++) {
        long lsn = log.append(record(number));
        if (random.nextInt(20) == 0) {
          log.commit(lsn, LogDurability.BUFFERED);
          LogCursor stopped = cache.open(0, LogDurability.BUFFERED, PayloadCheck.NONE);
          assertEquals(length(0), stopped.next(record(0)));
          idle.add(stopped);
        }
      }
      log.sync(log.endLsn());
      for (Future<?> one : all) {
        one.get();
      }
      LogReadCacheStats stats = cache.stats();
      assertEquals(READERS + idle.size(), stats.readers());
      assertTrue(stats.memoryBytes() <= max, stats::toString);
      assertTrue(stats.reclaimed() > 0, stats::toString);
    }
    assertEquals(0, budget.usedBytes());
  }

  private static Void read(LogCursor cursor, int reader) throws IOException {
    SplittableRandom random = new SplittableRandom(SEED + reader);
    MemorySegment memory = MemorySegment.ofArray(new byte[8 + 2500]);
    for (int number = 0; number < RECORDS; ) {
      int bytes = cursor.next(memory);
      if (bytes == LogCursor.END) {
        assertTrue(cursor.await(FOREVER), "record " + number);
        continue;
      }
      assertEquals(-1, record(number).mismatch(memory.asSlice(0, bytes)), "record " + number);
      number++;
      if (random.nextInt(500) == 0) {
        long lsn = cursor.lsn();
        cursor.seek(lsn);
        assertEquals(lsn, cursor.lsn());
      }
    }
    return null;
  }
}
