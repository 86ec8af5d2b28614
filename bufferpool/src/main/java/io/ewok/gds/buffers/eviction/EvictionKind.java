package io.ewok.gds.buffers.eviction;

/** The policies that a buffer pool can have. */
public enum EvictionKind {
  /** A hand goes round; what was asked for since it last came by gets a second chance. */
  CLOCK;

  /**
   * A policy that knows of no resident slot yet.
   *
   * @param slotCount how many slots there are, at least 1
   */
  public EvictionPolicy create(int slotCount) {
    if (slotCount < 1) {
      throw new IllegalArgumentException("a cache has at least one slot: slotCount=" + slotCount);
    }
    return switch (this) {
      case CLOCK -> new ClockPolicy(slotCount);
    };
  }

  /** At most this many bytes of heap for each slot. */
  public int bytesPerSlot() {
    return switch (this) {
      case CLOCK -> 2;
    };
  }
}
