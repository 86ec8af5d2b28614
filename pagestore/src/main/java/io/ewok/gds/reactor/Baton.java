package io.ewok.gds.reactor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/**
 * Lets one thread wait until another says so, once; then it can be reset and used again. Every wait
 * for the device stands on it.
 *
 * <p>Threads: one waits, platform or virtual; one posts, any. The waiter owns the baton and resets
 * it. What the poster did before {@link #post} is visible to who returns from an await or saw
 * {@link #isPosted}. The poster does not touch the baton after post, so the waiter may reuse it at
 * once.
 *
 * <p>Allocates nothing. An interrupt does not end a wait, since whatever is waited for goes on
 * without the waiter; the interrupt status is set again on return.
 *
 * <pre>{@code
 * baton.reset();
 * start(baton);   // calls baton.post() when it is done
 * baton.await();
 * }</pre>
 *
 * <p>Errors: {@link IllegalStateException} for a second waiter, a second post and a reset under a
 * waiter.
 */
public final class Baton {
  /*
   * state is EMPTY, the waiting Thread, or POSTED.
   *
   *   EMPTY  --await-->  Thread      compare-and-set
   *   EMPTY  --post-->   POSTED      get-and-set
   *   Thread --post-->   POSTED      get-and-set, then unpark
   *   Thread --await-->  EMPTY       compare-and-set, the time is over
   *   Thread --await-->  Thread      compare-and-set, from a fiber to its loop's, which it keeps
   *   POSTED --reset-->  EMPTY
   *
   * The get-and-set of post releases; its partner is the acquiring read (or failed compare-and-set)
   * of await and isPosted. A wake-up cannot be lost: either the waiter's compare-and-set comes
   * first, then post sees the Thread and unparks it, and a permit given before the park is kept; or
   * post comes first, then the compare-and-set fails and the waiter does not park. The unpark may
   * reach a waiter that has gone on already; it then ends some later park early, which every parker
   * has to expect.
   */
  /** For {@link #await(long)}: as long as it takes. */
  static final long FOREVER = Long.MAX_VALUE;

  private static final Object EMPTY = null;
  private static final Object POSTED = new Object();
  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(Baton.class, "state", Object.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  @SuppressWarnings("unused") // by STATE
  private Object state;

  /** Creates an empty baton. */
  public Baton() {}

  /** Waits until posted; returns at once if it is. */
  public void await() {
    boolean unused = await(FOREVER, null);
  }

  /**
   * Waits until posted, at most for a time.
   *
   * @return false if the time was over first; the baton can be awaited again
   */
  public boolean await(long timeoutNanos) {
    return await(timeoutNanos, null);
  }

  /**
   * As {@link #await(long)}, and no longer than until a task is cancelled or its deadline passes.
   *
   * @param task the one that waits; null for none
   */
  boolean await(long timeoutNanos, Task task) {
    Thread self = Thread.currentThread();
    if (!enter(self)) {
      return true;
    }
    if (self instanceof ReactorThread own && own.turning) {
      return turn(own, timeoutNanos, task);
    }
    FiberScheduler scheduler = FiberScheduler.of(self);
    if (scheduler == null) {
      return park(self, null, timeoutNanos, task);
    }
    scheduler.leave();
    boolean posted = park(self, scheduler, timeoutNanos, task);
    scheduler.enter();
    return posted;
  }

  /** Waits on a loop's thread, by turning the loop. */
  private boolean turn(ReactorThread loop, long timeoutNanos, Task task) {
    return loop.reactor.runUntil(this, timeoutNanos, task) || !leave(loop);
  }

  private boolean park(Thread self, FiberScheduler scheduler, long timeoutNanos, Task task) {
    boolean interrupted = false;
    boolean posted = isPosted();
    ReactorThread stuckOn = null;
    long start = timeoutNanos == FOREVER ? 0 : System.nanoTime();
    long left = timeoutNanos;
    while (!posted && stuckOn == null && left > 0 && (task == null || !task.isCancelled())) {
      stuckOn = park(scheduler, task == null ? left : Math.min(left, task.nanosLeft()));
      interrupted |= Thread.interrupted();
      posted = isPosted();
      left = timeoutNanos == FOREVER ? FOREVER : timeoutNanos - (System.nanoTime() - start);
    }
    if (!posted) {
      // Fail if a post comes in between. The loop's thread, as the waiter, is woken in its own way.
      if (stuckOn == null) {
        posted = !leave(self);
      } else {
        posted =
            !STATE.compareAndSet(this, (Object) self, (Object) stuckOn)
                || turn(stuckOn, left, task);
      }
    }
    if (interrupted) {
      self.interrupt();
    }
    return posted;
  }

  /** Parks. Returns the loop's thread if it is that which would park, and else null. */
  private ReactorThread park(FiberScheduler scheduler, long nanos) {
    if (scheduler != null && scheduler.reactorRuns) {
      return scheduler.park(this, nanos);
    }
    if (nanos == FOREVER) {
      LockSupport.park(this);
    } else {
      LockSupport.parkNanos(this, nanos);
    }
    return null;
  }

  /** Becomes the waiter. Returns false if there is nothing to wait for. */
  private boolean enter(Thread self) {
    if (STATE.compareAndSet(this, EMPTY, (Object) self)) {
      return true;
    }
    Object seen = STATE.getAcquire(this);
    if (seen == POSTED) {
      return false;
    }
    throw new IllegalStateException("another thread waits already: waiter=" + seen);
  }

  /** Is the waiter no more. Returns false if it was posted. */
  private boolean leave(Thread waiter) {
    return STATE.compareAndSet(this, (Object) waiter, EMPTY);
  }

  /** Wakes the waiter, or lets the next await return at once. */
  public void post() {
    Object before = STATE.getAndSet(this, POSTED);
    if (before instanceof Thread waiter) {
      wake(waiter);
    } else if (before == POSTED) {
      throw new IllegalStateException("the baton was posted twice");
    }
  }

  /** Lets a thread that waits look again. */
  static void wake(Thread waiter) {
    if (waiter instanceof ReactorThread loop) {
      loop.reactor.wakeUp();
    }
    // The thread of a reactor parks, too, before its loop turns and afterwards.
    LockSupport.unpark(waiter);
  }

  /** Returns whether it was posted and not yet reset. */
  public boolean isPosted() {
    // Not only acquiring: a loop raises its flag, then looks here; we post, then look at the flag.
    return STATE.getVolatile(this) == POSTED;
  }

  /**
   * Whether the thread of a reactor waits. It turns its loop meanwhile, perhaps in another task.
   */
  boolean turnsLoop() {
    return STATE.getAcquire(this) instanceof ReactorThread;
  }

  /** Makes the baton empty if it is posted; returns whether it was. */
  boolean tryReset() {
    return STATE.compareAndSet(this, POSTED, EMPTY);
  }

  /** Makes the baton empty again. */
  public void reset() {
    Object seen = STATE.getAcquire(this);
    if (seen instanceof Thread waiter) {
      throw new IllegalStateException("a thread waits: waiter=" + waiter);
    }
    // Ordered before what the owner publishes next, by whatever hands the baton to its poster.
    STATE.setRelease(this, EMPTY);
  }
}
