package io.ewok.gds.bench;

/**
 * No allocator at all: each slot has its place for ever. It does what no allocator can avoid,
 * storing the block's name and touching its memory, and so shows how far a contender is from the
 * least possible.
 */
final class FloorContender implements Contender, Contender.Slots {
  /** About the mean of {@link SizeMix}: as many pages are touched as by a perfect allocator. */
  static final int MEAN_BYTES = 2560;

  private final int strideBytes;
  private final long base;
  private final long[] addresses;

  /**
   * Gives each slot its place.
   *
   * @param strideBytes from one place to the next; 0 if all are the same, which needs no memory
   */
  FloorContender(int slots, int strideBytes) {
    this.strideBytes = strideBytes;
    base = Malloc.allocate((long) slots * strideBytes + Long.BYTES);
    addresses = new long[slots];
  }

  @Override
  public Slots slots() {
    return this;
  }

  @Override
  public void allocate(int slot, int bytes) {
    long address = base + (long) slot * strideBytes;
    addresses[slot] = address;
    Malloc.touch(address);
  }

  @Override
  public void write(int slot, int bytes) {}

  @Override
  public void free(int slot) {
    if (addresses[slot] == 0) {
      throw new IllegalStateException("the slot is empty: slot=" + slot);
    }
    addresses[slot] = 0;
  }

  @Override
  public long usedBytes() {
    return -1;
  }

  @Override
  public long committedBytes() {
    return -1;
  }

  @Override
  public long residentBytes() {
    return -1;
  }

  @Override
  public void close() {
    Malloc.free(base);
  }
}
