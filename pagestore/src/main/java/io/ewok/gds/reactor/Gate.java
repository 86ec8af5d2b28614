package io.ewok.gds.reactor;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts who is inside of something that will be closed: once closed it lets nobody in, and close
 * returns when the last one has left. What guards a descriptor, whose number the kernel gives to
 * somebody else after close.
 *
 * <p>Threads: any.
 *
 * <pre>{@code
 * if (!gate.tryEnter()) throw new IllegalStateException("closed");
 * try { use(descriptor); } finally { gate.exit(); }
 * }</pre>
 */
public final class Gate {
  private static final int CLOSED = Integer.MIN_VALUE;

  /** Who is inside; CLOSED is added by close. */
  private final AtomicInteger state = new AtomicInteger();

  private final Baton empty = new Baton();

  /** Creates an open gate. */
  public Gate() {}

  /** Enters unless closed; each true is followed by one {@link #exit}. */
  public boolean tryEnter() {
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
  public void exit() {
    if (state.decrementAndGet() == CLOSED) {
      empty.post();
    }
  }

  /**
   * Lets nobody in any more and waits for those inside. Not from inside, which would wait for
   * itself.
   *
   * @return false, without waiting, if it was closed before
   */
  public boolean close() {
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
