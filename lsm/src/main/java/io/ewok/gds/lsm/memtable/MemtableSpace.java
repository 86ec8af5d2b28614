package io.ewok.gds.lsm.memtable;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.reactor.Baton;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The memory for the memtables of a store: a fixed number of places of one size. Memtables that
 * readers still use keep their place after they were flushed. The memory of those that are gone is
 * kept for the next ones: a write that is the first to touch a page waits until the kernel has
 * cleared it, with huge pages for longer than for the device.
 *
 * <p>Threads: any.
 */
public final class MemtableSpace {
  /** How long a close waits for native calls that use memory which nobody may use any more. */
  private static final long CLOSE_WAIT_NANOS = 5_000_000_000L;

  private static final long CLOSE_POLL_NANOS = 1_000_000L;

  private final MemoryBudget budget;
  private final RegionOptions memtable;
  private final int places;
  private final Runnable whenFreed;

  // Guarded by this.
  private int used;

  private final Deque<Region> spare = new ArrayDeque<>();

  /**
   * Creates the space; it takes memory as memtables are created.
   *
   * @param budget is charged the memory of up to {@code places} memtables
   * @param memtable how the memory of each is mapped
   * @param whenFreed called after a place has become free, on the thread of the last user
   */
  public MemtableSpace(
      MemoryBudget budget, RegionOptions memtable, int places, Runnable whenFreed) {
    this.budget = budget;
    this.memtable = memtable;
    this.places = places;
    this.whenFreed = whenFreed;
  }

  /** Creates a memtable, or returns null while all places are taken. */
  public Memtable tryCreate() {
    Region kept;
    synchronized (this) {
      if (used == places) {
        return null;
      }
      used++;
      kept = spare.poll();
    }
    if (kept != null) {
      return new Memtable(this, kept);
    }
    try {
      return new Memtable(this, Region.map(budget, memtable));
    } catch (RuntimeException | Error e) {
      synchronized (this) {
        used--;
      }
      throw e;
    }
  }

  /** Takes back the memory of a memtable that nobody uses any more. */
  public void free(Region region) {
    synchronized (this) {
      used--;
      spare.push(region);
    }
    whenFreed.run();
  }

  /** Returns how many places are free. */
  public synchronized int free() {
    return places - used;
  }

  /**
   * Ends the space, whose memtables nobody uses any more.
   *
   * @throws IllegalStateException if a native call still holds some of its memory: somebody passed
   *     a view on to a channel and left its window of validity
   */
  public void close() {
    long deadline = System.nanoTime() + CLOSE_WAIT_NANOS;
    Baton clock = new Baton(); // a native call that ends tells nobody
    while (!tryUnmap() && System.nanoTime() - deadline < 0) {
      boolean unused = clock.await(CLOSE_POLL_NANOS);
    }
    if (!tryUnmap()) {
      throw new IllegalStateException("memory of the store is still used: memtables=" + inUse());
    }
  }

  private synchronized boolean tryUnmap() {
    spare.removeIf(
        region -> {
          try {
            region.close();
            return true;
          } catch (IllegalStateException inUse) {
            return false;
          }
        });
    return inUse() == 0;
  }

  private synchronized int inUse() {
    return used + spare.size();
  }
}
