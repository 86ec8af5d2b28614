package io.ewok.gds.allocator;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Where the shards of a node exchange magazines of one class: full ones for empty ones. Bounded;
 * what does not fit goes back to the slabs.
 *
 * <p>Threads: any. A magazine changes hands by one atomic exchange of a slot, after which nobody
 * else has it, so a slot that holds the same magazine again is no danger. Putting releases what the
 * giver wrote into the magazine, and what was done with the cells in it; taking acquires it.
 */
final class Depot {
  private static final int SLOTS = 8;

  private final AtomicReferenceArray<Magazine> filled = new AtomicReferenceArray<>(SLOTS);
  private final AtomicReferenceArray<Magazine> empty = new AtomicReferenceArray<>(SLOTS);

  /** Offers a magazine with handles in it; false if there is no slot for it. */
  boolean putFilled(Magazine magazine) {
    return put(filled, magazine);
  }

  /** Returns a magazine with handles in it, or null. */
  Magazine takeFilled() {
    return take(filled);
  }

  /** Offers an empty magazine for reuse; false if there is no slot for it. */
  boolean putEmpty(Magazine magazine) {
    return put(empty, magazine);
  }

  /** Returns an empty magazine, or null. */
  Magazine takeEmpty() {
    return take(empty);
  }

  private static boolean put(AtomicReferenceArray<Magazine> slots, Magazine magazine) {
    for (int i = 0; i < SLOTS; i++) {
      // Looking first keeps the cache line shared while there is nothing to do.
      if (slots.getOpaque(i) == null && slots.compareAndSet(i, null, magazine)) {
        return true;
      }
    }
    return false;
  }

  private static Magazine take(AtomicReferenceArray<Magazine> slots) {
    for (int i = 0; i < SLOTS; i++) {
      if (slots.getOpaque(i) != null) {
        Magazine magazine = slots.getAndSet(i, null);
        if (magazine != null) {
          return magazine;
        }
      }
    }
    return null;
  }
}
