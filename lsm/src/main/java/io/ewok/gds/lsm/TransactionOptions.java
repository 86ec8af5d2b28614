package io.ewok.gds.lsm;

import java.time.Duration;
import java.util.Objects;

/**
 * How a {@link Transaction} is kept apart from others.
 *
 * @param isolation what it can be sure of; default {@link Isolation#SERIALIZABLE}
 * @param lockTimeoutOrNull how long it waits at most for each lock; zero: not at all; null, the
 *     default: it is optimistic and locks nothing. Locks are for keys that many want at a time,
 *     where optimistic transactions would often have to be tried again: they cost a few hundred
 *     nanoseconds a key, and others wait
 * @param triesMax how often {@link Transactions#run} begins at most, 1 to a million; default 100
 */
@TakesEffect(StoreSetting.Effect.EACH_CALL)
public record TransactionOptions(Isolation isolation, Duration lockTimeoutOrNull, int triesMax) {
  private static final int TRIES_MAX = 1_000_000;
  private static final TransactionOptions DEFAULTS =
      new TransactionOptions(Isolation.SERIALIZABLE, null, 100);

  /** Checks the ranges. */
  public TransactionOptions {
    Objects.requireNonNull(isolation, "isolation");
    if (lockTimeoutOrNull != null && lockTimeoutOrNull.isNegative()) {
      throw new IllegalArgumentException(
          "a time is not negative: lockTimeout=" + lockTimeoutOrNull);
    }
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
    return new TransactionOptions(isolation, lockTimeoutOrNull, triesMax);
  }

  /** Returns these options for a transaction that locks keys, and waits so long for each. */
  public TransactionOptions withLocks(Duration lockTimeout) {
    return new TransactionOptions(
        isolation, Objects.requireNonNull(lockTimeout, "lockTimeout"), triesMax);
  }

  /** Returns these options with another number of tries. */
  public TransactionOptions withTriesMax(int triesMax) {
    return new TransactionOptions(isolation, lockTimeoutOrNull, triesMax);
  }
}
