package io.ewok.gds.lsm;

import io.ewok.gds.wal.LogDurability;

/** What a write promises when its call returns. Each level includes those before it. */
public enum Durability {
  /**
   * The write is visible, and is in the log's memory. It is lost if the process or the machine dies
   * before a later write of another level, a flush or a close; what is lost is always the newest
   * writes, never one out of the middle.
   */
  NONE(LogDurability.NONE),

  /**
   * The write, and every write before it, is written to the log's files: it survives the death of
   * the process, but perhaps not that of the machine. Each group of those who write at the same
   * time takes a whole block of 4 KiB in the log.
   */
  BUFFERED(LogDurability.BUFFERED),

  /**
   * The write, and every write before it, is on the device. Writers that wait at the same time
   * share one sync. The write is visible to readers shortly before it is durable.
   */
  SYNCED(LogDurability.SYNCED);

  final LogDurability inLog;

  Durability(LogDurability inLog) {
    this.inLog = inLog;
  }
}
