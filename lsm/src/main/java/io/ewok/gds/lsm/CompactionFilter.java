package io.ewok.gds.lsm;

import java.lang.foreign.MemorySegment;

/**
 * Looks at values while compactions write them again, and flushes if they are to, and lets go of
 * those that nobody needs any more: of users who are gone, of days that are over. For what is of no
 * use some time after it was written there is {@link TreeOptions#ttl}.
 *
 * <p>What it may rely on:
 *
 * <ul>
 *   <li>It is shown values, never deletes and operands; of each key in a compaction or flush the
 *       newest one. That may have been overwritten meanwhile: then what it decides does no harm.
 *   <li>It is shown nothing that an open {@link Snapshot} sees, and a snapshot never sees what it
 *       did: if one is opened while a compaction goes on whose records were removed or changed, the
 *       compaction starts anew and leaves all as it is. Cursors stay on what they saw.
 *   <li>A flush shows it nothing that an open cursor sees, either, and starts anew if one is opened
 *       meanwhile: cursors do not keep memory.
 *   <li>A value that it removes is as if it was deleted when it was written: older ones do not come
 *       back.
 *   <li>When a value is shown is not known, nor how often. Tables that go to another level as they
 *       are show none, nor do flushes without {@link TreeOptions#filtersFlushes}, and those that
 *       recover a store; {@link Store#compact()} shows all that are in tables when it begins.
 *   <li>What it decides may be lost with a crash, and is then asked for again.
 * </ul>
 *
 * <p>Threads: the background thread of the store. It must not call the store, and is best quick:
 * flushes wait for it.
 *
 * <p>Errors: whatever it throws keeps the value, and so does a changed one that is too long. The
 * first of a compaction or flush is logged.
 */
@FunctionalInterface
public interface CompactionFilter {
  /** Keeps everything. */
  CompactionFilter NONE = (key, value, result) -> Decision.KEEP;

  /** What becomes of a value. */
  enum Decision {
    /** It stays. */
    KEEP,
    /** It goes. */
    REMOVE,
    /** Another takes its place. */
    CHANGE
  }

  /**
   * Decides about a value.
   *
   * @param key read-only, of use during the call, as is the value
   * @param result takes the new value, for {@link Decision#CHANGE}
   */
  Decision decide(MemorySegment key, MemorySegment value, ResultBytes result);
}
