package io.ewok.gds.lsm.shard;

import io.ewok.gds.reactor.Monitor;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Keeps plain writes of a shard and the epoch that has named their keys apart. Keys fall into
 * stripes by their hashes; any number of writers are in a stripe, or the epoch holds it.
 *
 * <p>One epoch at a time holds stripes, takes them in ascending order, and so do writers of several
 * keys: so nobody waits in a circle.
 *
 * <p>Threads: any. Where nobody holds a stripe, a write costs two atomic operations and no memory.
 */
final class KeyGuards {
  /*
   * A word counts the writers that are inside; the sign says that the stripe is held.
   *
   *   n       --enter-->  n + 1          compare-and-set, if not held
   *   n       --exit-->   n - 1          get-and-add; who is the last in a stripe that is held, wakes
   *   n       --hold-->   n | HELD       get-and-or; then the holder waits for n = 0
   *   HELD    --free-->   0              get-and-and; wakes writers
   *
   * What a writer did before exit is visible to the holder, what the holder did before free to
   * writers that enter. No wake-up is lost: who waits looks under the lock, who wakes has changed
   * the word before it takes the lock.
   */
  static final int STRIPES = 1 << 12;

  private static final int HELD = 1 << 31;

  /** Takes other bits than the shard does. */
  private static final long SPREAD = 0x9FB2_1C65_1E98_DF25L;

  private static final int SHIFT = Long.SIZE - 12;

  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(int[].class);

  private final int[] words = new int[STRIPES];
  private final Monitor lock = new Monitor();
  private final Monitor.Line freed = lock.newLine();
  private final Monitor.Line left = lock.newLine();

  /** Returns the stripe of a key with a hash. */
  static int stripe(long hash) {
    return (int) ((hash * SPREAD) >>> SHIFT);
  }

  /** Comes into a stripe to write; waits while it is held. To be followed by {@link #exit}. */
  void enter(int stripe) {
    while (true) {
      int word = (int) WORD.getVolatile(words, stripe);
      if (word < 0) {
        awaitFree(stripe);
      } else if (WORD.compareAndSet(words, stripe, word, word + 1)) {
        return;
      }
    }
  }

  private void awaitFree(int stripe) {
    lock.lock();
    try {
      while ((int) WORD.getVolatile(words, stripe) < 0) {
        freed.await();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Leaves a stripe; what was written is visible to who holds it next. */
  void exit(int stripe) {
    int before = (int) WORD.getAndAdd(words, stripe, -1);
    if (before - 1 == HELD) {
      lock.lock();
      try {
        left.wakeAll();
      } finally {
        lock.unlock();
      }
    }
  }

  /** The same for several stripes, ascending and each once. */
  void enter(int[] stripes) {
    for (int stripe : stripes) {
      enter(stripe);
    }
  }

  /** Leaves several. */
  void exit(int[] stripes) {
    for (int stripe : stripes) {
      exit(stripe);
    }
  }

  /**
   * Lets no writer into some stripes any more, and waits for those inside.
   *
   * @param stripes ascending, each once
   */
  void hold(int[] stripes) {
    for (int stripe : stripes) {
      int before = (int) WORD.getAndBitwiseOr(words, stripe, HELD);
      assert before >= 0 : "the stripe is held already: stripe=" + stripe;
      if (before > 0) {
        awaitEmpty(stripe);
      }
    }
  }

  private void awaitEmpty(int stripe) {
    lock.lock();
    try {
      while ((int) WORD.getVolatile(words, stripe) != HELD) {
        left.await();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Lets writers in again. */
  void free(int[] stripes) {
    for (int stripe : stripes) {
      int unused = (int) WORD.getAndBitwiseAnd(words, stripe, ~HELD);
    }
    lock.lock();
    try {
      freed.wakeAll();
    } finally {
      lock.unlock();
    }
  }
}
