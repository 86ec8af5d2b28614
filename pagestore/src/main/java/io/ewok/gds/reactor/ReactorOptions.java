package io.ewok.gds.reactor;

import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * How a reactor is made.
 *
 * @param name of the thread
 * @param timerTickNanos how late a timer may be, at least 1,000. Less makes more wake-ups
 * @param ring its ring
 */
public record ReactorOptions(String name, long timerTickNanos, RingOptions ring) {
  /** Checks. */
  public ReactorOptions {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(ring, "ring");
    if (timerTickNanos < 1000) {
      throw new IllegalArgumentException("at least 1000: timerTickNanos=" + timerTickNanos);
    }
  }

  /** Returns the defaults: timers late by at most a millisecond. */
  public static ReactorOptions defaults() {
    return new ReactorOptions(
        "gds-reactor", TimeUnit.MILLISECONDS.toNanos(1), RingOptions.defaults());
  }

  /** Returns these with another name. */
  public ReactorOptions withName(String name) {
    return new ReactorOptions(name, timerTickNanos, ring);
  }

  /** Returns these with another tick of timers. */
  public ReactorOptions withTimerTickNanos(long timerTickNanos) {
    return new ReactorOptions(name, timerTickNanos, ring);
  }

  /** Returns these with another ring. */
  public ReactorOptions withRing(RingOptions ring) {
    return new ReactorOptions(name, timerTickNanos, ring);
  }
}
