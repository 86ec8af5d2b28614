package io.ewok.gds.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.pagestore.ThrottleOptions;
import io.ewok.gds.pagestore.WorkClass;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimFault;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

/** What each level promises, under many writers; and that the harness would see it broken. */
final class LogDurabilityTest {
  private static final LogOptions SMALL = new LogOptions(128 << 10, 4, 8 << 10);
  private static final List<LogDurability> LEVELS = List.of(LogDurability.values());
  private static final int WRITERS = 4;

  /** Of each writer how many of its records it was told to be safe. */
  private final AtomicIntegerArray acknowledged = new AtomicIntegerArray(WRITERS);

  @Test
  void whatIsSyncedSurvivesAPowerCutAtAnySync() throws Exception {
    int[] cuts = {0};
    for (long seed = 0; seed < 8; seed++) {
      runWithCuts(seed, new SimEngine(seed), LogDurability.SYNCED, cuts);
    }
    assertTrue(cuts[0] > 200, () -> "cuts=" + cuts[0]);
  }

  @Test
  void syncsThatDoNothingAreFoundOut() throws Exception {
    int found = 0;
    for (long seed = 0; seed < 8; seed++) {
      SimEngine lying = new SimEngine(seed);
      WriteAheadLog log = LogModel.open(lying, SMALL);
      log.close();
      lying.setRate(SimFault.LYING_SYNC, 1);
      try {
        runWithCuts(seed, lying, LogDurability.SYNCED, new int[1]);
      } catch (ExecutionException e) {
        found++; // an acknowledged record is lost, or the log says that it is damaged
      }
    }
    assertEquals(8, found);
  }

  /** Writers at work; at each sync power is cut, in a copy. */
  private void runWithCuts(long seed, SimEngine engine, LogDurability level, int[] cuts)
      throws Exception {
    clear();
    SplittableRandom chance = new SplittableRandom(seed);
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      engine.onSync(
          () -> {
            cuts[0]++;
            int[] safe = acknowledged();
            checkReplay(engine.crash(chance.nextLong()), safe, seed);
          });
      runWriters(log, seed, level);
      engine.onSync(() -> {});
    } catch (IOException e) {
      throw new ExecutionException(e); // closing a log whose sync found something
    }
  }

  @Test
  void whatIsBufferedSurvivesTheEndOfTheProcess() throws Exception {
    for (long seed = 0; seed < 20; seed++) {
      SimEngine engine = new SimEngine(seed);
      clear();
      WriteAheadLog log = LogModel.open(engine, SMALL);
      runWriters(log, seed, LogDurability.BUFFERED);
      checkReplay(engine, acknowledged(), seed); // nobody closes the log
    }
  }

  @Test
  void whatIsNotCommittedIsLostWithTheProcess() throws IOException {
    SimEngine engine = new SimEngine(1);
    WriteAheadLog log = LogModel.open(engine, SMALL);
    log.commit(LogModel.append(log, new byte[10]), LogDurability.BUFFERED);
    log.commit(LogModel.append(log, new byte[10]), LogDurability.NONE);
    List<LogModel.Entry> replayed = new ArrayList<>();
    LogModel.open(engine, SMALL, replayed).close();
    assertEquals(1, replayed.size());
  }

  @Test
  void whatIsBufferedCostsNoSync() throws IOException {
    try (WriteAheadLog log = LogModel.open(new SimEngine(1), SMALL)) {
      long lsn = log.append(MemorySegment.ofArray(new byte[10]), LogDurability.BUFFERED);
      assertEquals(new LogStats(1, 10, 1, 4096, 0), log.stats());
      log.sync(lsn);
      assertEquals(new LogStats(1, 10, 1, 4096, 1), log.stats());
    }
  }

  @Test
  void writesGoBeforeOtherWorkAndReadersDoNot() throws IOException {
    SimEngine engine = new SimEngine(1);
    engine.setThrottle(ThrottleOptions.from(Map.of("throttle.write", "1M")));
    try (WriteAheadLog log = LogModel.open(engine, SMALL);
        Region page = Region.map(LogModel.budget(), RegionOptions.ofSize(4096))) {
      long before = engine.stats(WorkClass.LOG).operations();
      for (int i = 0; i < 5; i++) {
        log.sync(LogModel.append(log, new byte[10]));
      }
      assertEquals(5, engine.stats(WorkClass.LOG).operations() - before);
      IoRequest read = log.source().prepareRead(new IoRequest(), 0, page, 0, 4096);
      assertEquals(WorkClass.FOREGROUND, read.workClass());
    }
  }

  private void runWriters(WriteAheadLog log, long seed, LogDurability level) throws Exception {
    List<Future<?>> tasks = new ArrayList<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int writer = 0; writer < WRITERS; writer++) {
        int number = writer;
        tasks.add(executor.submit(() -> write(log, number, seed * WRITERS + number, level)));
      }
    }
    for (Future<?> task : tasks) {
      task.get();
    }
  }

  /** Appends numbered records, committed at random levels; remembers what is as safe as asked. */
  private Void write(WriteAheadLog log, int writer, long seed, LogDurability wanted)
      throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 40; i++) {
      int[] record = new int[2 + random.nextInt(random.nextInt(10) == 0 ? 3000 : 60)];
      Arrays.fill(record, writer);
      record[1] = i;
      long lsn;
      try {
        lsn = log.append(MemorySegment.ofArray(record));
      } catch (LogFullException e) {
        return null;
      }
      LogDurability level = LEVELS.get(random.nextInt(LEVELS.size()));
      log.commit(lsn, level);
      if (level.compareTo(wanted) >= 0) {
        acknowledged.set(writer, i + 1);
      }
    }
    return null;
  }

  private void clear() {
    for (int i = 0; i < WRITERS; i++) {
      acknowledged.set(i, 0);
    }
  }

  private int[] acknowledged() {
    int[] safe = new int[WRITERS];
    Arrays.setAll(safe, acknowledged::get);
    return safe;
  }

  /**
   * Each writer's records are there from the first on without a gap, those that are safe at least.
   */
  private static void checkReplay(SimEngine engine, int[] safe, long seed) {
    int[] next = new int[WRITERS];
    try (WriteAheadLog log =
        WriteAheadLog.open(
            engine,
            LogModel.DIRECTORY,
            SMALL,
            LogModel.budget(),
            (lsn, bytes) -> {
              int[] record = bytes.toArray(ValueLayout.JAVA_INT_UNALIGNED);
              assertEquals(next[record[0]]++, record[1], "writer=" + record[0]);
              for (int i = 2; i < record.length; i++) {
                assertEquals(record[0], record[i], "torn");
              }
            })) {
      assertTrue(log.recovery().records() >= Arrays.stream(safe).sum());
    } catch (IOException e) {
      throw new UncheckedIOException("seed=" + seed, e);
    }
    for (int writer = 0; writer < WRITERS; writer++) {
      int lost = writer;
      assertTrue(
          next[writer] >= safe[writer],
          () ->
              "seed=%d writer=%d acknowledged=%d replayed=%d"
                  .formatted(seed, lost, safe[lost], next[lost]));
    }
  }
}
