package io.ewok.gds.buffers.eviction;

/**
 * A set of positions that knows its greatest. A bit for each, above 64 of them a bit that tells
 * whether one is set, and so on up to a single word. Confined to one thread.
 */
final class PositionSet {
  private final long[][] levels;

  /** An empty set for positions from 0 to {@code limit} - 1. */
  PositionSet(int limit) {
    int depth = 1;
    for (int words = words(limit); words > 1; words = words(words)) {
      depth++;
    }
    this.levels = new long[depth][];
    int bits = limit;
    for (int level = 0; level < depth; level++) {
      bits = words(bits);
      levels[level] = new long[bits];
    }
  }

  void add(int position) {
    int bit = position;
    for (long[] level : levels) {
      level[bit >>> 6] |= 1L << bit;
      bit >>>= 6;
    }
  }

  void remove(int position) {
    int bit = position;
    for (long[] level : levels) {
      level[bit >>> 6] &= ~(1L << bit);
      if (level[bit >>> 6] != 0) {
        return;
      }
      bit >>>= 6;
    }
  }

  /** The greatest; undefined if the set is empty. */
  int last() {
    int word = 0;
    for (int level = levels.length - 1; level >= 0; level--) {
      word = (word << 6) + 63 - Long.numberOfLeadingZeros(levels[level][word]);
    }
    return word;
  }

  private static int words(int bits) {
    return Math.max(1, (bits + 63) >>> 6);
  }
}
