package io.ewok.gds.pagestore.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.ClassLimits;
import io.ewok.gds.pagestore.ClassStats;
import io.ewok.gds.pagestore.IoCompletion;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.IoRate;
import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.ThrottleOptions;
import io.ewok.gds.pagestore.WorkClass;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Limits as users see them, on the virtual clock. */
class SimThrottleTest {
  private static final int UNIT = 4096;
  private static final int MIB = 1 << 20;
  private static final long SECOND = 1_000_000_000L;
  private static final long MILLI = 1_000_000L;
  private static final long LATENCY = 100_000;
  private static final SimOptions STEADY =
      SimOptions.defaults().withLatency(new SimLatency(LATENCY, LATENCY, 0, 0));

  private final MemoryBudget budget = MemoryBudget.root("test", MIB);
  private final Region region = Region.map(budget, RegionOptions.ofSize(MIB));
  private SimEngine engine;
  private SimClock clock;
  private IoFile file;

  /** Whether what has ended is not started anew. */
  private boolean over;

  /** Times at which transfers ended. */
  private final Map<WorkClass, List<Long>> ends = new EnumMap<>(WorkClass.class);

  private final Map<WorkClass, Long> bytes = new EnumMap<>(WorkClass.class);

  @AfterEach
  void close() {
    over = true;
    if (engine != null) {
      engine.close();
    }
    region.close();
  }

  private void open(SimOptions options) throws IOException {
    if (engine != null) {
      over = true;
      engine.close();
    }
    over = false;
    ends.clear();
    bytes.clear();
    engine = new SimEngine(3, options);
    clock = engine.clock();
    file = engine.open(Path.of("/f"), OpenMode.CREATE_NEW);
    file.truncate(MIB);
  }

  private static ThrottleOptions reads(String rate) {
    return ThrottleOptions.UNLIMITED.withRead(IoRate.parse(rate));
  }

  private IoRequest read(int length) {
    return new IoRequest().prepareRead(file, 0, region, 0, length);
  }

  private IoRequest submitted(IoRequest request) {
    engine.submit(request);
    return request;
  }

  /** Keeps transfers in flight, each anew as soon as it has ended, and notes when that is. */
  private void load(WorkClass work, boolean write, int count, IntSupplier length) {
    List<Long> times = ends.computeIfAbsent(work, key -> new ArrayList<>());
    IoCompletion again =
        new IoCompletion() {
          @Override
          public void completed(IoRequest request, int done, Exception failure) {
            times.add(clock.getAsLong());
            bytes.merge(work, (long) done, Long::sum);
            if (!over) {
              submit(request);
            }
          }

          void submit(IoRequest request) {
            int bytes = length.getAsInt();
            if (write) {
              request.prepareWrite(file, 0, region, 0, bytes);
            } else {
              request.prepareRead(file, 0, region, 0, bytes);
            }
            engine.submit(request.forWork(work).onComplete(this));
          }
        };
    for (int i = 0; i < count; i++) {
      again.completed(new IoRequest(), 0, null);
    }
    times.clear();
  }

  private void load(WorkClass work, int count) {
    load(work, false, count, () -> UNIT);
  }

  private long count(WorkClass work) {
    return ends.get(work).size();
  }

  /** Checks each window of a second: what ended in it had started in one, as the latency is one. */
  private static void assertExact(List<Long> times, long rate) {
    int end = 0;
    for (int i = 0; i < times.size(); i++) {
      while (end < times.size() && times.get(end) < times.get(i) + SECOND) {
        end++;
      }
      if (end == times.size()) {
        assertTrue(i > 0, "no whole second");
        return;
      }
      int count = end - i;
      assertTrue(Math.abs(count - rate) <= 1, "fromNanos=" + times.get(i) + " count=" + count);
    }
  }

  private static void assertClose(long expected, long actual, long slack) {
    assertTrue(Math.abs(expected - actual) <= slack, "expected=" + expected + " actual=" + actual);
  }

  @Test
  void capsAreExactToOneRequestInEverySecond() throws IOException {
    for (long rate : new long[] {7, 1000, 10_000}) {
      for (boolean write : new boolean[] {false, true}) {
        open(STEADY);
        IoRate cap = IoRate.ofOperations(rate);
        engine.setThrottle(
            write
                ? ThrottleOptions.UNLIMITED.withWrite(cap)
                : ThrottleOptions.UNLIMITED.withRead(cap));
        load(WorkClass.FOREGROUND, write, 64, () -> 512);
        clock.advance(5 * SECOND + LATENCY - 1);
        assertEquals(5 * rate, count(WorkClass.FOREGROUND), "rate=" + rate + " write=" + write);
        assertExact(ends.get(WorkClass.FOREGROUND), rate);
      }
    }
  }

  /** Whatever the device does: starts are seen in the counters. */
  @Test
  void capsAreExactWithLatenciesOfAllLengths() throws IOException {
    open(STEADY.withLatency(new SimLatency(20_000, 5_000_000, 0.02, 30_000_000)));
    engine.setThrottle(reads("10K"));
    load(WorkClass.FOREGROUND, 1000);
    List<Long> counts = new ArrayList<>();
    int perSecond = 125;
    for (int i = 0; i < 5 * perSecond; i++) {
      counts.add(engine.stats(WorkClass.FOREGROUND).operations());
      clock.advance(SECOND / perSecond);
    }
    for (int i = perSecond; i < counts.size(); i++) {
      assertClose(10_000, counts.get(i) - counts.get(i - perSecond), 1);
    }
  }

  @Test
  void bytesOfMixedSizesAreExactToOneRequest() throws IOException {
    open(STEADY);
    engine.setThrottle(reads("/10MB"));
    SplittableRandom random = new SplittableRandom(5);
    load(WorkClass.FOREGROUND, false, 16, () -> 512 << random.nextInt(8));
    long before = 0;
    clock.advance(LATENCY);
    for (int second = 0; second < 20; second++) {
      clock.advance(SECOND);
      long now = bytes.get(WorkClass.FOREGROUND);
      assertClose(10_000_000, now - before, second == 0 ? 2 * 65536 : 65536);
      before = now;
    }
  }

  @Test
  void largeRequestUnderASmallCapPassesAndThoseBehindItWait() throws IOException {
    open(STEADY);
    engine.setThrottle(reads("/64KiB"));
    IoRequest first = submitted(read(MIB));
    IoRequest second = submitted(read(MIB));
    assertEquals(MIB, first.await());
    assertEquals(LATENCY, clock.getAsLong());
    assertEquals(MIB, second.await());
    assertEquals(16 * SECOND + LATENCY, clock.getAsLong());
  }

  @Test
  void capOnOneClassLeavesTheOthersRate() throws IOException {
    open(STEADY.withQueueDepth(8));
    engine.setThrottle(
        ThrottleOptions.UNLIMITED.with(WorkClass.LOG, ClassLimits.NONE.withShare(1)));
    load(WorkClass.FOREGROUND, 16);
    clock.advance(SECOND);
    long free = count(WorkClass.FOREGROUND);
    assertEquals(80_000, free, "as much as the device does");
    open(STEADY.withQueueDepth(8));
    engine.setThrottle(
        ThrottleOptions.UNLIMITED.with(
            WorkClass.BACKUP, ClassLimits.NONE.withRead(IoRate.parse("100"))));
    load(WorkClass.BACKUP, 16);
    load(WorkClass.FOREGROUND, 16);
    clock.advance(SECOND);
    assertClose(100, count(WorkClass.BACKUP), 1);
    assertClose(free - 100, count(WorkClass.FOREGROUND), 1);
  }

  @Test
  void sharesDivideWhatACapAdmitsAndABusyDevice() throws IOException {
    ThrottleOptions shares =
        ThrottleOptions.UNLIMITED
            .with(WorkClass.FOREGROUND, ClassLimits.NONE.withShare(300))
            .with(WorkClass.COMPACTION, ClassLimits.NONE.withShare(100));
    for (boolean busy : new boolean[] {false, true}) {
      open(busy ? STEADY.withQueueDepth(1) : STEADY);
      engine.setThrottle(busy ? shares : shares.withRead(IoRate.parse("10K")));
      load(WorkClass.FOREGROUND, 10);
      load(WorkClass.COMPACTION, 100);
      clock.advance(2 * SECOND);
      assertClose(15_000, count(WorkClass.FOREGROUND), 3);
      assertClose(5_000, count(WorkClass.COMPACTION), 3);
    }
  }

  @Test
  void depthsAreKept() throws IOException {
    open(STEADY.withLatency(new SimLatency(50_000, 500_000, 0, 0)).withQueueDepth(8));
    engine.setThrottle(
        ThrottleOptions.UNLIMITED.with(WorkClass.BACKUP, ClassLimits.NONE.withDepth(2)));
    load(WorkClass.BACKUP, 20);
    load(WorkClass.FOREGROUND, 20);
    int most = 0;
    for (int i = 0; i < 2000; i++) {
      int backup = engine.stats(WorkClass.BACKUP).inFlight();
      assertTrue(backup <= 2, "backup=" + backup);
      most = Math.max(most, backup);
      assertEquals(8, backup + engine.stats(WorkClass.FOREGROUND).inFlight());
      assertTrue(clock.step());
    }
    assertEquals(2, most);
  }

  @Test
  void queuedRequestIsCancelledAtOnceAndNotCharged() throws IOException {
    open(STEADY);
    engine.setThrottle(reads("1"));
    IoRequest first = submitted(read(UNIT));
    IoRequest second = submitted(read(UNIT));
    IoRequest third = submitted(read(UNIT));
    engine.cancel(second);
    assertTrue(second.isDone());
    assertThrows(CancellationException.class, second::await);
    assertEquals(new ClassStats(1, UNIT, 0, 0, 1, 1), engine.stats(WorkClass.FOREGROUND));
    assertEquals(UNIT, third.await());
    assertTrue(first.isDone());
    assertEquals(SECOND + LATENCY, clock.getAsLong());
    engine.cancel(submitted(second.prepareRead(file, 0, region, 0, UNIT)));
    assertFalse(clock.step(), "nothing is left to come");
  }

  @Test
  void changesWhileRunningHoldForWhatWaits() throws IOException {
    open(STEADY);
    engine.setThrottle(reads("10"));
    load(WorkClass.FOREGROUND, 50);
    clock.advance(2 * SECOND);
    assertClose(20, count(WorkClass.FOREGROUND), 1);
    engine.setThrottle(reads("1K"));
    clock.advance(SECOND);
    assertClose(1020, count(WorkClass.FOREGROUND), 2);
    engine.setThrottle(ThrottleOptions.UNLIMITED);
    long before = count(WorkClass.FOREGROUND);
    clock.advance(LATENCY);
    assertClose(50, count(WorkClass.FOREGROUND) - before, 1);
  }

  @Test
  void throttledTimeIsTheSumOfTheWaits() throws IOException {
    open(STEADY);
    engine.setThrottle(reads("100").with(WorkClass.BACKUP, ClassLimits.NONE.withDepth(1)));
    SplittableRandom random = new SplittableRandom(6);
    long[] waited = new long[1];
    for (int i = 0; i < 500; i++) {
      long from = clock.getAsLong();
      engine.submit(
          read(UNIT).onComplete((_, _, _) -> waited[0] += clock.getAsLong() - LATENCY - from));
      clock.advance(random.nextLong(20 * MILLI));
    }
    clock.advance(SECOND);
    ClassStats stats = engine.stats(WorkClass.FOREGROUND);
    assertEquals(500, stats.operations());
    assertTrue(stats.throttledOperations() > 100, stats.toString());
    assertEquals(waited[0], stats.throttledNanos());
    assertEquals(ClassStats.NONE, engine.stats(WorkClass.BACKUP));
  }

  @Test
  void limitsHoldWhereTransfersTakeNoTime() throws IOException {
    open(SimOptions.defaults());
    engine.setThrottle(reads("10").withWrite(IoRate.parse("1")));
    for (int i = 0; i < 11; i++) {
      assertEquals(UNIT, file.read(0, region, 0, UNIT));
    }
    assertEquals(SECOND, clock.getAsLong());
    file.write(0, region, 0, UNIT);
    file.sync();
    file.write(0, region, 0, UNIT);
    assertEquals(2 * SECOND, clock.getAsLong());
    engine.setThrottle(ThrottleOptions.UNLIMITED);
    file.read(0, region, 0, UNIT);
    assertTrue(submitted(read(UNIT)).isDone());
    assertEquals(2 * SECOND, clock.getAsLong());
  }

  @Test
  void closeOfAFileWaitsForWhatIsHeldBackAndCloseOfTheEngineLiftsTheLimits() throws IOException {
    open(STEADY);
    engine.setThrottle(reads("1"));
    IoRequest first = submitted(read(UNIT));
    IoRequest second = submitted(read(UNIT));
    file.close();
    assertTrue(first.isDone() && second.isDone());
    assertEquals(SECOND + LATENCY, clock.getAsLong());
    file = engine.open(Path.of("/f"), OpenMode.READ_WRITE);
    IoRequest third = submitted(read(UNIT));
    engine.close();
    assertTrue(third.isDone());
    assertEquals(SECOND + 2 * LATENCY, clock.getAsLong());
    assertThrows(IllegalStateException.class, () -> engine.setThrottle(ThrottleOptions.UNLIMITED));
  }
}
