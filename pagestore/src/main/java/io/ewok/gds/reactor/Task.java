package io.ewok.gds.reactor;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;

/**
 * Something that a reactor runs, and the message that carries it there and its result back.
 * Subclasses hold arguments and results in fields.
 *
 * <p>Ownership: a task belongs to whoever sends it, and to the reactor from then until it
 * {@linkplain #isDone is done}; then it can be sent again. A task that {@link #fork forks} others
 * does not end before they have.
 *
 * <p>Threads: one sends, awaits and reuses it. What was written before sending is visible to {@link
 * #run}, and what run wrote to who awaited. {@link #cancel} may come from any thread while the task
 * is not reused.
 *
 * <pre>{@code
 * final class Sum extends Task {
 *   long[] values; long sum;
 *   Sum() { super(Kind.FIBER, Scratch.NONE); }
 *   @Override protected void run() { for (long value : values) sum += value; }
 * }
 * reactor.post(sum);   // from anywhere; sum.await() waits for it, on a fiber without a thread
 * sum.await();
 * }</pre>
 *
 * <p>Tasks of one reactor exclude each other from wait to wait, and so do its timers. Threads that
 * a task starts do not count, nor does what a task does between a wait for something else than a
 * {@link Baton} and the next for one, where the reactor does not run fibers itself.
 *
 * <p>Errors: what run throws goes to the owner, by {@link #await} or {@link #failure}; nobody else
 * notices.
 */
public abstract class Task extends Message {
  /** How a task is run. */
  public enum Kind {
    /**
     * On the reactor's thread, to its end, which should be near: everything else there waits. A
     * wait inside turns the loop in place, so it lasts until those have ended that began meanwhile.
     */
    DIRECT,
    /** On a fiber, where it may wait as long as it likes. */
    FIBER
  }

  /** Off-heap memory that a task gets while it runs, from pools of the reactor. */
  public enum Scratch {
    /** None. */
    NONE(0),
    /** 256 bytes. */
    SMALL(256),
    /** 2 KiB. */
    MEDIUM(2 << 10),
    /** 16 KiB. */
    LARGE(16 << 10);

    final int bytes;

    Scratch(int bytes) {
      this.bytes = bytes;
    }
  }

  final Kind kind;
  final Scratch scratchSize;

  /** Posted when the task belongs to its owner. Nobody else touches the task after the post. */
  private final Baton done = new Baton();

  /** Posted when a task whose sender waits for room has started. */
  private final Baton admitted = new Baton();

  /** What it waits for while it waits for nothing but time. */
  private final Baton never = new Baton();

  // Set by who sends, then the reactor's.
  FiberScheduler target;
  Reactor returnsTo;
  boolean fromReactor;
  boolean counted;
  boolean senderWaits;
  private boolean returning;

  /** While it runs. */
  MemorySegment scratch;

  private Task children;
  private Task sibling;
  private Throwable failure;

  private boolean hasDeadline;
  private long deadlineNanos;

  /** Any thread. Who cancels writes the flag, then reads the runner; the runner the other way. */
  private volatile boolean cancelled;

  private volatile Thread runner;

  /** Creates a task that is done. */
  protected Task(Kind kind, Scratch scratch) {
    this.kind = Objects.requireNonNull(kind, "kind");
    this.scratchSize = Objects.requireNonNull(scratch, "scratch");
    done.post();
  }

  /** Does it. */
  protected abstract void run() throws Exception;

  // ---------------------------------------------------------------- the owner

  /** Returns whether it is with its owner: ended, or never sent. */
  public final boolean isDone() {
    return done.isPosted();
  }

  /**
   * Waits for the end of the task. If who waits is a task that is cancelled or past its deadline,
   * this one is cancelled too, and its end still waited for.
   *
   * @throws ExecutionException with what run threw
   * @throws CancellationException if this task or the waiting one was cancelled
   */
  public final void await() throws ExecutionException {
    Task waiter = current();
    if (waiter == null) {
      done.await();
    } else if (!done.await(Baton.FOREVER, waiter)) {
      cancel();
      done.await();
      throw waiter.cancellation();
    }
    throwFailure();
  }

  /**
   * As {@link #await()}, at most for a time.
   *
   * @return false if the time was over first; the task goes on
   */
  public final boolean await(long timeoutNanos) throws ExecutionException {
    Task waiter = current();
    if (!done.await(timeoutNanos, waiter)) {
      if (waiter != null && waiter.isCancelled()) {
        cancel();
        done.await();
        throw waiter.cancellation();
      }
      return false;
    }
    throwFailure();
    return true;
  }

  private void throwFailure() throws ExecutionException {
    if (failure instanceof CancellationException cancellation) {
      throw cancellation;
    }
    if (failure != null) {
      throw new ExecutionException(failure);
    }
  }

  /** Returns what run threw; null if nothing, or if the task is not done. */
  public final Throwable failure() {
    return isDone() ? failure : null;
  }

  /**
   * Asks the task to end: it is not started any more, and what it waits for in {@link #await},
   * {@link #joinAll}, {@link #waitFor}, {@link #pause} and {@link #yieldNow} ends with a {@link
   * CancellationException}. A wait for the device does not, since the memory is the kernel's.
   */
  public final void cancel() {
    cancelled = true;
    Thread thread = runner;
    if (thread != null) {
      Baton.wake(thread);
      // It may be a fiber that turns the loop in place.
      target.reactor.wakeUp();
    }
  }

  /**
   * Sets when the task is cancelled if it is not done; those that it forks inherit it. To be set
   * before it is sent; good for one time.
   *
   * @param nanoTime as {@link System#nanoTime}
   */
  public final void setDeadline(long nanoTime) {
    hasDeadline = true;
    deadlineNanos = nanoTime;
  }

  // ---------------------------------------------------------------- the running task

  /** Returns the task that runs on this thread; null outside. */
  public static Task current() {
    Thread thread = Thread.currentThread();
    if (thread instanceof ReactorThread own) {
      return own.loop != null && own.loop.work instanceof FiberScheduler scheduler
          ? scheduler.direct()
          : null;
    }
    Fiber fiber = Fiber.of(thread);
    return fiber == null ? null : fiber.task();
  }

  /** Returns the scratch memory; its content is undefined, and not ours after run. */
  protected final MemorySegment scratch() {
    if (scratch == null) {
      throw new IllegalStateException("there is none: scratch=" + scratchSize);
    }
    return scratch;
  }

  /** Returns whether the task was asked to end, or is past its deadline. */
  public final boolean isCancelled() {
    return cancelled
        || (target != null && target.isEnding())
        || (hasDeadline && deadlineNanos - System.nanoTime() <= 0);
  }

  /** Returns the time until the deadline, {@link Baton#FOREVER} if there is none. */
  final long nanosLeft() {
    return hasDeadline ? deadlineNanos - System.nanoTime() : Baton.FOREVER;
  }

  final CancellationException cancellation() {
    return new CancellationException(
        cancelled || !hasDeadline
            ? target.isEnding() ? "the reactor ends" : "the task was cancelled"
            : "the deadline of the task has passed");
  }

  /** Starts another task on this reactor, which this one waits for. On this task's own thread. */
  protected final void fork(Task child) {
    adopt(child);
    target.fork(child);
  }

  /**
   * As {@link #fork(Task)} on another reactor, whose inbox may be full; then it waits, as {@link
   * Reactor#post} does.
   */
  protected final void fork(Reactor reactor, Task child) {
    inherit(child);
    reactor.post(child);
    link(child);
  }

  private void adopt(Task child) {
    inherit(child);
    child.take(target, null, true);
    link(child);
  }

  private void inherit(Task child) {
    if (hasDeadline && (!child.hasDeadline || child.deadlineNanos - deadlineNanos > 0)) {
      child.setDeadline(deadlineNanos);
    }
  }

  private void link(Task child) {
    child.sibling = children;
    children = child;
  }

  /**
   * Waits for all that were forked. When one fails, or this task is cancelled, the others are
   * cancelled, and still waited for.
   *
   * @throws ExecutionException with what the first one threw
   * @throws CancellationException if this task or one of them was cancelled
   */
  protected final void joinAll() throws ExecutionException {
    Throwable first = joinAll(null);
    if (first instanceof CancellationException cancellation) {
      throw cancellation;
    }
    if (first != null) {
      throw new ExecutionException(first);
    }
  }

  /** Returns the first failure, which may be there already. */
  private Throwable joinAll(Throwable before) {
    Throwable first = before;
    while (children != null) {
      if (first != null) {
        for (Task child = children; child != null; child = child.sibling) {
          child.cancel();
        }
      }
      Task child = children;
      if (first != null) {
        child.done.await();
      } else if (!child.done.await(Baton.FOREVER, this)) {
        first = cancellation();
        continue;
      }
      children = child.sibling;
      child.sibling = null;
      if (first == null) {
        first = child.failure;
      }
    }
    return first;
  }

  /** Waits for a baton as a task does: it ends when the task that runs here is to end. */
  public static void waitFor(Baton baton) {
    Task task = current();
    if (task == null) {
      baton.await();
    } else if (!baton.await(Baton.FOREVER, task)) {
      throw task.cancellation();
    }
  }

  /**
   * Waits for a time, to the tick of the reactor's clock.
   *
   * @throws CancellationException if the task that runs here is to end
   */
  public static void pause(long nanos) {
    Task task = current();
    boolean unused = (task == null ? new Baton() : task.never).await(nanos, task);
    throwIfCancelled(task);
  }

  /**
   * Lets others run.
   *
   * @throws CancellationException if the task that runs here is to end
   */
  @SuppressWarnings("ThreadPriorityCheck") // of a fiber: it goes to the end of the reactor's queue
  public static void yieldNow() {
    Task task = current();
    Thread thread = Thread.currentThread();
    FiberScheduler scheduler = FiberScheduler.of(thread);
    if (task != null && thread instanceof ReactorThread own) {
      own.reactor.yieldNow(task.never);
    } else if (scheduler != null) {
      scheduler.yieldNow();
    } else {
      Thread.yield();
    }
    throwIfCancelled(task);
  }

  private static void throwIfCancelled(Task task) {
    if (task != null && task.isCancelled()) {
      throw task.cancellation();
    }
  }

  // ---------------------------------------------------------------- the reactor

  /**
   * Takes the task from its owner.
   *
   * @param returnsTo whose inbox brings it back; null if nobody's
   */
  final void take(FiberScheduler target, Reactor returnsTo, boolean fromReactor) {
    if (!done.tryReset()) {
      throw new IllegalStateException("the task was sent already and is not done: task=" + this);
    }
    this.target = target;
    this.returnsTo = returnsTo;
    this.fromReactor = fromReactor;
    failure = null;
    cancelled = false;
  }

  /** Undoes {@link #take}. */
  final void giveBack() {
    done.post();
  }

  final void awaitAdmission() {
    admitted.await();
    admitted.reset();
  }

  final void admit() {
    senderWaits = false;
    admitted.post();
  }

  /** Runs it. To be followed by {@link #end}. Returns what it threw. */
  final Throwable execute(Thread thread) {
    runner = thread;
    Throwable thrown = null;
    try {
      if (isCancelled()) {
        throw cancellation();
      }
      run();
    } catch (Throwable e) {
      // Whatever it is, it is the owner's.
      thrown = e;
    }
    thrown = joinAll(thrown);
    runner = null;
    scratch = null;
    return thrown;
  }

  /** The task has ended, or will not start; before the owner is told. */
  void ended(Throwable thrown) {}

  /** Tells the owner, by message if it is on another reactor. The task is not touched any more. */
  final void end(Throwable thrown) {
    ended(thrown);
    failure = thrown;
    hasDeadline = false;
    Reactor back = returnsTo;
    if (back != null && back != target.reactor) {
      returning = true;
      if (back.send(this)) {
        return;
      }
      returning = false;
    }
    done.post();
  }

  /** On the owner's reactor: returns whether the message was the task coming back. */
  final boolean arriveBack() {
    if (!returning) {
      return false;
    }
    returning = false;
    done.post();
    return true;
  }
}
