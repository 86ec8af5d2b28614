package io.ewok.gds.lsm;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.lsm.StoreSetting.Effect;
import java.util.List;
import java.util.Objects;

/**
 * How the memory of a store is asked of the system: in which pages, and on which NUMA nodes. How
 * much it is, {@link StoreOptions} says.
 *
 * <p>Nodes that the machine does not have, or that have no memory, are an error when the store is
 * opened. What else the kernel does not do as requested is none: a container may forbid policies,
 * and there may be too few huge pages. The events {@code io.ewok.gds.RegionMapped} and {@code
 * io.ewok.gds.PlacementDegraded} of the JDK's flight recorder tell what became of each region.
 *
 * {@snippet :
 * MemoryOptions spread = MemoryOptions.defaults()
 *     .withPool(List.of(PlacementPolicy.bind(0), PlacementPolicy.bind(1)))
 *     .withMemtables(PlacementPolicy.interleave(0, 1));
 * StoreOptions options = StoreOptions.defaults().withMemory(spread);
 * }
 *
 * @param hugePages pages of all regions but those that would waste them; default {@link
 *     HugePages#AUTO}. {@link HugePages#HUGETLB} where latency must not depend on what the kernel
 *     finds in one piece: a memtable, a part of the pool and a record cache that is whole multiples
 *     of 2 MiB then comes from the administrator's pool, and all of it is touched when it is
 *     mapped, by whoever opens the store or needs another memtable; other regions stay as with
 *     {@code AUTO}. {@link HugePages#OFF} where most of the memory stays untouched.
 * @param pool where the pool of blocks lies; default one, nowhere in particular. With several it
 *     has a part for each, of equal size: a block lies in the part that its place on the device
 *     says, whoever reads it. One for each node, bound to it, has all memory controllers work; each
 *     has to hold what the smallest pool does, see {@code poolBytes}.
 * @param memtables where memtables lie; default nowhere in particular, which is the node of whoever
 *     is the first to write there. Change it where threads of several nodes read what was written
 *     last ({@code interleave}), or those of one node alone do.
 * @param recordCache where the record cache lies, if there is one; default nowhere in particular
 * @param buffers where the buffers lie that the log is written from, and tables are read and
 *     written through; default nowhere in particular. Best the node of the device.
 */
@TakesEffect(Effect.NEXT_OPENING)
public record MemoryOptions(
    HugePages hugePages,
    List<PlacementPolicy> pool,
    PlacementPolicy memtables,
    PlacementPolicy recordCache,
    PlacementPolicy buffers) {

  private static final MemoryOptions DEFAULTS =
      new MemoryOptions(
          HugePages.AUTO,
          List.of(PlacementPolicy.none()),
          PlacementPolicy.none(),
          PlacementPolicy.none(),
          PlacementPolicy.none());

  /** Checks that the pool lies somewhere. */
  public MemoryOptions {
    Objects.requireNonNull(hugePages, "hugePages");
    pool = List.copyOf(pool);
    if (pool.isEmpty()) {
      throw new IllegalArgumentException("a pool lies somewhere: pool=" + pool);
    }
    Objects.requireNonNull(memtables, "memtables");
    Objects.requireNonNull(recordCache, "recordCache");
    Objects.requireNonNull(buffers, "buffers");
  }

  /** Returns the defaults: huge pages where the kernel has them, and no node in particular. */
  public static MemoryOptions defaults() {
    return DEFAULTS;
  }

  /** Returns these options with another choice of pages. */
  public MemoryOptions withHugePages(HugePages hugePages) {
    return new MemoryOptions(hugePages, pool, memtables, recordCache, buffers);
  }

  /** Returns these options with other places for the parts of the pool. */
  public MemoryOptions withPool(List<PlacementPolicy> pool) {
    return new MemoryOptions(hugePages, pool, memtables, recordCache, buffers);
  }

  /** Returns these options with another place for memtables. */
  public MemoryOptions withMemtables(PlacementPolicy memtables) {
    return new MemoryOptions(hugePages, pool, memtables, recordCache, buffers);
  }

  /** Returns these options with another place for the record cache. */
  public MemoryOptions withRecordCache(PlacementPolicy recordCache) {
    return new MemoryOptions(hugePages, pool, memtables, recordCache, buffers);
  }

  /** Returns these options with another place for the buffers. */
  public MemoryOptions withBuffers(PlacementPolicy buffers) {
    return new MemoryOptions(hugePages, pool, memtables, recordCache, buffers);
  }

  /**
   * Checks that this machine has memory on all nodes that are named.
   *
   * @throws IllegalArgumentException that names the setting
   */
  void requireNodes() {
    if (equals(DEFAULTS.withHugePages(hugePages))) {
      return; // so the machine need not be looked at
    }
    NumaTopology machine = NumaTopology.read();
    pool.forEach(policy -> policy.requireMemory(machine, StoreSettings.NUMA_POOL));
    memtables.requireMemory(machine, StoreSettings.NUMA_MEMTABLE);
    recordCache.requireMemory(machine, StoreSettings.NUMA_RECORD_CACHE);
    buffers.requireMemory(machine, StoreSettings.NUMA_BUFFERS);
  }

  RegionOptions memtable(long bytes) {
    return region(bytes, memtables);
  }

  RegionOptions recordCache(long bytes) {
    return region(bytes, recordCache);
  }

  RegionOptions buffer(long bytes) {
    return region(bytes, buffers);
  }

  private RegionOptions region(long bytes, PlacementPolicy placement) {
    return RegionOptions.ofSize(bytes).withHugePages(hugePages).withPlacement(placement);
  }
}
