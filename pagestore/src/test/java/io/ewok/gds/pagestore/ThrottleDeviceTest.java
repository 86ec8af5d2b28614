package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.UringProbe;
import io.ewok.gds.reactor.Baton;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * How well limits hold on a real device, in real time: not part of a normal build. With {@code
 * -Dgds.test.device=DIRECTORY} it takes about two minutes on the device of that directory, which
 * should have nothing else to do.
 */
@EnabledIfSystemProperty(named = "gds.test.device", matches = ".+")
class ThrottleDeviceTest {
  private static final int UNIT = 4096;
  private static final int MIB = 1 << 20;
  private static final int FILE_BYTES = 256 * MIB;
  private static final int LANES = 64;
  private static final int LANE_BYTES = 1 << 16;
  private static final long SECOND = 1_000_000_000L;
  private static final int ROUNDS = 9;

  /** The device may stall, which earns no credit: then five seconds say nothing. */
  private static final int TRIES = 3;

  private final MemoryBudget budget = MemoryBudget.root("test", 16 * MIB);
  private final Region region = Region.map(budget, RegionOptions.ofSize(2L * LANES * LANE_BYTES));
  private Path path;
  private IoEngine engine;
  private IoFile file;

  private void open(EngineKind kind) throws IOException {
    UringProbe probe = UringProbe.probe();
    assumeTrue(kind != EngineKind.URING || probe.supported(), probe.message());
    path = Files.createTempFile(Path.of(System.getProperty("gds.test.device")), "gds", ".test");
    engine = IoEngines.open(EngineOptions.defaults().withWanted(kind));
    engine.register(region);
    file = engine.open(path, OpenMode.READ_WRITE);
    for (long at = 0; at < FILE_BYTES; at += MIB) {
      file.write(at, region, 0, MIB);
    }
    file.sync();
  }

  @AfterEach
  void close() throws IOException {
    if (engine != null) {
      engine.close();
    }
    region.close();
    if (path != null) {
      Files.delete(path);
    }
  }

  /** Transfers that come again as soon as they have ended, until they are closed. */
  private final class Load implements IoCompletion, AutoCloseable {
    private final WorkClass work;
    private final boolean write;
    private final int length;
    private final AtomicInteger running;
    private final Baton ended = new Baton();
    private final AtomicLong started = new AtomicLong();
    private final AtomicLong count = new AtomicLong();
    private final AtomicReference<Exception> failure = new AtomicReference<>();
    private volatile boolean over;

    /** The lanes from {@code firstLane} on have memory of their own. */
    Load(WorkClass work, boolean write, int length, int firstLane, int lanes) {
      this.work = work;
      this.write = write;
      this.length = length;
      this.running = new AtomicInteger(lanes);
      for (int lane = firstLane; lane < firstLane + lanes; lane++) {
        submit(new IoRequest(), (long) lane * LANE_BYTES);
      }
    }

    private void submit(IoRequest request, long memory) {
      // An odd factor goes through all places, in no order that a device would like.
      long place = started.incrementAndGet() * 7919 % (FILE_BYTES / length);
      if (write) {
        request.prepareWrite(file, place * length, region, memory, length);
      } else {
        request.prepareRead(file, place * length, region, memory, length);
      }
      engine.submit(request.forWork(work).onComplete(this));
    }

    @Override
    public void completed(IoRequest request, int bytes, Exception cause) {
      if (cause != null) {
        failure.set(cause);
      }
      count.incrementAndGet();
      if (over || cause != null) {
        if (running.decrementAndGet() == 0) {
          ended.post();
        }
      } else {
        submit(request, request.regionOffset());
      }
    }

    /** Returns how many end in a second, over so many seconds from now. */
    double rate(double seconds) {
      long from = System.nanoTime();
      long before = count.get();
      long until = from + (long) (seconds * SECOND);
      for (long left = until - from; left > 0; left = until - System.nanoTime()) {
        LockSupport.parkNanos(left);
      }
      long nanos = System.nanoTime() - from;
      return (count.get() - before) * (double) SECOND / nanos;
    }

    @Override
    public void close() {
      over = true;
      ended.await();
      assertNull(failure.get());
    }
  }

  private double freeRate(boolean write, int length) {
    engine.setThrottle(ThrottleOptions.UNLIMITED);
    try (Load load = new Load(WorkClass.FOREGROUND, write, length, 0, LANES)) {
      load.rate(0.2);
      return load.rate(0.5);
    }
  }

  private void assertHolds(String cap, boolean write, int length) {
    IoRate rate = IoRate.parse(cap);
    double wanted =
        Math.min((double) rate.operationsPerSecond(), (double) rate.bytesPerSecond() / length);
    double free = freeRate(write, length);
    String what =
        "%s %s of %s at %d bytes: wanted=%.0f free=%.0f"
            .formatted(engine.name(), write ? "writes" : "reads", cap, length, wanted, free);
    if (free < 1.2 * wanted) {
      System.out.println(what + ": the device is too slow to tell");
      return;
    }
    engine.setThrottle(
        write
            ? ThrottleOptions.UNLIMITED.withWrite(rate)
            : ThrottleOptions.UNLIMITED.withRead(rate));
    double got = 0;
    long throttledNanos = 0;
    try (Load load = new Load(WorkClass.BACKUP, write, length, 0, LANES)) {
      load.rate(0.2);
      for (int i = 0; i < TRIES && Math.abs(got / wanted - 1) > 0.02; i++) {
        long before = engine.stats(WorkClass.BACKUP).throttledNanos();
        got = load.rate(5);
        throttledNanos = engine.stats(WorkClass.BACKUP).throttledNanos() - before;
        System.out.printf("%s got=%.1f (%+.2f %%)%n", what, got, 100 * (got / wanted - 1));
      }
    }
    assertEquals(wanted, got, 0.02 * wanted, what);
    // Nearly all the time nearly all of them wait: 64 requests for five seconds.
    double waited = (double) throttledNanos / SECOND / LANES;
    assertTrue(waited > 3 && waited < 5.5, what + " throttledSeconds=" + waited);
  }

  @ParameterizedTest
  @EnumSource(names = {"URING", "POOL"})
  void capsHoldWithinTwoPercentOverFiveSeconds(EngineKind kind) throws Exception {
    open(kind);
    for (boolean write : new boolean[] {false, true}) {
      assertHolds("1K", write, UNIT);
      assertHolds("10K", write, UNIT);
      assertHolds("/20MB", write, 4 * UNIT);
      assertHolds("/50MB", write, LANE_BYTES);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"URING", "POOL"})
  void capOnOneClassLeavesTheOthersRateWithinTenPercent(EngineKind kind) throws Exception {
    open(kind);
    ThrottleOptions capped =
        ThrottleOptions.UNLIMITED.with(
            WorkClass.BACKUP, ClassLimits.NONE.withRead(IoRate.parse("500")));
    for (int lanes : new int[] {8, 32}) {
      double[] without = new double[ROUNDS];
      double[] with = new double[ROUNDS];
      try (Load foreground = new Load(WorkClass.FOREGROUND, false, UNIT, 0, lanes)) {
        foreground.rate(1);
        for (int round = 0; round < ROUNDS; round++) {
          without[round] = foreground.rate(0.7);
          engine.setThrottle(capped);
          try (Load _ = new Load(WorkClass.BACKUP, false, UNIT, LANES, 16)) {
            with[round] = foreground.rate(0.7);
          }
          engine.setThrottle(ThrottleOptions.UNLIMITED);
        }
        without = Arrays.stream(without).sorted().toArray();
        with = Arrays.stream(with).sorted().toArray();
        double ratio = with[ROUNDS / 2] / without[ROUNDS / 2];
        String what =
            "%s depth %d: without=%.0f [%.0f..%.0f] with=%.0f [%.0f..%.0f] ratio=%.3f"
                .formatted(
                    engine.name(),
                    lanes,
                    without[ROUNDS / 2],
                    without[0],
                    without[ROUNDS - 1],
                    with[ROUNDS / 2],
                    with[0],
                    with[ROUNDS - 1],
                    ratio);
        System.out.println(what);
        assertTrue(ratio > 0.9, what);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"URING", "POOL"})
  void largeRequestsUnderASmallCapPassAtItsRate(EngineKind kind) throws Exception {
    open(kind);
    engine.setThrottle(ThrottleOptions.UNLIMITED.withRead(IoRate.parse("/2MiB")));
    IoRequest[] requests = new IoRequest[5];
    long start = System.nanoTime();
    for (int i = 0; i < requests.length; i++) {
      requests[i] = new IoRequest().prepareRead(file, 0, region, 0, MIB);
    }
    engine.submitAll(requests, requests.length);
    for (IoRequest request : requests) {
      assertEquals(MIB, request.await());
    }
    double seconds = (double) (System.nanoTime() - start) / SECOND;
    System.out.printf("%s 5 MiB at 2 MiB a second: %.3f s%n", engine.name(), seconds);
    assertEquals(2, seconds, 0.04);
    ClassStats stats = engine.stats(WorkClass.FOREGROUND);
    assertEquals(4, stats.throttledOperations());
    assertEquals(5, (double) stats.throttledNanos() / SECOND, 0.1, "0.5 + 1 + 1.5 + 2");
  }
}
