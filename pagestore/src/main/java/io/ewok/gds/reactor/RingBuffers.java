package io.ewok.gds.reactor;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.ffm.Errno;
import java.util.Arrays;

/**
 * The regions that are registered with a ring, each in a slot of the kernel's table. Found by hash,
 * since each transfer asks.
 *
 * <p>Threads: confined to the ring's.
 */
final class RingBuffers {
  /** Regions that can be registered at once. */
  private static final int SLOTS = 64;

  private static final int TABLE_MASK = 4 * SLOTS - 1;

  private final Ring ring;
  private final boolean supported;
  private final Region[] slots = new Region[SLOTS];

  /** Open addressing by identity; free places have slot -1. Rebuilt when a region leaves. */
  private final byte[] table = new byte[TABLE_MASK + 1];

  RingBuffers(Ring ring) {
    this.ring = ring;
    supported = ring.makeBufferTable(SLOTS) == 0;
    Arrays.fill(table, (byte) -1);
  }

  boolean supported() {
    return supported;
  }

  /** Returns 0, or the positive errno of the refusal. */
  int register(Region region) {
    if (!supported) {
      return Errno.EOPNOTSUPP;
    }
    for (int slot = 0; slot < SLOTS; slot++) {
      if (slots[slot] == null) {
        int result = ring.setBuffer(slot, region.address(), region.sizeBytes());
        if (result == 0) {
          slots[slot] = region;
          place(slot);
        }
        return -result;
      }
    }
    return Errno.ENOSPC;
  }

  /** Does nothing for a region that is not registered. */
  void unregister(Region region) {
    int slot = slotOf(region);
    if (slot >= 0) {
      slots[slot] = null;
      ring.setBuffer(slot, 0, 0);
      Arrays.fill(table, (byte) -1);
      for (int other = 0; other < SLOTS; other++) {
        if (slots[other] != null) {
          place(other);
        }
      }
    }
  }

  /** Returns the region's slot in the kernel's table, or -1. */
  int slotOf(Region region) {
    int at = System.identityHashCode(region) & TABLE_MASK;
    int slot = table[at];
    while (slot >= 0 && slots[slot] != region) {
      at = at + 1 & TABLE_MASK;
      slot = table[at];
    }
    return slot;
  }

  private void place(int slot) {
    int at = System.identityHashCode(slots[slot]) & TABLE_MASK;
    while (table[at] >= 0) {
      at = at + 1 & TABLE_MASK;
    }
    table[at] = (byte) slot;
  }
}
