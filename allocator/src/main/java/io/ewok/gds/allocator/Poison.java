package io.ewok.gds.allocator;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * What memory is filled with that nobody has reason to read or write. As an address each is outside
 * of what a process can have, as a number each is negative, and none is text.
 */
enum Poison {
  /** Allocated and not written yet. */
  ALLOCATED(0xa5),
  /** Free. */
  FREED(0xdd),
  /** Around allocations. */
  RED_ZONE(0xbb);

  /** How much is looked at or filled at once; more would keep the process from its safepoints. */
  private static final int STEP_BYTES = 64 << 10;

  private final byte pattern;

  @SuppressWarnings("ImmutableEnumChecker") // Nobody writes to it, and nobody else has it.
  private final MemorySegment step;

  Poison(int pattern) {
    this.pattern = (byte) pattern;
    byte[] bytes = new byte[STEP_BYTES];
    Arrays.fill(bytes, this.pattern);
    this.step = MemorySegment.ofArray(bytes);
  }

  /** Returns the byte, 0 to 255. */
  int pattern() {
    return pattern & 0xff;
  }

  /** Fills memory. */
  void fill(MemorySegment memory) {
    for (long done = 0; done < memory.byteSize(); done += STEP_BYTES) {
      memory.asSlice(done, Math.min(STEP_BYTES, memory.byteSize() - done)).fill(pattern);
    }
  }

  /** Returns the offset of the first byte that is something else, or -1. */
  long firstWrong(MemorySegment memory) {
    for (long done = 0; done < memory.byteSize(); done += STEP_BYTES) {
      long bytes = Math.min(STEP_BYTES, memory.byteSize() - done);
      long wrong = MemorySegment.mismatch(memory, done, done + bytes, step, 0, bytes);
      if (wrong >= 0) {
        return done + wrong;
      }
    }
    return -1;
  }
}
