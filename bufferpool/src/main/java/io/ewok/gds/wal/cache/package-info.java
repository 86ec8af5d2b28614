/**
 * Readers of a log: any number, each going forward at its own place, with memory that is known at
 * start. It reads ahead; it does not keep what was read for others.
 *
 * <p>Its nouns: a {@link io.ewok.gds.wal.cache.LogReadCache} has the memory, and a {@link
 * io.ewok.gds.wal.cache.LogCursor} is one reader. A <em>stride</em> is the one or two pages that a
 * reader reads at a time. The <em>tail</em> is what was written last, and still in memory.
 *
 * <p>Threads: any thread, platform or virtual, reads; each cursor one at a time. There is no thread
 * of its own. No argument may be null.
 *
 * <pre>{@code
 * try (LogReadCache cache = new LogReadCache(engine, log.source(), budget, LogReadCacheOptions.defaults());
 *     LogCursor cursor = cache.open(lsn, LogDurability.SYNCED, PayloadCheck.NONE)) {
 *   int bytes = cursor.next(memory);
 * }
 * }</pre>
 */
package io.ewok.gds.wal.cache;
