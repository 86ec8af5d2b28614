package io.ewok.gds.pagestore;

import io.ewok.gds.reactor.Baton;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts the operations inside of a file, and closes when the last one has left.
 *
 * <p>Threads: any.
 */
final class FileGate {
  private static final int CLOSED = Integer.MIN_VALUE;

  /** Operations inside; CLOSED is added by close. */
  private final AtomicInteger state = new AtomicInteger();

  private final Baton empty = new Baton();

  /** Enters unless closed; each true is followed by one {@link #exit}. */
  boolean tryEnter() {
    int count;
    do {
      count = state.get();
      if (count < 0) {
        return false;
      }
    } while (!state.compareAndSet(count, count + 1));
    return true;
  }

  /** Leaves; what was done inside is visible to the closer. */
  void exit() {
    if (state.decrementAndGet() == CLOSED) {
      empty.post();
    }
  }

  boolean isClosed() {
    return state.get() < 0;
  }

  /** Lets nobody in any more and waits for those inside. Returns false if closed before. */
  boolean close() {
    int before = state.getAndAccumulate(CLOSED, (a, b) -> a < 0 ? a : a + b);
    if (before < 0) {
      return false;
    }
    if (before > 0) {
      empty.await();
    }
    return true;
  }
}
