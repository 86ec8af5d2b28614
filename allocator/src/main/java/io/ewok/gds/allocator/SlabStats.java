package io.ewok.gds.allocator;

/**
 * What a {@link SlabAllocator} holds, at some moment while it was counted. Exact if nobody
 * allocated or freed meanwhile.
 *
 * <p>A value; threads: any.
 *
 * @param committedBytes memory that is charged to the budget, used or not
 * @param slabBytes the part of it that is cut into cells
 * @param liveBytes the part of that which callers have, in whole cells
 * @param liveCells how many cells callers have
 * @param cachedBytes free cells that shards and depots keep at hand
 * @param deferredCells how many cells have been freed and wait for operations in flight on them
 * @param slabs how many slabs there are
 * @param shards how many shards there are, those that serve any thread among them
 * @param remoteFrees how many cells have been freed by shards of other nodes than the cell's
 * @param deferredFrees how many cells have been freed while an operation was in flight on them
 * @param quarantinedBytes freed cells that are kept back, by {@link DebugLetters#quarantine}
 */
public record SlabStats(
    long committedBytes,
    long slabBytes,
    long liveBytes,
    long liveCells,
    long cachedBytes,
    long deferredCells,
    long slabs,
    long shards,
    long remoteFrees,
    long deferredFrees,
    long quarantinedBytes) {

  /** Adds up the numbers of heaps. */
  static final class Sum {
    long committedBytes;
    long remoteFrees;
    long deferredFrees;
    private long shards;
    private long slabs;
    private long slabBytes;
    private long deferredCells;
    private long cachedBytes;
    private long quarantinedBytes;

    /** Cells that are neither in slabs nor deferred nor in magazines. */
    private long liveCells;

    private long liveBytes;

    void addSlab(Slab slab) {
      slabs++;
      slabBytes += (long) slab.blocks * SizeClasses.BLOCK_BYTES;
      long deferred = slab.deferredCells();
      deferredCells += deferred;
      addLive(slab.cellBytes, slab.cellCount - slab.freeCells() - deferred);
    }

    void addShard() {
      shards++;
    }

    void addCached(int sizeClass, long cells) {
      cachedBytes += cells * SizeClasses.cellBytes(sizeClass);
      addLive(SizeClasses.cellBytes(sizeClass), -cells);
    }

    void addQuarantined(long cells, long bytes) {
      quarantinedBytes += bytes;
      liveCells -= cells;
      liveBytes -= bytes;
    }

    private void addLive(int cellBytes, long cells) {
      liveCells += cells;
      liveBytes += cells * cellBytes;
    }

    SlabStats stats() {
      return new SlabStats(
          committedBytes,
          slabBytes,
          Math.max(0, liveBytes),
          Math.max(0, liveCells),
          cachedBytes,
          deferredCells,
          slabs,
          shards,
          remoteFrees,
          deferredFrees,
          quarantinedBytes);
    }
  }
}
