package io.ewok.gds.allocator;

import java.time.Duration;

/**
 * How long the concurrency tests run: seconds in a normal build, about {@code minutes} each with
 * {@code -Dgds.test.soak=<minutes>}.
 */
final class Soak {
  private static final int MINUTES = Integer.getInteger("gds.test.soak", 0);

  private Soak() {}

  static boolean isRequested() {
    return MINUTES > 0;
  }

  /** Returns the time that was requested, zero if none was. */
  static Duration duration() {
    return Duration.ofMinutes(MINUTES);
  }
}
