package io.ewok.gds.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.Test;

final class LogReaderTest {
  private static final LogOptions SMALL = new LogOptions(16 << 10, 4, 8 << 10);
  private static final LogOptions ROOMY = new LogOptions(256 << 10, 4, 16 << 10);
  private static final List<LogDurability> LEVELS = List.of(LogDurability.values());
  private static final long LONG_NANOS = TimeUnit.MINUTES.toNanos(2);

  private final SimEngine engine = new SimEngine(1);
  private final SplittableRandom random = new SplittableRandom(1);

  @Test
  void fromTheEndOfAnyRecordExactlyTheRestIsRead() throws IOException {
    List<LogModel.Entry> entries = new ArrayList<>();
    for (int life = 0; life < 4; life++) {
      WriteAheadLog log = LogModel.open(engine, ROOMY);
      for (int i = 0; i < 12; i++) {
        byte[] content = LogModel.content(random, 1 + random.nextInt(i == 7 ? 40_000 : 3000));
        entries.add(new LogModel.Entry(LogModel.append(log, content), ByteBuffer.wrap(content)));
        if (random.nextInt(3) == 0) {
          log.sync(log.endLsn());
        }
      }
      log.sync(log.endLsn()); // then the process dies
    }
    try (WriteAheadLog log = LogModel.open(engine, ROOMY)) {
      for (int from = -1; from < entries.size(); from++) {
        long lsn = from < 0 ? 0 : entries.get(from).lsn();
        List<LogModel.Entry> rest = entries.subList(from + 1, entries.size());
        assertEquals(rest, readAll(log, lsn, LogDurability.SYNCED), "lsn=" + lsn);
      }
    }
  }

  @Test
  void aReaderSeesWhatHasComeAsFarAsItsLevel() throws IOException {
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      long first = append(log, 10);
      assertEquals(0, readAll(log, 0, LogDurability.BUFFERED).size());
      log.commit(first, LogDurability.BUFFERED);
      assertEquals(0, log.durableLsn());
      assertEquals(1, readAll(log, 0, LogDurability.BUFFERED).size());
      assertEquals(0, readAll(log, 0, LogDurability.SYNCED).size());
      log.sync(first);
      assertEquals(1, readAll(log, 0, LogDurability.SYNCED).size());
      append(log, 10);
      assertEquals(1, readAll(log, 0, LogDurability.BUFFERED).size());
    }
  }

  @Test
  void aReaderFollowsManyWritersThroughTheRing() throws Exception {
    int writers = 3;
    int records = 400;
    AtomicLongArray read = new AtomicLongArray(2);
    try (WriteAheadLog log = LogModel.open(engine, SMALL);
        LogReader durable = log.reader(0, LogDurability.SYNCED, LogModel.budget());
        LogReader written = log.reader(0, LogDurability.BUFFERED, LogModel.budget());
        ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> tasks = new ArrayList<>();
      for (int writer = 0; writer < writers; writer++) {
        byte number = (byte) writer;
        tasks.add(executor.submit(() -> write(log, number, records, read)));
      }
      tasks.add(executor.submit(() -> follow(durable, writers, records, read, 0)));
      tasks.add(executor.submit(() -> follow(written, writers, records, read, 1)));
      for (Future<?> task : tasks) {
        task.get();
      }
      assertTrue(log.endLsn() > 2 * SMALL.segmentBytes() * SMALL.segmentCount(), "laps");
    }
  }

  private static Void write(WriteAheadLog log, byte writer, int records, AtomicLongArray read)
      throws IOException {
    SplittableRandom random = new SplittableRandom(writer);
    for (int i = 0; i < records; ) {
      byte[] record = new byte[3 + random.nextInt(random.nextInt(20) == 0 ? 12_000 : 400)];
      record[0] = writer;
      record[1] = (byte) (i >>> 8);
      record[2] = (byte) i;
      try {
        long lsn = LogModel.append(log, record);
        i++;
        log.commit(lsn, LEVELS.get(random.nextInt(LEVELS.size())));
      } catch (LogFullException e) {
        log.sync(log.endLsn());
        truncateToReaders(log, read);
      }
    }
    log.sync(log.endLsn());
    return null;
  }

  private static void truncateToReaders(WriteAheadLog log, AtomicLongArray read)
      throws IOException {
    long needed = Math.min(read.get(0), read.get(1));
    try {
      log.truncate(Math.max(log.horizonLsn(), Math.min(needed, log.durableLsn())));
    } catch (IllegalArgumentException e) {
      assertTrue(log.horizonLsn() > 0, e::getMessage); // another thread was faster
    }
    Thread.onSpinWait();
  }

  private static Void follow(
      LogReader reader, int writers, int records, AtomicLongArray read, int me) throws IOException {
    int[] next = new int[writers];
    int[] seen = {0};
    while (seen[0] < writers * records) {
      boolean more =
          reader.next(
              (lsn, record) -> {
                int writer = record.get(ValueLayout.JAVA_BYTE, 0);
                int number =
                    (record.get(ValueLayout.JAVA_BYTE, 1) & 0xFF) << 8
                        | (record.get(ValueLayout.JAVA_BYTE, 2) & 0xFF);
                assertEquals(next[writer]++, number, "writer=" + writer);
                assertEquals(lsn, reader.lsn());
                seen[0]++;
              });
      read.set(me, reader.lsn());
      assertTrue(more || reader.await(LONG_NANOS), () -> "seen=" + seen[0]);
    }
    return null;
  }

  @Test
  void whatIsTruncatedUnderAReaderIsGone() throws IOException {
    try (WriteAheadLog log = LogModel.open(engine, SMALL);
        LogReader slow = log.reader(0, LogDurability.SYNCED, LogModel.budget())) {
      fill(log, 2);
      log.sync(log.endLsn());
      assertTrue(slow.next((lsn, record) -> {}));
      while (log.endLsn() < 3 * SMALL.segmentBytes() * SMALL.segmentCount()) {
        fill(log, 1);
        log.sync(log.endLsn());
        log.truncate(log.durableLsn());
      }
      assertThrows(LogTruncatedException.class, () -> readOn(slow));
      assertThrows(IllegalArgumentException.class, () -> log.source().walk(0));
      assertThrows(IllegalArgumentException.class, () -> log.source().walk(log.endLsn() + 1));
    }
  }

  @Test
  void rotUnderAReaderIsReported() throws IOException {
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      log.sync(append(log, 100));
      engine.flipBit(SegmentRing.slotPath(LogModel.DIRECTORY, 0), 80);
      assertThrows(CorruptFileException.class, () -> readAll(log, 0, LogDurability.SYNCED));
    }
  }

  @Test
  void aWaitEndsWithTheTimeWithTheLogAndWithAFailure() throws Exception {
    WriteAheadLog log = LogModel.open(engine, SMALL);
    LogReader reader = log.reader(0, LogDurability.SYNCED, LogModel.budget());
    assertFalse(reader.await(1));
    assertThrows(
        IllegalArgumentException.class, () -> log.reader(0, LogDurability.NONE, LogModel.budget()));
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Exception> waiting = executor.submit(() -> failure(reader));
      append(log, 10);
      engine.failNth(SimOperation.SYNC, 1, 5);
      assertThrows(IOException.class, () -> log.sync(log.endLsn()));
      assertTrue(waiting.get() instanceof IOException);
    }
    reader.close();
    assertThrows(IOException.class, log::close);
  }

  @Test
  void theCloseOfALogEndsTheWaitsOfItsReaders() throws Exception {
    WriteAheadLog log = LogModel.open(engine, SMALL);
    LogReader reader = log.reader(0, LogDurability.SYNCED, LogModel.budget());
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Exception> waiting = executor.submit(() -> failure(reader));
      log.close();
      assertTrue(waiting.get() instanceof IllegalStateException);
    }
    reader.close();
  }

  /** What ends a wait for more. */
  private static Exception failure(LogReader reader) {
    try {
      while (reader.await(LONG_NANOS)) {
        boolean unused = reader.next((lsn, record) -> {});
      }
      return null;
    } catch (IOException | RuntimeException e) {
      return e;
    }
  }

  @Test
  void aTapShowsEverythingThatAWalkNeeds() throws IOException {
    TreeMap<Long, byte[]> pages = new TreeMap<>();
    List<LogModel.Entry> expected = new ArrayList<>();
    List<LogModel.Entry> walked = new ArrayList<>();
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      log.sync(append(log, 10));
      LogSource source = log.source();
      long from = log.endLsn();
      assertEquals(4096, source.addTap((lsn, bytes) -> keep(source, pages, lsn, bytes)));
      source.addTap(
          (lsn, bytes) -> {
            throw new IllegalStateException("a tap that fails changes nothing");
          });
      LogWalk walk = source.walk(from);
      Thread.currentThread().setUncaughtExceptionHandler((thread, e) -> {});
      while (log.endLsn() < 2 * SMALL.segmentBytes() * SMALL.segmentCount()) {
        byte[] content = LogModel.content(random, 1 + random.nextInt(10_000));
        expected.add(new LogModel.Entry(LogModel.append(log, content), ByteBuffer.wrap(content)));
        log.sync(log.endLsn());
        while (walk.endLsn() < source.durableLsn()) {
          byte[] bytes = bytes(pages, walk.lsn(), walk.bytes());
          switch (walk.feed(MemorySegment.ofArray(bytes))) {
            case MORE -> {}
            case RECORD ->
                walked.add(new LogModel.Entry(walk.endLsn(), ByteBuffer.wrap(bytes.clone())));
            case END -> throw new AssertionError("lsn=" + walk.lsn());
          }
        }
        log.truncate(log.durableLsn());
      }
      Thread.currentThread().setUncaughtExceptionHandler(null);
    }
    assertEquals(expected, walked);
  }

  private static void keep(
      LogSource source, NavigableMap<Long, byte[]> pages, long lsn, MemorySegment bytes) {
    assertTrue(source.writtenLsn() <= lsn, "shown too late");
    assertTrue(pages.isEmpty() || pages.lastKey() < lsn);
    for (long offset = 0; offset < bytes.byteSize(); offset += 4096) {
      pages.put(lsn + offset, bytes.asSlice(offset, 4096).toArray(ValueLayout.JAVA_BYTE));
    }
  }

  private static byte[] bytes(Map<Long, byte[]> pages, long lsn, int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = pages.get((lsn + i) & -4096L)[(int) ((lsn + i) % 4096)];
    }
    return bytes;
  }

  @Test
  void bytesOfTheLogCanBeReadByPosition() throws IOException {
    try (WriteAheadLog log = LogModel.open(engine, SMALL);
        Region region = Region.map(LogModel.budget(), RegionOptions.ofSize(4096))) {
      fill(log, 3);
      log.sync(log.endLsn());
      LogSource source = log.source();
      long lsn = source.segmentBytes();
      IoRequest request = new IoRequest();
      engine.submit(source.prepareRead(request, lsn, region, 0, 4096));
      assertEquals(4096, request.await());
      assertTrue(LogFormat.isHeader(region.segment()));
      assertEquals(lsn, LogFormat.readHeader(region.segment()).lsn());
      assertThrows(
          IllegalArgumentException.class,
          () -> source.prepareRead(request, source.segmentBytes() - 512, region, 0, 1024));
    }
  }

  @Test
  void aReadersMemoryIsTheBudgetsAndComesBack() throws IOException {
    MemoryBudget budget = LogModel.budget();
    try (WriteAheadLog log = LogModel.open(engine, ROOMY)) {
      log.sync(append(log, 200_000));
      try (LogReader reader = log.reader(0, LogDurability.SYNCED, budget)) {
        assertTrue(reader.next((lsn, record) -> assertEquals(200_000, record.byteSize())));
        assertTrue(budget.usedBytes() > 200_000);
      }
      assertEquals(0, budget.usedBytes());
    }
  }

  private void fill(WriteAheadLog log, int segments) throws IOException {
    long end = log.endLsn() + (long) segments * SMALL.segmentBytes();
    while (log.endLsn() < end) {
      append(log, 1 + random.nextInt(2000));
    }
  }

  private static void readOn(LogReader reader) throws IOException {
    while (reader.next((lsn, record) -> {})) {
      // until there is no more
    }
  }

  private static List<LogModel.Entry> readAll(WriteAheadLog log, long from, LogDurability level)
      throws IOException {
    List<LogModel.Entry> entries = new ArrayList<>();
    try (LogReader reader = log.reader(from, level, LogModel.budget())) {
      while (reader.next(
          (lsn, record) ->
              entries.add(
                  new LogModel.Entry(
                      lsn, ByteBuffer.wrap(record.toArray(ValueLayout.JAVA_BYTE)))))) {
        assertEquals(entries.getLast().lsn(), reader.lsn());
      }
    }
    return entries;
  }

  private long append(WriteAheadLog log, int length) throws IOException {
    return LogModel.append(log, LogModel.content(random, length));
  }
}
