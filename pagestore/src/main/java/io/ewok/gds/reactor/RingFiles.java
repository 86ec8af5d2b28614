package io.ewok.gds.reactor;

import io.ewok.gds.ffm.Errno;
import java.util.Arrays;
import java.util.BitSet;

/**
 * The descriptors that are registered with a ring, each in a slot of the kernel's table, so that it
 * need not look for the open file each time. Found by descriptor, which are small numbers.
 *
 * <p>Threads: confined to the ring's.
 */
final class RingFiles {
  /** Files that can be registered at once; more are served without. */
  private static final int SLOTS = 1024;

  private final Ring ring;
  private final boolean supported;
  private final BitSet taken = new BitSet(SLOTS);

  /** By descriptor, the slot or -1. */
  private int[] slots = new int[0];

  RingFiles(Ring ring) {
    this.ring = ring;
    supported = ring.makeFileTable(SLOTS) == 0;
  }

  /** Returns 0, or the positive errno of the refusal. */
  int register(int descriptor) {
    if (!supported) {
      return Errno.EOPNOTSUPP;
    }
    int slot = taken.nextClearBit(0);
    if (slot == SLOTS) {
      return Errno.ENOSPC;
    }
    int result = ring.setFile(slot, descriptor);
    if (result == 0) {
      taken.set(slot);
      if (descriptor >= slots.length) {
        int before = slots.length;
        slots = Arrays.copyOf(slots, Math.max(2 * before, descriptor + 1));
        Arrays.fill(slots, before, slots.length, -1);
      }
      slots[descriptor] = slot;
    }
    return -result;
  }

  /** Does nothing for a descriptor that is not registered. */
  void unregister(int descriptor) {
    int slot = slotOf(descriptor);
    if (slot >= 0) {
      slots[descriptor] = -1;
      if (ring.setFile(slot, -1) == 0) {
        taken.clear(slot);
      }
    }
  }

  /** Returns the descriptor's slot in the kernel's table, or -1. */
  int slotOf(int descriptor) {
    return descriptor >= 0 && descriptor < slots.length ? slots[descriptor] : -1;
  }
}
