package io.ewok.gds.lsm;

import io.ewok.gds.reactor.Task;

/**
 * Keeps the background's work to its share of a reactor, where it is a task of one: after each
 * slice of it other tasks run for some times as long, if there are any. The more the work falls
 * behind, the shorter that is. What nobody else uses it may have.
 *
 * <p>Threads: confined to whoever does the work.
 */
final class BackgroundPace {
  /** Of a slice: some hundred microseconds, where a record of another length takes another time. */
  private static final long SLICE_BYTES = 32 << 10;

  /** What a thread does before it looks whether there is something to flush. */
  private static final long STEP_BYTES = 1 << 20;

  /** How much longer than a slice others may run then, when nothing is behind. */
  private static final double OTHERS_MAX = 3;

  /** Nobody else has run if it took no longer to let them. */
  private static final long NOBODY_NANOS = 3_000;

  private final boolean shares;
  private boolean isAtWork;
  private long bytes;
  private long sliceStart;
  private double pressure;

  /**
   * A pace.
   *
   * @param shares whether the work is a task of a reactor that has others; else it has a thread,
   *     and nothing is to be done
   */
  BackgroundPace(boolean shares) {
    this.shares = shares;
  }

  /** The work begins on this thread: before, whoever opens the store flushes by himself. */
  void begin() {
    isAtWork = shares;
    sliceStart = System.nanoTime();
  }

  /** Bytes to merge before looking what else there is to do. */
  long stepBytes() {
    return shares ? SLICE_BYTES : STEP_BYTES;
  }

  /** Says how far behind compactions are, 0 to 1. */
  void setPressure(double pressure) {
    this.pressure = pressure;
  }

  /** So much was done; perhaps it is the turn of others. */
  void passed(long doneBytes) {
    if (isAtWork) {
      bytes += doneBytes;
      if (bytes >= SLICE_BYTES) {
        bytes = 0;
        letOthersRun();
      }
    }
  }

  private void letOthersRun() {
    long now = System.nanoTime();
    double left = (now - sliceStart) * OTHERS_MAX * Math.max(0, 1 - pressure);
    long ran;
    do {
      Task.yieldNow();
      long then = System.nanoTime();
      ran = then - now;
      left -= ran;
      now = then;
    } while (left > 0 && ran > NOBODY_NANOS);
    sliceStart = now;
  }
}
