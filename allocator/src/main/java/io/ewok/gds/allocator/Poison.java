package io.ewok.gds.allocator;

import io.ewok.gds.ffm.unchecked.Memory;

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

  /** Filling more at once would keep the process from its safepoints. */
  private static final long FILL_BYTES_MAX = 1L << 20;

  private final byte pattern;
  private final long word;

  Poison(int pattern) {
    this.pattern = (byte) pattern;
    this.word = pattern * 0x0101_0101_0101_0101L;
  }

  /** Returns the byte, 0 to 255. */
  int pattern() {
    return pattern & 0xff;
  }

  /** Fills memory of the allocator. */
  void fill(long address, long bytes) {
    for (long done = 0; done < bytes; done += FILL_BYTES_MAX) {
      Memory.fill(address + done, Math.min(FILL_BYTES_MAX, bytes - done), pattern);
    }
  }

  /** Returns the offset of the first byte that is something else, or -1. */
  long firstWrong(long address, long bytes) {
    long offset = 0;
    while (offset <= bytes - Long.BYTES && Memory.getLong(address + offset) == word) {
      offset += Long.BYTES;
    }
    while (offset < bytes && Memory.getByte(address + offset) == pattern) {
      offset++;
    }
    return offset < bytes ? offset : -1;
  }
}
