package io.ewok.gds.allocator;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;

/**
 * Runs workers at the same time until the time is over or one fails, and watches that each of them
 * gets on.
 */
final class Burn {
  /** What one thread does, again and again. */
  interface Worker {
    void step(SplittableRandom random) throws Exception;

    /** Called by the same thread after the last step, unless one failed. */
    default void end() throws Exception {}
  }

  private final SplittableRandom seeds;
  private final Duration stepMax;
  private final Duration look;
  private final List<Runner> runners = new ArrayList<>();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  /** Open while no worker has failed. */
  private final CountDownLatch failed = new CountDownLatch(1);

  private volatile boolean stopping;

  /**
   * @param stepMax a worker that needs longer for a step hangs; generous, since on a machine with
   *     other work a thread may not run for seconds
   */
  Burn(long seed, Duration stepMax) {
    this.seeds = new SplittableRandom(seed);
    this.stepMax = stepMax;
    this.look = stepMax.dividedBy(16);
  }

  void add(String name, Worker worker) {
    runners.add(new Runner(name, worker, seeds.split()));
  }

  /** Returns when all have ended; fails as the first of them did, or if one hangs. */
  void run(Duration duration) throws Exception {
    runners.forEach(Runner::start);
    long start = System.nanoTime();
    long left = duration.toNanos();
    while (left > 0 && !failed.await(Math.min(left, look.toNanos()), TimeUnit.NANOSECONDS)) {
      runners.forEach(Runner::requireProgress);
      left = duration.toNanos() - (System.nanoTime() - start);
    }
    stopping = true;
    for (Runner runner : runners) {
      while (!runner.thread.join(look) && failure.get() == null) {
        runner.requireProgress();
      }
    }
    Throwable first = failure.get();
    if (first != null) {
      throw new AssertionError(first.getMessage(), first);
    }
  }

  /** Returns how many steps all workers have made. */
  long steps() {
    return runners.stream().mapToLong(runner -> runner.steps.sum()).sum();
  }

  private void fail(Throwable cause) {
    failure.compareAndSet(null, cause);
    failed.countDown();
  }

  private final class Runner {
    private final Worker worker;
    private final SplittableRandom random;
    private final Thread thread;

    private final LongAdder steps = new LongAdder();

    // The supervisor's.
    private long stepsSeen;
    private long seenNanos;

    Runner(String name, Worker worker, SplittableRandom random) {
      this.worker = worker;
      this.random = random;
      this.thread = Thread.ofPlatform().name("burn-" + name).daemon().unstarted(this::work);
    }

    private void start() {
      seenNanos = System.nanoTime();
      thread.start();
    }

    private void work() {
      try {
        while (!stopping) {
          worker.step(random);
          steps.increment();
        }
        worker.end();
      } catch (Throwable e) {
        fail(e);
      }
    }

    private void requireProgress() {
      long now = System.nanoTime();
      long stepsNow = steps.sum();
      if (stepsNow != stepsSeen || !thread.isAlive()) {
        stepsSeen = stepsNow;
        seenNanos = now;
      } else if (now - seenNanos > stepMax.toNanos()) {
        AssertionError hang =
            new AssertionError("hangs: thread=%s steps=%d".formatted(thread.getName(), stepsNow));
        hang.setStackTrace(thread.getStackTrace());
        for (Runner other : runners) {
          Throwable stack = new Throwable(other.thread.getName());
          stack.setStackTrace(other.thread.getStackTrace());
          hang.addSuppressed(stack);
        }
        fail(hang);
      }
    }
  }
}
