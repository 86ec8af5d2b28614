package io.ewok.gds.lsm;

import java.io.IOException;

/**
 * What is done in a transaction, perhaps several times.
 *
 * @param <T> what comes of it
 */
@FunctionalInterface
public interface TransactionBody<T> {
  /**
   * Reads and writes. It may be called again with another transaction when this one meets others:
   * so it keeps nothing of what it has seen.
   *
   * @param transaction is committed by the caller; rolled back if this throws
   */
  T run(Transaction transaction) throws IOException;
}
