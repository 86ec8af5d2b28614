package io.ewok.gds.pagestore.sim;

import java.util.SplittableRandom;

/**
 * How long reads, writes and syncs of files take on the virtual clock: each a time between two
 * bounds, all equally likely, and some much more. Any number of them are under way at once.
 *
 * <pre>{@code
 * new SimLatency(50_000, 150_000, 0.01, 20_000_000)
 * }</pre>
 *
 * @param leastNanos the shortest time
 * @param mostNanos the longest, without the tail
 * @param tailRate how many of them are of the tail, 0 to 1
 * @param tailNanos what those of the tail take in addition
 */
public record SimLatency(long leastNanos, long mostNanos, double tailRate, long tailNanos) {
  /** No time at all: what is submitted has ended when submit returns. */
  public static final SimLatency NONE = new SimLatency(0, 0, 0, 0);

  /** Checks the values. */
  public SimLatency {
    if (leastNanos < 0 || mostNanos < leastNanos || tailNanos < 0) {
      throw new IllegalArgumentException(
          "times are not negative, and the most not below the least:"
              + " leastNanos=%d mostNanos=%d tailNanos=%d"
                  .formatted(leastNanos, mostNanos, tailNanos));
    }
    if (!(tailRate >= 0 && tailRate <= 1)) {
      throw new IllegalArgumentException("a rate is 0 to 1: tailRate=" + tailRate);
    }
  }

  long next(SplittableRandom random) {
    long nanos = leastNanos + (long) (random.nextDouble() * (mostNanos - leastNanos + 1));
    return random.nextDouble() < tailRate ? nanos + tailNanos : nanos;
  }
}
