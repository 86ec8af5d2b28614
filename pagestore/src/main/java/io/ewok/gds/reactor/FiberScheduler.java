package io.ewok.gds.reactor;

import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Runs the tasks of a reactor, and where the JVM lets it the fibers that they are on: it is then
 * the executor of their threads, which continues them on the loop's thread. Elsewhere fibers are
 * ordinary virtual threads.
 *
 * <p>Threads: the loop's, its fibers included where they are run here; {@link #execute}, {@link
 * #post}, {@link #tryPost} and {@link #idle} are for any.
 */
final class FiberScheduler implements Executor, LoopWork {
  /*
   * A thread that cannot leave the loop's, having native code or a class initializer on its stack,
   * parks the loop's thread instead of itself. So that thread keeps a permit, by which the park
   * returns at once; the thread then sees that it was not mounted anew, and turns the loop in
   * place. Other waits may take the permit; StallWatch gives a new one to a thread that stands
   * still.
   */
  private static final System.Logger LOG = System.getLogger(FiberScheduler.class.getPackageName());

  /** Room for threads that others wake at once; what is beyond allocates. */
  private static final int FOREIGN = 1024;

  private static final VarHandle MOUNTED;

  static {
    try {
      MOUNTED =
          MethodHandles.lookup().findVarHandle(FiberScheduler.class, "mounted", Runnable.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  final Reactor reactor;
  final boolean reactorRuns;
  private final ReactorThread loop;
  private final Slices slices;
  private final FiberOptions options;

  /** Where fibers are ordinary virtual threads; null where the loop's thread runs them. */
  private final FiberTurn turn;

  /** Any thread: tasks that were accepted and have not started; continuations from elsewhere. */
  private final AtomicInteger accepted = new AtomicInteger();

  private final AtomicLong refused = new AtomicLong();

  /** Written by the loop's thread. */
  private final AtomicLong pinnedWaits = new AtomicLong();

  private final ContinuationQueue foreign = new ContinuationQueue(FOREIGN);

  /** Ordinary virtual threads that have become idle. Its flag is not used. */
  private final Inbox returned = new Inbox();

  /** Whether somebody waits for what is returned; raised before the loop looks, and sleeps. */
  private volatile boolean hungry;

  private volatile Throwable ending;

  /** Nothing runs here any more. */
  private volatile boolean ended;

  /** For {@link #running}. */
  private final ConcurrentMap<Runnable, Thread> threads = new ConcurrentHashMap<>();

  @SuppressWarnings("unused") // by MOUNTED
  private Runnable mounted;

  /** Confined. */
  private final ArrayDeque<Runnable> ready = new ArrayDeque<>();

  private final MessageQueue startable = new MessageQueue();

  /** Tasks from outside that need a fiber or memory. */
  private final MessageQueue waiting = new MessageQueue();

  private final MessageQueue idle = new MessageQueue();
  private final List<Fiber> fibers = new ArrayList<>();
  private final TaskMemory memory;
  private int busy;

  /** Of this turn. */
  private int slicesLeft;

  /** How often a thread was mounted. */
  private long mounts;

  private int alive;
  private boolean waitingFirst;
  private Task direct;

  /** Whose thread is being started. */
  private Fiber starting;

  FiberScheduler(Reactor reactor, FiberOptions options) {
    this.reactor = reactor;
    this.loop = reactor.thread();
    this.slices = reactor.slices();
    this.options = options;
    this.reactorRuns = options.reactorRuns();
    this.turn = reactorRuns ? null : new FiberTurn();
    this.memory = new TaskMemory(options);
  }

  // ---------------------------------------------------------------- any thread

  /** Returns whose fiber a thread is, or was started by; null if nobody's. */
  static FiberScheduler of(Thread thread) {
    if (FiberThreads.schedulerOf(thread) instanceof FiberScheduler scheduler) {
      return scheduler;
    }
    Fiber fiber = Fiber.of(thread);
    return fiber == null ? null : fiber.scheduler;
  }

  /** Continues a thread: called by whoever starts or wakes it. Neither throws nor waits. */
  @Override
  public void execute(Runnable continuation) {
    if (isHere() && !ended) {
      if (starting != null) {
        threads.put(continuation, starting.thread);
        starting = null;
      }
      ready.addLast(continuation);
    } else {
      foreign.add(continuation);
      // Either the loop's last look at the queue finds it, or this look at the flag.
      if (ended) {
        runLeftOver();
      } else {
        reactor.wakeUp();
      }
    }
  }

  private boolean isHere() {
    Thread current = Thread.currentThread();
    return current == loop || FiberThreads.schedulerOf(current) == this;
  }

  /** Threads that somebody's task started may outlive the reactor; they get threads to run on. */
  private synchronized void runLeftOver() {
    Runnable continuation;
    while ((continuation = foreign.poll()) != null) {
      Thread unused = Thread.ofPlatform().daemon().name("gds-left-over-fiber").start(continuation);
    }
  }

  /** As {@link Reactor#post}. */
  void post(Task task) {
    if (!post(task, true)) {
      throw new RejectedExecutionException(
          "the inbox is full and the reactor's own thread does not wait: inbox=" + options.inbox());
    }
  }

  /** As {@link Reactor#tryPost}. */
  boolean tryPost(Task task) {
    return post(task, false);
  }

  private boolean post(Task task, boolean wait) {
    Reactor from = Reactor.current();
    task.take(this, from != null && from.isOwnThread() ? from : null, from != null);
    task.counted = true;
    boolean room = accepted.incrementAndGet() <= options.inbox();
    if (!room && (!wait || Thread.currentThread() instanceof ReactorThread)) {
      accepted.decrementAndGet();
      refused.incrementAndGet();
      task.giveBack();
      return false;
    }
    task.senderWaits = !room;
    send(task);
    if (!room) {
      task.awaitAdmission();
    }
    return true;
  }

  /** As {@link Task#fork(Task)}: the task was taken already. */
  void fork(Task task) {
    task.counted = false;
    task.senderWaits = false;
    send(task);
  }

  private void send(Task task) {
    boolean sent;
    if (isHere()) {
      sent = ending == null;
      if (sent) {
        accept(task);
      }
    } else {
      sent = reactor.send(task);
    }
    if (!sent) {
      release(task);
      task.giveBack();
      throw reactor.ended();
    }
  }

  /** Returns tasks that were refused since there was no room, or no fiber. */
  long refusedCount() {
    return refused.get();
  }

  boolean isEnding() {
    return ending != null;
  }

  /** Returns how often a thread waited that could not leave the loop's thread. */
  long pinnedWaitCount() {
    return pinnedWaits.get();
  }

  /** Returns how often a fiber lost its turn. */
  long lostTurnCount() {
    return turn == null ? 0 : turn.lossCount();
  }

  @Override
  public boolean runs(Thread thread) {
    return FiberThreads.schedulerOf(thread) == this;
  }

  @Override
  public Thread running() {
    if (turn != null) {
      Thread holder = turn.holder();
      return holder == null ? loop : holder;
    }
    Runnable continuation = (Runnable) MOUNTED.getOpaque(this);
    Thread thread = continuation == null ? null : threads.get(continuation);
    return thread == null ? loop : thread;
  }

  /** A fiber has nothing to do, or has ended; called on it, as its last act with its task. */
  void idle(Fiber fiber) {
    if (reactorRuns) {
      takeBack(fiber);
      startAnother();
    } else {
      boolean unused = returned.push(fiber);
      if (hungry) {
        reactor.wakeUp();
      }
    }
  }

  // ---------------------------------------------------------------- whoever runs

  @Override
  public void leave() {
    if (turn != null) {
      turn.leave();
    }
  }

  @Override
  public void enter() {
    if (turn != null) {
      turn.enter();
    }
  }

  /** Lets others run. On a fiber. */
  @SuppressWarnings("ThreadPriorityCheck") // of a fiber: it goes to the end of the reactor's queue
  void yieldNow() {
    leave();
    Thread.yield();
    enter();
  }

  /**
   * Parks a thread that the reactor runs.
   *
   * @return null; or the loop's thread if this one cannot leave it, and has to turn the loop
   */
  ReactorThread park(Object blocker, long nanos) {
    long before = mounts;
    if (nanos == Baton.FOREVER) {
      LockSupport.park(blocker);
    } else {
      Fiber.parkNanos(blocker, nanos);
    }
    return mounts == before && isPinned() ? loop : null;
  }

  /** For a thread that parked and was not mounted anew; it may have had a permit. */
  @SuppressWarnings("ThreadPriorityCheck") // of a fiber
  private boolean isPinned() {
    if (ended) {
      return false; // and others run what is left over
    }
    long before = mounts;
    Thread.yield();
    if (mounts != before) {
      return false;
    }
    LockSupport.unpark(loop);
    if (pinnedWaits.incrementAndGet() == 1) {
      LOG.log(
          Level.WARNING,
          "a fiber waits with native code or a class initializer on its stack, so others cannot run"
              + " meanwhile: reactor="
              + loop.getName(),
          new Throwable("waits here"));
    }
    return true;
  }

  // ---------------------------------------------------------------- the loop's thread

  /** Returns the task that the loop's thread itself is in; null if none. */
  Task direct() {
    return direct;
  }

  @Override
  public void accept(Message message) {
    Task task = (Task) message;
    if (task.arriveBack()) {
      return;
    }
    if (ending != null) {
      refuse(task, ending);
    } else if (task.fromReactor
        || (task.kind == Task.Kind.DIRECT && task.scratchSize == Task.Scratch.NONE)) {
      startable.addLast(task);
    } else {
      waiting.addLast(task);
    }
  }

  @Override
  public boolean run(int slicesMax) {
    if (turn != null) {
      turn.pass();
      takeReturned();
    }
    slicesLeft = slicesMax;
    while (slicesLeft > 0) {
      Runnable continuation = ready.pollFirst();
      if (continuation == null) {
        continuation = foreign.poll();
      }
      if (continuation != null) {
        slicesLeft--;
        mount(continuation);
      }
      Task task = nextToStart();
      if (task != null) {
        slicesLeft--;
        start(task);
      } else if (continuation == null) {
        return false;
      }
    }
    return true;
  }

  private void mount(Runnable continuation) {
    slices.begin();
    mounts++;
    MOUNTED.setOpaque(this, continuation);
    continuation.run();
    MOUNTED.setOpaque(this, (Runnable) null);
  }

  /**
   * On a fiber that has just become idle: if nothing but tasks wants to run, it gets the next one
   * and goes on without being left and mounted again.
   */
  private void startAnother() {
    if (ending != null || slicesLeft == 0 || !ready.isEmpty() || !foreign.isEmpty()) {
      return;
    }
    Task next = (Task) nextQueue().first();
    if (next != null && next.kind == Task.Kind.FIBER) {
      slicesLeft--;
      slices.begin();
      start(nextToStart());
    }
  }

  private Task nextToStart() {
    MessageQueue queue = nextQueue();
    waitingFirst = queue == startable;
    return (Task) queue.removeFirst();
  }

  /** The two queues take turns, so that neither starves the other. */
  private MessageQueue nextQueue() {
    return canStartWaiting() && (waitingFirst || startable.isEmpty()) ? waiting : startable;
  }

  private boolean canStartWaiting() {
    Task first = (Task) waiting.first();
    return first != null
        && memory.has(first.scratchSize)
        && (first.kind == Task.Kind.DIRECT || busy < options.count());
  }

  private void start(Task task) {
    release(task);
    boolean needsFiber = task.kind == Task.Kind.FIBER;
    if (needsFiber && busy >= options.max()) {
      refuse(task, new RejectedExecutionException("no fiber is free: max=" + options.max()));
      return;
    }
    if (!memory.has(task.scratchSize)) {
      refuse(
          task, new RejectedExecutionException("no memory is free: scratch=" + task.scratchSize));
      return;
    }
    try {
      task.scratch = memory.take(task.scratchSize);
      if (needsFiber) {
        Fiber fiber = (Fiber) idle.removeFirst();
        (fiber == null ? newFiber() : fiber).give(task);
        busy++;
        return;
      }
    } catch (RuntimeException | Error e) {
      // No memory for what is made at the first time.
      refuse(task, e);
      return;
    }
    runDirect(task);
  }

  private void runDirect(Task task) {
    MemorySegment scratch = task.scratch;
    Task.Scratch scratchSize = task.scratchSize;
    slices.begin();
    Task outer = direct;
    direct = task;
    Throwable thrown = task.execute(loop);
    direct = outer;
    memory.give(scratchSize, scratch);
    task.end(thrown);
  }

  private Fiber newFiber() {
    Fiber fiber = new Fiber(this, loop.getName() + "-fiber-" + fibers.size());
    starting = reactorRuns ? fiber : null;
    fiber.thread.start();
    fibers.add(fiber);
    alive++;
    return fiber;
  }

  /** The task does not wait for its start any more. */
  private void release(Task task) {
    if (task.counted) {
      task.counted = false;
      accepted.decrementAndGet();
    }
    if (task.senderWaits) {
      task.admit();
    }
  }

  private void refuse(Task task, Throwable why) {
    release(task);
    refused.incrementAndGet();
    task.end(why);
  }

  private void takeReturned() {
    Message fiber = returned.takeAll();
    while (fiber != null) {
      Message next = fiber.next;
      takeBack((Fiber) fiber);
      fiber = next;
    }
  }

  private void takeBack(Fiber fiber) {
    if (fiber.ended) {
      alive--;
      return;
    }
    busy--;
    memory.give(fiber.scratchSize, fiber.scratch);
    if (ending == null) {
      idle.addFirst(fiber);
    } else {
      fiber.give(null);
    }
  }

  @Override
  public boolean isIdle() {
    // Partner of idle(): the fiber returns, then looks at the flag; we raise it, then look.
    hungry = !reactorRuns && (ending != null || !waiting.isEmpty());
    return !hasEnded() // which endAll has to see
        && ready.isEmpty()
        && foreign.isEmpty()
        && startable.isEmpty()
        && !canStartWaiting()
        && returned.isEmpty();
  }

  /** Returns whether nothing is left to end. */
  private boolean hasEnded() {
    return ending != null && alive == 0 && direct == null && !ended;
  }

  @Override
  public boolean endAll(Throwable cause) {
    if (ending == null) {
      ending = cause;
      refuseAll(startable, cause);
      refuseAll(waiting, cause);
      for (Message fiber = idle.removeFirst(); fiber != null; fiber = idle.removeFirst()) {
        ((Fiber) fiber).give(null);
      }
      // They look at isEnding where a cancel would end them.
      for (Fiber fiber : fibers) {
        Baton.wake(fiber.thread);
      }
    }
    if (!hasEnded()) {
      return ended;
    }
    memory.close();
    ended = true;
    for (Runnable continuation = ready.pollFirst();
        continuation != null;
        continuation = ready.pollFirst()) {
      foreign.add(continuation);
    }
    runLeftOver();
    return true;
  }

  private void refuseAll(MessageQueue queue, Throwable cause) {
    while (!queue.isEmpty()) {
      refuse((Task) queue.removeFirst(), cause);
    }
  }
}
