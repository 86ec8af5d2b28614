package io.ewok.gds.lsm.record;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts who still uses something that must not be freed under its users. Starts at one, the
 * creator's. Once zero is reached it stays zero: nothing that is being freed comes back.
 *
 * <p>Threads: any.
 */
public final class References {
  private final AtomicInteger count = new AtomicInteger(1);

  /** Adds a user, unless the last one has left. */
  public boolean tryRetain() {
    int seen;
    do {
      seen = count.get();
      if (seen == 0) {
        return false;
      }
    } while (!count.compareAndSet(seen, seen + 1));
    return true;
  }

  /** Adds a user; the caller is one already, or holds a lock that keeps one. */
  public void retain() {
    if (!tryRetain()) {
      throw new IllegalStateException("nobody uses this any more");
    }
  }

  /** Removes a user. Returns whether it was the last: then the caller frees. */
  public boolean release() {
    int left = count.decrementAndGet();
    if (left < 0) {
      throw new IllegalStateException("released more often than retained: count=" + left);
    }
    return left == 0;
  }

  public int count() {
    return count.get();
  }
}
