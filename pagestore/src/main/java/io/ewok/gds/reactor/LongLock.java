package io.ewok.gds.reactor;

import java.util.concurrent.locks.ReentrantLock;

/**
 * A lock whose holder may wait for the device, or for others, while it has it. The thread of a
 * reactor itself, which must not stop for that long, turns its loop until it gets the lock.
 *
 * <p>Threads: any; whoever took it gives it up. Not reentrant: a DIRECT task may find the lock with
 * another one that waits further down on the same stack, and would wait for ever.
 *
 * <p>Errors: {@link IllegalStateException} if the thread has the lock already.
 */
public final class LongLock {
  /** How long the thread of a reactor turns its loop before it looks again. */
  private static final long LOOK_NANOS = 1_000_000;

  private final ReentrantLock lock = new ReentrantLock();

  /** Creates a lock that nobody holds. */
  public LongLock() {}

  /** Takes the lock; waits for whoever has it. */
  public void lock() {
    if (lock.isHeldByCurrentThread()) {
      throw new IllegalStateException(
          "the thread has the lock already: thread=" + Thread.currentThread().getName());
    }
    if (!lock.tryLock()) {
      awaitAndLock();
    }
  }

  private void awaitAndLock() {
    Thread self = Thread.currentThread();
    if (self instanceof ReactorThread) {
      Baton clock = new Baton();
      while (!lock.tryLock()) {
        boolean unused = clock.await(LOOK_NANOS);
      }
      return;
    }
    FiberScheduler scheduler = FiberScheduler.of(self);
    if (scheduler == null) {
      lock.lock();
      return;
    }
    scheduler.leave();
    lock.lock();
    scheduler.enter();
  }

  /** Takes the lock if nobody has it. */
  public boolean tryLock() {
    return !lock.isHeldByCurrentThread() && lock.tryLock();
  }

  /** Gives the lock up. */
  public void unlock() {
    lock.unlock();
  }
}
