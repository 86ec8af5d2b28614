package io.ewok.gds.allocator;

/**
 * 2 MiB of a region, cut into blocks of 64 KiB. The amount that memory is taken from the system and
 * returned to it by.
 *
 * <p>Threads: guarded by the growth lock of the heap.
 */
final class Unit {
  static final int BLOCKS = Integer.SIZE;
  static final int BYTES = BLOCKS * SizeClasses.BLOCK_BYTES;

  final Region region;

  /** In the region, in bytes. */
  private final long offset;

  /** Bit set: the block belongs to a slab. */
  private int used;

  Unit(Region region, long offset) {
    this.region = region;
    this.offset = offset;
  }

  /** Returns the offset of a block in the region, in bytes. */
  long offset(int block) {
    return offset + (long) block * SizeClasses.BLOCK_BYTES;
  }

  /** Takes neighbouring blocks, the first that fit. Returns the first of them, or -1. */
  int take(int blocks) {
    int starts = ~used;
    for (int i = 1; i < blocks; i++) {
      starts &= ~used >>> i;
    }
    if (starts == 0) {
      return -1;
    }
    int first = Integer.numberOfTrailingZeros(starts);
    used |= bits(first, blocks);
    return first;
  }

  /** Gives back blocks that were taken. */
  void giveBack(int first, int blocks) {
    used &= ~bits(first, blocks);
  }

  boolean isUnused() {
    return used == 0;
  }

  private static int bits(int first, int count) {
    return (-1 >>> (Integer.SIZE - count)) << first;
  }
}
