package io.ewok.gds.reactor;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/**
 * What a reactor was given and has not taken: a stack linked through the operations themselves, so
 * that giving allocates nothing and there is as much room as there are operations. And the flag
 * that says whether somebody has to wake the reactor.
 *
 * <p>Threads: any pushes; the reactor's takes, sleeps and closes.
 *
 * <p>No wake-up is lost. The giver pushes, then looks at the flag; the reactor raises the flag,
 * then looks at the stack. Both are sequentially consistent (atomics' get, set and
 * compare-and-set), so at least one of them sees the other: the reactor does not sleep, or the
 * giver wakes it. Of several givers the one that lowers the flag wakes.
 */
final class Inbox {
  /** The bottom of a closed stack. */
  private static final RingOperation CLOSED =
      new RingOperation() {
        @Override
        protected boolean completed(int result) {
          throw new AssertionError("a mark, not an operation");
        }

        @Override
        protected void failed(Throwable cause, boolean memoryInUse) {
          throw new AssertionError("a mark, not an operation");
        }
      };

  private final AtomicReference<RingOperation> top = new AtomicReference<>();

  /** Whether the reactor sleeps or is about to. */
  private final AtomicBoolean sleeping = new AtomicBoolean();

  /** Gives an operation. Returns false if the reactor takes no more. */
  boolean push(RingOperation operation) {
    RingOperation below;
    do {
      below = top.get();
      if (below == CLOSED) {
        return false;
      }
      operation.next = below;
    } while (!top.compareAndSet(below, operation));
    return true;
  }

  /** After a push: whether the caller has to wake the reactor. */
  boolean claimWakeUp() {
    return sleeping.get() && sleeping.compareAndSet(true, false);
  }

  /** Before the reactor sleeps. Returns false if it must not. */
  boolean prepareToSleep() {
    sleeping.set(true);
    if (top.get() != null) {
      sleeping.set(false);
      return false;
    }
    return true;
  }

  /** After the reactor slept, for whatever reason it awoke. */
  void awake() {
    sleeping.set(false);
  }

  /** Takes everything, as a list with the oldest first; null if there is nothing. */
  RingOperation takeAll() {
    return top.get() == null ? null : reversed(top.getAndSet(null));
  }

  /** As {@link #takeAll}, for the last time. */
  RingOperation close() {
    return reversed(top.getAndSet(CLOSED));
  }

  private static RingOperation reversed(RingOperation newest) {
    RingOperation oldest = null;
    RingOperation operation = newest == CLOSED ? null : newest;
    while (operation != null) {
      RingOperation below = operation.next;
      operation.next = oldest;
      oldest = operation;
      operation = below;
    }
    return oldest;
  }
}
