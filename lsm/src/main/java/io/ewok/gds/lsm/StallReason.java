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

  /**
   * The archive has not taken yet what is in the log, see {@link StoreOptions#archiveOrNull}: it is
   * slow, or full, or gone.
   */
  ARCHIVE,

  /** Nothing yet: the write is slowed down so that others need not stop later. */
  DELAY
}
