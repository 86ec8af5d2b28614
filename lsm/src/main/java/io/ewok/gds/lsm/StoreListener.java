package io.ewok.gds.lsm;

/**
 * Is told what a store does in the background, and whom it keeps waiting. See {@link
 * StoreOptions#withListener}.
 *
 * <p>Threads: flushes and compactions are told by the store's background thread, stalls by the
 * thread that waited. Each call holds up what it tells of, so it should be short; it may read the
 * store, but not write, flush, compact or close, nor create, clone or drop families. What it throws
 * is logged and otherwise ignored.
 */
public interface StoreListener {
  /** The listener of who does not listen. */
  StoreListener NONE = new StoreListener() {};

  /** A memtable was written as tables of level 0. */
  default void flushed(Flush flush) {}

  /** Tables were merged into others, moved or dropped. */
  default void compacted(Compacted compacted) {}

  /** A flush or a compaction failed; the store tries again when it is needed. */
  default void failed(Throwable reason) {}

  /** A write had to wait, for the background thread or what {@link StallReason} says. */
  default void stalled(Stall stall) {}

  /**
   * What a flush did.
   *
   * @param tables tables written
   * @param bytes size of these tables, and of the value files that they refer to
   * @param nanos time it took, in nanoseconds
   */
  record Flush(int tables, long bytes, long nanos) {}

  /**
   * What a compaction did.
   *
   * @param family name of the family that the tables are of
   * @param level where the tables came from, the first level if from several
   * @param outputLevel where they went; the same if they were merged within a level, or dropped
   * @param kind what was done with them
   * @param tablesBefore tables that are gone from their levels
   * @param tablesAfter tables that are new in the output level, 0 if all were dropped
   * @param bytesRead size of the former
   * @param bytesWritten size of the latter, and of new value files; 0 if they were moved or dropped
   * @param nanos time it took, in nanoseconds, with what came between its steps
   */
  record Compacted(
      String family,
      int level,
      int outputLevel,
      CompactionKind kind,
      int tablesBefore,
      int tablesAfter,
      long bytesRead,
      long bytesWritten,
      long nanos) {}

  /**
   * How long a write had to wait.
   *
   * @param reason what for
   * @param nanos how long, in nanoseconds
   */
  record Stall(StallReason reason, long nanos) {}
}
