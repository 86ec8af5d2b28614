package io.ewok.gds.lsm;

import java.nio.file.Path;
import java.time.Duration;

/**
 * A {@link Transaction} waited for the lock of a key as long as its {@link TransactionOptions} say,
 * or as many keys were locked as may be.
 */
public final class LockTimeoutException extends TransactionRetryException {
  private static final long serialVersionUID = 1L;

  LockTimeoutException(LockedKey key, Duration timeout, Path store) {
    super("a key stayed locked: %s timeout=%s".formatted(key, timeout), store);
  }

  LockTimeoutException(LockedKey key, int locksMax, Path store) {
    super("too many keys are locked: %s locksMax=%d".formatted(key, locksMax), store);
  }
}
