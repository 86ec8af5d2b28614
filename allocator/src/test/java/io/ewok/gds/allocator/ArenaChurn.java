package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.ewok.gds.ffm.unchecked.Memory;
import java.util.Random;

/**
 * What LevelDB asks of its arena, by one writer: many small things, a few large ones, a tenth of
 * all aligned, each filled with a pattern of its own that is still there in the end.
 */
final class ArenaChurn {
  static final int ALLOCATIONS = 100_000;

  /** Allocates at an alignment, or unaligned if that is 1. */
  interface Allocator {
    long allocate(long bytes, long alignmentBytes);
  }

  private final Allocator arena;
  private final long seed;
  private final Random random;
  private final long[] addresses = new long[ALLOCATIONS];
  private final int[] sizes = new int[ALLOCATIONS];
  private int count;
  private long requestedBytes;

  ArenaChurn(Allocator arena, long seed) {
    this.arena = arena;
    this.seed = seed;
    this.random = new Random(seed);
  }

  long requestedBytes() {
    return requestedBytes;
  }

  /** Makes the next allocation. */
  void step() {
    int bytes = nextSize();
    long alignment = random.nextInt(10) == 0 ? 8 : 1;
    long address = arena.allocate(bytes, alignment);
    assertEquals(0, address % alignment, this::toString);
    Memory.fill(address, bytes, pattern(count));
    addresses[count] = address;
    sizes[count] = bytes;
    requestedBytes += bytes;
    count++;
  }

  private int nextSize() {
    if (count % (ALLOCATIONS / 10) == 0 && count > 0) {
      return count;
    }
    int max = random.nextInt(4000) == 0 ? 6000 : random.nextInt(10) == 0 ? 100 : 20;
    return 1 + random.nextInt(max);
  }

  void verify() {
    for (int i = 0; i < count; i++) {
      for (int at = 0; at < sizes[i]; at++) {
        if (Memory.getByte(addresses[i] + at) != pattern(i)) {
          throw new AssertionError("overwritten: allocation=" + i + " at=" + at + " " + this);
        }
      }
    }
  }

  private byte pattern(int allocation) {
    return (byte) (allocation * 31L + seed);
  }

  @Override
  public String toString() {
    return "seed=" + seed + " allocations=" + count + " requestedBytes=" + requestedBytes;
  }
}
