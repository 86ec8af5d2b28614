package io.ewok.gds.lsm;

/** How the one memory number of a store is made up. */
final class StoreMemory {
  private StoreMemory() {}

  static long totalBytes(StoreOptions options) {
    return options.poolBytes() + StoreOptions.MEMTABLES_MAX * options.memtableBytes();
  }
}
