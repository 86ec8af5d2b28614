package io.ewok.gds.lsm;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Contexts for gets: as many as were ever needed at once. Threads: any. */
final class ReadContexts {
  // Guarded by this.
  private final Deque<ReadContext> free = new ArrayDeque<>();
  private final List<ReadContext> all = new ArrayList<>();

  synchronized ReadContext take() {
    ReadContext context = free.pollFirst();
    if (context == null) {
      context = new ReadContext();
      all.add(context);
    }
    return context;
  }

  synchronized void give(ReadContext context) {
    free.addFirst(context);
  }

  /** Whether a thread is in a user's callback: it must not wait for that callback to end. */
  synchronized boolean isInConsumer(Thread thread) {
    return all.stream().anyMatch(context -> context.consumerThread == thread);
  }
}
