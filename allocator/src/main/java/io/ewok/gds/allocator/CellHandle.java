package io.ewok.gds.allocator;

/**
 * The 64 bits that name an allocation of a {@link SlabAllocator}.
 *
 * <table>
 * <caption>Bits, from the highest</caption>
 * <tr><th>bits</th><th>what</th><th>why</th></tr>
 * <tr><td>32</td><td>generation</td>
 *     <td>differs between any two of 2^32 successive allocations of a cell</td></tr>
 * <tr><td>20</td><td>slab, never zero</td>
 *     <td>unique in the process, so that a handle of another allocator is recognised; and so that
 *     no handle is {@link #NONE}</td></tr>
 * <tr><td>12</td><td>cell in the slab</td><td></td></tr>
 * </table>
 *
 * <p>A generation counts the frees of its cell, but in large odd steps and from a start that
 * differs from cell to cell. So a handle that somebody made up, or took by mistake for another,
 * does not happen to be the one that its cell is issued under next.
 */
final class CellHandle {
  /** No handle: what an allocation returns when there is no room. */
  static final long NONE = 0;

  static final int SLABS_MAX = 1 << 20;
  static final int CELLS_MAX = 1 << 12;

  private static final int CELL_BITS = 12;

  /** From one generation of a cell to the next: 2^32 divided by the golden ratio, and odd. */
  static final int STEP = 0x9E37_79B9;

  /** {@code STEP * STEP_INVERSE == 1}, without the overflow. */
  static final int STEP_INVERSE = 0x144C_BC89;

  /** Spreads cells over the generations; any large odd number that is no near multiple of STEP. */
  private static final int SPREAD = 0x85EB_CA6B;

  private CellHandle() {}

  static long of(int generation, int slab, int cell) {
    return (long) generation << 32 | Integer.toUnsignedLong(place(slab, cell));
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

  private static int place(int slab, int cell) {
    return slab << CELL_BITS | cell;
  }

  /** Returns the generation of a cell that has been freed so many times. */
  static int generation(int frees, int slab, int cell) {
    return frees * STEP + place(slab, cell) * SPREAD;
  }

  /** Returns how many times a cell of this generation has been freed. */
  static int frees(int generation, int slab, int cell) {
    return (generation - place(slab, cell) * SPREAD) * STEP_INVERSE;
  }

  /** Returns the handle that the same cell is issued under next. */
  static long next(long handle) {
    return handle + ((long) STEP << 32);
  }

  static String toString(long handle) {
    return "0x" + Long.toHexString(handle);
  }
}
