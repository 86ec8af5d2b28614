package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/**
 * Asks the JVM how much of its heap the threads of two reactors use, once all that they need is
 * made: nothing, where they run fibers themselves. Ordinary virtual threads use some at each
 * switch; but not on the reactor's thread, so that is not asked here.
 */
@Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class AllocationTest {
  private static final int WARM_UP = 20_000;
  private static final int ROUNDS = 100_000;

  /** Of the rounds, those that do what is done most seldom. */
  private static final int SELDOM = 64;

  /**
   * The JVM makes some stacks of fibers anew, now and then, which no switch does. What is allowed
   * for them is less than the smallest object for each time of what is done most seldom.
   */
  private static final int STACKS_BYTES = ROUNDS / SELDOM * 16 - 1;

  private static final long TICK_NANOS = 10_000;
  private static final long LONG_NANOS = 600_000_000_000L;

  /** Attempts, since compilers and collectors come between. */
  private static final int ATTEMPTS = 10;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /**
   * Forks, yields, waits, pauses, has deadlines and timers, asks the other reactor; over and over.
   */
  private static final class Busy extends Task {
    private final Reactor other;
    private final Leaf local = new Leaf(Kind.FIBER, Scratch.SMALL);
    private final Leaf direct = new Leaf(Kind.DIRECT, Scratch.LARGE);
    private final Leaf remote = new Leaf(Kind.DIRECT, Scratch.NONE);
    private final Leaf remoteFiber = new Leaf(Kind.FIBER, Scratch.MEDIUM);
    private final Pause pausing = new Pause(Kind.FIBER);
    private final Pause pausingDirect = new Pause(Kind.DIRECT);
    private final Tick once = new Tick();
    private final Tick periodic = new Tick();
    int rounds;

    Busy(Reactor other) {
      super(Kind.FIBER, Scratch.NONE);
      this.other = other;
    }

    private void withTime() throws Exception {
      Reactor here = Reactor.current();
      here.schedulePeriodic(periodic, TICK_NANOS);
      here.schedule(once, TICK_NANOS);
      fork(pausing);
      fork(pausingDirect);
      local.setDeadline(System.nanoTime() + LONG_NANOS);
      here.post(local);
      while (!local.await(TICK_NANOS)) {
        yieldNow();
      }
      remote.setDeadline(System.nanoTime() + LONG_NANOS);
      fork(other, remote);
      joinAll();
      here.cancel(periodic);
    }

    @Override
    protected void run() throws Exception {
      for (int i = 0; i < rounds; i++) {
        fork(local);
        fork(direct);
        joinAll();
        if (i % 16 == 0) {
          other.post(remote);
          other.post(remoteFiber);
          remote.await();
          remoteFiber.await();
        }
        if (i % SELDOM == 0) {
          withTime();
        }
      }
    }
  }

  private static final class Tick extends Timer {
    long fired;

    @Override
    protected void fired() {
      fired++;
    }
  }

  /** Waits for time alone. */
  private static final class Pause extends Task {
    Pause(Kind kind) {
      super(kind, Scratch.NONE);
    }

    @Override
    protected void run() {
      pause(2 * TICK_NANOS);
      yieldNow();
    }
  }

  private static final class Leaf extends Task {
    long runs;

    Leaf(Kind kind, Scratch scratch) {
      super(kind, scratch);
    }

    @Override
    protected void run() {
      runs++;
      if (kind == Kind.FIBER) {
        yieldNow();
      }
    }
  }

  @Test
  void nothingIsAllocatedOnceAllIsMade() throws Exception {
    assumeTrue(FiberThreads.reason() == null, FiberThreads::reason);
    FiberOptions options = FiberOptions.defaults().withMode(FiberMode.REACTOR);
    try (Reactor here = reactor("allocation-a", options);
        Reactor there = reactor("allocation-b", options)) {
      Busy busy = new Busy(there);
      busy.rounds = WARM_UP;
      here.post(busy);
      busy.await();
      busy.rounds = ROUNDS;
      long least = Long.MAX_VALUE;
      for (int attempt = 0; attempt < ATTEMPTS && least > STACKS_BYTES; attempt++) {
        long before = allocated(here) + allocated(there);
        here.post(busy);
        busy.await();
        least = Math.min(least, allocated(here) + allocated(there) - before);
      }
      assertTrue(least <= STACKS_BYTES, "rounds=" + ROUNDS + " bytes=" + least);
      assertTrue(busy.local.runs >= WARM_UP + ROUNDS);
      assertTrue(busy.once.fired > 0 && busy.periodic.fired > busy.once.fired);
    }
  }

  private static Reactor reactor(String name, FiberOptions options) throws IOException {
    return Reactor.start(
        ReactorOptions.defaults()
            .withName(name)
            .withTimerTickNanos(TICK_NANOS)
            .withFibers(options));
  }

  private long allocated(Reactor reactor) {
    return threads.getThreadAllocatedBytes(reactor.thread().threadId());
  }
}
