package io.ewok.gds.reactor;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * Operations that were submitted and that the kernel does not have yet: a bounded number of places,
 * from before the inbox until the start, and the queue of those that have arrived. An operation
 * that runs again goes to the front and takes no place, since those are never more than the kernel
 * had at once.
 *
 * <p>Threads: places are taken by any; the queue and giving back are confined to the loop's.
 *
 * <p>Nobody waits for ever: who finds no place enters the line of waiters, then tries again; the
 * loop gives places back, then looks at the line. Both are sequentially consistent, so at least one
 * sees the other.
 */
final class Overflow {
  private final int countMax;
  private final AtomicInteger taken = new AtomicInteger();
  private final ConcurrentLinkedQueue<Baton> waiters = new ConcurrentLinkedQueue<>();
  private final LongAdder refused = new LongAdder();
  private volatile boolean open = true;

  /** Confined to the loop. */
  private final MessageQueue queue = new MessageQueue();

  /** Places of operations that were taken out of the queue, to be given back together. */
  private int freed;

  Overflow(int countMax) {
    this.countMax = countMax;
  }

  // ---------------------------------------------------------------- any thread

  /** Takes a place. Returns false if there is none; that is counted. */
  boolean tryEnter() {
    boolean entered = tryTake();
    if (!entered) {
      refused.increment();
    }
    return entered;
  }

  private boolean tryTake() {
    // Counting up first would show others a full queue that is not.
    int count;
    do {
      count = taken.get();
      if (count >= countMax && open) {
        return false;
      }
    } while (!taken.compareAndSet(count, count + 1));
    return true;
  }

  /** Waits for a place. The loop has to be awake, or to be woken by the caller first. */
  void enter() {
    Baton freedPlace = new Baton();
    while (true) {
      waiters.add(freedPlace);
      if (tryTake()) {
        if (!waiters.remove(freedPlace)) {
          // Called at the same time, for a place that another one may want.
          callWaiters(1);
        }
        return;
      }
      freedPlace.await();
      freedPlace.reset();
    }
  }

  /** Gives a place back that was not used. */
  void leave() {
    taken.decrementAndGet();
    callWaiters(1);
  }

  private void callWaiters(int count) {
    for (int i = 0; i < count; i++) {
      Baton waiter = waiters.poll();
      if (waiter == null) {
        return;
      }
      waiter.post();
    }
  }

  /** Returns the operations that have a place. */
  int count() {
    return taken.get();
  }

  /** Returns how often there was no place. */
  long refusedCount() {
    return refused.sum();
  }

  // ---------------------------------------------------------------- the loop

  boolean isEmpty() {
    return queue.isEmpty();
  }

  /** Adds an operation that has a place. */
  void addLast(RingOperation operation) {
    operation.hasPlace = true;
    queue.addLast(operation);
  }

  /** Adds an operation that runs again. */
  void addFirst(RingOperation operation) {
    queue.addFirst(operation);
  }

  /** Takes the next one; its place is free with the next {@link #giveBack}. */
  RingOperation removeFirst() {
    RingOperation first = (RingOperation) queue.removeFirst();
    free(first);
    return first;
  }

  /** Takes those that somebody wants to end; as {@link #removeFirst}. */
  void moveCancelled(MessageQueue to) {
    Message message = queue.removeAll();
    while (message != null) {
      Message following = message.next;
      RingOperation operation = (RingOperation) message;
      if (operation.cancelRequested) {
        free(operation);
        to.addLast(operation);
      } else {
        queue.addLast(operation);
      }
      message = following;
    }
  }

  private void free(RingOperation operation) {
    if (operation.hasPlace) {
      operation.hasPlace = false;
      freed++;
    }
  }

  /** Gives back the places of what was taken out, and tells those who wait. */
  void giveBack() {
    if (freed > 0) {
      int count = freed;
      freed = 0;
      taken.addAndGet(-count);
      callWaiters(count);
    }
  }

  /** Lets everybody pass, to be told that the reactor has ended. */
  void close() {
    open = false;
    giveBack();
    callWaiters(Integer.MAX_VALUE);
  }
}
