package io.ewok.gds.wal;

/** How far a record has come on its way to the device. Each level includes those before it. */
public enum LogDurability {
  /** In the log's memory. Lost if the process or the machine dies. */
  NONE,

  /**
   * Written. Survives the death of the process; lost, perhaps, if the machine dies or loses power.
   */
  BUFFERED,

  /** On the device: survives a power cut. Those who wait at the same time share one sync. */
  SYNCED
}
