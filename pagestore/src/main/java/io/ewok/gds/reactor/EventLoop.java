package io.ewok.gds.reactor;

import io.ewok.gds.ffm.Errno;
import java.io.IOException;
import java.util.concurrent.atomic.LongAdder;

/**
 * The order of one turn: what arrived, timers, tasks and fibers, operations that wait for room, the
 * kernel, and what it has ended.
 *
 * <p>Threads: confined to the reactor's, its fibers included. A turn may be taken inside of a
 * callback of another one; so whatever is taken is taken one at a time, and nothing is held over a
 * callback.
 *
 * <p>Errors: what a callback throws leaves {@link #turn} and ends the reactor; {@link #endAll} and
 * further turns then tell everybody. An {@link IOException} means that the driver is lost.
 */
final class EventLoop {
  /** Slices of work between two looks at the device. */
  private static final int SLICES_MAX = 64;

  final LoopDriver driver;
  final LoopWork work;
  final TimerWheel timers;
  private final Inbox inbox;

  /*
   * Completions are taken a few at a time, with new entries handed over in between: taking all of
   * them first lets the device run empty.
   */
  private final int reapMax;

  private final MessageQueue arrived = new MessageQueue();

  private final Slices slices;
  private final Overflow waiting;

  /** Taken from those that wait, and not told yet. */
  private final MessageQueue cancelled = new MessageQueue();

  /** Whether {@link RingOperation#cancelRequested} of some operation was set. Any thread. */
  private volatile boolean cancelPending;

  /** Written by the loop, read by any. */
  final LongAdder lateTimers = new LongAdder();

  final LongAdder completed = new LongAdder();

  /** Why nothing more is taken; null while all is well. */
  private Throwable ending;

  EventLoop(
      LoopDriver driver,
      LoopWork work,
      TimerWheel timers,
      Inbox inbox,
      Overflow waiting,
      Slices slices,
      int reapMax) {
    this.driver = driver;
    this.work = work;
    this.timers = timers;
    this.inbox = inbox;
    this.waiting = waiting;
    this.slices = slices;
    this.reapMax = reapMax;
  }

  /**
   * Does what there is to do, or sleeps until there is something.
   *
   * @param until if it is over, the turn does not sleep; may be null
   */
  void turn(LoopWait until) throws IOException {
    slices.end();
    takeArrived();
    fireTimers();
    cancelRequested();
    boolean more = runWork();
    startWaiting();
    if (!more && mayWait() && inbox.prepareToSleep()) {
      if (isIdle() && !cancelPending && (until == null || !until.isOver())) {
        sleep();
      } else {
        driver.flush(false);
      }
      inbox.awake();
    } else {
      driver.flush(more);
    }
    reap();
  }

  /** A fiber that waits pinned keeps its thread, on which no other fiber can be mounted then. */
  private static boolean canRunWork() {
    return !Thread.currentThread().isVirtual();
  }

  private boolean isIdle() {
    return work.isIdle() || !canRunWork();
  }

  private void sleep() throws IOException {
    work.leave();
    try {
      driver.flushAndWait(idleNanos());
    } finally {
      slices.begin();
      work.enter();
      slices.end();
    }
  }

  private boolean runWork() {
    if (!canRunWork()) {
      return false;
    }
    slices.begin();
    boolean more = work.run(SLICES_MAX);
    slices.end();
    return more;
  }

  private boolean mayWait() {
    return !driver.hasEnded() && (waiting.isEmpty() || !driver.hasRoom());
  }

  private long idleNanos() {
    return timers.isEmpty() ? LoopDriver.FOREVER : timers.idleNanos(timers.nowNanos());
  }

  private void fireTimers() {
    if (timers.isEmpty()) {
      return;
    }
    long now = timers.nowNanos();
    Timer timer;
    while ((timer = timers.poll(now)) != null) {
      if (now - timer.firedDeadlineNanos > 2 * timers.tickNanos()) {
        lateTimers.increment();
      }
      slices.begin();
      timer.fired();
      slices.end();
    }
  }

  private void takeArrived() {
    arrived.addAll(inbox.takeAll());
    while (!arrived.isEmpty()) {
      Message message = arrived.removeFirst();
      if (message instanceof RingOperation operation) {
        waiting.addLast(operation);
      } else if (message instanceof LoopCall call) {
        run(call);
      } else {
        work.accept(message);
      }
    }
  }

  /** What a call throws is told to whoever waits for it. */
  private void run(LoopCall call) {
    slices.begin();
    try {
      call.run();
    } catch (RuntimeException | Error e) {
      call.refused(e);
    }
    slices.end();
  }

  /**
   * Takes an operation of the loop's own thread, which has a place. Returns false if the reactor
   * ends.
   */
  boolean submit(RingOperation operation) {
    if (ending != null) {
      return false;
    }
    waiting.addLast(operation);
    return true;
  }

  private void startWaiting() {
    while (!waiting.isEmpty() && driver.hasRoom()) {
      RingOperation operation = waiting.removeFirst();
      if (operation.cancelRequested) {
        end(operation, -Errno.ECANCELED);
      } else {
        driver.tryStart(operation);
      }
    }
    waiting.giveBack();
  }

  /**
   * Ends an operation early, if it has not ended. Any thread; a foreign one wakes the loop then.
   */
  void cancel(RingOperation operation) {
    // What the loop reads after it has lowered the second, it has to see of the first.
    operation.cancelRequested = true;
    cancelPending = true;
  }

  private void cancelRequested() throws IOException {
    if (cancelPending) {
      cancelPending = false;
      waiting.moveCancelled(cancelled);
      if (!driver.cancelRequested()) {
        cancelPending = true;
      }
    }
    while (!cancelled.isEmpty()) {
      end((RingOperation) cancelled.removeFirst(), -Errno.ECANCELED);
    }
  }

  private void reap() throws IOException {
    for (int count = 0; count < reapMax; count++) {
      RingOperation operation = driver.take();
      if (operation == null) {
        return;
      }
      end(operation, operation.outcome);
    }
  }

  private void end(RingOperation operation, int result) {
    boolean again;
    completed.increment();
    slices.begin();
    try {
      again = operation.completed(result);
    } catch (RuntimeException | Error e) {
      operation.failed(e, false);
      throw e;
    }
    slices.end();
    if (again) {
      waiting.addFirst(operation);
    }
  }

  /**
   * Fails what the kernel does not have, cancels what waits for other machines and processes, and
   * ends tasks. Turns go on until it returns true, so that the kernel can end what it has.
   *
   * @param cause why; the same in each call
   * @return whether all has ended
   */
  boolean endAll(Throwable cause) {
    if (ending == null) {
      ending = cause;
      arrived.addAll(inbox.close());
      driver.cancelWaits();
      cancelPending = true;
    }
    while (!arrived.isEmpty()) {
      Message message = arrived.removeFirst();
      if (message instanceof RingOperation operation) {
        waiting.addLast(operation);
      } else if (message instanceof LoopCall call) {
        call.refused(cause);
      } else {
        work.accept(message);
      }
    }
    while (!waiting.isEmpty()) {
      waiting.removeFirst().failed(cause, false);
    }
    waiting.close();
    return work.endAll(cause) && cancelled.isEmpty() && driver.inFlight() == 0;
  }
}
