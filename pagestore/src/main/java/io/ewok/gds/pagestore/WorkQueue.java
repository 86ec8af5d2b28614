package io.ewok.gds.pagestore;

import io.ewok.gds.reactor.Monitor;
import java.util.EnumMap;
import java.util.function.LongSupplier;

/**
 * The requests between those who submit and the device: decides which goes next, and when. Caps
 * ({@link Throttle}), then the log before all, then shares, and no more in flight than the depth.
 *
 * <p>A class whose cap is used up does not hold back the others. Shares count where classes
 * compete: they want what the same cap limits, or the last place in the device's queue (start-time
 * fair queuing, Goyal et al. 1996). What nobody else wants is not charged to a share.
 *
 * <p>A request that is dispatched late, because whoever polls was not scheduled in time, is charged
 * from when it was due, so that the rate holds; but not from more than {@link #CATCH_UP_NANOS} ago.
 *
 * <p>It waits for nothing: {@link #poll} returns null and {@link #dueNanos} says when to come
 * again. Bounded by its users, who own the requests in it.
 *
 * <p>Threads: any; one lock, held for a few comparisons.
 */
final class WorkQueue {
  /** The lateness that is made up for. More of it would come as a burst. */
  static final long CATCH_UP_NANOS = 100_000_000;

  /** Where nothing will be due by the passing of time alone. */
  static final long NEVER = Long.MAX_VALUE;

  /** What a small transfer costs of a share: the device is busy with it as with a larger one. */
  private static final int COST_BYTES_MIN = 4096;

  private final Monitor lock = new Monitor();
  private final LongSupplier clock;
  private final long origin;
  private final int depth;

  /** Whether there are limits. Written under the lock. */
  private volatile boolean limited;

  /** What follows is guarded by {@link #lock}. */
  private final Throttle throttle = new Throttle(ThrottleOptions.UNLIMITED);

  private final EnumMap<WorkClass, ClassQueue> queues = new EnumMap<>(WorkClass.class);

  /** The same, to be walked without an iterator. */
  private final ClassQueue[] inOrder;

  private ThrottleOptions options;
  private int inFlight;

  /** Since when there is a free place at the device. */
  private long freeNanos;

  /** The tag of the last request that was charged to a share. */
  private double currentTag;

  private long nextNanos = NEVER;

  /**
   * Creates an empty queue.
   *
   * @param depth requests in flight at once
   * @param clock nanoseconds, as {@link System#nanoTime}
   */
  WorkQueue(ThrottleOptions options, int depth, LongSupplier clock) {
    this.depth = depth;
    this.clock = clock;
    this.origin = clock.getAsLong();
    for (WorkClass work : WorkClass.values()) {
      queues.put(work, new ClassQueue());
    }
    inOrder = queues.values().toArray(ClassQueue[]::new);
    change(options);
  }

  private long now() {
    return clock.getAsLong() - origin;
  }

  /** Returns whether there are limits; without, nobody needs to come here. */
  boolean isLimited() {
    return limited;
  }

  /** Returns whether caps or a depth hold for such work: a lone transfer, too, has to come here. */
  boolean limits(WorkClass work, boolean write) {
    return limited && queues.get(work).isLimited(write);
  }

  ThrottleOptions options() {
    lock.lock();
    try {
      return options;
    } finally {
      lock.unlock();
    }
  }

  /** Changes the limits, for what waits as well. Poll afterwards: more may be due. */
  void change(ThrottleOptions options) {
    lock.lock();
    try {
      throttle.change(options, now());
      queues.forEach((work, queue) -> queue.change(options, options.of(work)));
      this.options = options;
      limited = !options.equals(ThrottleOptions.UNLIMITED);
    } finally {
      lock.unlock();
    }
  }

  /** Adds a request; it comes out of {@link #poll}. */
  void offer(IoRequest request) {
    lock.lock();
    try {
      ClassQueue queue = queues.get(request.workClass());
      request.queuedNanos = now();
      queue.add(request);
    } finally {
      lock.unlock();
    }
  }

  /** Takes back a request that has not come out; nothing is charged. False if it has come out. */
  boolean remove(IoRequest request) {
    lock.lock();
    try {
      return queues.get(request.workClass()).remove(request);
    } finally {
      lock.unlock();
    }
  }

  /** Returns the request to hand to the device now, or null. Tell {@link #finished} of its end. */
  IoRequest poll() {
    IoRequest best;
    IoThrottledEvent event = null;
    lock.lock();
    try {
      nextNanos = NEVER;
      if (inFlight >= depth) {
        return null; // who finishes will poll
      }
      long now = now();
      best = best(now);
      if (best != null) {
        event = start(best, now);
      }
    } finally {
      lock.unlock();
    }
    if (event != null) {
      event.commit();
    }
    return best;
  }

  private IoRequest best(long now) {
    IoRequest best = null;
    for (ClassQueue queue : inOrder) {
      if (!queue.hasCandidate()) {
        continue;
      }
      IoRequest candidate = older(due(queue, false, now), due(queue, true, now));
      if (candidate != null && (best == null || goesBefore(queue, best))) {
        best = candidate;
      }
      if (best != null && best.workClass() == WorkClass.LOG) {
        break;
      }
    }
    return best;
  }

  /** The first in a line if its caps admit it; otherwise notes when they will. */
  private IoRequest due(ClassQueue queue, boolean write, long now) {
    IoRequest first = queue.line(write).first();
    if (first == null) {
      return null;
    }
    long ready = throttle.readyNanos(first.workClass(), write);
    if (ready > now) {
      nextNanos = Math.min(nextNanos, ready);
      return null;
    }
    return first;
  }

  private static IoRequest older(IoRequest a, IoRequest b) {
    if (a == null || b == null) {
      return a == null ? b : a;
    }
    return b.queuedNanos < a.queuedNanos ? b : a;
  }

  private boolean goesBefore(ClassQueue queue, IoRequest best) {
    return queue.tag() < queues.get(best.workClass()).tag();
  }

  /** Returns what is to be recorded of it, or null. */
  private IoThrottledEvent start(IoRequest request, long now) {
    WorkClass work = request.workClass();
    ClassQueue queue = queues.get(work);
    boolean write = request.isWrite();
    if (work != WorkClass.LOG && isContended(queue, write)) {
      // Who had nothing to do, or was held back by its own cap, has fallen behind; it gets one turn
      // for that and has not saved up more.
      currentTag = Math.max(queue.tag(), currentTag);
      queue.charge(currentTag, Math.max(request.length(), COST_BYTES_MIN));
    }
    queue.remove(request);
    long ready = throttle.readyNanos(work, write);
    long free = Math.max(request.queuedNanos, Math.max(freeNanos, queue.freeNanos()));
    long due = Math.max(Math.max(ready, free), now - CATCH_UP_NANOS);
    long heldNanos = ready > free ? now - free : 0;
    IoThrottledEvent event = heldNanos == 0 ? null : event(work, write, heldNanos);
    throttle.charge(work, write, request.length(), due);
    queue.started(request.length(), heldNanos);
    inFlight++;
    request.dispatched = true;
    return event;
  }

  private IoThrottledEvent event(WorkClass work, boolean write, long heldNanos) {
    if (heldNanos < IoThrottledEvent.THRESHOLD_NANOS) {
      return null;
    }
    IoThrottledEvent event = new IoThrottledEvent();
    if (!event.isEnabled()) {
      return null;
    }
    event.workClass = work.name();
    event.waitedNanos = heldNanos;
    event.cap = throttle.lastPaid(work, write);
    return event;
  }

  /** Whether another class wants what this one takes. */
  private boolean isContended(ClassQueue queue, boolean write) {
    boolean lastPlace = inFlight + 1 >= depth;
    for (ClassQueue other : inOrder) {
      if (other != queue && (lastPlace ? other.waiting() > 0 : other.line(write).first() != null)) {
        return true;
      }
    }
    return false;
  }

  /** Tells that a request from {@link #poll} has ended. Poll afterwards. */
  void finished(IoRequest request) {
    lock.lock();
    try {
      request.dispatched = false;
      long now = now();
      if (inFlight == depth) {
        freeNanos = now;
      }
      inFlight--;
      queues.get(request.workClass()).finished(now);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Returns when {@link #poll} may return more by the passing of time, or {@link #NEVER}: a time of
   * this queue's own, see {@link #untilNanos}.
   */
  long dueNanos() {
    lock.lock();
    try {
      return nextNanos;
    } finally {
      lock.unlock();
    }
  }

  /** Returns nanoseconds from now to a time of this queue's; negative if that has passed. */
  long untilNanos(long dueNanos) {
    return dueNanos - now();
  }

  ClassStats stats(WorkClass work) {
    lock.lock();
    try {
      return queues.get(work).stats();
    } finally {
      lock.unlock();
    }
  }
}
