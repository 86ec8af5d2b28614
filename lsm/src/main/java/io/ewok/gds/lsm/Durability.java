package io.ewok.gds.lsm;

/** What a write promises when its call returns. */
public enum Durability {
  /**
   * The write is visible, and is in the log's memory. It is lost if the process or the machine dies
   * before a later {@link #SYNCED} write, a flush or a close; what is lost is always the newest
   * writes, never one out of the middle.
   */
  BUFFERED,

  /**
   * The write, and every write before it, is on the device. Writers that wait at the same time
   * share one sync. The write is visible to readers shortly before it is durable.
   */
  SYNCED
}
