package io.ewok.gds.lsm;

import io.ewok.gds.lsm.lock.LockOwner;
import io.ewok.gds.lsm.lock.LockResult;
import io.ewok.gds.lsm.lock.LockTable;
import io.ewok.gds.lsm.record.SearchKey;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The locks of one transaction.
 *
 * <p>Threads: confined to one at a time, as all of a transaction.
 */
final class TransactionLocks {
  private static final long HASH_FACTOR = 0x9E37_79B9_7F4A_7C15L;

  private final LockTable table;
  private final Duration timeout;
  private final Path store;
  private final LockOwner owner;

  TransactionLocks(LockTable table, long number, Duration timeout, Path store) {
    this.table = table;
    this.timeout = timeout;
    this.store = store;
    this.owner = new LockOwner(number);
  }

  LockOwner owner() {
    return owner;
  }

  /** What the lock of a key is known by. */
  static long hash(FamilyState family, SearchKey key) {
    return key.hash() ^ (family.id() * HASH_FACTOR);
  }

  /** Locks a key, or returns why it cannot. */
  TransactionRetryException lock(FamilyState family, SearchKey key, boolean exclusive) {
    StoreWriter.requireMayWait();
    LockResult result =
        table.lock(
            owner, hash(family, key), exclusive, timeout.toNanos(), () -> locked(family, key));
    return switch (result) {
      case LockResult.Granted _ -> null;
      case LockResult.TimeOver _ -> new LockTimeoutException(locked(family, key), timeout, store);
      case LockResult.Full _ ->
          new LockTimeoutException(locked(family, key), Transactions.LOCKS_MAX, store);
      case LockResult.Deadlock deadlock -> new DeadlockException(deadlock.cycle(), store);
    };
  }

  private static LockedKey locked(FamilyState family, SearchKey key) {
    return new LockedKey(family.name(), KeyRange.bytes(key.segment()));
  }

  void release() {
    table.releaseAll(owner);
  }
}
