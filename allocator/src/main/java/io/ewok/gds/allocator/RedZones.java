package io.ewok.gds.allocator;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * The bytes behind each allocation of an arena, which nobody may write; which letters are on says
 * whether there are any.
 *
 * <p>Threads: confined to one at a time.
 */
final class RedZones {
  private static final int BYTES = 16;

  private final ArenaMemory memory;
  private final DebugLetters letters;

  /** By allocation: where the zone is. */
  private long[] addresses = {};

  /** By allocation: how long it is. */
  private long[] allocatedBytes = {};

  /** By allocation; null if sites are off. */
  private AllocationSite[] sites;

  private int count;

  RedZones(ArenaMemory memory, DebugLetters letters) {
    this.memory = memory;
    this.letters = letters;
    this.sites = letters.sites() ? new AllocationSite[0] : null;
  }

  /** Returns how many bytes more than asked for are needed. */
  long zoneBytes(long bytes) {
    return letters.redZones() && bytes <= memory.cutBytesMax() - BYTES ? BYTES : 0;
  }

  /** Returns how many allocations there are. */
  int count() {
    return count;
  }

  /** Sets up the zone behind an allocation. */
  void add(long address, long bytes) {
    if (zoneBytes(bytes) == 0) {
      return;
    }
    if (count == addresses.length) {
      int more = Math.max(64, count + count / 2);
      addresses = Arrays.copyOf(addresses, more);
      allocatedBytes = Arrays.copyOf(allocatedBytes, more);
      sites = sites == null ? null : Arrays.copyOf(sites, more);
    }
    addresses[count] = address + bytes;
    allocatedBytes[count] = bytes;
    if (sites != null) {
      sites[count] = AllocationSite.here();
    }
    count++;
    Poison.RED_ZONE.fill(memory.segment(address + bytes, BYTES));
  }

  /**
   * Looks at the zones of all allocations but the first so many, and forgets them.
   *
   * @return what is wrong, or null
   */
  MemoryCorruptionException verify(int from, Object pool) {
    MemoryCorruptionException found = null;
    for (int i = from; i < count; i++) {
      MemorySegment zone = memory.segment(addresses[i], BYTES);
      long offset = Poison.RED_ZONE.firstWrong(zone);
      if (offset >= 0) {
        found =
            MemoryCorruptionException.join(
                found,
                new MemoryCorruptionException(
                    "the bytes behind an allocation were written",
                    pool,
                    AllocationSite.told(sites == null ? null : sites[i], null),
                    "address=0x%x bytes=%d"
                        .formatted(addresses[i] - allocatedBytes[i], allocatedBytes[i]),
                    allocatedBytes[i] + offset,
                    Poison.RED_ZONE,
                    zone.get(ValueLayout.JAVA_BYTE, offset)));
      }
    }
    count = from;
    return found;
  }
}
