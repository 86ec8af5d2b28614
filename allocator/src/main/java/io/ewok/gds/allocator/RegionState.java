package io.ewok.gds.allocator;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Who may do what with a {@link Region} just now. Operations in flight are counted without a lock;
 * everything else takes turns.
 *
 * <pre>
 *            enter                         exclude (attach, trim, decommit, close)
 *        .-----------&gt; n &gt; 0           .--------------------------&gt; EXCLUSIVE
 *     0 -'               |          0 -'                             |     |
 *     ^------- exit -----'          ^------------ readmit -----------'     | end (close)
 *                                                                          v
 *                                                                       CLOSED
 * </pre>
 *
 * <p>Beside that, in turns: {@code registrations} goes up and down with register and unregister,
 * and forbids decommit, trim and close; {@code sealed} is set by seal, and forbids commit, decommit
 * and trim.
 *
 * <p>Threads: any. A turn lasts from {@link #turn} to its close; the methods that say so are called
 * inside one. EXCLUSIVE exists only inside a turn, so whoever meets it waits for the turn to end.
 */
final class RegionState {
  /** Value of {@link #use}: nobody may start an operation just now. */
  private static final int EXCLUSIVE = -1;

  /** Value of {@link #use} after close. */
  private static final int CLOSED = -2;

  /** The right to change the region, until it is closed. */
  interface Turn extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Operations in flight, or one of the above. What one side writes before it changes this the
   * other reads after: the last {@link #exit} before {@link #exclude}, {@link #readmit} before
   * {@link #enter}.
   */
  private final AtomicInteger use = new AtomicInteger();

  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by lock, that is, changed in turns.

  private int registrations;
  private boolean sealed;

  // ---------------------------------------------------------------- operations

  /**
   * Counts an operation that starts.
   *
   * @throws IllegalStateException if the region is closed
   */
  void enter() {
    int count = use.get();
    while (count < 0 || !use.compareAndSet(count, count + 1)) {
      if (count < 0) {
        try (Turn _ = turn()) {
          requireOpen();
        }
      }
      count = use.get();
    }
  }

  /**
   * Counts an operation that has ended.
   *
   * @throws IllegalStateException if there is none
   */
  void exit() {
    int count;
    do {
      requireLeased();
      count = use.get();
    } while (count <= 0 || !use.compareAndSet(count, count - 1));
  }

  void requireLeased() {
    if (use.get() <= 0) {
      throw new IllegalStateException("the region is not leased");
    }
  }

  // ---------------------------------------------------------------- turns

  /** Waits for the turns of others, and begins one. */
  Turn turn() {
    lock.lock();
    return lock::unlock;
  }

  /** In a turn, lets no operation start until {@link #readmit}, if there is none. */
  void exclude() {
    int count;
    do {
      requireOpen();
      count = use.get();
      if (count > 0) {
        throw new IllegalStateException("operations in flight use the region: leases=" + count);
      }
    } while (!use.compareAndSet(0, EXCLUSIVE));
  }

  /** In the turn of {@link #exclude}, lets operations start again. */
  void readmit() {
    use.set(0);
  }

  /** In the turn of {@link #exclude}, closes for good. */
  void end() {
    use.set(CLOSED);
  }

  /** In a turn, counts one more registration. */
  void register() {
    registrations++;
  }

  /** In a turn, counts one registration less. */
  void unregister() {
    if (registrations == 0) {
      throw new IllegalStateException("the region is not registered");
    }
    registrations--;
  }

  /** In a turn, returns whether there is a registration. */
  boolean isRegistered() {
    return registrations > 0;
  }

  /** In a turn, forbids changes of what is memory for good. */
  void seal() {
    sealed = true;
  }

  boolean isClosed() {
    return use.get() == CLOSED;
  }

  void requireOpen() {
    if (isClosed()) {
      throw new IllegalStateException("the region is closed");
    }
  }

  /** In a turn, checks that memory may come and go. */
  void requireChangeable() {
    requireOpen();
    if (sealed) {
      throw new IllegalStateException("the region is sealed");
    }
  }

  /** In a turn, checks that the kernel remembers no pages. */
  void requireUnregistered() {
    if (registrations > 0) {
      throw new IllegalStateException(
          "the region is registered with a ring: registrations=" + registrations);
    }
  }

  /** Returns the state in one line, for people: it waits for no turn. */
  @Override
  public String toString() {
    int count = use.get();
    return (count == CLOSED ? "closed" : "open")
        + " leases="
        + Math.max(0, count)
        + " registrations="
        + registrations
        + " sealed="
        + sealed;
  }
}
