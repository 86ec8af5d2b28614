package io.ewok.gds.buffers;

/**
 * Counters of a buffer manager since it was made, and its state now.
 *
 * @param hits fixes that found their page or block in the pool, also those that waited while
 *     another thread read it. Counted without atomic operations: of two threads at the same moment
 *     one may rarely be missed
 * @param misses fixes that had to read, or to make a new page
 * @param bytesRead bytes of pages and blocks read from files
 * @param evictions pages and blocks that made room for others
 * @param writeBacks pages written to their file
 * @param frames frames of the pool
 * @param freeFrames frames that hold nothing
 * @param pinned pages and blocks that are fixed now, or being read or written
 * @param dirty pages with changes that are not yet written
 */
public record BufferStats(
    long hits,
    long misses,
    long bytesRead,
    long evictions,
    long writeBacks,
    int frames,
    int freeFrames,
    int pinned,
    int dirty) {
  /** The share of fixes that did not read, 0 to 1; zero before the first. */
  public double hitRatio() {
    long fixes = hits + misses;
    return fixes == 0 ? 0 : (double) hits / fixes;
  }

  BufferStats plus(BufferStats other) {
    return new BufferStats(
        hits + other.hits,
        misses + other.misses,
        bytesRead + other.bytesRead,
        evictions + other.evictions,
        writeBacks + other.writeBacks,
        frames + other.frames,
        freeFrames + other.freeFrames,
        pinned + other.pinned,
        dirty + other.dirty);
  }
}
