package io.ewok.gds.allocator;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * 2 MiB of a region, cut into blocks of 64 KiB: what memory is taken from the system by, and
 * returned to it.
 *
 * <p>Threads: guarded by the growth lock of the heap, except where it says any.
 */
final class Unit {
  static final int BLOCKS = Integer.SIZE;
  static final int BYTES = BLOCKS * SizeClasses.BLOCK_BYTES;

  private final Region region;
  private final long address;

  /** In the region, in bytes. */
  private final long offset;

  /** Bit set: the block belongs to a slab. */
  private int used;

  /** Bit set: the block has belonged to a slab since the memory came from the system. */
  private int touched;

  /** By block; for operations, whose threads come without the lock. */
  private final AtomicReferenceArray<Slab> slabs = new AtomicReferenceArray<>(BLOCKS);

  Unit(Region region, long offset) {
    this.region = region;
    this.address = region.address();
    this.offset = offset;
  }

  /** Returns the region. Any thread. */
  Region region() {
    return region;
  }

  /** Returns the address of the region. Any thread. */
  long address() {
    return address;
  }

  /** Returns the offset of a block in the region, in bytes. Any thread. */
  long offset(int block) {
    return offset + (long) block * SizeClasses.BLOCK_BYTES;
  }

  /** Returns the slab that a block belongs to, or null. Any thread. */
  Slab slab(int block) {
    return slabs.getAcquire(block);
  }

  /** Returns the first of so many neighbouring blocks that are not used, or -1. */
  int find(int blocks) {
    int starts = ~used;
    for (int i = 1; i < blocks; i++) {
      starts &= ~used >>> i;
    }
    return starts == 0 ? -1 : Integer.numberOfTrailingZeros(starts);
  }

  /** Returns whether blocks are as they came from the system, zeroed. */
  boolean isZero(int first, int blocks) {
    return (touched & bits(first, blocks)) == 0;
  }

  /** Gives blocks to a slab. */
  void take(Slab slab) {
    int taken = bits(slab.firstBlock, slab.blocks);
    used |= taken;
    touched |= taken;
    set(slab, slab);
  }

  /** Takes the blocks back from a slab. */
  void giveBack(Slab slab) {
    used &= ~bits(slab.firstBlock, slab.blocks);
    set(slab, null);
  }

  private void set(Slab blocksOf, Slab value) {
    for (int i = 0; i < blocksOf.blocks; i++) {
      slabs.setRelease(blocksOf.firstBlock + i, value);
    }
  }

  boolean isUnused() {
    return used == 0;
  }

  private static int bits(int first, int count) {
    return (-1 >>> (Integer.SIZE - count)) << first;
  }
}
