package io.ewok.gds.buffers;

import io.ewok.gds.reactor.Monitor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The lock of a partition of the pool, and the waits for latches and for room that give it up.
 *
 * <p>Threads: any. Whoever waits looks at everything anew afterwards: a frame may hold something
 * else by then.
 */
final class PoolWaits {
  /*
   * Latches are taken and let go without the lock. So that nobody sleeps through that, a waiter says first that it
   * waits and then looks once more, while whoever lets go does so first and then looks whether somebody waits: in the
   * latch's word for the latch, in partitionsWanting for room. Both sides' two steps are in one order for all (get-and-add,
   * compare-and-set and volatile accesses), so one of them sees the other.
   */
  final Monitor lock = new Monitor();

  private final Monitor.Line roomMade = lock.newLine();
  private final long waitNanos;

  /** Of the whole pool, so that whoever lets go of something need not know where it lies. */
  private final AtomicInteger partitionsWanting;

  /** Whether this is one of them. Guarded by the lock. */
  private boolean roomWanted;

  /**
   * The waits of one partition.
   *
   * @param partitionsWanting how many partitions want room, the same for all of a pool
   */
  PoolWaits(long waitNanos, AtomicInteger partitionsWanting) {
    this.waitNanos = waitNanos;
    this.partitionsWanting = partitionsWanting;
  }

  /** When a wait that begins now has lasted too long; for those below. */
  long deadline() {
    return System.nanoTime() + waitNanos;
  }

  /** Lets go of a latch, without the lock, and tells those who wait. */
  void release(Frame frame, boolean exclusive) {
    if (mustWake(frame.release(exclusive), partitionsWanting)) {
      released(frame);
    }
  }

  /** Whether somebody may wait for what was let go of, whose latch's word is this now. */
  static boolean mustWake(long word, AtomicInteger partitionsWanting) {
    return Latch.isFree(word) && (Latch.isWaitedFor(word) || partitionsWanting.get() != 0);
  }

  /** Tells those who wait for a latch that was let go, or for room. Takes the lock. */
  void released(Frame frame) {
    lock.lock();
    try {
      wake(frame);
    } finally {
      lock.unlock();
    }
  }

  // What follows is called with the lock.

  /** Tells that a frame may be latched, or may go. */
  void wake(Frame frame) {
    frame.clearWaiters();
    if (frame.latchFreed != null) {
      frame.latchFreed.wakeAll();
    }
    wakeForRoom();
  }

  /** Tells that there may be room. */
  void wakeForRoom() {
    if (roomWanted) {
      roomWanted = false;
      partitionsWanting.decrementAndGet();
    }
    roomMade.wakeAll();
  }

  /**
   * Waits until a latch is let go, and gives the lock up meanwhile.
   *
   * @return false when time is up
   */
  boolean awaitLatch(Frame frame, boolean exclusive, long deadline) {
    return !frame.announce(exclusive) || await(latchFreed(frame), deadline);
  }

  /** The same, however long it takes. */
  void awaitLatch(Frame frame) {
    if (frame.announce(true)) {
      latchFreed(frame).await();
    }
  }

  /** Makes those wake the caller who make room from now on. It looks once more before it waits. */
  void wantRoom() {
    if (!roomWanted) {
      roomWanted = true;
      partitionsWanting.incrementAndGet();
    }
  }

  /**
   * Waits for room, after {@link #wantRoom}, and gives the lock up meanwhile.
   *
   * @return false when time is up
   */
  boolean awaitRoom(long deadline) {
    return await(roomMade, deadline);
  }

  private Monitor.Line latchFreed(Frame frame) {
    if (frame.latchFreed == null) {
      frame.latchFreed = lock.newLine();
    }
    return frame.latchFreed;
  }

  private static boolean await(Monitor.Line line, long deadline) {
    long left = deadline - System.nanoTime();
    return left > 0 && line.await(left);
  }
}
