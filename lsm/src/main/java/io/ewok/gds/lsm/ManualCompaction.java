package io.ewok.gds.lsm;

import java.lang.foreign.MemorySegment;

/**
 * A compaction that somebody asked for: the levels are emptied downward one by one, and the tables
 * of the deepest are rewritten. Each table is a compaction by itself, so that others come between.
 *
 * <p>Threads: {@link #level} is confined to the background thread, the rest guarded by its lock.
 */
final class ManualCompaction {
  final FamilyState family;

  /** The range of keys, both inclusive; null where it is open. */
  final MemorySegment firstKeyOrNull;

  final MemorySegment lastKeyOrNull;

  /** The level that is being emptied, -1 before the first. */
  int level = -1;

  /** The level at which this ends. */
  int deepest;

  /** Tables from this number on were written for this compaction, or after it began. */
  long firstNumber;

  boolean ended;
  Throwable failure;

  ManualCompaction(FamilyState family, MemorySegment firstKeyOrNull, MemorySegment lastKeyOrNull) {
    this.family = family;
    this.firstKeyOrNull = firstKeyOrNull;
    this.lastKeyOrNull = lastKeyOrNull;
  }
}
