package io.ewok.gds.lsm;

import io.ewok.gds.pagestore.StorageException;
import java.nio.file.Path;

/**
 * A {@link Transaction} has met another one, or a write beside it. Nothing of it was written; it is
 * rolled back, and may be begun anew, as {@link Transactions#run} does.
 */
public abstract sealed class TransactionRetryException extends StorageException
    permits ConflictException, DeadlockException, LockTimeoutException {
  private static final long serialVersionUID = 1L;

  TransactionRetryException(String message, Path store) {
    super(message, store);
  }
}
