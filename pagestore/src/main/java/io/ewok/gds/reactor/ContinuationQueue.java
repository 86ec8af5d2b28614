package io.ewok.gds.reactor;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * What other threads gave a reactor to continue: an array that is used in a circle, so that giving
 * allocates nothing, and a list for what it has no room for.
 *
 * <p>Threads: any adds; one takes.
 */
final class ContinuationQueue {
  /*
   * A giver takes a place by advancing the tail, then fills it; a place is free when it is null. So
   * the taker may find a hole, before which it stops: the giver that fills it wakes the taker
   * afterwards. A place is taken only while fewer than all are in use, which the tail and the
   * taker's head tell; the taker empties a place before it advances the head.
   */
  private final AtomicReferenceArray<Runnable> places;
  private final int mask;
  private final AtomicInteger tail = new AtomicInteger();
  private final AtomicInteger head = new AtomicInteger();
  private final Queue<Runnable> spilled = new ConcurrentLinkedQueue<>();

  /** Creates an empty queue; a power of two. */
  ContinuationQueue(int placeCount) {
    places = new AtomicReferenceArray<>(placeCount);
    mask = placeCount - 1;
  }

  /** Any thread. */
  void add(Runnable continuation) {
    int at;
    do {
      at = tail.get();
      if (at - head.get() > mask) {
        spilled.add(continuation);
        return;
      }
    } while (!tail.compareAndSet(at, at + 1));
    places.set(at & mask, continuation);
  }

  /** Returns whether {@link #poll} has something. */
  boolean isEmpty() {
    return places.get(head.get() & mask) == null && spilled.isEmpty();
  }

  /** Takes one; null if there is none. */
  Runnable poll() {
    int at = head.get();
    Runnable continuation = places.get(at & mask);
    if (continuation == null) {
      return spilled.poll();
    }
    places.lazySet(at & mask, null);
    head.set(at + 1);
    return continuation;
  }
}
