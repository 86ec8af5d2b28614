package io.ewok.gds.lsm.cache;

/**
 * One reading of the counters of a {@link RecordCache}.
 *
 * @param hits searches that found a record
 * @param misses searches that did not
 * @param records those that are in it
 * @param bytes what these take
 */
public record RecordCacheStats(long hits, long misses, long records, long bytes) {}
