package io.ewok.gds.buffers.eviction;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * How often each slot was asked for, counted up to a small maximum. Any thread counts without a
 * lock; two that count at once may count one. Opaque access suffices: nothing else is published by
 * a count, it must only not be kept out of memory for ever.
 */
final class ReferenceMarks {
  private static final VarHandle COUNTS = MethodHandles.arrayElementVarHandle(byte[].class);

  private final byte[] counts;
  private final byte max;

  ReferenceMarks(int slotCount, int max) {
    this.counts = new byte[slotCount];
    this.max = (byte) max;
  }

  void count(int slot) {
    byte count = (byte) COUNTS.getOpaque(counts, slot);
    if (count < max) {
      COUNTS.setOpaque(counts, slot, (byte) (count + 1));
    }
  }

  int get(int slot) {
    return (byte) COUNTS.getOpaque(counts, slot);
  }

  void set(int slot, int count) {
    if (get(slot) != count) {
      COUNTS.setOpaque(counts, slot, (byte) count);
    }
  }
}
