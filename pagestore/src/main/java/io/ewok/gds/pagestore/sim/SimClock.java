package io.ewok.gds.pagestore.sim;

import io.ewok.gds.reactor.Monitor;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.function.LongSupplier;

/**
 * A clock that stands still until somebody moves it, and then does what was due in between, in
 * order of time, and of one time in order of asking. Nanoseconds, from 0.
 *
 * <p>Threads: any. Events run on the thread that moves the clock, without a lock. With one thread
 * everything repeats exactly.
 *
 * <pre>{@code
 * SimClock clock = engine.clock();
 * engine.submit(request);      // takes its time
 * clock.advance(1_000_000);    // what ends within this millisecond ends now
 * }</pre>
 *
 * <p>Errors: what an event throws comes out of the call that ran it; later events stay.
 */
public final class SimClock implements LongSupplier {
  /** Something to be done at a time. */
  private record Event(long nanos, long number, Runnable action) {}

  private final Monitor lock = new Monitor();

  /** What follows is guarded by {@link #lock}. */
  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparingLong(Event::nanos).thenComparingLong(Event::number));

  private long now;
  private long count;

  /** Creates a clock that stands at 0. */
  public SimClock() {}

  SimClock(long nanos) {
    this.now = nanos;
  }

  /** Returns the time in nanoseconds. */
  @Override
  public long getAsLong() {
    lock.lock();
    try {
      return now;
    } finally {
      lock.unlock();
    }
  }

  /** Has something done when this much time has passed; at the next move, if none. */
  public void after(long nanos, Runnable action) {
    requireForward(nanos);
    lock.lock();
    try {
      events.add(new Event(now + nanos, count++, action));
    } finally {
      lock.unlock();
    }
  }

  /** Takes back {@link #after}. Returns false if it was done, or began, before. */
  public boolean cancel(Runnable action) {
    lock.lock();
    try {
      return events.removeIf(event -> event.action == action);
    } finally {
      lock.unlock();
    }
  }

  /** Moves on by this much time. */
  public void advance(long nanos) {
    requireForward(nanos);
    long until = getAsLong() + nanos;
    while (runNext(until)) {
      // What an event asks for within the time is done as well.
    }
    lock.lock();
    try {
      now = Math.max(now, until);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Moves on to the next event and does it.
   *
   * @return false if there is none, and nothing has changed
   */
  public boolean step() {
    return runNext(Long.MAX_VALUE);
  }

  private boolean runNext(long until) {
    Event next;
    lock.lock();
    try {
      next = events.peek();
      if (next == null || next.nanos > until) {
        return false;
      }
      events.remove();
      now = Math.max(now, next.nanos);
    } finally {
      lock.unlock();
    }
    next.action.run();
    return true;
  }

  private static void requireForward(long nanos) {
    if (nanos < 0) {
      throw new IllegalArgumentException("time goes forward: nanos=" + nanos);
    }
  }

  @Override
  public String toString() {
    return "nanos=" + getAsLong();
  }
}
