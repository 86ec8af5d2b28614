package io.ewok.gds.allocator;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * A lock that nobody waits for.
 *
 * <p>Threads: any. Entering acquires what leaving released: all that the lock guards.
 */
final class TryLock {
  /** The lock word has cache lines to itself, in the middle of this many words. */
  private static final int WORDS = 64;

  private static final int WORD = WORDS / 2;

  private final AtomicIntegerArray taken = new AtomicIntegerArray(WORDS);

  /** Enters if nobody is in; whoever does leaves again. */
  boolean tryEnter() {
    // Looking first keeps the cache line shared while somebody is in.
    return taken.getOpaque(WORD) == 0 && taken.compareAndSet(WORD, 0, 1);
  }

  void leave() {
    taken.setRelease(WORD, 0);
  }
}
