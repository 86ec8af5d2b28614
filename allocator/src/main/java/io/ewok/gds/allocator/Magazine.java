package io.ewok.gds.allocator;

/**
 * A stack of ready-made handles of free cells of one class and node: a {@code long[]} whose first
 * entry says how many there are. An array without an object around it, because every allocation and
 * every free goes through one.
 *
 * <p>The generation in a handle is the one that its cell is issued under next.
 *
 * <p>Threads: a magazine is confined to whoever has it, a shard or the thread that just took it out
 * of a {@link Depot}.
 */
final class Magazine {
  /** Both full and empty, so that whoever finds it in its place goes the slow way. */
  static final long[] NONE = {0};

  private Magazine() {}

  static long[] create(int capacity) {
    return new long[1 + capacity];
  }

  static int count(long[] magazine) {
    return (int) magazine[0];
  }

  static int room(long[] magazine) {
    return magazine.length - 1 - count(magazine);
  }

  static boolean isEmpty(long[] magazine) {
    return magazine[0] == 0;
  }

  static boolean isFull(long[] magazine) {
    return room(magazine) == 0;
  }

  /** Adds a handle if there is room; returns whether there was. */
  static boolean push(long[] magazine, long handle) {
    int count = count(magazine) + 1;
    // Unsigned, because that is the comparison which the access implies anyway.
    if (Integer.compareUnsigned(count, magazine.length) >= 0) {
      return false;
    }
    magazine[count] = handle;
    magazine[0] = count;
    return true;
  }

  /** Removes the handle that was added last; returns {@link CellHandle#NONE} if there is none. */
  static long pop(long[] magazine) {
    int count = count(magazine);
    long handle = magazine[count];
    // An empty magazine yields its count, 0, which is NONE: one check less.
    if (handle != CellHandle.NONE) {
      magazine[0] = count - 1L;
    }
    return handle;
  }

  /** Moves up to {@code max} handles into an array; returns how many. */
  static int popAll(long[] magazine, long[] handles, int from, int max) {
    int taken = Math.min(count(magazine), max);
    int left = count(magazine) - taken;
    System.arraycopy(magazine, left + 1, handles, from, taken);
    magazine[0] = left;
    return taken;
  }
}
