package io.ewok.gds.pagestore;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Keeps the limits of an engine ({@link ThrottleOptions}): the requests that it is offered it hands
 * over as they become due. On whatever thread submits one or ends one, and when an alarm goes off
 * for those that a cap has held back. For engines; others have {@link IoEngine#setThrottle}.
 *
 * <p>Ownership: an engine's, which closes it. The requests are their owners'.
 *
 * <p>Threads: any.
 *
 * <pre>{@code
 * if (dispatch.isLimited() && request.kind() != IoRequest.Kind.SYNC) {
 *   dispatch.offer(request);   // comes back by the consumer
 *   dispatch.pump();
 * }
 * ...
 * boolean placeFree = dispatch.ended(request);
 * tellItsOwner(request);
 * if (placeFree) {
 *   dispatch.pump();
 * }
 * }</pre>
 */
public final class WorkDispatch implements AutoCloseable {
  /** In place of a time: nothing becomes due by waiting. */
  public static final long NEVER = WorkQueue.NEVER;

  /** Sees to it that somebody pumps in time. */
  public interface Alarm {
    /** There are limits; more than once, one thread at a time. */
    default void start(WorkDispatch dispatch) {}

    /** {@link #dueInNanos} may have changed: somebody is to pump then. Any thread. */
    void set();

    /** Nothing will become due any more. */
    default void close() {}
  }

  private final WorkQueue queue;
  private final Consumer<IoRequest> engine;
  private final Alarm alarm;

  /** Asks to pump since somebody began to; 0 while nobody does. */
  private final AtomicInteger asked = new AtomicInteger();

  /** Guarded by this. */
  private boolean closed;

  /**
   * Creates a dispatch without limits.
   *
   * @param depth requests that the engine has at once
   * @param clock nanoseconds, as {@link System#nanoTime}
   * @param engine takes requests without waiting, and may be called on any thread
   */
  public WorkDispatch(int depth, LongSupplier clock, Consumer<IoRequest> engine, Alarm alarm) {
    this.queue = new WorkQueue(ThrottleOptions.UNLIMITED, depth, clock);
    this.engine = engine;
    this.alarm = alarm;
  }

  WorkQueue queue() {
    return queue;
  }

  /** Changes the limits; what waits is subject to the new ones. After close it does nothing. */
  public void change(ThrottleOptions options) {
    synchronized (this) {
      if (closed) {
        return; // nothing may wait any more
      }
      if (!options.equals(ThrottleOptions.UNLIMITED)) {
        alarm.start(this);
      }
      queue.change(options);
    }
    pump();
  }

  /** Returns the limits. */
  public ThrottleOptions options() {
    return queue.options();
  }

  /** Returns whether there are limits; without, requests need not be offered. */
  public boolean isLimited() {
    return queue.isLimited();
  }

  /** Returns whether caps or a depth hold for such work: a lone transfer, too, is to be offered. */
  boolean limits(WorkClass work, boolean write) {
    return queue.limits(work, write);
  }

  /** Returns what a class of work has asked for, and how long it waited. */
  public ClassStats stats(WorkClass work) {
    return queue.stats(work);
  }

  /** Takes a request that is started and not to be lost. Pump afterwards. */
  public void offer(IoRequest request) {
    queue.offer(request);
  }

  /**
   * Takes back a request that was offered; nothing is charged.
   *
   * @return false if it was handed over, or never offered
   */
  public boolean withdraw(IoRequest request) {
    return queue.remove(request);
  }

  /**
   * Takes note of the end of a request, whether it was offered or not, before its owner is told.
   *
   * @return whether there is room for another: pump, after the owner was told
   */
  public boolean ended(IoRequest request) {
    boolean dispatched = request.dispatched;
    if (dispatched) {
      queue.finished(request);
    }
    return dispatched;
  }

  /**
   * Hands over all that is due. One thread at a time; others leave it more to do. So requests go in
   * order, and one that ends while it is handed over does not make this recursive.
   */
  public void pump() {
    if (asked.getAndIncrement() != 0) {
      return;
    }
    int done;
    do {
      done = asked.get();
      for (IoRequest request = queue.poll(); request != null; request = queue.poll()) {
        engine.accept(request);
      }
    } while (!asked.compareAndSet(done, 0));
    alarm.set();
  }

  /** Returns in how many nanoseconds there is something to pump, or {@link #NEVER}. */
  public long dueInNanos() {
    long due = queue.dueNanos();
    return due == NEVER ? NEVER : Math.max(0, queue.untilNanos(due));
  }

  /** Lifts all limits, so that nothing waits any more, and ends the alarm. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      queue.change(ThrottleOptions.UNLIMITED);
    }
    pump();
    alarm.close();
  }
}
