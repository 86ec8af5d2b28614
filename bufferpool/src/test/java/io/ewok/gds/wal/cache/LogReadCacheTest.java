package io.ewok.gds.wal.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.ReadArena;
import io.ewok.gds.allocator.ReadArenaOptions;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoStats;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.PlainFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimLatency;
import io.ewok.gds.pagestore.sim.SimOperation;
import io.ewok.gds.pagestore.sim.SimOptions;
import io.ewok.gds.wal.LogDurability;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.LogTruncatedException;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class LogReadCacheTest {
  private static final long SEED = 8;
  private static final int BLOCK = ReadArena.BLOCK_BYTES;
  private static final long MEMORY_MIN = 2 * BLOCK;
  private static final long MEMORY_MAX = 16 * BLOCK;
  private static final long FOREVER = 20_000_000_000L;
  private static final Path DIRECTORY = Path.of("/log");
  private static final int SEGMENT_BYTES = 60 << 10;
  private static final LogOptions LOG = new LogOptions(SEGMENT_BYTES, 100, 20 << 10);

  /** Room for the largest record of {@link #fill}; larger than the log's buffer. */
  private static final int RECORD_MAX = 30_000;

  private static final LogReadCacheOptions OPTIONS =
      LogReadCacheOptions.defaults()
          .withMemory(ReadArenaOptions.ofBytes(MEMORY_MIN, MEMORY_MAX))
          .withTailBytes(64 << 10);

  private final SplittableRandom random = new SplittableRandom(SEED);
  private final MemoryBudget budget = MemoryBudget.root("test", 64 << 20);
  private final MemoryBudget logBudget = MemoryBudget.root("log", 16 << 20);
  private final MemorySegment memory = MemorySegment.ofArray(new byte[RECORD_MAX]);
  private SimEngine engine;
  private WriteAheadLog log;

  /** What was appended, and where each record ends. */
  private final List<byte[]> contents = new ArrayList<>();

  private final List<Long> ends = new ArrayList<>();

  @BeforeEach
  void create() throws IOException {
    createOn(new SimEngine(SEED));
  }

  @AfterEach
  void close() throws IOException {
    log.close();
    engine.close();
    assertEquals(0, budget.usedBytes());
  }

  private void createOn(SimEngine other) throws IOException {
    if (log != null) {
      log.close();
      engine.close();
    }
    engine = other;
    log = WriteAheadLog.open(engine, DIRECTORY, LOG, logBudget, (lsn, record) -> {});
  }

  private void append(byte[] content) throws IOException {
    ends.add(log.append(MemorySegment.ofArray(content)));
    contents.add(content);
  }

  /** Appends records of random content, and lets readers see them. */
  private void fill(int records, int bytesMax) throws IOException {
    for (int i = 0; i < records; i++) {
      byte[] content = new byte[1 + random.nextInt(bytesMax)];
      random.nextBytes(content);
      append(content);
    }
    log.commit(log.endLsn(), LogDurability.BUFFERED);
  }

  private LogReadCache cache() {
    return cache(OPTIONS);
  }

  private LogReadCache cache(LogReadCacheOptions options) {
    return new LogReadCache(engine, log.source(), budget, options);
  }

  private static LogCursor open(LogReadCache cache, long lsn) {
    return cache.open(lsn, LogDurability.BUFFERED, PayloadCheck.NONE);
  }

  /** Reads on from a record to the end. */
  private void assertRest(LogCursor cursor, int first) throws IOException {
    for (int i = first; i < contents.size(); i++) {
      assertNext(cursor, memory, i);
    }
    assertEquals(LogCursor.END, cursor.next(memory));
  }

  private Void assertSome(LogCursor cursor, int first, int count) throws IOException {
    MemorySegment own = MemorySegment.ofArray(new byte[RECORD_MAX]);
    for (int i = first; i < first + count; i++) {
      assertNext(cursor, own, i);
    }
    return null;
  }

  private void assertNext(LogCursor cursor, MemorySegment into, int index) throws IOException {
    byte[] expected = contents.get(index);
    assertEquals(expected.length, cursor.next(into), "record " + index);
    assertArrayEquals(expected, into.asSlice(0, expected.length).toArray(ValueLayout.JAVA_BYTE));
    assertEquals(ends.get(index), cursor.lsn());
  }

  /** Flips a bit in the content of a record. */
  private void rot(int index) throws IOException {
    long extent = (8 + contents.get(index).length + 7) & -8L;
    long lsn = ends.get(index) - extent + 8;
    Path segment = DIRECTORY.resolve("segment-%05d.log".formatted(lsn / SEGMENT_BYTES));
    engine.flipBit(segment, lsn % SEGMENT_BYTES);
  }

  // ---------------------------------------------------------------- what is read

  @ParameterizedTest
  @CsvSource({
    "512,1,true,100",
    "512,2,true,30000",
    "512,2,false,900",
    "4096,1,true,9000",
    "4096,2,true,30000",
    "4096,2,false,100"
  })
  void everyRecordIsReadOnceAndInOrder(int page, int stride, boolean prefetch, int bytesMax)
      throws IOException {
    fill(300, bytesMax);
    LogReadCacheOptions options =
        OPTIONS.withPageBytes(page).withStridePagesMax(stride).withPrefetch(prefetch);
    try (LogReadCache cache = cache(options)) {
      assertRest(open(cache, 0), 0);
      assertRest(open(cache, ends.get(150)), 151);
    }
  }

  @Test
  void moreThanTheMemoryHoldsIsSaidAndNothingMoves() throws IOException {
    fill(1, 1);
    append(new byte[777]);
    fill(1, 1);
    try (LogReadCache cache = cache()) {
      LogCursor cursor = open(cache, ends.get(0));
      assertEquals(777, cursor.next(memory.asSlice(0, 776)));
      assertEquals(ends.get(0), cursor.lsn());
      assertEquals(777, cursor.next(memory.asSlice(0, 777)));
      assertNext(cursor, memory, 2);
    }
  }

  @Test
  void whatIsNotDurableIsNotReadWhereThatIsAsked() throws IOException {
    try (LogReadCache cache = cache()) {
      LogCursor synced = cache.open(0, LogDurability.SYNCED, PayloadCheck.NONE);
      fill(10, 1000);
      assertEquals(LogCursor.END, synced.next(memory));
      log.sync(log.endLsn());
      assertRest(synced, 0);
      assertThrows(
          IllegalArgumentException.class,
          () -> cache.open(0, LogDurability.NONE, PayloadCheck.NONE));
    }
  }

  @Test
  void recordsOfEarlierLivesOfTheLogAreRead() throws IOException {
    for (int life = 0; life < 5; life++) {
      fill(20, 3000);
      log.sync(log.endLsn());
      int acknowledged = contents.size();
      fill(20, 3000); // some of these survive
      SimEngine after = engine.crash(SEED + life);
      createOn(after);
      while (contents.size() > acknowledged && ends.getLast() > log.endLsn()) {
        contents.removeLast();
        ends.removeLast();
      }
      try (LogReadCache cache = cache()) {
        assertRest(open(cache, 0), 0);
        assertRest(open(cache, ends.get(10)), 11);
      }
    }
  }

  @Test
  void soughtRecordsAreReadWhereverTheyAre() throws IOException {
    fill(500, 1000);
    try (LogReadCache cache = cache()) {
      LogCursor cursor = open(cache, 0);
      for (int i = 0; i < 500; i++) {
        int index = random.nextInt(499);
        cursor.seek(ends.get(index));
        assertEquals(ends.get(index), cursor.lsn());
        assertNext(cursor, memory, index + 1);
      }
    }
  }

  @Test
  void recordThatIsNotWhatWasWrittenIsAnError() throws IOException {
    fill(500, 1000);
    rot(100);
    try (LogReadCache cache = cache()) {
      LogCursor cursor = open(cache, 0);
      for (int i = 0; i < 100; i++) {
        assertNext(cursor, memory, i);
      }
      for (int i = 0; i < 2; i++) {
        CorruptFileException e =
            assertThrows(CorruptFileException.class, () -> cursor.next(memory));
        assertEquals(ends.get(99) % SEGMENT_BYTES, e.offset());
        assertEquals(ends.get(99), cursor.lsn());
      }
      rot(100);
      assertRest(cursor, 100);
    }
  }

  @Test
  void readerWhoIsTooSlowIsTold() throws IOException {
    fill(500, 1000);
    try (LogReadCache cache = cache()) {
      LogCursor cursor = open(cache, 0);
      assertNext(cursor, memory, 0);
      log.sync(log.endLsn());
      log.truncate(log.endLsn());
      int first = contents.size();
      while (log.endLsn() < LOG.segmentBytes() * (LOG.segmentCount() + 3)) {
        fill(10, 1000);
      }
      assertThrows(
          LogTruncatedException.class,
          () -> {
            while (cursor.next(memory) > 0) {
              // What was read before may still be there.
            }
          });
      assertThrows(LogTruncatedException.class, () -> cursor.next(memory));
      cursor.seek(ends.get(first - 1));
      assertRest(cursor, first);
      assertThrows(IllegalArgumentException.class, () -> cursor.seek(0));
    }
  }

  @Test
  void payloadIsCheckedWhereThatIsAsked() throws IOException {
    byte[] sealed = new byte[100];
    random.nextBytes(sealed);
    XxHash64Payload.seal(MemorySegment.ofArray(sealed));
    byte[] broken = sealed.clone();
    broken[99]++;
    append(sealed);
    append(broken);
    append(sealed);
    log.sync(log.endLsn());
    try (LogReadCache cache = cache()) {
      LogCursor cursor = cache.open(0, LogDurability.SYNCED, XxHash64Payload.CHECK);
      assertEquals(100, cursor.next(memory));
      assertThrows(CorruptFileException.class, () -> cursor.next(memory));
      assertEquals(100, cursor.next(memory));
      assertEquals(LogCursor.END, cursor.next(memory));
    }
  }

  // ---------------------------------------------------------------- the end of the log

  @Test
  void readerAtTheEndGoesOnWhenThereIsMore() throws IOException {
    fill(10, 1000);
    try (LogReadCache cache = cache()) {
      LogCursor cursor = open(cache, 0);
      assertRest(cursor, 0);
      assertFalse(cursor.await(1));
      for (int round = 0; round < 100; round++) {
        int first = contents.size();
        fill(1 + random.nextInt(5), 3000);
        assertTrue(cursor.await(FOREVER));
        assertRest(cursor, first);
      }
    }
  }

  @Test
  void readerWaitsForTheEndToMove() throws Exception {
    try (LogReadCache cache = cache();
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      LogCursor cursor = open(cache, 0);
      Future<Boolean> waits = threads.submit(() -> cursor.await(FOREVER));
      fill(1, 10);
      assertTrue(waits.get());
      assertRest(cursor, 0);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 4096})
  void tailingReadersDoNotTouchTheDevice(int page) throws IOException {
    try (LogReadCache cache = cache(OPTIONS.withPageBytes(page))) {
      List<LogCursor> cursors = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        cursors.add(open(cache, 0));
      }
      IoStats before = engine.stats();
      for (int round = 0; round < 100; round++) {
        int first = contents.size();
        fill(1 + random.nextInt(20), 2000);
        for (LogCursor cursor : cursors) {
          assertRest(cursor, first);
        }
      }
      assertEquals(0, engine.stats().since(before).reads());
      assertEquals(0, cache.stats().demanded());
      assertTrue(cache.stats().tail() > 0);
    }
  }

  @Test
  void tailingReaderFollowsTheLogThroughItsRing() throws IOException {
    try (LogReadCache cache = cache()) {
      LogCursor cursor = open(cache, 0);
      IoStats before = engine.stats();
      while (log.endLsn() < 2 * LOG.segmentBytes() * LOG.segmentCount()) {
        int first = contents.size();
        fill(10, 3000);
        assertRest(cursor, first);
        log.sync(log.endLsn());
        log.truncate(log.endLsn());
      }
      assertEquals(0, cache.stats().demanded());
      // The header of the log, which a truncation replaces, is not read.
      assertEquals(0, engine.stats().since(before).reads());
    }
  }

  @Test
  void readerWhoFallsBehindTheTailReadsFilesUntilHeHasCaughtUp() throws IOException {
    try (LogReadCache cache = cache()) {
      LogCursor cursor = open(cache, 0);
      fill(1000, 1000);
      assertRest(cursor, 0);
      LogReadCacheStats stats = cache.stats();
      assertTrue(stats.ready() > 0, stats::toString);
      assertTrue(stats.tail() > 0, stats::toString);
    }
  }

  // ---------------------------------------------------------------- reading ahead

  @Test
  void sequentialReaderIsReadAheadFor() throws IOException {
    createOn(
        new SimEngine(
            SEED, SimOptions.defaults().withLatency(new SimLatency(80_000, 80_000, 0, 0))));
    fill(2000, 200);
    try (LogReadCache cache = cache()) {
      LogCursor cursor = open(cache, 0);
      assertNext(cursor, memory, 0);
      engine.clock().advance(100_000); // what the reader does with a record takes longer
      int records = 1;
      while (cursor.next(memory) > 0) {
        engine.clock().advance(100_000);
        records++;
      }
      assertEquals(2000, records);
      LogReadCacheStats stats = cache.stats();
      assertEquals(1, stats.demanded(), stats::toString);
      assertEquals(0, stats.late(), stats::toString);
      assertTrue(stats.ready() > 30, stats::toString);
      assertEquals(0, stats.wasted(), stats::toString);
    }
  }

  @Test
  void onlySoManyStridesAreBeingReadAhead() throws IOException {
    createOn(
        new SimEngine(
            SEED, SimOptions.defaults().withLatency(new SimLatency(80_000, 80_000, 0, 0))));
    fill(2000, 200);
    try (LogReadCache cache = cache(OPTIONS.withReadAheadsMax(3))) {
      List<LogCursor> readers = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        readers.add(open(cache, 0));
        assertNext(readers.get(i), memory, 0);
      }
      engine.clock().advance(100_000); // all that was being read ahead is there
      assertEquals(0, cache.readAheads().count());
      LogReadCacheStats before = cache.stats();
      int[] next = new int[readers.size()];
      for (int i = 0; i < readers.size(); i++) {
        long ready = cache.stats().ready();
        while (cache.stats().ready() == ready) { // to the next stride, without a wait
          assertNext(readers.get(i), memory, ++next[i]);
        }
      }
      LogReadCacheStats stats = cache.stats();
      assertEquals(before.demanded(), stats.demanded(), stats::toString);
      assertEquals(3, cache.readAheads().count());
      assertEquals(before.refused() + 5, stats.refused(), stats::toString);
      for (int i = 0; i < readers.size(); i++) {
        assertRest(readers.get(i), next[i] + 1);
      }
      assertEquals(0, cache.readAheads().count());
    }
  }

  @Test
  void longRecordsAreReadTwoPagesAtATime() throws IOException {
    fill(100, RECORD_MAX);
    try (LogReadCache cache = cache(OPTIONS.withPageBytes(512))) {
      IoStats before = engine.stats();
      assertRest(open(cache, 0), 0);
      IoStats done = engine.stats().since(before);
      assertTrue(done.bytesRead() > 900 * done.reads(), done::toString);
    }
  }

  @Test
  void readAheadThatFailsIsReadAgainAndAReadThatFailsIsTold() throws IOException {
    fill(1000, 1000);
    try (LogReadCache cache = cache()) {
      LogCursor cursor = open(cache, 0);
      engine.failNth(SimOperation.READ, 2, Errno.EIO);
      assertRest(cursor, 0);
      cursor.seek(0);
      engine.failNth(SimOperation.READ, 1, Errno.EIO);
      assertThrows(StorageException.class, () -> cursor.next(memory));
      assertRest(cursor, 0);
    }
  }

  // ---------------------------------------------------------------- memory

  @ParameterizedTest
  @ValueSource(ints = {1, 16, 256})
  void memoryStaysBelowItsMaximumWithAnyNumberOfReaders(int readers) throws Exception {
    fill(1000, 1000);
    long max = 2 * BLOCK; // 128 pages
    LogReadCacheOptions options = OPTIONS.withMemory(ReadArenaOptions.ofBytes(BLOCK, max));
    long before = budget.usedBytes();
    try (LogReadCache cache = cache(options);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      long tail = budget.usedBytes() - before - BLOCK;
      List<LogCursor> cursors = new ArrayList<>();
      for (int i = 0; i < readers; i++) {
        cursors.add(open(cache, 0));
      }
      // Between the rounds all readers have pages, if they can.
      for (int first = 0; first < contents.size(); first += 50) {
        int begin = first;
        List<Future<?>> all = new ArrayList<>();
        for (LogCursor cursor : cursors) {
          all.add(threads.submit(() -> assertSome(cursor, begin, 50)));
        }
        for (Future<?> one : all) {
          one.get();
        }
      }
      assertTrue(budget.peakBytes() <= before + max + tail, budget::toString);
      assertEquals(readers, cache.stats().readers());
    }
  }

  /**
   * They come once a round, in another order each time, and use all memory that is always there.
   */
  @Test
  void whoIsNotIdleKeepsWhatWasReadAheadForHim() throws IOException {
    fill(6000, 1000);
    int readers = 256;
    LogReadCacheOptions options =
        OPTIONS.withMemory(ReadArenaOptions.ofBytes(8 * BLOCK, 32 * BLOCK));
    try (LogReadCache cache = cache(options)) {
      List<LogCursor> cursors = new ArrayList<>();
      for (int i = 0; i < readers; i++) {
        cursors.add(open(cache, ends.get(20 * i)));
        assertTrue(cursors.get(i).next(memory) > 0);
      }
      LogReadCacheStats before = cache.stats();
      for (int round = 0; round < 40; round++) {
        for (int i = readers - 1; i >= 0; i--) {
          Collections.swap(cursors, i, random.nextInt(i + 1));
          for (int record = 0; record < 2; record++) {
            assertTrue(cursors.get(i).next(memory) > 0);
          }
        }
      }
      LogReadCacheStats after = cache.stats();
      assertTrue(after.ready() + after.late() - before.ready() - before.late() > 2000);
      assertTrue(after.wasted() - before.wasted() < 150, before + " " + after);
      assertTrue(after.memoryBytes() < after.memoryBytesMax() / 2, after::toString);
    }
  }

  @Test
  void idleReadersGiveTheirMemoryToThoseWhoNeedIt() throws IOException {
    fill(1000, 1000);
    LogReadCacheOptions options =
        OPTIONS.withMemory(ReadArenaOptions.ofBytes(2 * BLOCK, 2 * BLOCK));
    try (LogReadCache cache = cache(options)) {
      List<LogCursor> cursors = new ArrayList<>();
      for (int i = 0; i < 300; i++) {
        cursors.add(open(cache, 0));
        assertNext(cursors.get(i), memory, 0);
      }
      LogReadCacheStats stats = cache.stats();
      assertTrue(stats.reclaimed() > 0 && stats.memoryWaits() > 0, stats::toString);
      assertRest(open(cache, 0), 0);
      for (LogCursor cursor : cursors) {
        assertNext(cursor, memory, 1);
      }
    }
  }

  @Test
  void readersWhoAreSeenNoMoreDoNotKeepMemoryAboveTheMinimum() throws IOException {
    fill(2000, 1000);
    try (LogReadCache cache = cache()) {
      for (int i = 0; i < 500; i++) {
        assertNext(open(cache, 0), memory, 0);
      }
      assertTrue(cache.stats().memoryBytes() > MEMORY_MIN);
      LogCursor reader = open(cache, 0);
      for (int i = 0; i < 3; i++) {
        assertRest(reader, 0);
        reader.seek(0);
      }
      assertTrue(cache.stats().memoryBytes() <= MEMORY_MIN + BLOCK, cache::toString);
    }
  }

  @Test
  void compactionTakesThePagesOfAllIdleReaders() throws IOException {
    fill(1000, 1000);
    try (LogReadCache cache = cache()) {
      List<LogCursor> cursors = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        cursors.add(open(cache, 0));
        assertNext(cursors.get(i), memory, 0);
      }
      assertTrue(cache.stats().memoryBytes() > MEMORY_MIN);
      long unused = cache.compact();
      assertEquals(MEMORY_MIN, cache.stats().memoryBytes());
      assertRest(cursors.get(7), 1);
    }
  }

  @Test
  void recordsAreReadWithoutGarbage() throws IOException {
    try (LogReadCache cache = cache(OPTIONS.withTailBytes(4 << 20))) {
      fill(3000, 200);
      LogCursor cursor = open(cache, 0);
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      // The walk makes a little for each block.
      long most = 8L * contents.size();
      long least = Long.MAX_VALUE;
      for (int round = 0; round < 100 && least > most; round++) {
        cursor.seek(0);
        long before = threads.getCurrentThreadAllocatedBytes();
        while (cursor.next(memory) != LogCursor.END) {
          // Only read.
        }
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      assertTrue(least <= most, "bytes=" + least);
    }
  }

  @Test
  void readerAtTheEndHasNoMemory() throws IOException {
    fill(10, 1000);
    try (LogReadCache cache = cache()) {
      assertRest(open(cache, 0), 0);
      assertEquals(0, cache.arena().stats().largePages());
    }
  }

  // ---------------------------------------------------------------- mistakes

  @Test
  void closedIsClosed() throws IOException {
    fill(10, 1000);
    LogReadCache cache = cache();
    LogCursor cursor = open(cache, 0);
    LogCursor other = open(cache, 0);
    other.close();
    other.close();
    assertThrows(IllegalStateException.class, () -> other.next(memory));
    assertNext(cursor, memory, 0);
    cache.close();
    cache.close();
    assertThrows(IllegalStateException.class, () -> cursor.next(memory));
    assertThrows(IllegalStateException.class, () -> cursor.seek(0));
    assertThrows(IllegalStateException.class, () -> cursor.await(1));
    assertThrows(IllegalStateException.class, () -> open(cache, 0));
  }

  @Test
  void secondThreadInACallIsRefused() throws IOException {
    fill(1, 10);
    try (LogReadCache cache = cache()) {
      List<LogCursor> self = new ArrayList<>();
      // The check runs inside of a call.
      LogCursor cursor =
          cache.open(
              0,
              LogDurability.BUFFERED,
              record -> {
                assertThrows(IllegalStateException.class, () -> self.get(0).lsn());
                assertThrows(IllegalStateException.class, cache::close);
                return true;
              });
      self.add(cursor);
      assertTrue(cursor.next(memory) > 0);
    }
  }

  @Test
  void pagesThatTheFilesCannotBeReadInAreRefused() throws IOException {
    createOn(new SimEngine(SEED, 4096));
    assertThrows(IllegalArgumentException.class, () -> cache(OPTIONS.withPageBytes(512)));
  }

  /** Keys of the same bytes, of which one is current. */
  private record Keys(int currentId, boolean readsPlain) implements KeySource {
    @Override
    public byte[] key(int id) {
      return new byte[KEY_BYTES];
    }
  }

  private void createWith(KeySource keys) throws IOException {
    createOn(new SimEngine(SEED, SimOptions.defaults().withKeys(keys)));
    ends.clear();
    contents.clear();
  }

  /** A cursor copies what is in the pages of the cache, and opens no seal. */
  @ParameterizedTest
  @ValueSource(ints = {20, RECORD_MAX})
  void whatIsEncryptedIsRefused(int bytesMax) throws IOException {
    createWith(new Keys(1, true));
    fill(3, bytesMax);
    try (LogReadCache cache = cache();
        LogCursor cursor = open(cache, 0)) {
      MemorySegment into = MemorySegment.ofArray(new byte[RECORD_MAX + 16]);
      StorageException e = assertThrows(StorageException.class, () -> cursor.next(into));
      assertTrue(e.getMessage().contains("encrypted"), e.getMessage());
      assertEquals(0, cursor.lsn());
    }
  }

  @Test
  void whatIsNotEncryptedIsRefusedWhereAllShouldBe() throws IOException {
    createWith(new Keys(KeySource.NOT_ENCRYPTED, false));
    fill(1, 50);
    try (LogReadCache cache = cache();
        LogCursor cursor = open(cache, 0)) {
      assertThrows(PlainFileException.class, () -> cursor.next(memory));
    }
  }
}
