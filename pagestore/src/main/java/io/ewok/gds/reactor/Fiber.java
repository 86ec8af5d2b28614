package io.ewok.gds.reactor;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.LockSupport;

/**
 * A virtual thread that runs one task after the other, and is parked in between.
 *
 * <p>Threads: the loop's gives it tasks, one at a time; the rest is its own thread's.
 */
final class Fiber extends Message implements Runnable {
  /** Those that live, of all reactors. There are no thread locals to find them by. */
  private static final ConcurrentMap<Thread, Fiber> FIBERS = new ConcurrentHashMap<>();

  final FiberScheduler scheduler;
  final Thread thread;
  private final Baton given = new Baton();
  private final Timer timer;

  /** Handed over by {@link #given}; null to end. */
  private Task task;

  /** What the task had, until the loop takes it back. */
  MemorySegment scratch;

  Task.Scratch scratchSize;
  boolean ended;

  Fiber(FiberScheduler scheduler, String name) {
    this.scheduler = scheduler;
    this.thread =
        scheduler.reactorRuns
            ? FiberThreads.unstarted(scheduler, name, this)
            : Thread.ofVirtual().name(name).unstarted(this);
    this.timer =
        new Timer() {
          @Override
          protected void fired() {
            LockSupport.unpark(thread);
          }
        };
    FIBERS.put(thread, this);
  }

  /**
   * Parks the current thread for a time. A fiber that its reactor runs does it by that one's clock,
   * as the JVM's would allocate.
   */
  static void parkNanos(Object blocker, long nanos) {
    Fiber fiber = of(Thread.currentThread());
    if (fiber == null) {
      LockSupport.parkNanos(blocker, nanos);
      return;
    }
    fiber.scheduler.reactor.schedule(fiber.timer, nanos);
    LockSupport.park(blocker);
    boolean unused = fiber.scheduler.reactor.cancel(fiber.timer);
  }

  /** Returns the fiber that a thread is; null if it is none. */
  static Fiber of(Thread thread) {
    return thread.isVirtual() ? FIBERS.get(thread) : null;
  }

  Task task() {
    return task;
  }

  /** Gives an idle fiber a task; null ends it. */
  void give(Task next) {
    task = next;
    if (next != null) {
      scratch = next.scratch;
      scratchSize = next.scratchSize;
    }
    given.post();
  }

  @Override
  public void run() {
    while (true) {
      given.await();
      given.reset();
      scheduler.enter();
      Task current = task;
      if (current == null) {
        break;
      }
      Throwable thrown = current.execute(thread);
      // One that the task got or made is its own affair.
      boolean unused = Thread.interrupted();
      task = null;
      current.end(thrown);
      scheduler.idle(this);
    }
    FIBERS.remove(thread);
    ended = true;
    scheduler.idle(this);
    scheduler.leave();
  }
}
