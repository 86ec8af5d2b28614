package io.ewok.gds.lsm;

import io.ewok.gds.lsm.lock.LockResult;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A {@link Transaction} would have waited for the lock of a key that another one has, which waits
 * for it, perhaps by way of others. The message names all of them by their {@link
 * Transaction#number}s, and the keys that each waits for.
 */
public final class DeadlockException extends TransactionRetryException {
  private static final long serialVersionUID = 1L;

  private final transient List<LockResult.Wait> cycle;

  DeadlockException(List<LockResult.Wait> cycle, Path store) {
    super(
        "transactions would wait for each other: "
            + cycle.stream()
                .map(wait -> "transaction=%d waits for %s".formatted(wait.owner(), wait.what()))
                .collect(Collectors.joining(", ")),
        store);
    this.cycle = cycle;
  }

  /** Returns the numbers of those that would have waited, this one first, each for the next one. */
  public List<Long> transactions() {
    return cycle.stream().map(LockResult.Wait::owner).toList();
  }
}
