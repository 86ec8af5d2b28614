package io.ewok.gds.lsm;

import io.ewok.gds.lsm.lock.LockTable;
import io.ewok.gds.reactor.Baton;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Begins the {@link Transaction}s of a store, and keeps those that are prepared.
 *
 * <p>Ownership: none; it goes with its store. Threads: any, platform or virtual, and fibers.
 *
 * {@snippet :
 * long left =
 *     store
 *         .transactions()
 *         .run(
 *             TransactionOptions.defaults(),
 *             Durability.SYNCED,
 *             transaction -> {
 *               long balance = number(transaction.get(store, from));
 *               transaction.put(store, from, bytes(balance - amount));
 *               transaction.put(store, to, bytes(number(transaction.get(store, to)) + amount));
 *               return balance - amount;
 *             });
 * }
 */
public final class Transactions {
  /**
   * The family in which prepared transactions are kept, by their names. It is created with the
   * first one, and nobody else should write to it.
   */
  public static final String FAMILY = "gds.transactions";

  /** The longest name of a prepared transaction, in bytes of UTF-8. The shortest has one. */
  public static final int NAME_BYTES_MAX = 255;

  /** How many keys may be locked at a time, by all transactions of a store. */
  public static final int LOCKS_MAX = 1 << 18;

  /** Before the second try one waits no longer than this, before each further one twice as long. */
  private static final long PAUSE_NANOS = 20_000;

  private static final int PAUSE_DOUBLINGS = 8;

  /** Of transactions that have ended. */
  private static final int MEMORIES_MAX = 32;

  private final StoreParts parts;
  private final StoreWriter writer;
  private final AtomicLong numbers = new AtomicLong();

  /** Null before the first transaction that locks. Written with this as the lock. */
  private volatile LockTable locks;

  private final PreparedTransactions prepared;

  /** Guarded by itself. */
  private final Deque<TransactionMemory> memories = new ArrayDeque<>();

  Transactions(StoreParts parts, StoreWriter writer) {
    this.parts = parts;
    this.writer = writer;
    this.prepared = new PreparedTransactions(parts, writer, this);
  }

  /**
   * Begins a transaction, which reads the store as it is now.
   *
   * @throws IllegalStateException if the store is closed
   */
  public Transaction begin(TransactionOptions options) {
    boolean isLocking = options.lockTimeoutOrNull() != null;
    return new Transaction(this, parts, writer, options, isLocking ? locks() : null, nextNumber());
  }

  /** Returns those that were prepared and are not decided, by their names. */
  public List<PreparedTransaction> prepared() {
    return prepared.all();
  }

  /** Those that are prepared. */
  PreparedTransactions preparedOnes() {
    return prepared;
  }

  /** Lends memory that nobody else uses. */
  TransactionMemory takeMemory() {
    synchronized (memories) {
      TransactionMemory kept = memories.pollFirst();
      if (kept != null) {
        return kept;
      }
    }
    return new TransactionMemory(writer.batchBytesMax());
  }

  /** Takes it back. */
  void giveBack(TransactionMemory memory) {
    if (memory.clear()) {
      synchronized (memories) {
        if (memories.size() < MEMORIES_MAX) {
          memories.addFirst(memory);
        }
      }
    }
  }

  /** Returns the number of the next one. */
  long nextNumber() {
    return numbers.incrementAndGet();
  }

  /** The locks of the store. */
  LockTable locks() {
    LockTable found = locks;
    if (found != null) {
      return found;
    }
    synchronized (this) {
      if (locks == null) {
        locks = new LockTable(LOCKS_MAX);
      }
      return locks;
    }
  }

  /**
   * Runs a transaction and commits it; when it meets others, rolls it back and begins anew, after a
   * short time that grows.
   *
   * @param durability what the commit promises
   * @return what the body returned the last time
   * @throws TransactionRetryException if it met others at each of {@link
   *     TransactionOptions#triesMax} tries
   * @throws IOException also of the body, which ends it
   */
  public <T> T run(TransactionOptions options, Durability durability, TransactionBody<T> body)
      throws IOException {
    Objects.requireNonNull(body, "body");
    Objects.requireNonNull(durability, "durability");
    for (int tries = 1; ; tries++) {
      try (Transaction transaction = begin(options)) {
        T result = body.run(transaction);
        transaction.commit(durability);
        return result;
      } catch (TransactionRetryException e) {
        if (tries == options.triesMax()) {
          throw e;
        }
      }
      long most = PAUSE_NANOS << Math.min(tries - 1, PAUSE_DOUBLINGS);
      boolean unused = new Baton().await(ThreadLocalRandom.current().nextLong(most));
    }
  }
}
