package io.ewok.gds.pagestore;

import io.ewok.gds.reactor.Baton;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The thread that hands over what a cap has held back, when it becomes due.
 *
 * <p>Ownership: a {@link WorkDispatch}'s. The thread is there from the first limits to {@link
 * #close}.
 *
 * <p>Threads: any.
 */
final class Pacer implements WorkDispatch.Alarm {
  private final Baton wake = new Baton();

  /** When the thread awakes by itself, of meaning while it sleeps. */
  private volatile long wakesNanos = WorkQueue.NEVER;

  /** Whether it sleeps or is about to; who lowers this posts. */
  private final AtomicBoolean sleeping = new AtomicBoolean();

  private volatile boolean closed;

  /** Written under the dispatch's lock, before the thread starts. */
  private volatile WorkDispatch dispatch;

  private Thread thread;

  @Override
  public void start(WorkDispatch dispatch) {
    if (thread == null) {
      this.dispatch = dispatch;
      thread = Thread.ofPlatform().daemon().name("gds-io-pacer").start(this::pace);
    }
  }

  /**
   * The thread says when it awakes and then reads when the queue is due; here it is the other way
   * round. So one of the two sees the other.
   */
  @Override
  public void set() {
    WorkDispatch started = dispatch;
    if (started != null) {
      wakeIfDueBefore(started.queue().dueNanos());
    }
  }

  private void wakeIfDueBefore(long nanos) {
    if (nanos < wakesNanos && sleeping.compareAndSet(true, false)) {
      wake.post();
    }
  }

  private void pace() {
    WorkQueue queue = dispatch.queue();
    while (!closed) {
      dispatch.pump();
      wake.reset();
      long due = queue.dueNanos();
      wakesNanos = due;
      sleeping.set(true);
      if (!closed && queue.dueNanos() >= due) {
        if (due == WorkQueue.NEVER) {
          wake.await();
        } else {
          wake.await(Math.max(1, queue.untilNanos(due)));
        }
      }
      if (!sleeping.compareAndSet(true, false)) {
        wake.await(); // somebody posts, or has
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    wakeIfDueBefore(Long.MIN_VALUE);
    boolean interrupted = false;
    while (thread != null && thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
