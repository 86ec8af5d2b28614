package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Writers are slowed down in proportion, and never for long at once. */
class WriteDelayTest {
  private static final double MEMTABLE_BYTES = 4 << 20;
  private static final long WRITE_BYTES = 1_000;
  private static final long NO_LIMIT = Long.MAX_VALUE;

  private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1_000_000);
  private final StoreCounters counters = new StoreCounters();
  private final StoreEvents events =
      new StoreEvents(Fixtures.DIRECTORY, StoreListener.NONE, counters);
  private final WriteDelay delay = new WriteDelay(now::get, events);

  /** Writes for a while of the clock, waiting as told. Returns bytes per second. */
  private double rate(int writes) {
    long start = now.get();
    for (int i = 0; i < writes; i++) {
      now.addAndGet(delay.claim(WRITE_BYTES, 0, NO_LIMIT) + 1_000);
    }
    return writes * WRITE_BYTES * 1e9 / (now.get() - start);
  }

  @Test
  void writersAreFreeWhileThereIsLittleToDo() {
    double free = rate(1_000);
    assertEquals(WRITE_BYTES * 1e6, free, 1);
    delay.setTablePressure(0.2);
    assertEquals(free, rate(1_000), 1);
  }

  @Test
  void rateFallsWithPressureFromTheDrainOfFlushes() {
    for (int i = 0; i < 50; i++) {
      delay.flushed(10 << 20, 1_000_000_000);
    }
    double drain = 10 << 20;
    delay.setTablePressure(0.5);
    assertEquals(drain, rate(20_000), drain / 10);
    delay.setTablePressure(0.8);
    assertEquals(drain / 4, rate(20_000), drain / 40);
    delay.setTablePressure(1);
    double least = rate(20_000);
    assertTrue(least > 0 && least < drain / 32, "rate: " + least);
    delay.setTablePressure(0);
    assertEquals(WRITE_BYTES * 1e6, rate(1_000), 1e7);
  }

  /** The timers of a reactor are late by a tick, which is longer than what they are asked for. */
  @Test
  void waitsThatTookTooLongAreMadeUpFor() {
    for (int i = 0; i < 50; i++) {
      delay.flushed(10 << 20, 1_000_000_000);
    }
    delay.setTablePressure(0.5);
    long start = now.get();
    for (int i = 0; i < 20_000; i++) {
      long pause = delay.claim(WRITE_BYTES, 0, NO_LIMIT);
      now.addAndGet(pause == 0 ? 1_000 : pause + 1_000_000);
    }
    double drain = 10 << 20;
    assertEquals(drain, 20_000 * WRITE_BYTES * 1e9 / (now.get() - start), drain / 10);
  }

  @Test
  void littlePressureMakesEachWriteALittleSlowerAndNoneMuch() {
    for (int i = 0; i < 50; i++) {
      delay.flushed(1 << 30, 1_000_000_000);
    }
    delay.setTablePressure(0.5);
    long waited = 0;
    for (int i = 0; i < 10_000; i++) {
      long pause = delay.claim(WRITE_BYTES, 0, NO_LIMIT);
      assertTrue(pause <= WriteDelay.SPIN_NANOS_MAX, "pause: " + pause);
      now.addAndGet(pause);
      waited += pause;
    }
    double wanted = 10_000.0 * WRITE_BYTES / (1 << 30) * 1e9;
    assertEquals(wanted, (double) waited, wanted / 10);
    assertTrue(delay.await(WRITE_BYTES, 0, NO_LIMIT));
    assertEquals(0, counters.stall(StallReason.DELAY).count.sum());
  }

  /** Else one batch in some would wait for all of them, and twice as long as it should. */
  @Test
  void batchesWaitEachForItselfToo() {
    for (int i = 0; i < 50; i++) {
      delay.flushed(1 << 28, 1_000_000_000);
    }
    delay.setTablePressure(0.5);
    double batchNanos = 4_096 * 1e9 / (1 << 28);
    long slowest = 0;
    long waited = 0;
    for (int i = 0; i < 1_000; i++) {
      long pause = delay.claim(4_096, 0, NO_LIMIT);
      now.addAndGet(pause);
      slowest = Math.max(slowest, pause);
      waited += pause;
    }
    assertEquals(1_000 * batchNanos, (double) waited, 10 * batchNanos);
    assertTrue(slowest <= 2 * batchNanos, "slowest: " + slowest);
    assertTrue(delay.await(4_096, 0, NO_LIMIT));
    assertEquals(0, counters.stall(StallReason.DELAY).count.sum());
  }

  /**
   * Writes while a flush goes on, from an empty memtable. Returns what part is filled at the end.
   */
  private double fill(long flushNanos) {
    long end = now.get() + flushNanos;
    double filled = 0;
    delay.frozen((long) MEMTABLE_BYTES);
    while (now.get() - end < 0 && filled < 1) {
      now.addAndGet(delay.claim(100, filled, NO_LIMIT) + 100);
      filled += 100 / MEMTABLE_BYTES;
    }
    return filled;
  }

  @Test
  void memoryIsNotFullWhenTheMemtableBeforeHasBeenFlushed() {
    for (int i = 0; i < 50; i++) {
      delay.flushed((long) MEMTABLE_BYTES, 50_000_000);
    }
    double usual = fill(50_000_000);
    assertTrue(usual > 0.25 && usual < 0.9, "filled: " + usual);
    // The device has become slower, and no flush has ended that would tell.
    double tenTimes = fill(500_000_000);
    assertTrue(tenTimes > usual && tenTimes < 0.995, "filled: " + tenTimes);
    double fortyTimes = fill(2_000_000_000);
    assertTrue(fortyTimes > tenTimes && fortyTimes < 1, "filled: " + fortyTimes);
    now.addAndGet(WriteDelay.PAUSE_NANOS_MAX);
    assertEquals(0, delay.claim(WRITE_BYTES, 0, NO_LIMIT));
  }

  @Test
  void noPauseIsLongerThanItsBoundHoweverManyWait() {
    delay.setTablePressure(1);
    for (int i = 0; i < 1_000; i++) {
      long pause = delay.claim(10 << 20, 0, NO_LIMIT);
      assertTrue(pause <= WriteDelay.PAUSE_NANOS_MAX, "pause: " + pause);
    }
  }

  @Test
  void writeWithALimitIsRefusedInsteadAndLeavesNoTrace() {
    delay.setTablePressure(1);
    while (delay.claim(1 << 20, 0, NO_LIMIT) == 0) {
      now.addAndGet(1);
    }
    long pause = delay.claim(0, 0, NO_LIMIT);
    assertTrue(pause > 0);
    assertEquals(-1, delay.claim(1 << 20, 0, pause / 2));
    assertEquals(false, delay.await(1 << 20, 0, 0));
    assertEquals(pause, delay.claim(0, 0, NO_LIMIT));
    assertEquals(0, counters.stall(StallReason.DELAY).count.sum());
  }
}
