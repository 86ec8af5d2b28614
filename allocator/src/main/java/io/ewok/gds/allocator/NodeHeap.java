package io.ewok.gds.allocator;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The memory of a {@link SlabAllocator} on one node: bins by class, and the units that their slabs
 * are cut from.
 *
 * <p>Threads: any. Only growth takes a lock, and what frees whole slabs tries it.
 */
final class NodeHeap {
  /** The most of a bin that one slab is, as a part: slabs grow with the bin. */
  private static final int SLABS_PER_DOUBLING = 16;

  private final SlabAllocator allocator;
  private final MemoryBudget budget;
  private final SlabOptions options;
  private final Bin[] bins = new Bin[SizeClasses.COUNT];

  private final ReentrantLock growth = new ReentrantLock();

  /** In the order of their creation. Guarded by {@link #growth}. */
  private final List<Unit> units = new ArrayList<>();

  /** Those that are open and not of a stripe: they keep generations that nobody else knows. */
  private final Set<SlabShard> shards = ConcurrentHashMap.newKeySet();

  private final Stripes stripes = new Stripes(this);

  private volatile boolean closed;
  private volatile boolean sealed;

  NodeHeap(SlabAllocator allocator, MemoryBudget budget, SlabOptions options) {
    this.allocator = allocator;
    this.budget = budget;
    this.options = options;
    for (int sizeClass = 0; sizeClass < bins.length; sizeClass++) {
      bins[sizeClass] = new Bin(this, sizeClass);
    }
  }

  Bin bin(int sizeClass) {
    return bins[sizeClass];
  }

  Stripes stripes() {
    return stripes;
  }

  SlabAllocator allocator() {
    return allocator;
  }

  /** Opens a shard. */
  SlabShard shard() {
    SlabShard shard = new SlabShard(this);
    shards.add(shard);
    // After it was added: either close finds it, or this finds the heap closed.
    requireOpen();
    return shard;
  }

  /** Forgets a shard that is flushed. */
  void remove(SlabShard shard) {
    shards.remove(shard);
  }

  MemoryBudget budget() {
    return budget;
  }

  /** Throws if the allocator is closed. */
  void requireOpen() {
    if (closed) {
      throw new IllegalStateException("closed: " + allocator);
    }
  }

  /** Allocates one cell past all shards. */
  long takeOne(int sizeClass) {
    requireOpen();
    Magazine magazine = new Magazine(1);
    bins[sizeClass].takeOne(magazine);
    if (magazine.isEmpty()) {
      return CellHandle.NONE;
    }
    long handle = magazine.pop();
    SlabTable.find(handle).issue(handle);
    return handle;
  }

  /** Opens a slab for the bin and fills the magazine from it, if there is room for one. */
  void grow(Bin bin, Magazine magazine) {
    growth.lock();
    try {
      requireOpen();
      // Another thread may have grown the bin while this one waited.
      bin.takeFromSlabs(magazine);
      if (!magazine.isEmpty()) {
        return;
      }
      Slab slab = open(bin);
      if (slab == null) {
        reclaim();
        bin.takeFromSlabs(magazine);
        if (!magazine.isEmpty()) {
          return;
        }
        slab = open(bin);
      }
      if (slab != null) {
        // Before others can see it, or they might leave nothing.
        slab.take(magazine);
        bin.add(slab);
      }
    } finally {
      growth.unlock();
    }
  }

  private Slab open(Bin bin) {
    int blocks = blocks(bin);
    for (Unit unit : units) {
      int first = unit.take(blocks);
      if (first >= 0) {
        return open(bin, unit, first, blocks);
      }
    }
    Unit unit = commit();
    return unit == null ? null : open(bin, unit, unit.take(blocks), blocks);
  }

  private Slab open(Bin bin, Unit unit, int firstBlock, int blocks) {
    int number = SlabTable.claim();
    if (number < 0) {
      unit.giveBack(firstBlock, blocks);
      return null;
    }
    Slab slab =
        new Slab(
            this,
            bin.sizeClass,
            number,
            SlabTable.firstGeneration(number),
            unit,
            firstBlock,
            blocks,
            bin.nextColour());
    SlabTable.enter(slab);
    return slab;
  }

  private static int blocks(Bin bin) {
    int blocks = SizeClasses.blocks(bin.sizeClass);
    int doublings = Math.max(1, Integer.highestOneBit(bin.slabCount() / SLABS_PER_DOUBLING));
    int cellBytes = SizeClasses.cellBytes(bin.sizeClass);
    while (doublings > 1
        && (blocks * doublings > Unit.BLOCKS
            || blocks * doublings * SizeClasses.BLOCK_BYTES / cellBytes > CellHandle.CELLS_MAX)) {
      doublings /= 2;
    }
    return blocks * doublings;
  }

  private Unit commit() {
    if (sealed) {
      return null;
    }
    Region region;
    try {
      region =
          Region.map(budget, RegionOptions.ofSize(Unit.BYTES).withHugePages(options.hugePages()));
    } catch (BudgetExceededException noRoom) {
      return null;
    }
    Unit unit = new Unit(region, 0);
    units.add(unit);
    return unit;
  }

  /** Returns the slab's blocks to their unit if it is whole and nobody is growing just now. */
  void retire(Bin bin, Slab slab) {
    if (growth.tryLock()) {
      try {
        retireLocked(bin, slab);
      } finally {
        growth.unlock();
      }
    }
  }

  private void retireLocked(Bin bin, Slab slab) {
    if (!closed && bin.remove(slab)) {
      slab.unit.giveBack(slab.firstBlock, slab.blocks);
      SlabTable.remove(slab, slab.nextGeneration());
    }
  }

  /** Makes whole slabs of what depots hold, and returns them to their units. */
  private void reclaim() {
    stripes.flush();
    for (Bin bin : bins) {
      bin.drainDepot();
      bin.forEachSlab(slab -> retireLocked(bin, slab));
    }
  }

  /** Returns unused units to the system; returns the bytes. */
  long trim() {
    growth.lock();
    try {
      requireOpen();
      if (sealed) {
        return 0;
      }
      reclaim();
      long bytes = 0;
      for (var each = units.iterator(); each.hasNext(); ) {
        Unit unit = each.next();
        if (unit.isUnused()) {
          unit.region.close();
          each.remove();
          bytes += Unit.BYTES;
        }
      }
      return bytes;
    } finally {
      growth.unlock();
    }
  }

  void seal() {
    growth.lock();
    try {
      requireOpen();
      sealed = true;
    } finally {
      growth.unlock();
    }
  }

  /** Frees everything. Handles are stale, magazines worthless. */
  void close() {
    growth.lock();
    try {
      if (!closed) {
        closed = true;
        // A handle from before must match nothing that gets the number of its slab.
        shards.forEach(SlabShard::surrenderGenerations);
        shards.clear();
        stripes.surrenderGenerations();
        for (Bin bin : bins) {
          bin.drainDepot();
          bin.forEachSlab(
              slab -> {
                slab.withdrawAll();
                SlabTable.remove(slab, slab.nextGeneration());
              });
        }
      }
      for (var each = units.iterator(); each.hasNext(); ) {
        each.next().region.close();
        each.remove();
      }
    } finally {
      growth.unlock();
    }
  }

  /** Adds this heap's numbers. */
  void count(SlabStats.Sum sum) {
    growth.lock();
    try {
      sum.committedBytes += (long) units.size() * Unit.BYTES;
      for (Bin bin : bins) {
        bin.forEachSlab(
            slab -> {
              sum.slabs++;
              sum.slabBytes += (long) slab.blocks * SizeClasses.BLOCK_BYTES;
              int live = slab.liveCells();
              sum.liveCells += live;
              sum.cellBytes += (long) slab.cellCount * slab.cellBytes;
              sum.liveBytes += (long) live * slab.cellBytes;
              sum.freeBytes += (long) slab.freeCells() * slab.cellBytes;
            });
      }
    } finally {
      growth.unlock();
    }
  }
}
