package io.ewok.gds.bench;

import io.ewok.gds.bench.curves.CurveRecorder;
import io.ewok.gds.bench.curves.Curves;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * A contender at work: does I/O from start to stop, and is watched for a while in between. Good for
 * one run.
 */
abstract class IoLoad implements AutoCloseable {
  /** Threads and queues get going before anybody watches. */
  static final long RAMP_NANOS = 100_000_000;

  /** On a busy machine a thread may not run at all for a while; what stands still longer fails. */
  private static final long PATIENCE_NANOS = 10_000_000_000L;

  private static final double NANOS_PER_SECOND = 1e9;
  private static final double NANOS_PER_MICRO = 1e3;

  final IoTarget target;

  private final LongAdder ended = new LongAdder();
  private final AtomicReference<Exception> failure = new AtomicReference<>();
  private volatile boolean stopping;

  /** Empty as long as nobody wants to know how long operations take. Guarded by itself. */
  private final List<CurveRecorder> recorders = new ArrayList<>();

  private boolean isTimed;

  /** What begins earlier is not recorded; 0 as long as nothing is. */
  private volatile long watchedFrom;

  IoLoad(IoTarget target) {
    this.target = target;
  }

  /** Begins to do I/O and returns. */
  abstract void start();

  /** Waits until nothing is in flight any more; all were told to stop. */
  abstract void join() throws InterruptedException;

  /** Whether to begin another operation. Any thread. */
  final boolean isStopping() {
    return stopping;
  }

  /** One operation has ended. Any thread. */
  final void count(int bytes) {
    if (bytes == target.one.blockBytes()) {
      ended.increment();
    } else {
      fail(new IOException("the block was not transferred as a whole: bytes=" + bytes));
    }
  }

  /**
   * Takes down how long operations take, if that is wanted: else there is no look at the clock,
   * which costs time. For one operation at a time.
   */
  final class Times {
    private final CurveRecorder recorder;
    private long startNanos;

    private Times(CurveRecorder recorder) {
      this.recorder = recorder;
    }

    void begin() {
      if (recorder != null) {
        startNanos = System.nanoTime();
      }
    }

    void end() {
      if (recorder == null) {
        return;
      }
      long from = watchedFrom;
      if (from != 0 && startNanos - from >= 0) {
        recorder.begin(from);
        recorder.ended(startNanos, System.nanoTime());
      }
    }
  }

  /** Returns one for whoever has one operation in flight at a time. Any thread. */
  final Times times() {
    if (!isTimed) {
      return new Times(null);
    }
    CurveRecorder recorder = new CurveRecorder();
    synchronized (recorders) {
      recorders.add(recorder);
    }
    return new Times(recorder);
  }

  /** Runs as {@link #run}, with a look at the clock before and after each operation. */
  final Curves time(long watchedNanos) throws IOException, InterruptedException {
    isTimed = true;
    IoSample unused = run(watchedNanos);
    CurveRecorder all = new CurveRecorder();
    synchronized (recorders) {
      recorders.forEach(all::add);
    }
    return all.curves();
  }

  /** Ends the run; the first failure is told. Any thread. */
  final void fail(Exception e) {
    failure.compareAndSet(null, e);
    stopping = true;
  }

  /**
   * Runs.
   *
   * @return what was seen in so many nanoseconds, or in more if nothing ended in them
   */
  final IoSample run(long watchedNanos) throws IOException, InterruptedException {
    start();
    pause(RAMP_NANOS);
    ProcessCpu cpu = ProcessCpu.now();
    long endedBefore = ended.sum();
    long start = System.nanoTime();
    watchedFrom = start;
    long nanos;
    long count;
    do {
      pause(watchedNanos);
      count = ended.sum() - endedBefore;
      nanos = System.nanoTime() - start;
    } while (count == 0 && !stopping && nanos < PATIENCE_NANOS);
    long cpuNanos = cpu.nanosUntilNow();
    stopping = true;
    join();
    Exception failed = failure.get();
    if (failed == null && count == 0) {
      failed = new IOException("no operation ended in time: watchedNanos=" + nanos);
    }
    if (failed != null) {
      throw failed instanceof IOException known ? known : new IOException(failed);
    }
    return new IoSample(count * NANOS_PER_SECOND / nanos, cpuNanos / NANOS_PER_MICRO / count);
  }

  static void pause(long nanos) {
    long end = System.nanoTime() + nanos;
    for (long left = nanos; left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  @Override
  public final void close() throws IOException {
    target.close();
  }
}
