package io.ewok.gds.bench;

/** Keeps a number of blocks live and replaces a random one at each step. */
final class Churn {
  /** How many sizes are drawn before they repeat: a power of two that fits the nearest cache. */
  static final int SIZES = 4096;

  /** Knuth's multiplier for numbers modulo 2^64; with an odd increment all of them come up. */
  private static final long MULTIPLIER = 6_364_136_223_846_793_005L;

  private final Contender.Slots slots;
  private final int[] sizes;
  private final int[] liveBytes;
  private final int liveBits;
  private long random = 1;

  /**
   * Creates a churn over empty slots.
   *
   * @param sizes {@link #SIZES} sizes in bytes
   * @param live how many blocks, a power of two
   */
  Churn(Contender.Slots slots, int[] sizes, int live) {
    this.slots = slots;
    this.sizes = sizes.clone();
    this.liveBytes = new int[live];
    this.liveBits = Integer.numberOfTrailingZeros(live);
  }

  /** Fills all slots. */
  void fill() {
    for (int slot = 0; slot < liveBytes.length; slot++) {
      allocate(slot, sizes[slot % SIZES]);
    }
  }

  /** Frees a random slot and fills it again. Returns the slot. */
  int step() {
    random = random * MULTIPLIER + 1;
    int slot = (int) (random >>> (Long.SIZE - liveBits));
    int bytes = sizes[(int) (random >>> 20) & (SIZES - 1)];
    slots.free(slot);
    allocate(slot, bytes);
    return slot;
  }

  /** A step that also writes all of the new block, as its user would. */
  void stepWriting() {
    int slot = step();
    slots.write(slot, liveBytes[slot]);
  }

  private void allocate(int slot, int bytes) {
    slots.allocate(slot, bytes);
    liveBytes[slot] = bytes;
  }

  /** Empties all slots. */
  void drain() {
    slots.freeAll(0, liveBytes.length);
  }

  /** Returns the bytes that were asked for by the blocks that are live. */
  long requestedBytes() {
    long bytes = 0;
    for (int live : liveBytes) {
      bytes += live;
    }
    return bytes;
  }
}
