package io.ewok.gds.reactor;

import java.util.concurrent.locks.ReentrantLock;

/**
 * A lock with lines of those who wait for what it guards to change. What {@link
 * java.util.concurrent.locks.Condition} is, standing on {@link Baton}: a wait on a fiber stops no
 * thread, and one on the thread of a reactor itself turns its loop.
 *
 * <p>Threads: any. The lock is for short work: nobody waits for the device or for somebody's
 * message while holding it, so whoever wants it gets it soon; the thread of a reactor does not
 * stand in line for it, perhaps behind its own fibers. A {@link Line} is used with the lock held;
 * its waits give the lock up meanwhile, and have it again when they return or throw.
 *
 * <p>Allocates nothing, once there have been as many waits at the same time as there will be; but
 * the JDK makes an object of 32 bytes for who finds the lock held. An interrupt does not end a
 * wait; the interrupt status is set again on return.
 *
 * <pre>{@code
 * monitor.lock();
 * try {
 *   while (!done) ended.await();   // elsewhere, with the lock: done = true; ended.wakeAll();
 * } finally {
 *   monitor.unlock();
 * }
 * }</pre>
 *
 * <p>Errors: as {@link Baton#await()} on the thread of a reactor, where too many waits inside of
 * each other are refused; {@link IllegalMonitorStateException} without the lock, and for a wait by
 * who has it twice.
 */
public final class Monitor {
  /*
   * Who waits enters the line before it gives the lock up, so nobody who changes something later
   * misses it. Who wakes takes all out of the line and posts their batons when it has given the
   * lock up: those awake want the lock at once.
   *
   * A waiter is used again when both sides have let go of it: it was posted, or its time was over
   * while it was still in line. If its time was over just when it was taken out, the post is still
   * to come, and the waiter is left to the collector.
   */
  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by lock.
  /** Those to post when the lock is given up. */
  private Waiter woken;

  private Waiter spare;

  /** Creates a monitor that nobody holds. */
  public Monitor() {}

  /** One wait. All guarded by the lock, but for the baton. */
  private static final class Waiter {
    final Baton baton = new Baton();
    boolean inLine;
    Waiter next;
  }

  /** Takes the lock. */
  public void lock() {
    if (!lock.tryLock()) {
      awaitAndLock();
    }
  }

  @SuppressWarnings("ThreadPriorityCheck") // for whoever has the lock, which is at work
  private void awaitAndLock() {
    if (!(Thread.currentThread() instanceof ReactorThread)) {
      lock.lock();
      return;
    }
    // Who comes before it in the line may be a fiber of its own, which cannot go on before it does.
    while (!lock.tryLock()) {
      Thread.yield();
    }
  }

  /** Gives the lock up; then those who were woken go on. */
  public void unlock() {
    Waiter first = lock.isHeldByCurrentThread() ? woken : null;
    if (first != null) {
      woken = null;
    }
    lock.unlock();
    while (first != null) {
      Waiter next = first.next; // after the post the waiter may be in another line
      first.baton.post();
      first = next;
    }
  }

  /** Creates a line that nobody stands in. */
  public Line newLine() {
    return new Line();
  }

  /** Those who wait for one kind of change, in the order of their coming. */
  public final class Line {
    private Waiter first;
    private Waiter last;

    private Line() {}

    /** Waits until woken. The caller looks again at what it waits for. */
    public void await() {
      boolean unused = await(Baton.FOREVER);
    }

    /**
     * Waits until woken, at most for a time.
     *
     * @return false if the time was over first
     */
    public boolean await(long timeoutNanos) {
      if (lock.getHoldCount() != 1) {
        throw new IllegalMonitorStateException(
            "who waits has the lock, once: holdCount=" + lock.getHoldCount());
      }
      Waiter waiter = add();
      boolean posted = false;
      boolean timeOver = false;
      unlock();
      try {
        posted = waiter.baton.await(timeoutNanos);
        timeOver = !posted;
      } finally {
        Monitor.this.lock();
        timeOver &= waiter.inLine;
        if (waiter.inLine) {
          remove(waiter);
        }
        if (posted) {
          waiter.baton.reset();
        }
        if (posted || timeOver) {
          waiter.next = spare;
          spare = waiter;
        }
      }
      return !timeOver;
    }

    /** Wakes all who wait here, when the lock is given up. */
    public void wakeAll() {
      if (first == null) {
        return;
      }
      requireLock();
      for (Waiter waiter = first; waiter != null; waiter = waiter.next) {
        waiter.inLine = false;
      }
      last.next = woken;
      woken = first;
      first = null;
      last = null;
    }

    /**
     * Wakes the first of those who wait here, if there is one, when the lock is given up, and
     * before those who were woken so far. Whoever is woken alone may not come to do what he was
     * woken for: his wait may throw, or his time be over. Then it is up to him to wake another.
     *
     * <p>Who waits on the thread of a reactor may lie beneath tasks that wait here as well, and
     * goes on no sooner than they. So those behind him are woken, too, up to one who can go on in
     * any case.
     */
    public void wakeFirst() {
      if (first == null) {
        return;
      }
      requireLock();
      Waiter lastWoken = first;
      lastWoken.inLine = false;
      while (lastWoken.next != null && lastWoken.baton.turnsLoop()) {
        lastWoken = lastWoken.next;
        lastWoken.inLine = false;
      }
      Waiter next = lastWoken.next;
      lastWoken.next = woken;
      woken = first;
      first = next;
      if (next == null) {
        last = null;
      }
    }

    private void requireLock() {
      if (!lock.isHeldByCurrentThread()) {
        throw new IllegalMonitorStateException("wakes without the lock");
      }
    }

    private Waiter add() {
      Waiter waiter = spare;
      if (waiter == null) {
        waiter = new Waiter();
      } else {
        spare = waiter.next;
        waiter.next = null;
      }
      waiter.inLine = true;
      if (last == null) {
        first = waiter;
      } else {
        last.next = waiter;
      }
      last = waiter;
      return waiter;
    }

    private void remove(Waiter waiter) {
      Waiter before = null;
      for (Waiter at = first; at != waiter; at = at.next) {
        before = at;
      }
      if (before == null) {
        first = waiter.next;
      } else {
        before.next = waiter.next;
      }
      if (last == waiter) {
        last = before;
      }
      waiter.next = null;
      waiter.inLine = false;
    }
  }
}
