package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.UringProbe;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * How the engines on files keep limits. That a cap is exact is shown on a virtual clock; here only
 * that nothing comes before it may, and that nothing is lost.
 */
class ThrottledEngineTest {
  private static final int UNIT = 4096;
  private static final int UNITS = 64;

  /** One operation, and the next in more than an hour. */
  private static final IoRate ONE = IoRate.ofBytes(1);

  private final MemoryBudget budget = MemoryBudget.root("test", 64 << 20);

  @TempDir Path directory;

  private Region region;
  private IoEngine engine;
  private IoFile file;

  @BeforeEach
  void map() {
    region = Region.map(budget, RegionOptions.ofSize((long) UNITS * UNIT));
  }

  @AfterEach
  void close() throws IOException {
    if (engine != null) {
      engine.close();
    }
    region.close(); // fails if an operation forgot its lease
  }

  private interface Law {
    void hold() throws Exception;
  }

  /** Checks a law on both engines. */
  private void onEach(Law law) throws Exception {
    for (EngineKind kind : new EngineKind[] {EngineKind.POOL, EngineKind.URING}) {
      if (kind == EngineKind.URING) {
        UringProbe probe = UringProbe.probe();
        assumeTrue(probe.supported(), probe.message());
      }
      engine = IoEngines.open(EngineOptions.defaults().withWanted(kind).withQueueDepth(4));
      file = engine.open(directory.resolve(kind.name()), OpenMode.CREATE_NEW);
      for (int i = 0; i < UNITS; i++) {
        region.segment().set(ValueLayout.JAVA_INT, (long) i * UNIT, i);
      }
      file.write(0, region, 0, UNITS * UNIT);
      law.hold();
      engine.close();
    }
  }

  private static ThrottleOptions reads(WorkClass work, IoRate rate) {
    return ThrottleOptions.UNLIMITED.with(work, ClassLimits.NONE.withRead(rate));
  }

  private IoRequest read(int unit) {
    return new IoRequest().prepareRead(file, (long) unit * UNIT, region, (long) unit * UNIT, UNIT);
  }

  private IoRequest[] readAll() {
    IoRequest[] requests = new IoRequest[UNITS];
    for (int i = 0; i < UNITS; i++) {
      requests[i] = read(i);
    }
    return requests;
  }

  @Test
  void requestsUnderACapAllEndAndNoneComesTooEarly() throws Exception {
    onEach(
        () -> {
          region.segment().fill((byte) 0);
          engine.setThrottle(ThrottleOptions.UNLIMITED.withRead(IoRate.ofOperations(1000)));
          long start = System.nanoTime();
          IoRequest[] requests = readAll();
          engine.submitAll(requests, UNITS);
          for (int i = 0; i < UNITS; i++) {
            assertEquals(UNIT, requests[i].await());
            long least = i * 1_000_000L;
            assertTrue(System.nanoTime() - start >= least, "unit=" + i);
            assertEquals(i, region.segment().get(ValueLayout.JAVA_INT, (long) i * UNIT));
          }
          ClassStats stats = engine.stats(WorkClass.FOREGROUND);
          assertEquals(UNITS, stats.operations());
          assertEquals((long) UNITS * UNIT, stats.bytes());
          assertTrue(stats.throttledOperations() > 0, stats.toString());
          assertTrue(stats.throttledNanos() > 0, stats.toString());
          assertEquals(0, stats.waiting());
        });
  }

  @Test
  void blockingCallsOfEveryKindOfThreadKeepTheCap() throws Exception {
    onEach(
        () -> {
          engine.setThrottle(
              ThrottleOptions.UNLIMITED
                  .withRead(IoRate.ofOperations(1000))
                  .withWrite(IoRate.ofOperations(1000)));
          for (boolean virtual : new boolean[] {false, true}) {
            long start = System.nanoTime();
            EngineConformanceTest.onThreads(
                virtual,
                4,
                index ->
                    () -> {
                      for (int i = 0; i < 8; i++) {
                        long at = (long) (index * 8 + i) * UNIT;
                        file.read(at, region, at, UNIT);
                        file.write(at, region, at, UNIT);
                        file.sync();
                      }
                    });
            long nanos = System.nanoTime() - start;
            assertTrue(nanos >= 31 * 1_000_000L, "virtual=" + virtual + " nanos=" + nanos);
          }
          assertEquals(2 * 2 * 32, engine.stats(WorkClass.FOREGROUND).operations());
        });
  }

  @Test
  void limitsOfTheOptionsHoldFromTheStartUntilTheyAreChanged() throws Exception {
    onEach(
        () -> {
          Map<String, String> settings =
              Map.of("io.engine", engine.name().toLowerCase(Locale.ROOT), "throttle.read", "/1");
          try (IoEngine limited = IoEngines.open(EngineOptions.from(settings));
              IoFile same = limited.open(file.path(), OpenMode.READ_ONLY)) {
            IoRequest first = new IoRequest().prepareRead(same, 0, region, 0, UNIT);
            IoRequest second = new IoRequest().prepareRead(same, UNIT, region, UNIT, UNIT);
            limited.submit(first);
            limited.submit(second);
            assertEquals(UNIT, first.await());
            assertFalse(second.isDone());
            limited.setThrottle(ThrottleOptions.UNLIMITED);
            assertEquals(UNIT, second.await());
          }
        });
  }

  @Test
  void whatIsNotLimitedGoesOnBesideWhatIs() throws Exception {
    onEach(
        () -> {
          engine.setThrottle(reads(WorkClass.BACKUP, ONE));
          IoRequest first = read(0).forWork(WorkClass.BACKUP);
          IoRequest second = read(1).forWork(WorkClass.BACKUP);
          engine.submit(first);
          engine.submit(second);
          assertEquals(UNIT, first.await());
          for (int i = 2; i < UNITS; i++) {
            file.read((long) i * UNIT, region, (long) i * UNIT, UNIT);
            IoRequest other = read(i);
            engine.submit(other);
            assertEquals(UNIT, other.await());
          }
          assertFalse(second.isDone());
          assertEquals(1, engine.stats(WorkClass.BACKUP).waiting());
          engine.setThrottle(ThrottleOptions.UNLIMITED);
          assertEquals(UNIT, second.await());
        });
  }

  @Test
  void fileHasAClassForWhatDoesNotSayIts() throws Exception {
    onEach(
        () -> {
          assertEquals(WorkClass.FOREGROUND, file.workClass());
          file.setWorkClass(WorkClass.COMPACTION);
          engine.setThrottle(reads(WorkClass.COMPACTION, IoRate.ofOperations(100_000)));
          file.read(0, region, 0, UNIT);
          IoRequest own = read(1);
          IoRequest other = read(2).forWork(WorkClass.LOG);
          assertEquals(WorkClass.COMPACTION, own.workClass());
          engine.submit(own);
          engine.submit(other);
          assertEquals(2 * UNIT, own.await() + other.await());
          assertEquals(2, engine.stats(WorkClass.COMPACTION).operations());
          assertEquals(1, engine.stats(WorkClass.LOG).operations());
          assertThrows(IllegalStateException.class, () -> own.forWork(WorkClass.LOG));
        });
  }

  @Test
  void cancelledRequestGivesItsMemoryBackAndIsNotCharged() throws Exception {
    onEach(
        () -> {
          engine.setThrottle(ThrottleOptions.UNLIMITED.withRead(ONE));
          IoRequest first = read(0);
          IoRequest second = read(1);
          engine.submit(first);
          engine.submit(second);
          engine.cancel(second);
          assertThrows(CancellationException.class, second::await);
          assertEquals(UNIT, first.await());
          assertEquals(1, engine.stats(WorkClass.FOREGROUND).operations());
        });
  }

  @Test
  void writeThatWaitedIsRefusedIfASyncHasFailedMeanwhile() throws Exception {
    onEach(
        () -> {
          engine.setThrottle(ThrottleOptions.UNLIMITED.withWrite(ONE));
          IoRequest first = new IoRequest().prepareWrite(file, 0, region, 0, UNIT);
          IoRequest second = new IoRequest().prepareWrite(file, UNIT, region, UNIT, UNIT);
          engine.submit(first);
          engine.submit(second);
          assertEquals(UNIT, first.await());
          ((LinuxFile) file).poison(new IOException("a sync that failed"));
          engine.setThrottle(ThrottleOptions.UNLIMITED);
          assertThrows(PoisonedFileException.class, second::await);
          assertEquals(0, engine.stats(WorkClass.FOREGROUND).inFlight());
        });
  }

  @Test
  void closeOfTheEngineWaitsForNoCap() throws Exception {
    onEach(
        () -> {
          engine.setThrottle(ThrottleOptions.UNLIMITED.withRead(ONE));
          IoRequest[] requests = readAll();
          engine.submitAll(requests, UNITS);
          engine.close();
          for (IoRequest request : requests) {
            assertEquals(UNIT, request.await());
          }
          assertThrows(
              IllegalStateException.class, () -> engine.setThrottle(ThrottleOptions.UNLIMITED));
        });
  }

  @Test
  void limitsCanBeSetAndLiftedUnderLoad() throws Exception {
    onEach(
        () -> {
          byte[] before = region.segment().toArray(ValueLayout.JAVA_BYTE);
          AtomicBoolean loaded = new AtomicBoolean();
          EngineConformanceTest.onThreads(
              false, 2, index -> index == 0 ? () -> load(loaded) : () -> changeUntil(loaded));
          assertArrayEquals(before, region.segment().toArray(ValueLayout.JAVA_BYTE));
          ClassStats stats = engine.stats(WorkClass.FOREGROUND);
          assertEquals(0, stats.waiting());
          assertEquals(0, stats.inFlight());
        });
  }

  private void load(AtomicBoolean ended) throws IOException {
    try {
      for (int round = 0; round < 50; round++) {
        IoRequest[] requests = readAll();
        engine.submitAll(requests, UNITS);
        for (IoRequest request : requests) {
          assertEquals(UNIT, request.await());
        }
      }
    } finally {
      ended.set(true);
    }
  }

  private void changeUntil(AtomicBoolean ended) {
    while (!ended.get()) {
      engine.setThrottle(ThrottleOptions.UNLIMITED.withRead(IoRate.ofOperations(50_000)));
      Thread.onSpinWait();
      engine.setThrottle(ThrottleOptions.UNLIMITED);
    }
  }
}
