package io.ewok.gds.bench;

import java.io.IOException;
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
