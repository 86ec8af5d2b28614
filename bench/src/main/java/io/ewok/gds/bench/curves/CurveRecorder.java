package io.ewok.gds.bench.curves;

import org.HdrHistogram.Histogram;

/**
 * Takes down how long each operation took and when it ended. The memory for that is there from the
 * begin; an operation costs some nanoseconds.
 *
 * <p>Threads: confined to one thread or fiber at a time; {@link #add} and {@link #curves} when it
 * has ended.
 */
public final class CurveRecorder {
  private static final long NANOS_MAX = 3_600_000_000_000L;
  private static final int DIGITS = 2;

  private final Histogram nanos = new Histogram(NANOS_MAX, DIGITS);
  private final Timeline timeline = new Timeline();
  private long beginNanos;
  private long counted;

  /** Nothing is recorded yet. */
  public CurveRecorder() {}

  /** Time is counted from here on, by the clock of {@link System#nanoTime}. */
  public void begin(long now) {
    beginNanos = now;
  }

  /** An operation has ended. */
  public void ended(long startNanos, long endNanos) {
    nanos.recordValue(Math.clamp(endNanos - startNanos, 0, NANOS_MAX));
    timeline.count(endNanos - beginNanos, 1);
  }

  /**
   * So many operations have ended by now since the begin, by a count that somebody else keeps.
   *
   * @param total never less than at the call before
   */
  public void reached(long now, long total) {
    timeline.count(now - beginNanos, total - counted);
    counted = total;
  }

  /** Adds what another one has recorded of the same time. */
  public void add(CurveRecorder other) {
    nanos.add(other.nanos);
    timeline.add(other.timeline);
  }

  /** Returns what is to be drawn of it. */
  public Curves curves() {
    return curves(nanos);
  }

  /** The same with times that somebody else has taken down, in nanoseconds. */
  public Curves curves(Histogram nanosOfOperations) {
    return new Curves(
        Curves.micros(nanosOfOperations), timeline.sliceSeconds(), timeline.perSecond());
  }
}
