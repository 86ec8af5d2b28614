package io.ewok.gds.lsm;

/** What a compaction does with the tables that it takes. */
public enum CompactionKind {
  /** Their records are written anew, those that somebody needs. */
  MERGE,

  /** They belong to another level from then on, as they are. */
  MOVE,

  /** They go, with all records, unread: what a range delete hides, what has expired, the oldest. */
  DROP
}
