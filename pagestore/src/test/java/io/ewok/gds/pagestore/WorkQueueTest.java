package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The order and the times at which requests reach a device, on a virtual clock. */
class WorkQueueTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long MILLI = 1_000_000L;

  /** What the clock says at the start: it counts from anywhere. */
  private static final long ORIGIN = -77 * SECOND;

  private final MemoryBudget budget = MemoryBudget.root("test", 64 << 20);
  private final SimEngine engine = new SimEngine(1);
  private Region region;
  private IoFile file;

  @BeforeEach
  void open() throws IOException {
    region = Region.map(budget, RegionOptions.ofSize(1 << 20));
    file = engine.open(Path.of("/data"), OpenMode.CREATE_NEW);
  }

  @AfterEach
  void close() {
    engine.close();
    region.close();
  }

  private IoRequest read(WorkClass work, int bytes) {
    return new IoRequest().prepareRead(file, 0, region, 0, bytes).forWork(work);
  }

  private IoRequest write(WorkClass work, int bytes) {
    return new IoRequest().prepareWrite(file, 0, region, 0, bytes).forWork(work);
  }

  private static ThrottleOptions reads(String rate) {
    return ThrottleOptions.UNLIMITED.withRead(IoRate.parse(rate));
  }

  private static ThrottleOptions reads(WorkClass work, String rate) {
    return ThrottleOptions.UNLIMITED.with(work, ClassLimits.NONE.withRead(IoRate.parse(rate)));
  }

  private static long count(VirtualDevice device, WorkClass work) {
    return device.starts.stream().filter(s -> s.work() == work).count();
  }

  private static long bytes(VirtualDevice device, WorkClass work) {
    return device.starts.stream()
        .filter(s -> s.work() == work)
        .mapToLong(VirtualDevice.Start::bytes)
        .sum();
  }

  /** Offers {@code count} reads that come again as soon as they have ended. */
  private void offerReads(WorkQueue queue, WorkClass work, int bytes, int count) {
    for (int i = 0; i < count; i++) {
      queue.offer(read(work, bytes));
    }
  }

  private static void assertExact(List<VirtualDevice.Start> starts, long rate, long slack) {
    int end = 0;
    for (int i = 0; i < starts.size(); i++) {
      long to = starts.get(i).nanos() + SECOND;
      while (end < starts.size() && starts.get(end).nanos() < to) {
        end++;
      }
      if (end == starts.size()) {
        return;
      }
      int count = end - i;
      long from = starts.get(i).nanos();
      assertTrue(Math.abs(count - rate) <= slack, () -> "fromNanos=" + from + " count=" + count);
    }
  }

  private static void assertClose(long expected, long actual, long slack) {
    assertTrue(Math.abs(expected - actual) <= slack, "expected=" + expected + " actual=" + actual);
  }

  @Test
  void capIsExactToOneRequestInEverySecondWhateverTheDepth() {
    for (int depth : new int[] {1, 64}) {
      VirtualDevice device = new VirtualDevice(depth * 20_000L, ORIGIN);
      WorkQueue queue = new WorkQueue(reads("10K"), depth, device);
      offerReads(queue, WorkClass.FOREGROUND, 4096, 128);
      device.run(queue, 60 * SECOND, 0, queue::offer);
      assertExact(device.starts, 10_000, 1);
      assertEquals(600_000, device.starts.size());
    }
  }

  @Test
  void deviceThatIsSlowerThanTheCapEarnsNoCredit() {
    // 1000 reads a second by the device for ten seconds, then much faster than the cap of 2000.
    VirtualDevice slow = new VirtualDevice(SECOND / 1000, ORIGIN);
    WorkQueue queue = new WorkQueue(reads("2K"), 1, slow);
    offerReads(queue, WorkClass.FOREGROUND, 4096, 1);
    slow.run(queue, 10 * SECOND, 0, queue::offer);
    assertEquals(10_000, slow.starts.size());
    assertEquals(0, queue.stats(WorkClass.FOREGROUND).throttledNanos());
    offerReads(queue, WorkClass.FOREGROUND, 4096, 1);
    List<VirtualDevice.Start> before = List.copyOf(slow.starts);
    slow.run(queue, 20 * SECOND, 0, queue::offer);
    assertEquals(2 * before.size(), slow.starts.size(), "never more than the device does");
  }

  @Test
  void lateTimersAreMadeUpFor() {
    VirtualDevice device = new VirtualDevice(100_000, ORIGIN);
    WorkQueue queue = new WorkQueue(reads("10K"), 64, device);
    offerReads(queue, WorkClass.FOREGROUND, 4096, 64);
    device.run(queue, 5 * SECOND, MILLI, queue::offer);
    // One tick of ten requests, and never more than the rate of the schedule.
    assertTrue(device.starts.size() >= 50_000 - 10, "count=" + device.starts.size());
    assertTrue(device.starts.size() <= 50_000, "count=" + device.starts.size());
    assertExact(device.starts, 10_000, 11);
  }

  @Test
  void longLatenessIsForgotten() {
    VirtualDevice device = new VirtualDevice(1, ORIGIN);
    WorkQueue queue = new WorkQueue(reads("10"), 64, device);
    offerReads(queue, WorkClass.FOREGROUND, 4096, 64);
    device.run(queue, 3 * SECOND, SECOND, queue::offer);
    // Polled each second: what was due within the last tenth of one, and what is due now.
    assertEquals(1 + 2 * 2, device.starts.size());
  }

  @Test
  void capOnOneClassLeavesTheOthersRate() {
    VirtualDevice free = new VirtualDevice(100_000, ORIGIN);
    WorkQueue without = new WorkQueue(reads(WorkClass.LOG, "1"), 8, free);
    offerReads(without, WorkClass.FOREGROUND, 4096, 32);
    free.run(without, SECOND, 0, without::offer);

    VirtualDevice device = new VirtualDevice(100_000, ORIGIN);
    WorkQueue queue = new WorkQueue(reads(WorkClass.BACKUP, "100/1MB"), 8, device);
    offerReads(queue, WorkClass.BACKUP, 65536, 64);
    offerReads(queue, WorkClass.FOREGROUND, 4096, 32);
    device.run(queue, SECOND, 0, queue::offer);
    assertEquals(16, count(device, WorkClass.BACKUP), "1 MB in transfers of 64 KiB");
    long foreground = count(device, WorkClass.FOREGROUND);
    assertEquals(count(free, WorkClass.FOREGROUND), foreground + 16, "one place each");
  }

  @Test
  void cappedReadsDoNotHoldBackWritesOfTheirClass() {
    VirtualDevice device = new VirtualDevice(1000, ORIGIN);
    WorkQueue queue = new WorkQueue(reads("1"), 8, device);
    offerReads(queue, WorkClass.FOREGROUND, 4096, 5);
    for (int i = 0; i < 5; i++) {
      queue.offer(write(WorkClass.FOREGROUND, 4096));
    }
    device.run(queue, SECOND / 2, 0, request -> {});
    assertEquals(1 + 5, device.starts.size());
    device.run(queue, 10 * SECOND, 0, request -> {});
    assertEquals(10, device.starts.size());
  }

  @Test
  void sharesDivideWhatACapAdmits() {
    VirtualDevice device = new VirtualDevice(1000, ORIGIN);
    WorkQueue queue = new WorkQueue(shared(reads("4K")), 64, device);
    offerReads(queue, WorkClass.FOREGROUND, 4096, 10);
    offerReads(queue, WorkClass.COMPACTION, 4096, 100);
    device.run(queue, 10 * SECOND, 0, queue::offer);
    assertClose(30_000, count(device, WorkClass.FOREGROUND), 2);
    assertClose(10_000, count(device, WorkClass.COMPACTION), 2);
  }

  /** 3 to 1 for the foreground against compaction. */
  private static ThrottleOptions shared(ThrottleOptions options) {
    return options
        .with(WorkClass.FOREGROUND, ClassLimits.NONE.withShare(300))
        .with(WorkClass.COMPACTION, ClassLimits.NONE.withShare(100));
  }

  @Test
  void sharesDivideABusyDeviceByBytesAlsoBetweenReadsAndWrites() {
    VirtualDevice device = new VirtualDevice(MILLI, ORIGIN);
    WorkQueue queue = new WorkQueue(shared(ThrottleOptions.UNLIMITED), 8, device);
    offerReads(queue, WorkClass.FOREGROUND, 4096, 100);
    for (int i = 0; i < 100; i++) {
      queue.offer(write(WorkClass.COMPACTION, 16384));
    }
    device.run(queue, 10 * SECOND, 0, queue::offer);
    double ratio =
        (double) bytes(device, WorkClass.FOREGROUND) / bytes(device, WorkClass.COMPACTION);
    assertEquals(3.0, ratio, 0.01);
    assertEquals(8, device.runningMax());
  }

  @Test
  void whatNobodyElseWantsIsNotChargedToAShare() {
    VirtualDevice device = new VirtualDevice(MILLI / 10, ORIGIN);
    WorkQueue queue = new WorkQueue(shared(reads("4K")), 64, device);
    offerReads(queue, WorkClass.FOREGROUND, 4096, 10);
    offerReads(queue, WorkClass.COMPACTION, 4096, 10);
    for (int i = 0; i < 10; i++) {
      queue.offer(write(WorkClass.COMPACTION, 65536));
    }
    device.run(queue, SECOND, 0, queue::offer);
    long compactionReads =
        device.starts.stream().filter(s -> s.work() == WorkClass.COMPACTION && !s.write()).count();
    assertClose(1000, compactionReads, 2);
  }

  @Test
  void idleClassSavesUpNothing() {
    VirtualDevice device = new VirtualDevice(1000, ORIGIN);
    WorkQueue queue = new WorkQueue(shared(reads("4K")), 64, device);
    offerReads(queue, WorkClass.COMPACTION, 4096, 10);
    offerReads(queue, WorkClass.CLEANER, 4096, 10);
    device.run(queue, 10 * SECOND, 0, queue::offer);
    int before = device.starts.size();
    offerReads(queue, WorkClass.FOREGROUND, 4096, 10);
    device.run(queue, 11 * SECOND, 0, queue::offer);
    assertEquals(4000, device.starts.size() - before);
    assertClose(4000 * 3 / 5, count(device, WorkClass.FOREGROUND), 2);
  }

  @Test
  void classHeldBackByItsOwnCapGetsNoBurstWhenThatIsLifted() {
    VirtualDevice device = new VirtualDevice(1000, ORIGIN);
    ThrottleOptions lifted = reads("4K");
    ThrottleOptions capped =
        lifted.with(WorkClass.COMPACTION, ClassLimits.NONE.withRead(IoRate.parse("10")));
    WorkQueue queue = new WorkQueue(capped, 64, device);
    offerReads(queue, WorkClass.FOREGROUND, 4096, 10);
    offerReads(queue, WorkClass.COMPACTION, 4096, 10);
    device.run(queue, 10 * SECOND, 0, queue::offer);
    assertClose(100, count(device, WorkClass.COMPACTION), 1);
    queue.change(lifted);
    device.run(queue, 11 * SECOND, 0, queue::offer);
    assertClose(100 + 2000, count(device, WorkClass.COMPACTION), 2);
  }

  @Test
  void logGoesFirstAndIsCharged() {
    VirtualDevice device = new VirtualDevice(MILLI, ORIGIN);
    WorkQueue queue = new WorkQueue(reads("100"), 1, device);
    offerReads(queue, WorkClass.FOREGROUND, 4096, 5);
    offerReads(queue, WorkClass.LOG, 4096, 5);
    device.run(queue, SECOND, 0, request -> {});
    assertEquals(
        List.of(WorkClass.LOG, WorkClass.LOG, WorkClass.LOG, WorkClass.LOG, WorkClass.LOG),
        device.starts.subList(0, 5).stream().map(VirtualDevice.Start::work).toList());
    assertEquals(9 * SECOND / 100, device.starts.get(9).nanos());
  }

  @Test
  void depthOfAClassIsKeptAndLeavesTheRestToOthers() {
    VirtualDevice device = new VirtualDevice(MILLI, ORIGIN);
    ThrottleOptions options =
        ThrottleOptions.UNLIMITED.with(WorkClass.BACKUP, ClassLimits.NONE.withDepth(2));
    WorkQueue queue = new WorkQueue(options, 8, device);
    offerReads(queue, WorkClass.BACKUP, 4096, 20);
    assertSame(WorkClass.BACKUP, queue.poll().workClass());
    assertSame(WorkClass.BACKUP, queue.poll().workClass());
    assertNull(queue.poll());
    assertEquals(WorkQueue.NEVER, queue.dueNanos(), "only an end lets another in");
    offerReads(queue, WorkClass.FOREGROUND, 4096, 20);
    for (int i = 0; i < 6; i++) {
      assertSame(WorkClass.FOREGROUND, queue.poll().workClass());
    }
    assertNull(queue.poll());
    assertEquals(new ClassStats(2, 8192, 0, 0, 18, 2), queue.stats(WorkClass.BACKUP));
  }

  @Test
  void throttledTimeAddsUp() {
    VirtualDevice device = new VirtualDevice(MILLI, ORIGIN);
    WorkQueue queue = new WorkQueue(reads("100"), 64, device);
    offerReads(queue, WorkClass.BACKUP, 4096, 11);
    device.run(queue, SECOND, 0, request -> {});
    // They start at 0, 10, .. 100 ms.
    assertEquals(
        new ClassStats(11, 11 * 4096, 10, 550 * MILLI, 0, 0), queue.stats(WorkClass.BACKUP));
    assertEquals(ClassStats.NONE, queue.stats(WorkClass.FOREGROUND));
  }

  @Test
  void timeInWhichTheDeviceIsFullIsNotThrottledTime() {
    VirtualDevice device = new VirtualDevice(5 * MILLI, ORIGIN);
    WorkQueue queue = new WorkQueue(reads("100"), 1, device);
    offerReads(queue, WorkClass.BACKUP, 4096, 11);
    device.run(queue, SECOND, 0, request -> {});
    // Of each 10 ms the device is busy for 5, and the next one waits for the cap for 5.
    assertEquals(10 * 5 * MILLI, queue.stats(WorkClass.BACKUP).throttledNanos());
  }

  @Test
  void timeInWhichNobodyPollsIsNotThrottledTime() {
    long[] clock = {ORIGIN};
    WorkQueue queue = new WorkQueue(reads("100"), 8, () -> clock[0]);
    queue.offer(read(WorkClass.BACKUP, 4096));
    clock[0] += MILLI;
    assertSame(WorkClass.BACKUP, queue.poll().workClass());
    assertEquals(new ClassStats(1, 4096, 0, 0, 0, 1), queue.stats(WorkClass.BACKUP));
  }

  @Test
  void whatIsTakenBackIsNotCharged() {
    VirtualDevice device = new VirtualDevice(MILLI, ORIGIN);
    WorkQueue queue = new WorkQueue(reads("10"), 8, device);
    IoRequest first = read(WorkClass.FOREGROUND, 4096);
    IoRequest second = read(WorkClass.FOREGROUND, 4096);
    IoRequest third = read(WorkClass.FOREGROUND, 4096);
    queue.offer(first);
    queue.offer(second);
    queue.offer(third);
    assertSame(first, queue.poll());
    assertFalse(queue.remove(first));
    assertTrue(queue.remove(third));
    assertFalse(queue.remove(third));
    assertTrue(queue.remove(second));
    queue.offer(third);
    device.run(queue, SECOND, 0, request -> {});
    assertEquals(SECOND / 10, device.starts.getFirst().nanos());
    assertEquals(1, device.starts.size());
  }

  @Test
  void changedCapHoldsForWhatWaits() {
    VirtualDevice device = new VirtualDevice(1000, ORIGIN);
    WorkQueue queue = new WorkQueue(reads("1"), 64, device);
    offerReads(queue, WorkClass.FOREGROUND, 4096, 100);
    device.run(queue, 2 * SECOND, 0, queue::offer);
    assertEquals(2, device.starts.size());
    queue.change(reads("1K"));
    device.run(queue, 3 * SECOND, 0, queue::offer);
    assertClose(2 + 1000, device.starts.size(), 1);
    queue.change(ThrottleOptions.UNLIMITED);
    assertFalse(queue.isLimited());
    int before = device.starts.size();
    int waiting = queue.stats(WorkClass.FOREGROUND).waiting();
    assertTrue(waiting >= 99, "waiting=" + waiting);
    device.run(queue, 3 * SECOND + 10_000, 0, request -> {});
    assertEquals(waiting, device.starts.size() - before, "all that waited");
  }
}
