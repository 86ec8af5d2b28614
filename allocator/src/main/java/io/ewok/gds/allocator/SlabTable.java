package io.ewok.gds.allocator;

import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.locks.ReentrantLock;

/**
 * All slabs of the process by the number in their handles. Because numbers are unique among live
 * slabs, a handle finds its slab without knowing the allocator; because the generations of a number
 * go on where the slab before stopped, a handle from before is refused.
 *
 * <p>Threads: any. Entries change under the lock. {@link #find} takes none and needs no fence,
 * since rows stay where they are: whoever was given a handle properly sees the entry that was
 * written before the handle was made, and whoever was not sees another slab or none, and
 * generations that do not match.
 */
final class SlabTable {
  private static final int ROW_BITS = 10;
  private static final int ROW_SLABS = 1 << ROW_BITS;
  private static final Slab[] EMPTY_ROW = new Slab[ROW_SLABS];

  private static final Slab[][] ROWS = new Slab[CellHandle.SLABS_MAX >> ROW_BITS][];

  private static final ReentrantLock LOCK = new ReentrantLock();

  // Guarded by LOCK.

  private static final BitSet USED = new BitSet();

  /** By number: more than any cell of an earlier slab was freed. */
  private static final int[][] FREES = new int[ROWS.length][];

  static {
    Arrays.fill(ROWS, EMPTY_ROW);
    // Number 0 would allow a handle equal to NONE.
    USED.set(0);
  }

  private SlabTable() {}

  /** Returns the slab that the handle names, or null: there is none, or none any more. */
  static Slab find(long handle) {
    int number = CellHandle.slab(handle);
    return ROWS[number >>> ROW_BITS][number & (ROW_SLABS - 1)];
  }

  /** Takes a number for a new slab; returns -1 if all are taken. */
  static int claim() {
    LOCK.lock();
    try {
      int number = USED.nextClearBit(0);
      if (number == CellHandle.SLABS_MAX) {
        return -1;
      }
      USED.set(number);
      int row = number >>> ROW_BITS;
      if (FREES[row] == null) {
        FREES[row] = new int[ROW_SLABS];
        ROWS[row] = new Slab[ROW_SLABS];
      }
      return number;
    } finally {
      LOCK.unlock();
    }
  }

  /** Returns how many frees the cells of a slab count from; the number has just been claimed. */
  static int firstFrees(int number) {
    LOCK.lock();
    try {
      return FREES[number >>> ROW_BITS][number & (ROW_SLABS - 1)];
    } finally {
      LOCK.unlock();
    }
  }

  /** Makes the slab known under its number. */
  static void enter(Slab slab) {
    LOCK.lock();
    try {
      ROWS[slab.number >>> ROW_BITS][slab.number & (ROW_SLABS - 1)] = slab;
    } finally {
      LOCK.unlock();
    }
  }

  /** Forgets the slab, whose cells nobody frees any more; its number may be claimed anew. */
  static void remove(Slab slab) {
    LOCK.lock();
    try {
      int row = slab.number >>> ROW_BITS;
      int index = slab.number & (ROW_SLABS - 1);
      ROWS[row][index] = null;
      FREES[row][index] = slab.freesAtEnd();
      USED.clear(slab.number);
    } finally {
      LOCK.unlock();
    }
  }
}
