package io.ewok.gds.allocator;

import java.util.BitSet;

/**
 * Gives the blocks of all live {@link ReadArena}s of the process numbers of their own, so that a
 * handle of one arena is none of another. A number that comes back is used with generations above
 * all those it had before.
 *
 * <p>Threads: any.
 */
final class BlockNumbers {
  /** As many bits as a handle has for the number. */
  static final int BITS = 21;

  private static final BitSet USED = new BitSet();
  private static int generation;

  private BlockNumbers() {}

  /**
   * Numbers that follow one another, and what their generations come after.
   *
   * @param first the lowest number
   */
  record Range(int first, int count, int generation) {}

  /**
   * Takes numbers for the blocks of an arena.
   *
   * @throws IllegalStateException if so many are not to be had
   */
  static synchronized Range take(int count) {
    int first = USED.nextClearBit(0);
    for (int next = USED.nextSetBit(first);
        next >= 0 && next - first < count;
        next = USED.nextSetBit(first)) {
      first = USED.nextClearBit(next);
    }
    if (count > (1 << BITS) - first) {
      throw new IllegalStateException(
          "read arenas of one process have at most %d blocks: blocks=%d"
              .formatted(1 << BITS, count));
    }
    USED.set(first, first + count);
    return new Range(first, count, generation);
  }

  /**
   * Gives numbers back.
   *
   * @param highestGeneration that was used with these numbers, unsigned
   */
  static synchronized void giveBack(Range range, int highestGeneration) {
    USED.clear(range.first, range.first + range.count);
    if (Integer.compareUnsigned(highestGeneration, generation) > 0) {
      generation = highestGeneration;
    }
  }
}
