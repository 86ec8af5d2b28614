package io.ewok.gds.reactor;

import io.ewok.gds.allocator.Region;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * A platform thread that owns a ring and runs tasks: takes operations from any thread, keeps at
 * most a fixed number of them with the kernel, and calls each back when it is done; what does not
 * fit waits here. Runs the tasks that it is sent, between operations, on its own thread and on
 * fibers.
 *
 * <p>Ownership: whoever starts a reactor closes it. Close waits for what the kernel has and fails
 * what it does not have yet.
 *
 * <p>Threads: any, for all public methods, save that {@link #close} waits for the reactor and is
 * refused on its own thread and fibers.
 *
 * <pre>{@code
 * try (Reactor reactor = Reactor.start(ReactorOptions.defaults())) {
 *   reactor.submit(operation);
 * }
 * }</pre>
 *
 * <p>Errors: a failure of the ring or of a callback ends the reactor: every operation is failed
 * with the cause, and submit throws {@link IllegalStateException} with it from then on.
 */
public final class Reactor implements AutoCloseable {
  /** Turns inside of turns; a callback that waits in each of them needs stack. */
  private static final int NESTED_MAX = 8;

  final Inbox inbox = new Inbox();
  final Overflow overflow;
  private final Function<Reactor, LoopWork> makeWork;
  private final ReactorThread thread;
  private final DriverCalls calls;
  private final int queueDepth;

  /**
   * Operations that may still be reserved for those who wait for others, perhaps for ever. One
   * never is, so that they cannot keep the device's from the kernel.
   */
  private final AtomicInteger reservable;

  /** Confined to the thread, as the next. */
  private int nested;

  private final LoopWait[] waits = new LoopWait[NESTED_MAX];

  private Reactor(
      ReactorOptions options, Function<Reactor, LoopWork> makeWork, LoopDriver.Source source) {
    this.makeWork = makeWork;
    overflow = new Overflow(options.overflowCount());
    queueDepth = options.ring().queueDepth();
    reservable = new AtomicInteger(queueDepth - 1);
    thread = new ReactorThread(this, options, source);
    Arrays.setAll(waits, i -> new LoopWait());
    calls = new DriverCalls(this, thread);
  }

  /**
   * Starts a reactor.
   *
   * @throws IOException if the kernel refuses the ring, or if the reactor is to run fibers and the
   *     JVM does not let it
   */
  public static Reactor start(ReactorOptions options) throws IOException {
    return start(options, reactor -> new FiberScheduler(reactor, options.fibers()));
  }

  /** Starts a reactor that runs some work of ours, which is made on its thread. */
  static Reactor start(ReactorOptions options, Function<Reactor, LoopWork> work)
      throws IOException {
    return start(options, work, RingDriver::open);
  }

  /** As the above, with a driver that is made on the reactor's thread, too. */
  static Reactor start(
      ReactorOptions options, Function<Reactor, LoopWork> work, LoopDriver.Source source)
      throws IOException {
    Reactor reactor = new Reactor(options, work, source);
    // Not by the reactor: threads that a pinned one starts are pinned with it.
    StallWatch.watch(reactor.thread, options.stallNanos());
    reactor.thread.start();
    reactor.thread.started.await();
    if (reactor.thread.startFailure != null) {
      throw reactor.thread.startFailure;
    }
    return reactor;
  }

  LoopWork newWork() {
    return makeWork.apply(this);
  }

  /** Returns the reactor whose thread, or whose fiber, this is; null outside. */
  public static Reactor current() {
    Thread current = Thread.currentThread();
    if (current instanceof ReactorThread own) {
      return own.reactor;
    }
    FiberScheduler scheduler = FiberScheduler.of(current);
    return scheduler == null ? null : scheduler.reactor;
  }

  /** Returns whether what this thread does excludes the loop: it is the loop's, or its fiber. */
  boolean isOwnThread() {
    Thread current = Thread.currentThread();
    return current == thread || (current.isVirtual() && thread.loop.work.runs(current));
  }

  /** Returns the thread that turns the loop. */
  ReactorThread thread() {
    return thread;
  }

  // ---------------------------------------------------------------- any thread

  /**
   * Gives an operation to the reactor. While too many wait for the kernel it waits for a place; on
   * a fiber without a thread.
   *
   * @throws IllegalStateException if the reactor is closed or has failed; the operation is not
   *     called back
   * @throws RejectedExecutionException if there is no place and this is the reactor's own thread,
   *     which cannot wait; the operation is not called back
   */
  public void submit(RingOperation operation) {
    enqueue(operation);
    wakeUp();
  }

  /** As {@link #submit}, but the reactor need not see it before {@link #wakeUp}. For batches. */
  public void enqueue(RingOperation operation) {
    if (!overflow.tryEnter()) {
      if (Thread.currentThread() == thread) {
        throw new RejectedExecutionException(
            "too many operations wait for the kernel: count=" + overflow.count());
      }
      wakeUp();
      overflow.enter();
    }
    push(operation);
  }

  /**
   * As {@link #submit}, but never waits.
   *
   * @return false if too many operations wait for the kernel; this one is not called back
   * @throws IllegalStateException if the reactor is closed or has failed; the operation is not
   *     called back
   */
  public boolean trySubmit(RingOperation operation) {
    if (!overflow.tryEnter()) {
      return false;
    }
    push(operation);
    wakeUp();
    return true;
  }

  /** Pushes an operation that has a place. */
  private void push(RingOperation operation) {
    operation.cancelRequested = false;
    if (!(isOwnThread() ? thread.loop.submit(operation) : inbox.push(operation))) {
      overflow.leave();
      throw ended();
    }
  }

  /**
   * Ends an operation early, if it has not ended: what waits here ends at once, the kernel is asked
   * to end what it has. Either way it is called back as always, and its memory is in use until
   * then. The caller sees to it that the operation is not submitted anew meanwhile.
   */
  public void cancel(RingOperation operation) {
    thread.loop.cancel(operation);
    wakeUp();
  }

  /**
   * Gives a task to the reactor, which runs it in its turn; {@link Task#await} waits for its end.
   * While the inbox is full it waits for the start of the task, on a fiber without a thread.
   *
   * @throws IllegalStateException if the reactor is closed or has failed, or the task is not done
   * @throws RejectedExecutionException if the inbox is full and this is the thread of a reactor
   *     itself, which cannot wait
   */
  public void post(Task task) {
    tasks().post(task);
  }

  /**
   * As {@link #post}, but never waits.
   *
   * @return false if the inbox is full; the task is still the caller's
   */
  public boolean tryPost(Task task) {
    return tasks().tryPost(task);
  }

  /** Runs a function on a fiber of the reactor. What follows on the future runs there, too. */
  public <T> CompletableFuture<T> submit(Callable<T> function) {
    FutureTask<T> task = new FutureTask<>(function);
    post(task);
    return task.future;
  }

  /**
   * Returns whether the reactor runs fibers itself; else they are ordinary virtual threads, which
   * take turns.
   */
  public boolean runsFibers() {
    return tasks().reactorRuns;
  }

  private FiberScheduler tasks() {
    return (FiberScheduler) thread.loop.work;
  }

  /** Sends a message of ours. Returns false if the reactor takes no more. */
  boolean send(Message message) {
    if (!inbox.push(message)) {
      return false;
    }
    wakeUp();
    return true;
  }

  /** Returns what to throw at those who come too late. */
  IllegalStateException ended() {
    return new IllegalStateException(
        "the reactor is closed or has failed: name=" + thread.getName(), thread.failure);
  }

  /** Makes sure that the reactor sees what was enqueued. */
  public void wakeUp() {
    if (inbox.claimWakeUp()) {
      thread.driver.signal();
    }
  }

  /** Returns the calls of io_uring_enter so far. */
  public long enterCount() {
    return thread.driver.enterCount();
  }

  /** Returns what it has done so far. */
  public ReactorStats stats() {
    FiberScheduler scheduler = thread.loop.work instanceof FiberScheduler work ? work : null;
    return new ReactorStats(
        thread.driver.enterCount(),
        thread.loop.completed.sum(),
        thread.driver.signalCount(),
        overflow.count(),
        overflow.refusedCount(),
        scheduler == null ? 0 : scheduler.refusedCount(),
        thread.loop.lateTimers.sum(),
        thread.slices.stallCount(),
        scheduler == null ? 0 : scheduler.pinnedWaitCount(),
        scheduler == null ? 0 : scheduler.lostTurnCount());
  }

  /** What the work marks its slices with. */
  Slices slices() {
    return thread.slices;
  }

  /**
   * Reserves operations at the kernel for a descriptor that may wait for others.
   *
   * @throws IOException if there are no more
   */
  void reserve(int operations) throws IOException {
    if (reservable.addAndGet(-operations) < 0) {
      unreserve(operations);
      throw new IOException(
          "more connections take a deeper ring, two for each: queueDepth=" + queueDepth);
    }
  }

  /** Undoes {@link #reserve}. */
  void unreserve(int operations) {
    reservable.addAndGet(operations);
  }

  /** Returns whether the kernel has a table for registered buffers. */
  public boolean hasFixedBuffers() {
    return thread.driver.hasFixedBuffers();
  }

  /**
   * Registers a region with the kernel, so that transfers in it need not map its pages each time.
   * All its memory is touched first, by the caller: that takes seconds per GiB of small pages, and
   * the reactor goes on meanwhile. It does not while the pages are pinned, which is shorter.
   *
   * @return 0, or the positive errno that the kernel refused with: ENOMEM where the limit of locked
   *     memory is too small, ENOSPC where all slots are taken
   */
  public int register(Region region) {
    return calls.register(region);
  }

  /**
   * Undoes {@link #register}; does nothing for a region that is not registered, as none is when the
   * reactor has ended.
   */
  public void unregister(Region region) {
    calls.unregister(region);
  }

  /**
   * Registers an open file with the kernel, so that operations on it need not look it up each time.
   * Waits for the reactor.
   *
   * @return 0; or why not as a positive errno, ENOSPC where too many are registered, ECANCELED
   *     where the reactor has ended. Operations go on without
   */
  public int registerFile(int descriptor) {
    return calls.registerFile(descriptor);
  }

  /**
   * Undoes {@link #registerFile}; does nothing for a file that is not registered, as all are when
   * the reactor has ended. Before the descriptor is closed: the kernel keeps the file open, and the
   * number becomes that of another one.
   */
  public void unregisterFile(int descriptor) {
    calls.unregisterFile(descriptor);
  }

  /** Waits for what the kernel has, fails the rest, and ends the thread. Twice does nothing. */
  @Override
  public void close() {
    if (isOwnThread()) {
      throw new IllegalStateException("the reactor would wait for itself");
    }
    thread.closing = true;
    thread.driver.signal();
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  // ---------------------------------------------------------------- its thread and fibers

  /**
   * Fires a timer once; one that is scheduled already, then instead.
   *
   * @throws IllegalStateException on a foreign thread
   */
  public void schedule(Timer timer, long delayNanos) {
    ownTimers().schedule(timer, delayNanos, 0);
  }

  /**
   * Fires a timer each time a period is over, until it is cancelled. Periods that the reactor
   * missed because it was busy are left out.
   *
   * @param periodNanos at least 1
   * @throws IllegalStateException on a foreign thread
   */
  public void schedulePeriodic(Timer timer, long periodNanos) {
    if (periodNanos < 1) {
      throw new IllegalArgumentException("at least 1: periodNanos=" + periodNanos);
    }
    ownTimers().schedule(timer, periodNanos, periodNanos);
  }

  /**
   * Has a timer not fire.
   *
   * @return false if it was not scheduled
   * @throws IllegalStateException on a foreign thread
   */
  public boolean cancel(Timer timer) {
    return ownTimers().cancel(timer);
  }

  private TimerWheel ownTimers() {
    if (!isOwnThread()) {
      throw new IllegalStateException(
          "timers belong to the reactor's thread: thread=" + Thread.currentThread().getName());
    }
    return thread.loop.timers;
  }

  /**
   * Turns the loop until a baton is posted: how the loop's own thread waits, and a fiber that
   * cannot leave it. Whoever posts from another thread calls {@link #wakeUp} then.
   *
   * @throws IllegalStateException if too many wait inside of each other; or as a failure of the
   *     ring, which ends the reactor
   */
  void runUntil(Baton baton) {
    boolean unused = runUntil(baton, Baton.FOREVER, null);
  }

  /** Lets others run while a task on the loop's own thread stays where it is. */
  void yieldNow(Baton notPosted) {
    if (nested < NESTED_MAX) {
      boolean unused = runUntil(notPosted, 0, null);
    }
  }

  /**
   * As {@link #runUntil(Baton)}, at most for a time, and until a task is cancelled. Takes one turn
   * at least.
   *
   * @param task the one that waits; may be null
   * @return whether it was posted
   */
  boolean runUntil(Baton baton, long timeoutNanos, Task task) {
    if (nested == NESTED_MAX) {
      throw new IllegalStateException("too many waits inside of each other: depth=" + nested);
    }
    LoopWait wait = waits[nested];
    long nanos = task == null ? timeoutNanos : Math.min(timeoutNanos, task.nanosLeft());
    wait.begin(baton, task, nanos <= 0);
    if (nanos > 0 && nanos != Baton.FOREVER) {
      schedule(wait, nanos);
    }
    nested++;
    try {
      do {
        boolean unused = thread.endAll();
        thread.loop.turn(wait);
      } while (!wait.isOver());
      // What goes on is a slice of its own.
      thread.slices.begin();
    } catch (IOException e) {
      throw new IllegalStateException("the reactor has failed", e);
    } finally {
      nested--;
      boolean unused = cancel(wait);
      wait.end();
    }
    return baton.isPosted();
  }
}
