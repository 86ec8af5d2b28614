package io.ewok.gds.wal.cache;

/**
 * What a {@link LogReadCache} has done since it was created. Gathered without stopping anybody.
 *
 * <p>A value; threads: any.
 *
 * @param readers open cursors
 * @param memoryBytes memory for pages that is there now, used or not
 * @param memoryBytesMax never more than this
 * @param tailBytes memory for what was written last; comes on top
 * @param ready strides that had been read ahead when their reader came
 * @param late strides that were being read ahead when their reader came, who waited for the rest
 * @param demanded strides that were read when their reader came, who waited all the time
 * @param tail strides copied from what was written last
 * @param wasted strides that were read ahead and not used
 * @param refused strides that were not read ahead because there was no memory, or as many as may be
 *     were being read ahead
 * @param memoryWaits times a reader waited for memory
 * @param reclaimed times an idle reader's memory was taken for others
 */
public record LogReadCacheStats(
    int readers,
    long memoryBytes,
    long memoryBytesMax,
    long tailBytes,
    long ready,
    long late,
    long demanded,
    long tail,
    long wasted,
    long refused,
    long memoryWaits,
    long reclaimed) {}
