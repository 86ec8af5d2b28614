package io.ewok.gds.lsm.shard;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Calls that nobody uses at the moment, for those who wait for theirs at once.
 *
 * <p>Threads: any. Makes a call only where the places of a thread are empty.
 */
final class CallPool {
  private static final int PLACES = 256;

  /** Those that a thread looks at. */
  private static final int TRIES = 4;

  private final ShardedStore store;
  private final AtomicReferenceArray<ShardCall> idle = new AtomicReferenceArray<>(PLACES);

  CallPool(ShardedStore store) {
    this.store = store;
  }

  ShardCall take() {
    for (int i = 0; i < TRIES; i++) {
      int place = place(i);
      if (idle.getPlain(place) != null) {
        ShardCall call = idle.getAndSet(place, null);
        if (call != null) {
          return call;
        }
      }
    }
    return new ShardCall(store);
  }

  /** Gives back a call. One that has not come to its end is left to the collector. */
  void give(ShardCall call) {
    if (!call.isIdle()) {
      return;
    }
    for (int i = 0; i < TRIES; i++) {
      if (idle.compareAndSet(place(i), null, call)) {
        return;
      }
    }
  }

  private static int place(int attempt) {
    return (int) (Thread.currentThread().threadId() * TRIES + attempt) & (PLACES - 1);
  }
}
