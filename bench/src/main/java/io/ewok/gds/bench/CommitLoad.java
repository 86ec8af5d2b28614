package io.ewok.gds.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;

/**
 * Writers that make one small record after the other durable, each waiting for its own, and are
 * watched for a while. Good for one run.
 */
final class CommitLoad {
  private static final double NANOS_PER_SECOND = 1e9;

  /** Makes one record of a writer durable. */
  @FunctionalInterface
  interface Commit {
    void commit(int writer) throws Exception;
  }

  /** Begins to do something on a thread or fiber of its own. */
  @FunctionalInterface
  interface Starter {
    Future<?> start(Runnable body);
  }

  private final LongAdder ended = new LongAdder();
  private final AtomicReference<Exception> failure = new AtomicReference<>();
  private volatile boolean stopping;

  /** Returns how many commits ended in a second. */
  double perSecond(int writers, Starter starter, Commit commit, long watchedNanos)
      throws IOException, InterruptedException {
    List<Future<?>> started = new ArrayList<>();
    for (int i = 0; i < writers; i++) {
      int writer = i;
      started.add(starter.start(() -> work(writer, commit)));
    }
    IoLoad.pause(IoLoad.RAMP_NANOS);
    long before = ended.sum();
    long start = System.nanoTime();
    IoLoad.pause(watchedNanos);
    long count = ended.sum() - before;
    long nanos = System.nanoTime() - start;
    stopping = true;
    for (Future<?> each : started) {
      try {
        each.get();
      } catch (ExecutionException e) {
        throw new IOException(e);
      }
    }
    if (failure.get() != null) {
      throw new IOException("a commit failed", failure.get());
    }
    return count * NANOS_PER_SECOND / nanos;
  }

  private void work(int writer, Commit commit) {
    try {
      while (!stopping) {
        commit.commit(writer);
        ended.increment();
      }
    } catch (Exception e) {
      failure.compareAndSet(null, e);
      stopping = true;
    }
  }
}
