package io.ewok.gds.lsm.shard;

import io.ewok.gds.lsm.record.KeyHash;
import io.ewok.gds.lsm.record.Keys;
import java.lang.foreign.MemorySegment;

/**
 * Finds the shard of a key, see {@link Partitioning}.
 *
 * <p>Threads: any. Makes no garbage.
 */
final class ShardMap {
  /** See {@link Partitioning#hash}. */
  private static final long SPREAD = 0xD6E8_FEB8_6659_FD93L;

  private final int count;

  /** None by hash. */
  private final MemorySegment[] splits;

  private final boolean isHash;

  ShardMap(Partitioning partitioning, int count) {
    this.count = count;
    this.isHash = partitioning.isHash();
    this.splits =
        partitioning.splits().stream().map(MemorySegment::ofArray).toArray(MemorySegment[]::new);
  }

  /** Returns the hash of a key, from which the shard and its {@link KeyGuards} take theirs. */
  static long hash(MemorySegment key) {
    Keys.requireLength(key.byteSize());
    return KeyHash.of(key);
  }

  /**
   * Returns the shard of a key.
   *
   * @param hash of the key
   */
  int shardOf(MemorySegment key, long hash) {
    return isHash ? (int) Math.unsignedMultiplyHigh(hash * SPREAD, count) : shardByRange(key);
  }

  private int shardByRange(MemorySegment key) {
    int low = 0;
    int high = splits.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Keys.compare(splits[middle], key) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
