package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class TimerWheelTest {
  private static final long TICK = 1000;
  private long now = 777;
  private final TimerWheel wheel = new TimerWheel(() -> now, TICK);

  private static final class Numbered extends Timer {
    final int number;
    long modelDeadline;

    Numbered(int number) {
      this.number = number;
    }

    @Override
    protected void fired() {
      throw new AssertionError("the wheel does not fire");
    }
  }

  private static long key(long deadline, int number) {
    return deadline * 1024 + number;
  }

  @Test
  void agreesWithASortedMapOverAMillionOperations() {
    long seed = 4242;
    SplittableRandom random = new SplittableRandom(seed);
    List<Numbered> timers = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      timers.add(new Numbered(i));
    }
    TreeMap<Long, Numbered> model = new TreeMap<>();
    for (int step = 0; step < 1_000_000; step++) {
      String where = "seed=" + seed + " step=" + step;
      Numbered timer = timers.get(random.nextInt(timers.size()));
      long key = key(timer.modelDeadline, timer.number);
      int kind = random.nextInt(10);
      if (kind < 5) {
        // Of all magnitudes, up to beyond what the levels reach.
        long delay = random.nextLong(1L << random.nextInt(1, 37));
        model.remove(key);
        wheel.schedule(timer, delay, 0);
        timer.modelDeadline = now + delay;
        model.put(key(timer.modelDeadline, timer.number), timer);
      } else if (kind < 7) {
        assertEquals(model.remove(key) != null, wheel.cancel(timer), where);
      } else {
        long idle = wheel.idleNanos(now);
        now += kind < 9 ? random.nextLong(1L << random.nextInt(1, 30)) : Math.min(idle, 1L << 40);
        Timer due;
        while ((due = wheel.poll(now)) != null) {
          Numbered fired = (Numbered) due;
          assertTrue(fired.modelDeadline <= now, "early " + where);
          assertSame(fired, model.remove(key(fired.modelDeadline, fired.number)), where);
        }
        if (!model.isEmpty()) {
          long first = model.firstKey() / 1024;
          assertTrue(first > now - TICK, "late by=" + (now - first) + " " + where);
          assertTrue(wheel.idleNanos(now) <= Math.max(0, first - now) + TICK, where);
        }
        assertEquals(model.isEmpty(), wheel.isEmpty(), where);
      }
    }
  }

  @Test
  void sleepingAsToldFiresEachInTimeAndInFewSteps() {
    Numbered far = new Numbered(1);
    wheel.schedule(far, 5_000_000 * TICK + 1, 0);
    long deadline = now + 5_000_000 * TICK + 1;
    int steps = 0;
    while (wheel.poll(now) == null) {
      now += wheel.idleNanos(now);
      steps++;
    }
    assertTrue(now >= deadline && now < deadline + TICK, "late=" + (now - deadline));
    assertTrue(steps < 10, "steps=" + steps);
    assertEquals(Long.MAX_VALUE, wheel.idleNanos(now));
  }

  @Test
  void periodsKeepTheirRhythmAndLeaveOutWhatWasMissed() {
    Numbered timer = new Numbered(1);
    long start = now;
    wheel.schedule(timer, 10 * TICK, 10 * TICK);
    now = start + 10 * TICK + TICK;
    assertSame(timer, wheel.poll(now));
    assertNull(wheel.poll(now));
    now = start + 55 * TICK;
    assertSame(timer, wheel.poll(now));
    assertNull(wheel.poll(now), "missed ones are not made up for");
    now = start + 59 * TICK;
    assertNull(wheel.poll(now));
    now = start + 61 * TICK;
    assertSame(timer, wheel.poll(now));
    assertTrue(wheel.cancel(timer));
    assertFalse(wheel.cancel(timer));
    assertTrue(wheel.isEmpty());
  }

  @Test
  void whatIsScheduledWhileDueTimersAreTakenIsNotDueBeforeItsTime() {
    Numbered first = new Numbered(1);
    Numbered second = new Numbered(2);
    wheel.schedule(first, 0, 0);
    wheel.schedule(second, 0, 0);
    now += 2 * TICK;
    Timer due = wheel.poll(now);
    wheel.schedule(due, 0, 0);
    Timer other = wheel.poll(now);
    assertTrue(due != other);
    now += 2 * TICK;
    assertSame(due, wheel.poll(now));
  }

  @Test
  void allocatesNothing() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Numbered[] timers = new Numbered[64];
    for (int i = 0; i < timers.length; i++) {
      timers[i] = new Numbered(i);
    }
    churn(timers);
    long before = threads.getCurrentThreadAllocatedBytes();
    churn(timers);
    long bytes = threads.getCurrentThreadAllocatedBytes() - before;
    assertTrue(bytes < 1024, "bytes=" + bytes);
  }

  private void churn(Numbered[] timers) {
    for (int i = 0; i < 100_000; i++) {
      wheel.schedule(timers[i % timers.length], i % 5000 * TICK, 0);
      now += TICK / 2;
      while (wheel.poll(now) != null) {
        now++;
      }
    }
  }
}
