package io.ewok.gds.reactor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * What makes the tasks of a reactor exclude each other where its fibers are ordinary virtual
 * threads: who runs has the turn, the loop's thread or a fiber, and gives it away while it waits
 * for a {@link Baton}, so that it is as if the loop's thread ran them all.
 *
 * <p>Who waits for anything else, a lock perhaps, keeps the turn; the one that it waits for may
 * need it. So who wants the turn takes it from a thread that it has seen waiting twice; that one
 * goes on beside others until its next wait for a baton. Such losses are counted.
 *
 * <p>Threads: any; each gives back what it has taken.
 */
final class FiberTurn {
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
  private static final VarHandle HOLDER;

  static {
    try {
      HOLDER = MethodHandles.lookup().findVarHandle(FiberTurn.class, "holder", Thread.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** First come, first served. Its release happens before the acquire that follows. */
  private final Semaphore free = new Semaphore(1, true);

  /** Written by who has the turn, and by who takes it away with a compare-and-set. */
  private volatile Thread holder;

  private final LongAdder losses = new LongAdder();

  /** Returns who has the turn; null if nobody. */
  Thread holder() {
    return holder;
  }

  /** Returns how often a turn was taken from a thread that waited for something else. */
  long lossCount() {
    return losses.sum();
  }

  /** Waits for the turn; does nothing if this thread has it. */
  void enter() {
    Thread self = Thread.currentThread();
    if (holder == self) {
      return;
    }
    boolean interrupted = false;
    Thread seenWaiting = null;
    while (true) {
      try {
        if (free.tryAcquire(LOOK_NANOS, TimeUnit.NANOSECONDS)) {
          holder = self;
          break;
        }
        Thread seen = holder;
        if (seen == null || !isWaiting(seen)) {
          seenWaiting = null;
        } else if (seen != seenWaiting) {
          seenWaiting = seen;
        } else if (HOLDER.compareAndSet(this, seen, self)) {
          losses.increment();
          break;
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      self.interrupt();
    }
  }

  private static boolean isWaiting(Thread thread) {
    return switch (thread.getState()) {
      case WAITING, TIMED_WAITING, BLOCKED -> true;
      default -> false;
    };
  }

  /** Gives the turn back; does nothing if this thread has it not. */
  void leave() {
    if (HOLDER.compareAndSet(this, Thread.currentThread(), null)) {
      free.release();
    }
  }

  /** Lets those go first who wait for the turn. */
  void pass() {
    if (free.hasQueuedThreads()) {
      leave();
      enter();
    }
  }
}
