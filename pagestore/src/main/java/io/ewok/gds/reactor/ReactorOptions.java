package io.ewok.gds.reactor;

import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * How a reactor is made.
 *
 * @param name of the thread
 * @param timerTickNanos how late a timer may be, at least 1,000. Less makes more wake-ups
 * @param overflowCount operations that may wait for the kernel, at least 1. More lets bursts pass;
 *     then who submits waits
 * @param ring its ring
 */
public record ReactorOptions(
    String name, long timerTickNanos, int overflowCount, RingOptions ring) {
  /** Checks. */
  public ReactorOptions {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(ring, "ring");
    if (timerTickNanos < 1000) {
      throw new IllegalArgumentException("at least 1000: timerTickNanos=" + timerTickNanos);
    }
    if (overflowCount < 1) {
      throw new IllegalArgumentException("at least 1: overflowCount=" + overflowCount);
    }
  }

  /** Returns the defaults: 4,096 operations wait, and timers late by at most a millisecond. */
  public static ReactorOptions defaults() {
    return new ReactorOptions(
        "gds-reactor", TimeUnit.MILLISECONDS.toNanos(1), 4096, RingOptions.defaults());
  }

  /** Returns these with another name. */
  public ReactorOptions withName(String name) {
    return new ReactorOptions(name, timerTickNanos, overflowCount, ring);
  }

  /** Returns these with another tick of timers. */
  public ReactorOptions withTimerTickNanos(long timerTickNanos) {
    return new ReactorOptions(name, timerTickNanos, overflowCount, ring);
  }

  /** Returns these with another bound of operations that wait. */
  public ReactorOptions withOverflowCount(int overflowCount) {
    return new ReactorOptions(name, timerTickNanos, overflowCount, ring);
  }

  /** Returns these with another ring. */
  public ReactorOptions withRing(RingOptions ring) {
    return new ReactorOptions(name, timerTickNanos, overflowCount, ring);
  }
}
