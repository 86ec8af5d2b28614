package io.ewok.gds.reactor;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.ZI_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** Two threads at one {@link Monitor}. A lost wake-up shows as a time-out. */
public final class MonitorRaces {
  /** Generous: a machine that builds something else beside must not reach it. */
  private static final long LIMIT_NANOS = 20_000_000_000L;

  private MonitorRaces() {}

  /** One waits for what the other changes: it is woken, or sees the change and does not wait. */
  @JCStressTest
  @Outcome(id = "true, 1", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class WakeUp {
    private final Monitor monitor = new Monitor();
    private final Monitor.Line changed = monitor.newLine();
    private int value; // plain, guarded by the monitor

    @Actor
    public void await(ZI_Result result) {
      monitor.lock();
      result.r1 = value == 1 || changed.await(LIMIT_NANOS);
      result.r2 = value;
      monitor.unlock();
    }

    @Actor
    public void change() {
      monitor.lock();
      value = 1;
      changed.wakeAll();
      monitor.unlock();
    }
  }

  /**
   * One's time is over while the other wakes it: however that ends, nothing of it is left to end
   * the next wait.
   */
  @JCStressTest
  @Outcome(
      id = {"true, false", "false, false"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class TimeOver {
    private final Monitor monitor = new Monitor();
    private final Monitor.Line line = monitor.newLine();

    @Actor
    public void await(ZZ_Result result) {
      result.r1 = awaitOnce();
    }

    @Actor
    public void wake() {
      monitor.lock();
      line.wakeAll();
      monitor.unlock();
    }

    @Arbiter
    public void after(ZZ_Result result) {
      result.r2 = awaitOnce();
    }

    private boolean awaitOnce() {
      monitor.lock();
      try {
        return line.await(1);
      } finally {
        monitor.unlock();
      }
    }
  }

  /** A turn goes there and back, twice: a waiter is used again as soon as it was awaited. */
  @JCStressTest
  @Outcome(id = "2, 2", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class Turns {
    private final Monitor monitor = new Monitor();
    private final Monitor.Line there = monitor.newLine();
    private final Monitor.Line back = monitor.newLine();
    private int turn;

    @Actor
    public void ping(II_Result result) {
      result.r1 = take(0, there, back) + take(2, there, back);
    }

    @Actor
    public void pong(II_Result result) {
      result.r2 = take(1, back, there) + take(3, back, there);
    }

    private int take(int mine, Monitor.Line here, Monitor.Line other) {
      monitor.lock();
      try {
        while (turn != mine) {
          if (!here.await(LIMIT_NANOS)) {
            return 0;
          }
        }
        turn++;
        other.wakeAll();
        return 1;
      } finally {
        monitor.unlock();
      }
    }
  }
}
