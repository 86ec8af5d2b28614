package io.ewok.gds.lsm;

/** What a write waits for. */
public enum StallReason {
  /** The memtable before the active one is being flushed. */
  FLUSH,

  /** The log is full until a memtable is flushed. */
  LOG,

  /** Cursors and gets hold the memory of memtables that are flushed already. */
  READERS,

  /** A reader of changes holds the log back, see {@link ChangesOptions#holdBytesMax}. */
  CHANGES,

  /** Nothing yet: the write is slowed down so that others need not stop later. */
  DELAY
}
