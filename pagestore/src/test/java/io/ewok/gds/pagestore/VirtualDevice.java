package io.ewok.gds.pagestore;

import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.LongSupplier;

/** A device on a virtual clock, fed from a work queue: each transfer takes a fixed time. */
final class VirtualDevice implements LongSupplier {
  /** A request that the queue gave out. */
  record Start(long nanos, WorkClass work, boolean write, int bytes) {}

  private record End(long nanos, IoRequest request) {}

  /** Called when a request has ended; may offer it again. */
  interface Ended {
    void ended(IoRequest request);
  }

  private final long serviceNanos;
  private final long origin;
  private final PriorityQueue<End> running =
      new PriorityQueue<>((a, b) -> Long.compare(a.nanos(), b.nanos()));
  private long now;
  private int runningMax;
  final List<Start> starts = new ArrayList<>();

  VirtualDevice(long serviceNanos, long origin) {
    this.serviceNanos = serviceNanos;
    this.origin = origin;
  }

  @Override
  public long getAsLong() {
    return origin + now;
  }

  long now() {
    return now;
  }

  int runningMax() {
    return runningMax;
  }

  /**
   * Runs up to a time, which is not included. A poll for what a cap has held back comes late by up
   * to {@code lateNanos}, as from a wheel of timers.
   */
  void run(WorkQueue queue, long untilNanos, long lateNanos, Ended ended) {
    while (true) {
      for (IoRequest request = queue.poll(); request != null; request = queue.poll()) {
        starts.add(new Start(now, request.workClass(), request.isWrite(), request.length()));
        running.add(new End(now + serviceNanos, request));
        runningMax = Math.max(runningMax, running.size());
      }
      long due = queue.dueNanos();
      long timer = Long.MAX_VALUE;
      if (due != WorkQueue.NEVER) {
        timer = now + queue.untilNanos(due);
        if (lateNanos > 0) {
          timer = (timer / lateNanos + 1) * lateNanos;
        }
      }
      long next = Math.min(timer, running.isEmpty() ? Long.MAX_VALUE : running.peek().nanos());
      if (next >= untilNanos) {
        now = untilNanos;
        return;
      }
      now = next;
      while (!running.isEmpty() && running.peek().nanos() <= now) {
        IoRequest request = running.poll().request();
        queue.finished(request);
        ended.ended(request);
      }
    }
  }
}
