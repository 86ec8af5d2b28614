package io.ewok.gds.allocator;

import java.util.Locale;
import java.util.concurrent.locks.LockSupport;

/**
 * A request for memory that waits for its turn: the part that does not depend on what it waits for.
 * It ends once. Either a callback is called then, which is the business of whoever ends it, or a
 * thread waits in {@link #await}.
 *
 * <p>Threads: any. What must be done under the lock of the queue says so.
 */
abstract sealed class MemoryRequest permits BudgetRequest, ReadRequest {
  /** What became of a request; in lower case the outcome in the event. */
  enum State {
    WAITING,
    GRANTED,
    CANCELED,
    TIMEOUT,
    INTERRUPTED,
    CLOSED
  }

  /** Null if there is a callback instead. */
  private final Thread waiter;

  /**
   * Written under the lock of the queue. The write is what a waiter's {@link #isWaiting} reads, so
   * what was granted before is visible to it.
   */
  private volatile State state = State.WAITING;

  /** Begins when the request has to wait. Written under the lock of the queue. */
  private BudgetWaitEvent event;

  MemoryRequest(Thread waiter) {
    this.waiter = waiter;
  }

  /**
   * Takes the request out of its queue.
   *
   * @return false if it had ended before
   */
  abstract boolean end(State end);

  /** Name of what is full, for people. */
  abstract String place();

  abstract long bytes();

  /**
   * Gives the request up.
   *
   * @return true if it will not be granted any more; false if it was granted before: its callback
   *     has been called or will be, and the memory belongs to whoever made the request
   */
  public boolean cancel() {
    return end(State.CANCELED);
  }

  /** Returns whether the memory has been given to whoever made the request. */
  public boolean isGranted() {
    return state == State.GRANTED;
  }

  boolean isWaiting() {
    return state == State.WAITING;
  }

  boolean isClosed() {
    return state == State.CLOSED;
  }

  /** Called under the lock of the queue, once. */
  void moveTo(State end) {
    state = end;
  }

  /** Called under the lock of the queue. */
  void beginWait() {
    event = new BudgetWaitEvent();
    event.begin();
  }

  /**
   * Called once, under no lock, after the request has ended: writes the event, wakes the waiter.
   */
  void announce() {
    if (event != null && event.shouldCommit()) {
      event.budget = place();
      event.bytes = bytes();
      event.outcome = outcome();
      event.commit();
    }
    if (waiter != null) {
      LockSupport.unpark(waiter);
    }
  }

  /**
   * Waits until the request has ended; ends it when the time is over.
   *
   * @throws InterruptedException if interrupted first; nothing is granted
   */
  void await(long timeoutNanos) throws InterruptedException {
    long start = System.nanoTime();
    while (isWaiting()) {
      long leftNanos = timeoutNanos - (System.nanoTime() - start);
      if (leftNanos <= 0) {
        end(State.TIMEOUT);
      } else if (Thread.interrupted()) {
        if (end(State.INTERRUPTED)) {
          throw new InterruptedException("interrupted while waiting for memory");
        }
        // Granted just before: the memory is the caller's, and so is the interrupt.
        Thread.currentThread().interrupt();
      } else {
        LockSupport.parkNanos(this, leftNanos);
      }
    }
  }

  private String outcome() {
    return state.name().toLowerCase(Locale.ROOT);
  }

  /** Returns place, size and state in one line. */
  @Override
  public String toString() {
    return "%d bytes of %s: %s".formatted(bytes(), place(), outcome());
  }
}
