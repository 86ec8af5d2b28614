package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.SearchKey;

/**
 * What a transaction keeps outside of the heap, to be used by one after the other: memory that the
 * collector frees is dear to get.
 *
 * <p>Threads: confined to one at a time; handed over by {@link Transactions}.
 */
final class TransactionMemory {
  /** More than so many bytes are left to the collector. */
  private static final long BYTES_KEPT_MAX = 64 << 10;

  /** What it has written. */
  final OwnWrites own;

  /** What its commit stands on. */
  final ReadSet reads = new ReadSet();

  /** The key that is looked for or written. */
  final SearchKey wanted = new SearchKey();

  /** Another one, for the check of the commit. */
  final SearchKey checked = new SearchKey();

  TransactionMemory(long batchBytesMax) {
    own = new OwnWrites(batchBytesMax);
  }

  /** Forgets everything. Returns whether it is worth keeping. */
  boolean clear() {
    own.clear();
    reads.clear();
    return own.batch().memory().byteSize() + reads.capacityBytes() <= BYTES_KEPT_MAX;
  }
}
