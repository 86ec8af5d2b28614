package io.ewok.gds.allocator;

import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.locks.ReentrantLock;

/**
 * All slabs of the process by the number in their handles. Because numbers are unique among live
 * slabs, a handle finds its slab without knowing the allocator; because the generations of a number
 * go on where the slab before stopped, a handle from before is refused.
 *
 * <p>Threads: any. Entries change under the lock; {@link #find} takes no lock: whoever was given a
 * handle properly sees the entry that was written before the handle was made, and whoever was not
 * sees another slab or none, and generations that do not match.
 */
final class SlabTable {
  private static final ReentrantLock LOCK = new ReentrantLock();

  /** By number. Replaced by a larger copy; volatile so that the copy is seen complete. */
  private static Slab[] slabs = new Slab[64];

  /**
   * By number: the first generation of the next slab. Guarded by {@link #LOCK}, and volatile for
   * the sake of uniformity only.
   */
  private static volatile int[] generations = new int[slabs.length];

  private static final BitSet USED = new BitSet();

  static {
    // Number 0 would allow a handle equal to NONE.
    USED.set(0);
  }

  private SlabTable() {}

  /** Returns the slab that the handle names, or null: there is none, or none any more. */
  static Slab find(long handle) {
    int number = CellHandle.slab(handle);
    Slab[] table = slabs;
    return Integer.compareUnsigned(number, table.length) < 0 ? table[number] : null;
  }

  /** Takes a number for a new slab; returns -1 if all are taken. */
  static int claim() {
    LOCK.lock();
    try {
      int number = USED.nextClearBit(1);
      if (number == CellHandle.SLABS_MAX) {
        return -1;
      }
      USED.set(number);
      if (number == slabs.length) {
        generations = Arrays.copyOf(generations, number * 2);
        slabs = Arrays.copyOf(slabs, number * 2);
      }
      return number;
    } finally {
      LOCK.unlock();
    }
  }

  /** Returns the first generation for the slab with this number, just claimed. */
  static int firstGeneration(int number) {
    LOCK.lock();
    try {
      int generation = generations[number];
      return generation == CellHandle.NO_GENERATION ? 1 : generation;
    } finally {
      LOCK.unlock();
    }
  }

  /** Makes the slab known under its number. */
  static void enter(Slab slab) {
    LOCK.lock();
    try {
      slabs[slab.number] = slab;
    } finally {
      LOCK.unlock();
    }
  }

  /**
   * Forgets the slab; its number may be claimed anew.
   *
   * @param nextGeneration above that of every handle issued for the slab
   */
  static void remove(Slab slab, int nextGeneration) {
    LOCK.lock();
    try {
      slabs[slab.number] = null;
      generations[slab.number] = nextGeneration;
      USED.clear(slab.number);
    } finally {
      LOCK.unlock();
    }
  }
}
