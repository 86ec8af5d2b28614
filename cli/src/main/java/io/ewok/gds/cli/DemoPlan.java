package io.ewok.gds.cli;

import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.pagestore.EngineOptions;

/**
 * What a demonstration works with: the data, and a store whose pool and memtables are at most a
 * quarter of it, so that it has to write tables and to read the device.
 *
 * @param source where the data came from, for people
 * @param copies how often the data was repeated to be large enough; 0 for not at all
 * @param seed of every choice
 */
record DemoPlan(String source, DataSet data, int copies, long seed, StoreOptions options) {
  /** How many times the store's pool and memtables the data is, at least. */
  static final int DATA_PER_CACHE = 4;

  private static final int COPIES_MAX = 100;

  /**
   * Sizes the store. Data that is too little for the smallest store there is is repeated under
   * other keys.
   *
   * @throws CommandFailure if it is far too little
   */
  static DemoPlan of(String source, DataSet read, long seed, EngineOptions engine) {
    long needed = DATA_PER_CACHE * StoreSizes.minimumCacheBytes();
    if (read.count() == 0 || read.dataBytes() * COPIES_MAX < needed) {
      throw CommandFailure.failed(
          "the input is too small to make a store read its device: source=%s bytes=%d needed=%d"
              .formatted(source, read.dataBytes(), Math.ceilDiv(needed, COPIES_MAX)));
    }
    int copies = (int) Math.ceilDiv(Math.max(0, needed - read.dataBytes()), read.dataBytes());
    DataSet data = copies == 0 ? read : read.withCopies(copies);
    StoreOptions options = StoreSizes.withCache(data.dataBytes() / DATA_PER_CACHE);
    return new DemoPlan(source, data, copies, seed, options.withEngine(engine));
  }
}
