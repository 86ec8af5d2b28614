package io.ewok.gds.bench;

import io.ewok.gds.bench.curves.CurveRecorder;
import io.ewok.gds.bench.curves.Curves;
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
  private final List<CurveRecorder> recorders = new ArrayList<>();

  /** What begins earlier is not recorded; 0 as long as nothing is. */
  private volatile long watchedFrom;

  private volatile boolean stopping;

  /**
   * What was seen.
   *
   * @param perSecond commits that ended in a second
   * @param curves of the commits
   */
  record Sample(double perSecond, Curves curves) {}

  /** Runs, and returns what was seen of it. */
  Sample run(int writers, Starter starter, Commit commit, long watchedNanos)
      throws IOException, InterruptedException {
    List<Future<?>> started = new ArrayList<>();
    for (int i = 0; i < writers; i++) {
      int writer = i;
      CurveRecorder recorder = new CurveRecorder();
      recorders.add(recorder);
      started.add(starter.start(() -> work(writer, commit, recorder)));
    }
    IoLoad.pause(IoLoad.RAMP_NANOS);
    long before = ended.sum();
    long start = System.nanoTime();
    watchedFrom = start;
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
    CurveRecorder all = new CurveRecorder();
    recorders.forEach(all::add);
    return new Sample(count * NANOS_PER_SECOND / nanos, all.curves());
  }

  private void work(int writer, Commit commit, CurveRecorder recorder) {
    boolean begun = false;
    try {
      while (!stopping) {
        long from = watchedFrom;
        long start = System.nanoTime();
        commit.commit(writer);
        ended.increment();
        if (from != 0) {
          if (!begun) {
            recorder.begin(from);
            begun = true;
          }
          recorder.ended(start, System.nanoTime());
        }
      }
    } catch (Exception e) {
      failure.compareAndSet(null, e);
      stopping = true;
    }
  }
}
