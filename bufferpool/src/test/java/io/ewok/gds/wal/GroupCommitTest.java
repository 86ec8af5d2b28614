package io.ewok.gds.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.EngineKind;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
final class GroupCommitTest {
  private static final int WRITERS = 8;
  private static final LogOptions SMALL = new LogOptions(64 << 10, 4, 8 << 10);

  @TempDir Path temporary;

  @Test
  void thoseWhoComeDuringASyncShareTheNext() throws Exception {
    SimEngine engine = new SimEngine(1);
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      CountDownLatch appended = new CountDownLatch(WRITERS);
      engine.onSync(() -> awaitAll(appended));
      List<Future<?>> writers = new ArrayList<>();
      try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < WRITERS; i++) {
          writers.add(
              executor.submit(
                  () -> {
                    long lsn = LogModel.append(log, new byte[100]);
                    appended.countDown();
                    log.sync(lsn);
                    assertTrue(log.durableLsn() >= lsn);
                    return null;
                  }));
        }
      }
      for (Future<?> writer : writers) {
        writer.get();
      }
      // The first writer's own, and one or two for all others: some may have joined the first
      // block.
      assertTrue(log.stats().syncs() <= 2, () -> log.stats().toString());
    }
  }

  @Test
  void aFailedSyncReachesAllWhoWaitForIt() throws Exception {
    SimEngine engine = new SimEngine(1);
    WriteAheadLog log = LogModel.open(engine, SMALL);
    CountDownLatch appended = new CountDownLatch(WRITERS);
    engine.onSync(() -> awaitAll(appended));
    engine.failNth(SimOperation.SYNC, 1, Errno.EIO);
    List<Future<?>> writers = new ArrayList<>();
    try (ExecutorService executor = Executors.newFixedThreadPool(WRITERS)) {
      for (int i = 0; i < WRITERS; i++) {
        writers.add(
            executor.submit(
                () -> {
                  long lsn = LogModel.append(log, new byte[100]);
                  appended.countDown();
                  log.sync(lsn);
                  return null;
                }));
      }
    }
    for (Future<?> writer : writers) {
      ExecutionException failure = assertThrows(ExecutionException.class, writer::get);
      assertEquals(PoisonedFileException.class, failure.getCause().getClass());
    }
    assertThrows(PoisonedFileException.class, log::close, "not all is durable");
  }

  @Test
  void manyWritersOnARealFileSystemSyncLessOftenThanTheyCommit() throws Exception {
    long commits = 40;
    EngineOptions pool = EngineOptions.defaults().withWanted(EngineKind.POOL);
    try (IoEngine engine = IoEngines.open(pool)) {
      try (WriteAheadLog log = open(engine, new ArrayList<>())) {
        List<Future<?>> writers = new ArrayList<>();
        try (ExecutorService executor = Executors.newFixedThreadPool(WRITERS)) {
          for (int writer = 0; writer < WRITERS; writer++) {
            int number = writer;
            writers.add(executor.submit(() -> commit(log, number, commits)));
          }
        }
        for (Future<?> writer : writers) {
          writer.get();
        }
        assertTrue(log.stats().syncs() < WRITERS * commits, () -> log.stats().toString());
      }
      List<int[]> replayed = new ArrayList<>();
      open(engine, replayed).close();
      assertEquals(WRITERS * commits, replayed.size());
      int[] next = new int[WRITERS];
      for (int[] record : replayed) {
        assertEquals(next[record[0]]++, record[1], "writer=" + record[0]);
      }
    }
  }

  @Test
  void recordsOfAllLengthsFromManyThreadsStayInOrder() throws Exception {
    SimEngine engine = new SimEngine(1);
    int rounds = 300;
    LogOptions tiny = new LogOptions(32 << 10, 4, 8 << 10);
    List<byte[]> replayed = new ArrayList<>();
    try (WriteAheadLog log = LogModel.open(engine, tiny)) {
      List<Future<?>> writers = new ArrayList<>();
      try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
        for (byte writer = 0; writer < WRITERS; writer++) {
          byte number = writer;
          writers.add(executor.submit(() -> appendAllLengths(log, number, rounds)));
        }
      }
      for (Future<?> writer : writers) {
        writer.get();
      }
    }
    WriteAheadLog.open(
            engine,
            LogModel.DIRECTORY,
            tiny,
            LogModel.budget(),
            (lsn, record) -> replayed.add(record.toArray(ValueLayout.JAVA_BYTE)))
        .close();
    // What was truncated is unknown, but each writer's last records must be here without a gap.
    int[] next = new int[WRITERS];
    for (byte[] record : replayed) {
      int round = record[1] << 8 | (record[2] & 0xFF);
      int expected = next[record[0]] == 0 ? round : next[record[0]];
      assertEquals(expected, round, "writer=" + record[0]);
      next[record[0]] = round + 1;
      for (int i = 3; i < record.length; i++) {
        assertEquals(record[0], record[i], "torn");
      }
    }
    for (int end : next) {
      assertTrue(end == 0 || end == rounds, "end=" + end);
    }
    assertFalse(replayed.isEmpty());
  }

  /** Who is passed the turn may be another than who takes it, and may want less than a sync. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void nobodyIsLeftWaitingForATurnThatNobodyTakes(boolean virtual) throws Exception {
    LogOptions tiny = new LogOptions(64 << 10, 4, 4 << 10);
    try (WriteAheadLog log = LogModel.open(new SimEngine(1), tiny);
        ExecutorService executor =
            virtual
                ? Executors.newVirtualThreadPerTaskExecutor()
                : Executors.newFixedThreadPool(WRITERS)) {
      List<Future<?>> writers = new ArrayList<>();
      for (int i = 0; i < WRITERS; i++) {
        SplittableRandom random = new SplittableRandom(i);
        writers.add(executor.submit(() -> commitAtAllLevels(log, random)));
      }
      for (Future<?> writer : writers) {
        writer.get();
      }
    }
  }

  private static Void commitAtAllLevels(WriteAheadLog log, SplittableRandom random)
      throws IOException {
    for (int i = 0; i < 2000; i++) {
      try {
        long lsn = LogModel.append(log, new byte[1 + random.nextInt(300)]);
        switch (random.nextInt(8)) {
          case 0 -> log.commit(lsn, LogDurability.NONE);
          case 1 -> log.commit(lsn, LogDurability.BUFFERED);
          default -> {
            log.commit(lsn, LogDurability.SYNCED);
            assertTrue(log.durableLsn() >= lsn);
          }
        }
      } catch (LogFullException e) {
        log.sync(log.endLsn());
        truncateTo(log, log.durableLsn() - 40_000);
      }
    }
    return null;
  }

  @Test
  void theEndNeverFallsWhileBlocksComeAndGo() throws Exception {
    LogOptions tiny = new LogOptions(64 << 10, 4, 4 << 10);
    try (WriteAheadLog log = LogModel.open(new SimEngine(1), tiny);
        ExecutorService executor = Executors.newFixedThreadPool(3)) {
      AtomicBoolean done = new AtomicBoolean();
      Future<?> watching = executor.submit(() -> watchEnds(log, done));
      Future<?> first = executor.submit(() -> appendAllLengths(log, (byte) 1, 2000));
      Future<?> second = executor.submit(() -> appendAllLengths(log, (byte) 2, 2000));
      try {
        first.get();
        second.get();
      } finally {
        done.set(true);
      }
      watching.get();
    }
  }

  private static void watchEnds(WriteAheadLog log, AtomicBoolean done) {
    long last = 0;
    while (!done.get()) {
      long durable = log.durableLsn();
      long written = log.source().writtenLsn();
      long end = log.endLsn();
      assertTrue(durable <= written && written <= end, () -> durable + " " + written + " " + end);
      assertTrue(end >= last, "end=" + end);
      last = end;
    }
  }

  @Test
  void memoryThatIsNotTheCallersOrIsClosedCostsNothingButAnException() throws Exception {
    try (WriteAheadLog log = LogModel.open(new SimEngine(1), SMALL)) {
      long end = log.endLsn();
      Arena closed = Arena.ofConfined();
      MemorySegment gone = closed.allocate(10);
      closed.close();
      assertThrows(IllegalStateException.class, () -> log.append(gone));
      try (Arena others = Arena.ofConfined();
          ExecutorService executor = Executors.newFixedThreadPool(1)) {
        MemorySegment confined = others.allocate(10);
        Future<?> append = executor.submit(() -> log.append(confined));
        ExecutionException failure = assertThrows(ExecutionException.class, append::get);
        assertEquals(WrongThreadException.class, failure.getCause().getClass());
      }
      assertEquals(end, log.endLsn());
      log.sync(LogModel.append(log, new byte[10]));
    }
  }

  private static Void appendAllLengths(WriteAheadLog log, byte writer, int rounds)
      throws IOException {
    SplittableRandom random = new SplittableRandom(writer);
    for (int round = 0; round < rounds; ) {
      int longest = random.nextInt(10) == 0 ? 20_000 : 2_000;
      byte[] record = new byte[3 + random.nextInt(longest)];
      Arrays.fill(record, writer);
      record[1] = (byte) (round >>> 8);
      record[2] = (byte) round;
      try {
        long lsn = LogModel.append(log, record);
        round++;
        if (random.nextInt(4) == 0) {
          log.sync(lsn);
        }
      } catch (LogFullException e) {
        log.sync(log.endLsn());
        truncateTo(log, log.durableLsn() - 40_000);
      }
    }
    return null;
  }

  private static void truncateTo(WriteAheadLog log, long lsn) throws IOException {
    try {
      log.truncate(Math.max(lsn, log.horizonLsn()));
    } catch (IllegalArgumentException e) {
      // Another thread was faster and went further.
      assertTrue(log.horizonLsn() > lsn, e::getMessage);
    }
  }

  private WriteAheadLog open(IoEngine engine, List<int[]> replayed) throws IOException {
    return WriteAheadLog.open(
        engine,
        temporary.resolve("log"),
        new LogOptions(1 << 20, 4, 64 << 10),
        LogModel.budget(),
        (lsn, record) -> replayed.add(record.toArray(ValueLayout.JAVA_INT)));
  }

  private static Void commit(WriteAheadLog log, int writer, long commits) throws IOException {
    for (int i = 0; i < commits; i++) {
      log.sync(log.append(MemorySegment.ofArray(new int[] {writer, i})));
    }
    return null;
  }

  private static void awaitAll(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
