package io.ewok.gds.buffers;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The latch of one frame, in a word: who has it, whether somebody waits, and a version by which
 * those who only look find out that it was changed meanwhile. It never waits itself; that is {@link
 * PoolWaits}' work.
 *
 * <table>
 * <caption>Bits</caption>
 * <tr><th>bits</th><th>meaning</th></tr>
 * <tr><td>0</td><td>exclusive</td></tr>
 * <tr><td>1</td><td>somebody waits</td></tr>
 * <tr><td>2 to 21</td><td>how many have it shared</td></tr>
 * <tr><td>22 to 63</td><td>version, one more with each end of an exclusive latch; wraps</td></tr>
 * </table>
 *
 * <p>Threads: any.
 *
 * <p>The word lies among others, in {@link FrameLines}: who knows its place need not touch the
 * latch itself.
 */
sealed class Latch permits Frame {
  /*
   * A frame that is free or being read is latched exclusively, by the pool. So there is one rule for changes of the
   * content and of what the frame holds: both happen under the exclusive latch, and its end raises the version.
   *
   *   tryShared, tryExclusive  compare-and-set of the whole word. Whoever looked at what the frame holds between
   *                            reading the word and this knows that it holds the same still: the version would have
   *                            risen. Acquires; its partners are the releases of those who had it before.
   *   releaseShared/Exclusive  get-and-add. What was changed is visible to the next who latches or looks.
   *   stamp ... validate       acquiring read; reads of the page; fence; plain read. If the page's bytes came from a writer,
   *                            then that writer's exclusive bit, or a later version, is what the second read finds:
   *                            the writer's fence after tryExclusive keeps its bytes behind its bit.
   *   announce ... release     the waiter sets bit 1 in a word by which it has to wait, holding the partition's lock. The
   *                            release sees the bit, takes the partition's lock, clears it and wakes. If the release came
   *                            first, the word has changed and announce fails.
   */
  /** The word of a latch that begins. */
  static final long EXCLUSIVE = 1;

  private static final long WAITED_FOR = 2;
  private static final long ONE_SHARED = 4;
  private static final long ONE_VERSION = 1L << 22;
  private static final long SHARED = ONE_VERSION - ONE_SHARED;
  private static final long STAMP = -ONE_VERSION | EXCLUSIVE;
  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

  private final long[] words;
  private final int at;

  /** The latch whose word is at that place, among others. */
  Latch(long[] words, int at) {
    this.words = words;
    this.at = at;
  }

  /** The word now, for {@link #tryLatch}; what is read after it is no older. */
  final long look() {
    return look(words, at);
  }

  /** The same for whoever knows the word's place. */
  static long look(long[] words, int at) {
    return (long) WORD.getAcquire(words, at);
  }

  static boolean isLatched(long word, boolean forExclusive) {
    return (word & EXCLUSIVE) != 0
        || (forExclusive ? (word & SHARED) != 0 : (word & SHARED) == SHARED);
  }

  /**
   * Latches it, unless something has changed.
   *
   * @param seen by which it may be latched so
   * @return the word before: {@code seen} if it is latched now
   */
  final long tryLatch(long seen, boolean exclusive) {
    return tryLatch(words, at, seen, exclusive);
  }

  /** The same for whoever knows the word's place. */
  static long tryLatch(long[] words, int at, long seen, boolean exclusive) {
    long found =
        (long)
            WORD.compareAndExchange(
                words, at, seen, exclusive ? seen | EXCLUSIVE : seen + ONE_SHARED);
    if (exclusive) {
      VarHandle.storeStoreFence(); // partner: the fence in validate
    }
    return found;
  }

  /** Latches it if nobody's latch is in the way. */
  final boolean tryLatch(boolean exclusive) {
    long seen = look();
    while (!isLatched(seen, exclusive)) {
      long found = tryLatch(seen, exclusive);
      if (found == seen) {
        return true;
      }
      seen = found;
    }
    return false;
  }

  /** Latches it exclusively if nobody has it or waits for it. */
  final boolean tryClaim() {
    long seen = look();
    return isIdle(seen) && tryLatch(seen, true) == seen;
  }

  /** Returns the word after it. */
  final long release(boolean exclusive) {
    return release(words, at, exclusive);
  }

  /** The same for whoever knows the word's place. */
  static long release(long[] words, int at, boolean exclusive) {
    long change = exclusive ? ONE_VERSION - EXCLUSIVE : -ONE_SHARED;
    return (long) WORD.getAndAdd(words, at, change) + change;
  }

  /** Makes an exclusive latch a shared one. */
  final void share() {
    WORD.getAndAdd(words, at, ONE_VERSION - EXCLUSIVE + ONE_SHARED);
  }

  /**
   * Makes the release that ends a wait tell it. With the partition's lock.
   *
   * @return false if there is nothing to wait for
   */
  final boolean announce(boolean exclusive) {
    long seen = look();
    while (isLatched(seen, exclusive)) {
      long found = (long) WORD.compareAndExchange(words, at, seen, seen | WAITED_FOR);
      if (found == seen) {
        return true;
      }
      seen = found;
    }
    return false;
  }

  /** Says that nobody waits. With the partition's lock. */
  final void clearWaiters() {
    WORD.getAndBitwiseAnd(words, at, ~WAITED_FOR);
  }

  /** What {@link #validate} compares; if it is latched exclusively, not {@link #isStamp}. */
  final long stamp() {
    return stamp(look());
  }

  /** The same of a word that was looked at. */
  static long stamp(long word) {
    return word & STAMP;
  }

  static boolean isStamp(long stamp) {
    return (stamp & EXCLUSIVE) == 0;
  }

  /** Whether what was read since {@link #stamp} was changed by nobody meanwhile. */
  final boolean validate(long stamp) {
    return validate(words, at, stamp);
  }

  /** The same for whoever knows the word's place. */
  static boolean validate(long[] words, int at, long stamp) {
    VarHandle.acquireFence(); // partners: release, and the fence in tryLatch
    return (words[at] & STAMP) == stamp; // the fence has forgotten what it was before
  }

  /** Whether nobody has it, in a word returned by {@link #release}. */
  static boolean isFree(long word) {
    return (word & (EXCLUSIVE | SHARED)) == 0;
  }

  static boolean isWaitedFor(long word) {
    return (word & WAITED_FOR) != 0;
  }

  private static boolean isIdle(long word) {
    return (word & (EXCLUSIVE | SHARED | WAITED_FOR)) == 0;
  }

  /** Whether nobody has it or waits for it. */
  final boolean isIdle() {
    return isIdle(look());
  }

  final boolean isExclusive() {
    return (look() & EXCLUSIVE) != 0;
  }

  /** How many have it. */
  final int holders() {
    long seen = look();
    return (int) ((seen & SHARED) / ONE_SHARED) + (int) (seen & EXCLUSIVE);
  }

  /** Rises with each end of an exclusive latch, and wraps. */
  final long version() {
    return look() >>> 22;
  }
}
