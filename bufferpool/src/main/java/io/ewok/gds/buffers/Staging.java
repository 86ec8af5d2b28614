package io.ewok.gds.buffers;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.reactor.LongLock;

/**
 * The memory in which a manager puts batches of pages together before they are written. One thread
 * at a time, which has the lock, also while the device works.
 */
final class Staging implements AutoCloseable {
  static final int BYTES = 1 << 20;

  private final IoEngine engine;
  private final Region region;
  private final LongLock lock = new LongLock();

  Staging(IoEngine engine, MemoryBudget budget) {
    this.engine = engine;
    this.region = Region.map(budget, RegionOptions.ofSize(BYTES).withHugePages(HugePages.OFF));
    try {
      engine.register(region);
    } catch (Throwable e) {
      region.close();
      throw e;
    }
  }

  Region region() {
    return region;
  }

  LongLock lock() {
    return lock;
  }

  @Override
  public void close() {
    try (region) {
      engine.unregister(region);
    }
  }
}
