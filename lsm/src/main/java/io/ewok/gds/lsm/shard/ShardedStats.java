package io.ewok.gds.lsm.shard;

import io.ewok.gds.lsm.StoreStats;
import java.util.List;

/**
 * What a sharded store has done since it was opened.
 *
 * @param epochs that the sequencer has made
 * @param transactions that had their turn in them, batches over several shards included
 * @param shards the counters of each store
 */
public record ShardedStats(long epochs, long transactions, List<StoreStats> shards) {
  /** Copies the list. */
  public ShardedStats {
    shards = List.copyOf(shards);
  }
}
