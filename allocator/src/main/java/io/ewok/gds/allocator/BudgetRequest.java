package io.ewok.gds.allocator;

import java.util.Locale;
import java.util.concurrent.locks.LockSupport;

/**
 * A request for memory that waits for room in a {@link MemoryBudget}, as {@link
 * MemoryBudget#whenAvailable} returns it. It is granted or canceled, once, and never both.
 *
 * <p>Ownership: once granted, the bytes are reserved for whoever made the request, who releases
 * them. Canceled, nothing is reserved.
 *
 * <p>Threads: any.
 *
 * <pre>{@code
 * BudgetRequest request = budget.whenAvailable(1 << 20, this::startRead);
 * ...
 * if (!request.cancel()) {
 *   // Granted already: startRead has run, or will, and owns the memory.
 * }
 * }</pre>
 */
public final class BudgetRequest {
  /** What became of a request; in lower case the outcome in the event. */
  enum State {
    WAITING,
    GRANTED,
    CANCELED,
    TIMEOUT,
    INTERRUPTED
  }

  final MemoryBudget budget;
  final long bytes;

  /** Position among all requests of the tree. */
  final long arrival;

  /** Called when granted, or null if {@link #waiter} waits instead. */
  private final Runnable callback;

  private final Thread waiter;

  /** Written under the lock of the tree. */
  private volatile State state = State.WAITING;

  /** Begins when the request has to wait. Written under the lock of the tree. */
  private BudgetWaitEvent event;

  BudgetRequest(MemoryBudget budget, long bytes, long arrival, Runnable callback, Thread waiter) {
    this.budget = budget;
    this.bytes = bytes;
    this.arrival = arrival;
    this.callback = callback;
    this.waiter = waiter;
  }

  /**
   * Gives the request up.
   *
   * @return true if it will not be granted any more; false if it was granted before: its callback
   *     has been called or will be, and the memory is reserved
   */
  public boolean cancel() {
    return budget.tree().end(this, State.CANCELED);
  }

  /** Returns whether the memory is reserved. */
  public boolean isGranted() {
    return state == State.GRANTED;
  }

  boolean isWaiting() {
    return state == State.WAITING;
  }

  /** Called under the lock of the tree. Returns the callback, or null if a thread waits. */
  Runnable moveTo(State end) {
    state = end;
    return end == State.GRANTED ? callback : null;
  }

  /** Called under the lock of the tree. */
  void beginWait() {
    event = new BudgetWaitEvent();
    event.begin();
  }

  /**
   * Called once, under no lock, after the request has ended: writes the event, wakes the waiter.
   */
  void announce() {
    if (event != null && event.shouldCommit()) {
      event.budget = budget.name();
      event.bytes = bytes;
      event.outcome = state.name().toLowerCase(Locale.ROOT);
      event.commit();
    }
    if (waiter != null) {
      LockSupport.unpark(waiter);
    }
  }

  /**
   * Waits until granted.
   *
   * @return false if the time was over first; nothing is reserved
   * @throws InterruptedException if interrupted first; nothing is reserved
   */
  boolean await(long timeoutNanos) throws InterruptedException {
    long start = System.nanoTime();
    while (isWaiting()) {
      long leftNanos = timeoutNanos - (System.nanoTime() - start);
      if (leftNanos <= 0 && budget.tree().end(this, State.TIMEOUT)) {
        return false;
      }
      if (Thread.interrupted()) {
        if (budget.tree().end(this, State.INTERRUPTED)) {
          throw new InterruptedException("interrupted while waiting for memory");
        }
        // Granted just before: the memory is the caller's, and so is the interrupt.
        Thread.currentThread().interrupt();
        return true;
      }
      LockSupport.parkNanos(this, leftNanos);
    }
    return true;
  }

  /** Returns budget, size and state in one line. */
  @Override
  public String toString() {
    return "%d bytes of %s: %s"
        .formatted(bytes, budget.name(), state.name().toLowerCase(Locale.ROOT));
  }
}
