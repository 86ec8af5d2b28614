package io.ewok.gds.allocator;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Where the shards of a node exchange magazines of one class: full ones for empty ones. Bounded;
 * what does not fit goes back to the slabs.
 *
 * <p>Threads: any. A magazine changes hands by one atomic exchange of a slot, after which nobody
 * else has it; that a slot can come to hold the same magazine again is therefore no danger. Putting
 * releases what the giver wrote into the magazine and did with its cells; taking acquires it.
 */
final class Depot {
  private static final int SLOTS = 4;

  private final AtomicReferenceArray<long[]> filled = new AtomicReferenceArray<>(SLOTS);
  private final AtomicReferenceArray<long[]> empty = new AtomicReferenceArray<>(SLOTS);

  /** Offers a magazine with handles in it; false if there is no slot for it. */
  boolean putFilled(long[] magazine) {
    return put(filled, magazine);
  }

  /** Returns a magazine with handles in it, or null. */
  long[] takeFilled() {
    return take(filled);
  }

  /** Offers an empty magazine for reuse; false if there is no slot for it. */
  boolean putEmpty(long[] magazine) {
    return put(empty, magazine);
  }

  /** Returns an empty magazine, or null. */
  long[] takeEmpty() {
    return take(empty);
  }

  /** Returns how many handles there are, a moment ago. */
  int count() {
    int count = 0;
    for (int i = 0; i < SLOTS; i++) {
      long[] magazine = filled.getAcquire(i);
      if (magazine != null) {
        count += Magazine.count(magazine);
      }
    }
    return count;
  }

  private static boolean put(AtomicReferenceArray<long[]> slots, long[] magazine) {
    for (int i = 0; i < SLOTS; i++) {
      // Looking first keeps the cache line shared while there is nothing to do.
      if (slots.getOpaque(i) == null && slots.compareAndSet(i, null, magazine)) {
        return true;
      }
    }
    return false;
  }

  private static long[] take(AtomicReferenceArray<long[]> slots) {
    for (int i = 0; i < SLOTS; i++) {
      if (slots.getOpaque(i) != null) {
        long[] magazine = slots.getAndSet(i, null);
        if (magazine != null) {
          return magazine;
        }
      }
    }
    return null;
  }
}
