package io.ewok.gds.reactor;

/**
 * What an {@link EventLoop} runs besides timers and completions: the run queue of tasks and fibers.
 *
 * <p>Threads: all methods are called on the loop's thread, save {@link #runs}, which is for any.
 * None waits. {@link #run} and {@link #accept} are entered anew when a task waits on the loop's
 * thread itself, since the loop then turns inside of that task ({@link Reactor#runUntil}); on a
 * fiber that waits pinned only {@link #accept} is, since no other fiber can be mounted there.
 *
 * <p>Work that becomes runnable through another thread: that thread makes it visible first and then
 * calls {@link Reactor#wakeUp}; the loop raises its flag first and then asks {@link #isIdle}. Both
 * sides have to be sequentially consistent, as {@link Inbox} explains; then no wake-up is lost.
 *
 * <p>Errors: what a task throws goes to the owner of the task. An exception out of a method here
 * ends the reactor.
 */
interface LoopWork {
  /**
   * Runs what can be run, a slice each: a task, or a fiber until it waits. Each slice begins with
   * {@link Slices#begin}; otherwise all together count as one that stalls.
   *
   * @param slicesMax after how many slices it returns, so that the device is not forgotten
   * @return whether more can be run
   */
  boolean run(int slicesMax);

  /** Returns whether nothing can be run, seen from all threads: the loop is about to sleep. */
  boolean isIdle();

  /** Takes a message that is not the loop's own: a task that was posted, or one that comes back. */
  void accept(Message message);

  /**
   * The reactor ends, closed or failed: fails what was not started, cancels what was, and lets
   * nobody start anything. Called once a turn until it returns true; {@link #run} goes on
   * meanwhile, so that what waits can end, and so does {@link #accept}.
   *
   * @param cause why the reactor ends; the same in each call
   * @return whether all has ended
   */
  boolean endAll(Throwable cause);

  /** The loop's thread does nothing until {@link #enter}: others may run what excludes it. */
  default void leave() {}

  /** Ends {@link #leave}. */
  default void enter() {}

  /**
   * Returns whether a thread is a fiber that this loop's thread runs, so that what it does excludes
   * the loop. Any thread.
   */
  boolean runs(Thread thread);

  /**
   * Returns the thread whose stack tells what the current slice does: the fiber, or the loop's
   * thread. Any thread; a guess by the time it is used.
   */
  Thread running();

  /** Nothing to run. */
  final class None implements LoopWork {
    private final Thread loop;

    None(Thread loop) {
      this.loop = loop;
    }

    @Override
    public boolean run(int slicesMax) {
      return false;
    }

    @Override
    public boolean isIdle() {
      return true;
    }

    @Override
    public void accept(Message message) {
      throw new AssertionError("there are no tasks: message=" + message);
    }

    @Override
    public boolean endAll(Throwable cause) {
      return true;
    }

    @Override
    public boolean runs(Thread thread) {
      return false;
    }

    @Override
    public Thread running() {
      return loop;
    }
  }
}
