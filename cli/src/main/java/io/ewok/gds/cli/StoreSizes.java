package io.ewok.gds.cli;

import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.lsm.StoreSetting;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongPredicate;

/**
 * Divides one number, the memory a user grants a store, into the sizes the store asks for: half to
 * the pool of blocks, the rest to memtables and buffers.
 */
final class StoreSizes {
  private static final int STEPS = 16;
  private static final int BATCH_BYTES_MIN = 1 << 17;
  private static final int BATCH_BYTES_MAX = 1 << 20;
  private static final long MEMTABLE_BYTES_MAX = 256L << 20;
  private static final long POOL_BYTES_MAX = 1L << 30;
  private static final long LOG_SEGMENT_BYTES_MIN = 1L << 20;
  private static final long LOG_SEGMENT_BYTES_MAX = 64L << 20;
  private static final long OS_PAGE_BYTES = 4096;

  private StoreSizes() {}

  /** The smallest memory a store runs with, in bytes. */
  static long minimumBytes() {
    return smallest(memoryBytes -> largestWithin(memoryBytes) != null);
  }

  /** The smallest pool and memtables a store runs with, together, in bytes. */
  static long minimumCacheBytes() {
    return smallest(cacheBytes -> largestWithCache(cacheBytes) != null);
  }

  /** What holds a store's data in memory, the pool and all memtables, in bytes. */
  static long cacheBytes(StoreOptions options) {
    return options.poolBytes() + StoreOptions.MEMTABLES_MAX * options.memtableBytes();
  }

  /**
   * Options whose {@link #cacheBytes} is at most, and close to, the given number, which is enough.
   */
  static StoreOptions withCache(long cacheBytes) {
    return Objects.requireNonNull(largestWithCache(cacheBytes), "cacheBytes");
  }

  /**
   * Options whose {@link StoreOptions#memoryBytes} is at most, and close to, the given number.
   *
   * @throws IllegalArgumentException if no store can run with so little
   */
  static StoreOptions within(long memoryBytes) {
    StoreOptions options = largestWithin(memoryBytes);
    if (options == null) {
      throw new IllegalArgumentException(
          "a store cannot run with so little memory: memory=%d smallest=%d"
              .formatted(memoryBytes, minimumBytes()));
    }
    return options;
  }

  /** The settings that are different in what is returned here, from the defaults. */
  static Map<String, String> settings(StoreOptions options) {
    return Map.of(
        StoreSetting.MEMTABLE.settingName(), Long.toString(options.memtableBytes()),
        StoreSetting.POOL.settingName(), Long.toString(options.poolBytes()),
        StoreSetting.BATCH_MAX.settingName(), Long.toString(options.batchBytesMax()),
        StoreSetting.TABLE.settingName(), Long.toString(options.tree().tableBytes()),
        StoreSetting.LOG_SEGMENT_BYTES.settingName(), Long.toString(options.logSegmentBytes()));
  }

  private static StoreOptions largestWithin(long memoryBytes) {
    // A large batch is a convenience; it goes first when memory is short.
    for (int batch = BATCH_BYTES_MAX; batch >= BATCH_BYTES_MIN; batch >>= 1) {
      for (int step = STEPS; step > 0; step--) {
        StoreOptions options = candidate(memoryBytes / STEPS * step, batch);
        if (options != null && options.memoryBytes() <= memoryBytes) {
          return options;
        }
      }
    }
    return null;
  }

  private static StoreOptions largestWithCache(long cacheBytes) {
    for (int batch = BATCH_BYTES_MAX; batch >= BATCH_BYTES_MIN; batch >>= 1) {
      StoreOptions options = candidate(cacheBytes, batch);
      if (options != null) {
        return options;
      }
    }
    return null;
  }

  private static long smallest(LongPredicate possible) {
    long low = 0;
    long high = StoreOptions.defaults().memoryBytes();
    while (high - low > OS_PAGE_BYTES) {
      long middle = (low + high) >>> 1;
      if (possible.test(middle)) {
        high = middle;
      } else {
        low = middle;
      }
    }
    return high;
  }

  /** Null when the store refuses these sizes: it alone knows its smallest ones. */
  private static StoreOptions candidate(long cacheBytes, int batchBytes) {
    long pool = Math.min(POOL_BYTES_MAX, cacheBytes / 2 / OS_PAGE_BYTES * OS_PAGE_BYTES);
    long memtable =
        Math.min(
            MEMTABLE_BYTES_MAX,
            (cacheBytes - pool) / StoreOptions.MEMTABLES_MAX / OS_PAGE_BYTES * OS_PAGE_BYTES);
    long segment =
        Math.clamp(Long.highestOneBit(memtable), LOG_SEGMENT_BYTES_MIN, LOG_SEGMENT_BYTES_MAX);
    StoreOptions defaults = StoreOptions.defaults();
    try {
      return new StoreOptions(
          memtable,
          pool,
          batchBytes,
          defaults.recordCacheBytes(),
          defaults.memory(),
          defaults
              .tree()
              .withTableBytes(Math.clamp(4 * memtable, 1L << 20, defaults.tree().tableBytes())),
          defaults.families(),
          segment,
          defaults.logSegmentCount(),
          defaults.recovery(),
          defaults.listener(),
          defaults.engine(),
          true,
          defaults.reserveBytes(),
          defaults.archiveOrNull());
    } catch (IllegalArgumentException e) {
      return null;
    }
  }
}
