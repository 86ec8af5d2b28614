package io.ewok.gds.allocator;

/**
 * The 64 bits that name an allocation of a {@link SlabAllocator}.
 *
 * <table>
 * <caption>Bits, from the highest</caption>
 * <tr><th>bits</th><th>what</th><th>why</th></tr>
 * <tr><td>32</td><td>generation, never zero</td>
 *     <td>differs between any two allocations of one cell, until it has come round</td></tr>
 * <tr><td>20</td><td>slab, never zero</td>
 *     <td>unique in the process, so that a handle of another allocator is recognised</td></tr>
 * <tr><td>12</td><td>cell in the slab</td><td></td></tr>
 * </table>
 */
final class CellHandle {
  /** No handle: what an allocation returns when there is no room. */
  static final long NONE = 0;

  /** The generation that no handle has. */
  static final int NO_GENERATION = 0;

  static final int SLABS_MAX = 1 << 20;
  static final int CELLS_MAX = 1 << 12;

  private static final int CELL_BITS = 12;

  private CellHandle() {}

  static long of(int generation, int slab, int cell) {
    return (long) generation << 32 | slab << CELL_BITS | cell;
  }

  static int generation(long handle) {
    return (int) (handle >>> 32);
  }

  static int slab(long handle) {
    return (int) handle >>> CELL_BITS;
  }

  static int cell(long handle) {
    return (int) handle & (CELLS_MAX - 1);
  }

  /** Returns the handle that the same cell is issued under next. */
  static long next(long handle) {
    long next = handle + (1L << 32);
    return generation(next) == NO_GENERATION ? next + (1L << 32) : next;
  }

  static String toString(long handle) {
    return "0x" + Long.toHexString(handle);
  }
}
