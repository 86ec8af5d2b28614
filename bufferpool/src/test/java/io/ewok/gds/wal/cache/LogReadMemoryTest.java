package io.ewok.gds.wal.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.BudgetExceededException;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.ReadArena;
import io.ewok.gds.allocator.ReadArenaOptions;
import io.ewok.gds.pagestore.IoStats;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.wal.LogDurability;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who has the pages of a {@link LogReadCache}, and for how long. */
final class LogReadMemoryTest {
  private static final int BLOCK = ReadArena.BLOCK_BYTES;
  private static final int PAGE = 4096;
  private static final int PAGES_OF_A_BLOCK = BLOCK / PAGE;
  private static final int RECORD = 1000;
  private static final long BUDGET_BYTES = 64 << 20;

  private static final LogReadCacheOptions OPTIONS =
      LogReadCacheOptions.defaults()
          .withMemory(ReadArenaOptions.ofBytes(2 * BLOCK, 2 * BLOCK))
          .withTailBytes(64 << 10);

  private final SimEngine engine = new SimEngine(1);
  private final MemoryBudget budget = MemoryBudget.root("test", BUDGET_BYTES);
  private final MemorySegment memory = MemorySegment.ofArray(new byte[2 * PAGE]);
  private WriteAheadLog log;

  @BeforeEach
  void open() throws IOException {
    log =
        WriteAheadLog.open(
            engine,
            Path.of("/log"),
            new LogOptions(256 << 10, 20, 64 << 10),
            MemoryBudget.root("log", 16 << 20),
            (lsn, record) -> {});
  }

  @AfterEach
  void close() throws IOException {
    log.close();
    engine.close();
    assertEquals(0, budget.usedBytes());
  }

  private void fill(int records, int bytes) throws IOException {
    for (int i = 0; i < records; i++) {
      long unused = log.append(MemorySegment.ofArray(new byte[bytes]));
    }
    log.commit(log.endLsn(), LogDurability.BUFFERED);
  }

  private LogReadCache cache(LogReadCacheOptions options) {
    return new LogReadCache(engine, log.source(), budget, options);
  }

  private static LogCursor cursor(LogReadCache cache) {
    return cursor(cache, PayloadCheck.NONE);
  }

  private static LogCursor cursor(LogReadCache cache, PayloadCheck check) {
    return cache.open(0, LogDurability.BUFFERED, check);
  }

  private void read(LogCursor cursor, int records) throws IOException {
    for (int i = 0; i < records; i++) {
      assertTrue(cursor.next(memory) > 0);
    }
  }

  /** Readers with pages, who do not move. More than the arena has room for. */
  private void crowd(LogReadCache cache) throws IOException {
    for (int i = 0; i < 3 * PAGES_OF_A_BLOCK; i++) {
      read(cursor(cache), 1);
    }
  }

  // ---------------------------------------------------------------- at the maximum

  @Test
  void whoIsInACallGivesItsPagesToThoseWhoWaitWhenItEnds() throws Exception {
    fill(10, RECORD);
    int readers = 3 * PAGES_OF_A_BLOCK;
    AtomicInteger inCall = new AtomicInteger();
    CountDownLatch goOn = new CountDownLatch(1);
    PayloadCheck slow =
        _ -> {
          inCall.incrementAndGet();
          awaitUninterruptibly(goOn);
          return true;
        };
    try (LogReadCache cache = cache(OPTIONS);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Integer>> all = new ArrayList<>();
      for (int i = 0; i < readers; i++) {
        LogCursor cursor = cursor(cache, slow);
        all.add(threads.submit(() -> cursor.next(MemorySegment.ofArray(new byte[RECORD]))));
      }
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (inCall.get() + cache.stats().memoryWaits() < readers) {
        assertTrue(System.nanoTime() < deadline, cache::toString);
        Thread.onSpinWait();
      }
      assertTrue(cache.stats().memoryWaits() > 0, cache::toString);
      goOn.countDown();
      for (Future<Integer> one : all) {
        assertEquals(RECORD, one.get(60, TimeUnit.SECONDS));
      }
    }
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void pagesAreKeptAgainWhenNobodyWaitsAnyMore() throws IOException {
    fill(10, RECORD);
    try (LogReadCache cache = cache(OPTIONS)) {
      crowd(cache);
      assertTrue(cache.stats().memoryWaits() > 0);
      LogCursor cursor = cursor(cache);
      read(cursor, 1);
      LogReadCacheStats before = cache.stats();
      read(cursor, 2); // of the same page
      assertEquals(before, cache.stats());
    }
  }

  // ---------------------------------------------------------------- above the minimum

  @Test
  void readersWhoComeBackSoonKeepTheirPages() throws IOException {
    fill(4000, RECORD);
    LogReadCacheOptions options =
        OPTIONS.withMemory(ReadArenaOptions.ofBytes(BLOCK, 16 * BLOCK)).withPrefetch(false);
    try (LogReadCache cache = cache(options)) {
      crowd(cache);
      LogCursor slow = cursor(cache);
      LogCursor fast = cursor(cache);
      read(slow, 1);
      for (int i = 0; i < 3; i++) {
        read(fast, PAGES_OF_A_BLOCK * 6); // half as many pages as make the cache look for idlers
        long demanded = cache.stats().demanded();
        read(slow, 1); // of the page that it has
        assertEquals(demanded, cache.stats().demanded());
      }
      assertTrue(cache.stats().reclaimed() > 0, "the cache has looked");
    }
  }

  @Test
  void whatTheMinimumHasRoomForIsNotTakenFromAnybody() throws IOException {
    fill(4000, RECORD);
    try (LogReadCache cache = cache(OPTIONS)) {
      LogCursor idle = cursor(cache);
      read(idle, 1);
      read(cursor(cache), 3999);
      assertEquals(0, cache.stats().reclaimed());
    }
  }

  // ---------------------------------------------------------------- who has none

  @Test
  void whoWaitsForTheLogHasNoMemory() throws IOException {
    fill(3, RECORD);
    try (LogReadCache cache = cache(OPTIONS)) {
      LogCursor cursor = cursor(cache);
      read(cursor, 3); // and has not been told that this is the end
      assertTrue(cache.arena().stats().largePages() > 0);
      assertFalse(cursor.await(1));
      assertEquals(0, cache.arena().stats().largePages());
    }
  }

  @Test
  void whoIsClosedHasNoMemoryAndIsForgotten() throws IOException {
    fill(100, RECORD);
    try (LogReadCache cache = cache(OPTIONS)) {
      LogCursor cursor = cursor(cache);
      read(cursor, 1);
      assertEquals(1, cache.stats().readers());
      cursor.close();
      assertEquals(0, cache.stats().readers());
      assertEquals(0, cache.arena().stats().largePages());
    }
  }

  @Test
  void aClosedCacheIsShownNothing() throws IOException {
    AtomicReference<Throwable> uncaught = new AtomicReference<>();
    Thread thread = Thread.currentThread();
    Thread.UncaughtExceptionHandler before = thread.getUncaughtExceptionHandler();
    thread.setUncaughtExceptionHandler((_, e) -> uncaught.set(e));
    try {
      cache(OPTIONS).close();
      fill(1, RECORD);
    } finally {
      thread.setUncaughtExceptionHandler(before);
    }
    assertNull(uncaught.get());
  }

  @Test
  void aCacheThatDoesNotFitTakesNothing() {
    LogReadCacheOptions large =
        OPTIONS.withMemory(ReadArenaOptions.ofBytes(BUDGET_BYTES, BUDGET_BYTES));
    assertThrows(BudgetExceededException.class, () -> cache(large));
    assertEquals(0, budget.usedBytes());
  }

  // ---------------------------------------------------------------- how much is read

  @Test
  void aStrideIsAsLongAsTheAverageRecordWants() throws IOException {
    for (int i = 0; i < 10; i++) {
      fill(50, 100);
      fill(1, PAGE + 1000); // now and then a longer one
    }
    long end = log.endLsn();
    fill(50, PAGE + 1000);
    try (LogReadCache cache = cache(OPTIONS)) {
      LogCursor cursor = cursor(cache);
      IoStats start = engine.stats();
      while (cursor.lsn() < end) {
        read(cursor, 1);
      }
      IoStats shorts = engine.stats().since(start);
      assertEquals(PAGE * shorts.reads(), shorts.bytesRead());
      read(cursor, 10);
      start = engine.stats();
      read(cursor, 30);
      IoStats longs = engine.stats().since(start);
      // But for the last page of a segment.
      assertTrue(longs.bytesRead() > 1.8 * PAGE * longs.reads(), longs::toString);
    }
  }

  @Test
  void nothingIsReadAheadWhereThatIsNotWanted() throws IOException {
    fill(100, RECORD);
    try (LogReadCache cache = cache(OPTIONS.withPrefetch(false))) {
      read(cursor(cache), 100);
      LogReadCacheStats stats = cache.stats();
      assertEquals(0, stats.ready() + stats.late() + stats.wasted(), stats::toString);
    }
  }
}
