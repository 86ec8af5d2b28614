package io.ewok.gds.buffers.eviction;

/** How long something should stay that nobody asks for. Decided when it is admitted. */
public enum Priority {
  /**
   * Part of a scan, and likely of no use to others afterwards: all such together keep to a small
   * part of the cache, however long the scan, unless others ask for them.
   */
  LOW,

  /** What the policy says. */
  NORMAL,

  /**
   * Stands for much else, as an index block for the blocks it leads to: stays several times as
   * long. What is more than half of the cache, or was not asked for all that time, is as if it were
   * NORMAL from then on.
   */
  HIGH
}
