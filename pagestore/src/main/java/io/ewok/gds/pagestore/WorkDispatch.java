package io.ewok.gds.pagestore;

import io.ewok.gds.reactor.Baton;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * Hands requests from a {@link WorkQueue} to an engine as they become due: on whatever thread
 * submits one or ends one, and on a thread of its own for those that a cap has held back.
 *
 * <p>Ownership: an engine's. The thread is there from the first limits to {@link #close}.
 *
 * <p>Threads: any.
 */
final class WorkDispatch implements AutoCloseable {
  private final WorkQueue queue;
  private final Consumer<IoRequest> engine;

  /** Asks to pump since somebody began to; 0 while nobody does. */
  private final AtomicInteger asked = new AtomicInteger();

  private final Baton wake = new Baton();

  /** When the thread awakes by itself, of meaning while it sleeps. */
  private volatile long wakesNanos = WorkQueue.NEVER;

  /** Whether it sleeps or is about to; who lowers this posts. */
  private final AtomicBoolean sleeping = new AtomicBoolean();

  /** Guarded by this. */
  private Thread pacer;

  private volatile boolean closed;

  /**
   * Creates a dispatch without limits.
   *
   * @param depth requests that the engine has at once
   * @param engine takes requests without waiting, and may be called on any thread
   */
  WorkDispatch(int depth, Consumer<IoRequest> engine) {
    this.queue = new WorkQueue(ThrottleOptions.UNLIMITED, depth, System::nanoTime);
    this.engine = engine;
  }

  WorkQueue queue() {
    return queue;
  }

  /** Changes the limits; what waits is subject to the new ones. */
  void change(ThrottleOptions options) {
    synchronized (this) {
      if (closed) {
        return; // nothing may wait any more
      }
      if (pacer == null && !options.equals(ThrottleOptions.UNLIMITED)) {
        pacer = Thread.ofPlatform().daemon().name("gds-io-pacer").start(this::pace);
      }
      queue.change(options);
    }
    pump();
  }

  /**
   * Hands over all that is due. One thread at a time; others leave it more to do. So requests go in
   * order, and one that ends while it is handed over does not make this recursive.
   */
  void pump() {
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
    // The pacer says when it awakes and then reads when the queue is due; here it is the other way
    // round. So one of the two sees the other.
    wakeIfDueBefore(queue.dueNanos());
  }

  private void wakeIfDueBefore(long nanos) {
    if (nanos < wakesNanos && sleeping.compareAndSet(true, false)) {
      wake.post();
    }
  }

  private void pace() {
    while (!closed) {
      pump();
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

  /** Lifts all limits, so that nothing waits any more, and ends the thread. */
  @Override
  public void close() {
    Thread ending;
    synchronized (this) {
      closed = true;
      queue.change(ThrottleOptions.UNLIMITED);
      ending = pacer;
    }
    pump();
    wakeIfDueBefore(Long.MIN_VALUE);
    boolean interrupted = false;
    while (ending != null && ending.isAlive()) {
      try {
        ending.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
