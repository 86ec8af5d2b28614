package io.ewok.gds.lsm;

/**
 * When the tables of a store are merged, and with which others: what is written for each byte of
 * the user's, what is kept beyond his data, and how many tables a read looks into cannot all be
 * small. A store may be opened with another style at any time, or change it while it is open
 * ({@link Store#change}); what is there takes the new shape as it is merged anyway.
 *
 * <p>The trade-off is that of M. Athanassoulis et al., "Designing Access Methods: The RUM
 * Conjecture", EDBT 2016.
 */
public enum CompactionStyle {
  /**
   * Each level is one run and so many times larger than the one before it ({@link
   * TreeOptions#growth}); a table that is too much goes into those of the next level. Few bytes
   * beyond the data, and few places to look; each byte is written about half of that number for
   * each level.
   */
  LEVELED,

  /**
   * Level 0 is merged with all runs down to the last that is no larger than everything in front of
   * it. So each run is larger than all in front of it together: a byte is written once for each
   * doubling of the store, there are as many runs to look into as it has doublings, and what is
   * kept beyond the data is less than that. For stores that are written more than they are read; a
   * merge of everything needs as much space again while it goes on.
   */
  TIERED,

  /**
   * Nothing is merged: when there are more than {@link TreeOptions#fifoBytes}, the oldest table
   * goes with all that is in it, whether it was read or not, also while snapshots see it; cursors
   * that are open keep it. For what loses its worth with time: samples, traces, caches. Every table
   * whose range has a key is a place to look, so larger memtables make reads faster, and open
   * cursors stand on a block of each. {@link Store#compact} has nothing to do.
   *
   * <p>What has gone may have been written since a {@link Transaction} read: one that began before
   * the newest of it was written is in conflict with that when it commits.
   */
  FIFO
}
