package io.ewok.gds.lsm;

import java.util.Objects;

/**
 * How a {@link Transaction} is kept apart from others.
 *
 * @param isolation what it can be sure of; default {@link Isolation#SERIALIZABLE}
 * @param triesMax how often {@link Transactions#run} begins at most, 1 to a million; default 100
 */
public record TransactionOptions(Isolation isolation, int triesMax) {
  private static final int TRIES_MAX = 1_000_000;
  private static final TransactionOptions DEFAULTS =
      new TransactionOptions(Isolation.SERIALIZABLE, 100);

  /** Checks the ranges. */
  public TransactionOptions {
    Objects.requireNonNull(isolation, "isolation");
    if (triesMax < 1 || triesMax > TRIES_MAX) {
      throw new IllegalArgumentException(
          "a transaction is tried 1 to %d times: triesMax=%d".formatted(TRIES_MAX, triesMax));
    }
  }

  /** Returns the defaults: optimistic and serializable. */
  public static TransactionOptions defaults() {
    return DEFAULTS;
  }

  /** Returns these options with another level. */
  public TransactionOptions withIsolation(Isolation isolation) {
    return new TransactionOptions(isolation, triesMax);
  }

  /** Returns these options with another number of tries. */
  public TransactionOptions withTriesMax(int triesMax) {
    return new TransactionOptions(isolation, triesMax);
  }
}
