package io.ewok.gds.allocator;

/**
 * The sizes of cells that a {@link SlabAllocator} has: every 8 bytes from 16 to 128, then eight for
 * each doubling up to 2 KiB and sixteen up to 64 KiB. A request is served from the smallest class
 * it fits, so that less than an eighth of a cell over 64 bytes is unused, and less than a sixteenth
 * of one over 2 KiB: there are few of those, but they have most of the bytes.
 *
 * <p>Cells of 512 bytes and more whose size is a power of two are frames: each lies at a multiple
 * of its size. So does every cell at a multiple of the largest power of two that divides its size,
 * up to a cache line where slabs are coloured.
 */
final class SizeClasses {
  static final int CELL_BYTES_MIN = 16;
  static final int CELL_BYTES_MAX = 64 << 10;

  /** The unit that slabs are cut from the region in, and the largest alignment of a cell. */
  static final int BLOCK_BYTES = 64 << 10;

  static final int CACHE_LINE_BYTES = 64;

  /**
   * Smaller cells are coloured: their slabs start at different cache lines, so that the first cells
   * of many slabs do not all compete for the same sets of a cache.
   */
  static final int COLOURED_BELOW_BYTES = 512;

  /** How many colours there are; a coloured slab gives up one cache line less. */
  static final int COLOURS = 8;

  static final int COUNT = indexOf(CELL_BYTES_MAX) + 1;

  private static final int FINE_BYTES_LOG2 = 7;
  private static final int FINE_BYTES_MAX = 1 << FINE_BYTES_LOG2;
  private static final int FINE_COUNT = FINE_BYTES_MAX / 8 - 1;
  private static final int STEPS_LOG2 = 3;
  private static final int LARGE_BYTES_LOG2 = 11;
  private static final int LARGE_STEPS_LOG2 = 4;
  private static final int SMALL_COUNT =
      FINE_COUNT + ((LARGE_BYTES_LOG2 - FINE_BYTES_LOG2) << STEPS_LOG2);

  /** Of a slab at most one part in this many is left over behind its last cell. */
  private static final int LEFT_OVER_PART = 48;

  /** What the cells in a magazine amount to at most, unless that is less than two. */
  private static final int MAGAZINE_BYTES = 32 << 10;

  private static final int MAGAZINE_CELLS_MAX = 64;

  private static final int[] CELL_BYTES = new int[COUNT];
  private static final int[] BLOCKS = new int[COUNT];
  private static final int[] BLOCKS_MAX = new int[COUNT];

  static {
    for (int bytes = CELL_BYTES_MIN; bytes <= CELL_BYTES_MAX; bytes = next(bytes)) {
      int sizeClass = indexOf(bytes);
      CELL_BYTES[sizeClass] = bytes;
      BLOCKS[sizeClass] = fewestBlocks(bytes);
      BLOCKS_MAX[sizeClass] = Math.min(Unit.BLOCKS, CellHandle.CELLS_MAX * bytes / BLOCK_BYTES);
    }
  }

  private SizeClasses() {}

  /** Returns the smallest class whose cells hold so many bytes, 1 to {@link #CELL_BYTES_MAX}. */
  static int indexOf(int bytes) {
    int last = bytes - 1;
    if (last < FINE_BYTES_MAX) {
      return Math.max(0, (last >>> 3) - 1);
    }
    int doubling = Integer.SIZE - 1 - Integer.numberOfLeadingZeros(last);
    if (doubling < LARGE_BYTES_LOG2) {
      return FINE_COUNT + steps(last, doubling, FINE_BYTES_LOG2, STEPS_LOG2);
    }
    return SMALL_COUNT + steps(last, doubling, LARGE_BYTES_LOG2, LARGE_STEPS_LOG2);
  }

  /** Returns how many steps lie between the first doubling and a number in a later one. */
  private static int steps(int last, int doubling, int firstDoubling, int stepsLog2) {
    int step = (last >>> (doubling - stepsLog2)) & ((1 << stepsLog2) - 1);
    return ((doubling - firstDoubling) << stepsLog2) + step;
  }

  /**
   * Returns the smallest class whose cells hold so many bytes and all lie at multiples of the
   * alignment, a power of two up to {@link #BLOCK_BYTES}.
   */
  static int indexOf(int bytes, int alignmentBytes) {
    int rounded = (bytes + alignmentBytes - 1) & -alignmentBytes;
    return indexOf(
        alignmentBytes > CACHE_LINE_BYTES ? Math.max(rounded, COLOURED_BELOW_BYTES) : rounded);
  }

  /** Returns the size of the cells of a class. */
  static int cellBytes(int sizeClass) {
    return CELL_BYTES[sizeClass];
  }

  /** Returns how many blocks the smallest slab of a class has. */
  static int blocks(int sizeClass) {
    return BLOCKS[sizeClass];
  }

  /** Returns how many blocks a slab of a class can have at most. */
  static int blocksMax(int sizeClass) {
    return BLOCKS_MAX[sizeClass];
  }

  /** Returns how many cells a slab of so many blocks has. */
  static int cells(int sizeClass, int blocks) {
    int bytes = blocks * BLOCK_BYTES - colourBytes(sizeClass, COLOURS - 1);
    return Math.min(bytes / CELL_BYTES[sizeClass], CellHandle.CELLS_MAX);
  }

  /** Returns where in its first block the first cell of a slab lies, in bytes. */
  static int colourBytes(int sizeClass, int colour) {
    return CELL_BYTES[sizeClass] < COLOURED_BELOW_BYTES ? colour * CACHE_LINE_BYTES : 0;
  }

  /** Returns how many cells a magazine of a class holds. */
  static int magazineCapacity(int sizeClass) {
    return Math.clamp(MAGAZINE_BYTES / CELL_BYTES[sizeClass], 2, MAGAZINE_CELLS_MAX);
  }

  private static int next(int bytes) {
    if (bytes < FINE_BYTES_MAX) {
      return bytes + 8;
    }
    int stepsLog2 = bytes < 1 << LARGE_BYTES_LOG2 ? STEPS_LOG2 : LARGE_STEPS_LOG2;
    return bytes + (Integer.highestOneBit(bytes) >>> stepsLog2);
  }

  private static int fewestBlocks(int cellBytes) {
    int blocks = 1;
    while (blocks * BLOCK_BYTES % cellBytes > blocks * BLOCK_BYTES / LEFT_OVER_PART) {
      blocks++;
    }
    return blocks;
  }
}
