package io.ewok.gds.allocator;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * The part of a {@link SlabAllocator} that lies on one node: bins by class, and the regions that
 * their slabs are cut from.
 *
 * <p>Threads: any. Only growth and trimming take a lock.
 */
final class NodeHeap {
  /** Slabs grow with their bin: one is at most this part of it, but for the first. */
  private static final int SLABS_PER_DOUBLING = 32;

  /** The number of the node; of the first one where all are served alike. */
  final int node;

  /** Which of the allocator's heaps this is. */
  final int index;

  private final SlabAllocator allocator;
  private final MemoryBudget budget;
  private final RegionOptions regionOptions;
  private final Bin[] bins = new Bin[SizeClasses.COUNT];
  private final Stripes stripes;

  /** All that are open, those of the stripes among them. */
  private final Set<SlabShard> shards = ConcurrentHashMap.newKeySet();

  private final LongAdder deferredFrees = new LongAdder();

  private final ReentrantLock growth = new ReentrantLock();

  // Guarded by growth.

  private final List<SlabRegion> regions = new ArrayList<>();
  private boolean sealed;

  /** Written under growth. */
  private volatile boolean closed;

  NodeHeap(
      SlabAllocator allocator,
      MemoryBudget budget,
      RegionOptions regionOptions,
      int node,
      int index) {
    this.node = node;
    this.index = index;
    this.allocator = allocator;
    this.budget = budget;
    this.regionOptions = regionOptions;
    for (int sizeClass = 0; sizeClass < bins.length; sizeClass++) {
      bins[sizeClass] = new Bin(this, sizeClass);
    }
    this.stripes = new Stripes(this);
  }

  SlabAllocator allocator() {
    return allocator;
  }

  MemoryBudget budget() {
    return budget;
  }

  Bin bin(int sizeClass) {
    return bins[sizeClass];
  }

  Stripes stripes() {
    return stripes;
  }

  Set<SlabShard> shards() {
    return shards;
  }

  /** Throws if the allocator is closed. */
  void requireOpen() {
    if (closed) {
      throw new IllegalStateException("closed: " + allocator);
    }
  }

  boolean isClosed() {
    return closed;
  }

  /** Allocates past all shards; returns {@link CellHandle#NONE} if there is no room. */
  long takeOne(int sizeClass) {
    requireOpen();
    long handle = bins[sizeClass].takeOne();
    return handle != CellHandle.NONE ? handle : allocator.takeElsewhere(this, sizeClass);
  }

  /**
   * Leaves a cell that has just been freed to the end of the operations on it, if there are any.
   */
  boolean defer(Slab slab, long handle) {
    boolean deferred = slab.defer(handle);
    if (deferred) {
      deferredFrees.increment();
    }
    return deferred;
  }

  // ---------------------------------------------------------------- growth

  /**
   * Does something under the growth lock that changes the use of the budget. Whom the budget calls
   * then may grow or trim any heap: it is called when the lock is free.
   */
  private void underGrowth(Runnable action) {
    Callbacks.runBefore(
        () -> {
          growth.lock();
          try {
            action.run();
          } finally {
            growth.unlock();
          }
        });
  }

  /** Opens a slab for the bin and fills the magazine from it, if there is room for one. */
  void grow(Bin bin, long[] magazine) {
    underGrowth(() -> growLocked(bin, magazine));
  }

  private void growLocked(Bin bin, long[] magazine) {
    requireOpen();
    // Another thread may have grown the bin while this one waited.
    bin.takeFromSlabs(magazine);
    if (!Magazine.isEmpty(magazine)) {
      return;
    }
    Slab slab = open(bin);
    if (slab == null) {
      reclaim();
      bin.takeFromSlabs(magazine);
      if (!Magazine.isEmpty(magazine)) {
        return;
      }
      slab = open(bin);
    }
    if (slab != null) {
      // Before others see it and leave nothing.
      slab.take(magazine);
      bin.add(slab);
    }
  }

  /** Returns a new slab for the bin, or null if there is no room. */
  private Slab open(Bin bin) {
    for (int blocks = blocks(bin); ; blocks = SizeClasses.blocks(bin.sizeClass)) {
      Unit unit = find(blocks);
      if (unit == null) {
        // A slab that became whole stays with its bin, which may need it again, until now.
        retireWhole();
        unit = find(blocks);
      }
      if (unit != null) {
        return open(bin, unit, unit.find(blocks), blocks);
      }
      unit = commit();
      if (unit != null) {
        return open(bin, unit, 0, blocks);
      }
      if (blocks == SizeClasses.blocks(bin.sizeClass)) {
        return null;
      }
    }
  }

  private static int blocks(Bin bin) {
    int blocks = SizeClasses.blocks(bin.sizeClass);
    int most = SizeClasses.blocksMax(bin.sizeClass);
    int share = bin.slabCount() / SLABS_PER_DOUBLING;
    while (share > 0 && blocks * 2 <= most) {
      blocks *= 2;
      share /= 2;
    }
    return blocks;
  }

  private Slab open(Bin bin, Unit unit, int firstBlock, int blocks) {
    int number = SlabTable.claim();
    if (number < 0) {
      return null;
    }
    Slab slab =
        new Slab(
            this,
            bin.sizeClass,
            number,
            SlabTable.firstFrees(number),
            unit,
            firstBlock,
            blocks,
            bin.colour(),
            unit.isZero(firstBlock, blocks));
    unit.take(slab);
    SlabTable.enter(slab);
    return slab;
  }

  private Unit find(int blocks) {
    for (SlabRegion region : regions) {
      Unit unit = region.find(blocks);
      if (unit != null) {
        return unit;
      }
    }
    return null;
  }

  /** Takes a unit from the system; returns null if the heap is sealed or the budget full. */
  private Unit commit() {
    if (sealed) {
      return null;
    }
    for (SlabRegion region : regions) {
      if (!region.isFull()) {
        return region.commit();
      }
    }
    SlabRegion region = new SlabRegion(Region.reserve(budget, regionOptions));
    regions.add(region);
    return region.commit();
  }

  /**
   * Takes memory from the system before it is needed.
   *
   * @throws BudgetExceededException if the budget has no room; what was taken stays
   */
  void commit(long bytes) {
    underGrowth(
        () -> {
          for (long committed = 0; committed < bytes; committed += Unit.BYTES) {
            if (commit() == null) {
              throw new BudgetExceededException(
                  "no room for the memory of " + allocator + " at its start", budget, Unit.BYTES);
            }
          }
        });
  }

  // ---------------------------------------------------------------- the way back

  /** Takes back the blocks of all slabs that are whole. */
  private void retireWhole() {
    for (Bin bin : bins) {
      bin.forEachSlab(
          slab -> {
            if (slab.isWhole() && bin.remove(slab)) {
              slab.unit.giveBack(slab);
              SlabTable.remove(slab);
            }
          });
    }
  }

  /** Takes back the blocks of all slabs that are whole when stripes and depots are empty. */
  private void reclaim() {
    stripes.flush();
    for (Bin bin : bins) {
      bin.drainDepot();
    }
    retireWhole();
  }

  /** Returns unused units to the system; returns the bytes. */
  long trim() {
    long[] bytes = {0};
    underGrowth(
        () -> {
          requireOpen();
          if (!sealed) {
            reclaim();
            for (SlabRegion region : regions) {
              bytes[0] += region.trim();
            }
          }
        });
    return bytes[0];
  }

  void seal() {
    growth.lock();
    try {
      requireOpen();
      sealed = true;
      regions.forEach(region -> region.region().seal());
    } finally {
      growth.unlock();
    }
  }

  /**
   * Forgets all slabs, so that handles are stale, and closes the regions.
   *
   * @throws IllegalStateException if a region is in use by operations
   */
  void close() {
    underGrowth(
        () -> {
          if (!closed) {
            closed = true;
            shards.forEach(SlabShard::abandon);
            for (Bin bin : bins) {
              bin.forEachSlab(SlabTable::remove);
            }
          }
          while (!regions.isEmpty()) {
            regions.getLast().region().close();
            regions.removeLast();
          }
        });
  }

  // ---------------------------------------------------------------- numbers

  void forEachSlab(Consumer<Slab> action) {
    growth.lock();
    try {
      if (!closed) {
        for (Bin bin : bins) {
          bin.forEachSlab(action);
        }
      }
    } finally {
      growth.unlock();
    }
  }

  /** Adds the numbers of this heap. */
  void count(SlabStats.Sum sum) {
    growth.lock();
    try {
      if (closed) {
        return;
      }
      for (SlabRegion region : regions) {
        sum.committedBytes += region.committedBytes();
      }
      for (Bin bin : bins) {
        bin.forEachSlab(sum::addSlab);
        sum.addCached(bin.sizeClass, bin.depotCells());
      }
      shards.forEach(shard -> shard.count(sum));
      sum.deferredFrees += deferredFrees.sum();
    } finally {
      growth.unlock();
    }
  }
}
