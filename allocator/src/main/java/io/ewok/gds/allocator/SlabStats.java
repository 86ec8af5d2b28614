package io.ewok.gds.allocator;

/**
 * What a {@link SlabAllocator} holds, at some moment while it was counted. Exact when nobody
 * allocates or frees meanwhile.
 *
 * @param committedBytes memory charged to the budget, in use or not
 * @param slabBytes the part of it that is cut into cells
 * @param liveBytes the part of that which callers have, in whole cells
 * @param liveCells how many cells callers have
 * @param cachedBytes cells in magazines, of shards and depots
 * @param slabs how many slabs there are
 */
public record SlabStats(
    long committedBytes,
    long slabBytes,
    long liveBytes,
    long liveCells,
    long cachedBytes,
    long slabs) {

  /** Gathers the numbers of several heaps. */
  static final class Sum {
    long committedBytes;
    long slabBytes;
    long liveBytes;
    long liveCells;
    long freeBytes;
    long cellBytes;
    long slabs;

    SlabStats stats() {
      return new SlabStats(
          committedBytes,
          slabBytes,
          liveBytes,
          liveCells,
          Math.max(0, cellBytes - liveBytes - freeBytes),
          slabs);
    }
  }
}
