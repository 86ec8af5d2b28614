package io.ewok.gds.pagestore.sim;

/**
 * What a file system does with data that a sync failed to write: none of them keeps it for the next
 * sync, as Rebello et al., "Can Applications Recover from fsync Failures?" (2020), have found.
 */
public enum SimSyncFailure {
  /**
   * As ext4: each sector may have been written or not, all are marked clean. Reads see the new
   * content until {@link SimEngine#evict}, and then what is on the device. The size stays pending.
   */
  MARKED_CLEAN,

  /** As Btrfs: content and size go back to what was durable, and reads see that. */
  ROLLED_BACK
}
