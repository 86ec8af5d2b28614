package io.ewok.gds.lsm;

import io.ewok.gds.lsm.lock.LockOwner;
import io.ewok.gds.reactor.LongLock;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;

/**
 * A {@link Transaction} that was prepared and not decided yet: it can be committed whatever
 * happens, also after a crash, and rolled back. Until then its keys stay locked: other transactions
 * wait for them, and optimistic ones get a {@link ConflictException} if they write them. Plain
 * writes do not ask: they come before it.
 *
 * <p>Ownership: none; it is the store's. After the store is opened again there is another one of
 * the same name ({@link Transactions#prepared}). Threads: any.
 *
 * <p>Errors: {@link IllegalStateException} if it is decided already; {@link IOException} as for a
 * {@link Store#write}: then it may or may not be decided, which shows when the store was opened
 * again.
 */
public final class PreparedTransaction {
  private final PreparedTransactions keeper;
  private final String name;
  private final PreparedFormat.Content content;
  private final LockOwner owner;
  private final LongLock deciding = new LongLock();

  /** Its keys by the number of the family. */
  private final Map<Integer, NavigableSet<byte[]>> keys = new HashMap<>();

  /** Guarded by deciding. */
  private boolean decided;

  PreparedTransaction(
      PreparedTransactions keeper, String name, PreparedFormat.Content content, LockOwner owner) {
    this.keeper = keeper;
    this.name = name;
    this.content = content;
    this.owner = owner;
    for (PreparedFormat.Key key : content.keys()) {
      boolean unused =
          keys.computeIfAbsent(key.family(), _ -> new TreeSet<>(Arrays::compareUnsigned))
              .add(key.key());
    }
  }

  /** Returns the name that it was given. */
  public String name() {
    return name;
  }

  PreparedFormat.Content content() {
    return content;
  }

  LockOwner owner() {
    return owner;
  }

  /** Whether a key is locked for it. */
  boolean has(int family, byte[] key) {
    NavigableSet<byte[]> of = keys.get(family);
    return of != null && of.contains(key);
  }

  /** A key that is locked for it, from one to before another; null if there is none. */
  byte[] firstOrNull(int family, byte[] first, byte[] end) {
    NavigableSet<byte[]> of = keys.get(family);
    byte[] found = of == null ? null : of.ceiling(first);
    return found != null && Arrays.compareUnsigned(found, end) < 0 ? found : null;
  }

  /**
   * Commits: what it has written is visible when this returns, and as durable as wanted. What it
   * has written to families that were dropped since is left out.
   */
  public void commit(Durability durability) throws IOException {
    decide(true, durability);
  }

  /** Rolls it back: as if it had never been, when this is as durable as wanted. */
  public void rollback(Durability durability) throws IOException {
    decide(false, durability);
  }

  private void decide(boolean commits, Durability durability) throws IOException {
    StoreWriter.requireMayWait();
    deciding.lock();
    try {
      if (decided) {
        throw new IllegalStateException("the transaction is decided already: name=" + name);
      }
      keeper.decide(this, commits, WriteOptions.of(durability));
      decided = true;
    } finally {
      deciding.unlock();
    }
  }
}
