package io.ewok.gds.lsm;

import io.ewok.gds.reactor.Monitor;
import java.util.function.LongSupplier;

/**
 * Where readers wait for writes to become visible. A writer looks whether there is anybody, and
 * does no more if not.
 *
 * <p>Threads: any.
 */
final class WriteWatch {
  /*
   * A writer makes its write visible and then looks whether somebody watches. A reader says that it watches and then
   * looks whether there is something new. Both are volatile: one of them sees the other.
   */
  private final LongSupplier visible;
  private final Monitor lock = new Monitor();
  private final Monitor.Line line = lock.newLine();

  /** Written with the lock. */
  private volatile boolean watched;

  /** Guarded by lock. */
  private boolean closed;

  /** For writes up to a sequence number that grows, volatile. */
  WriteWatch(LongSupplier visible) {
    this.visible = visible;
  }

  /** A write may have become visible. */
  void published() {
    if (watched) { // partner: awaitBeyond
      wakeAll(false);
    }
  }

  /** Ends all waits with an exception. */
  void close() {
    wakeAll(true);
  }

  private void wakeAll(boolean closes) {
    lock.lock();
    try {
      closed |= closes;
      watched = false;
      line.wakeAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until something behind a sequence number is visible.
   *
   * @return false if the time was over first
   * @throws IllegalStateException if the store is closed, or meanwhile
   */
  boolean awaitBeyond(long sequence, long timeoutNanos) {
    long start = System.nanoTime();
    lock.lock();
    try {
      while (true) {
        if (closed) {
          throw VersionSet.closed();
        }
        watched = true; // partner: published
        if (visible.getAsLong() > sequence) {
          return true;
        }
        long left = timeoutNanos - (System.nanoTime() - start);
        if (left <= 0) {
          return false;
        }
        boolean unused = line.await(left);
      }
    } finally {
      lock.unlock();
    }
  }
}
