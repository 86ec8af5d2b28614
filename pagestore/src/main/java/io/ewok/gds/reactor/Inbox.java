package io.ewok.gds.reactor;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/**
 * What a reactor was given and has not taken: a stack linked through the messages themselves, so
 * that giving allocates nothing and there is as much room as there are messages. And the flag that
 * says whether somebody has to wake the reactor.
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
  private static final Message CLOSED = new Message() {};

  private final AtomicReference<Message> top = new AtomicReference<>();

  /** Whether the reactor sleeps or is about to. */
  private final AtomicBoolean sleeping = new AtomicBoolean();

  /** Gives a message. Returns false if the reactor takes no more. */
  boolean push(Message message) {
    Message below;
    do {
      below = top.get();
      if (below == CLOSED) {
        return false;
      }
      message.next = below;
    } while (!top.compareAndSet(below, message));
    return true;
  }

  /** After a push: whether the caller has to wake the reactor. */
  boolean claimWakeUp() {
    return sleeping.get() && sleeping.compareAndSet(true, false);
  }

  /** Before the reactor sleeps. Returns false if it must not. */
  boolean prepareToSleep() {
    sleeping.set(true);
    if (!isEmpty()) {
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
  Message takeAll() {
    return isEmpty() ? null : reversed(top.getAndSet(null));
  }

  /* Only the reactor's thread closes, so what is not closed stays so until it has looked. */
  boolean isEmpty() {
    Message seen = top.get();
    return seen == null || seen == CLOSED;
  }

  /** As {@link #takeAll}, for the last time. */
  Message close() {
    return reversed(top.getAndSet(CLOSED));
  }

  private static Message reversed(Message newest) {
    Message oldest = null;
    Message message = newest == CLOSED ? null : newest;
    while (message != null) {
      Message below = message.next;
      message.next = oldest;
      oldest = message;
      message = below;
    }
    return oldest;
  }
}
