package io.ewok.gds.allocator;

import java.util.Arrays;
import java.util.function.Consumer;

/**
 * All slabs of one class on one node, and the depot before them.
 *
 * <p>Cells are taken from the slab in the lowest place that has any, and a new slab gets the lowest
 * place that is vacant. So what is in use gathers in few slabs, and the others become whole.
 *
 * <p>Threads: any; lock-free, except that slabs are added and removed under the growth lock of the
 * heap.
 */
final class Bin {
  final int sizeClass;
  private final NodeHeap heap;
  private final int magazineCapacity;
  private final Depot depot = new Depot();

  /** Only grows, under the growth lock. */
  private volatile SlabRow[] rows = {};

  // Guarded by the growth lock.

  private int slabCount;

  /** Slabs there have been. */
  private int slabsEver;

  Bin(NodeHeap heap, int sizeClass) {
    this.heap = heap;
    this.sizeClass = sizeClass;
    this.magazineCapacity = SizeClasses.magazineCapacity(sizeClass);
  }

  // ---------------------------------------------------------------- magazines

  /**
   * Takes an empty magazine and returns one with handles in it; an empty one if there is no room.
   * Before it returns, the budget may call somebody who uses the shard that this is for, which
   * therefore does not hold that magazine any more.
   */
  long[] load(long[] empty) {
    long[] filled = depot.takeFilled();
    if (filled != null) {
      recycle(empty);
      return filled;
    }
    long[] magazine = empty == Magazine.NONE ? emptyMagazine() : empty;
    takeFromSlabs(magazine);
    if (Magazine.isEmpty(magazine)) {
      heap.grow(this, magazine);
    }
    if (Magazine.isEmpty(magazine)) {
      recycle(magazine);
      return Magazine.NONE;
    }
    return magazine;
  }

  /** Takes a full magazine and returns one with room. */
  long[] unload(long[] full) {
    if (full == Magazine.NONE || depot.putFilled(full)) {
      return emptyMagazine();
    }
    empty(full);
    return full;
  }

  /** Takes over a magazine of whoever does not need it any more. */
  void takeOver(long[] magazine) {
    if (Magazine.isEmpty(magazine)) {
      recycle(magazine);
    } else if (!depot.putFilled(magazine)) {
      empty(magazine);
    }
  }

  /**
   * Returns the handle of one cell, past all shards; {@link CellHandle#NONE} if there is no room.
   */
  long takeOne() {
    long[] magazine = load(Magazine.NONE);
    long handle = Magazine.pop(magazine);
    takeOver(magazine);
    return handle;
  }

  /** Puts what is in the depot back into the slabs. */
  void drainDepot() {
    for (long[] filled = depot.takeFilled(); filled != null; filled = depot.takeFilled()) {
      empty(filled);
    }
  }

  /** Returns how many cells are in the depot, a moment ago. */
  int depotCells() {
    return depot.count();
  }

  private long[] emptyMagazine() {
    long[] magazine = depot.takeEmpty();
    return magazine == null ? Magazine.create(magazineCapacity) : magazine;
  }

  private void recycle(long[] empty) {
    if (empty != Magazine.NONE) {
      // If there are enough already, the collector takes it.
      depot.putEmpty(empty);
    }
  }

  private void empty(long[] magazine) {
    while (!Magazine.isEmpty(magazine)) {
      put(Magazine.pop(magazine));
    }
  }

  // ---------------------------------------------------------------- cells in slabs

  /** Puts a free cell into its slab, one of this bin. */
  void put(long handle) {
    Slab slab = SlabTable.find(handle);
    // Closed while a shard was not flushed yet: the cell has gone with the slab.
    if (slab != null && slab.heap == heap) {
      put(slab, CellHandle.cell(handle));
    }
  }

  /** Puts a free cell into a slab of this bin. */
  void put(Slab slab, int cell) {
    slab.put(cell);
    row(slab).mark(slab.place % SlabRow.PLACES);
  }

  /** Moves cells from the slabs into the magazine until it is full or there are none. */
  void takeFromSlabs(long[] magazine) {
    for (SlabRow row : rows) {
      if (row.take(magazine)) {
        return;
      }
    }
  }

  // ---------------------------------------------------------------- guarded by the growth lock

  int slabCount() {
    return slabCount;
  }

  /** Returns the colour of the next slab. */
  int colour() {
    return slabsEver % SizeClasses.COLOURS;
  }

  void add(Slab slab) {
    slab.place = vacantPlace();
    row(slab).add(slab, slab.place % SlabRow.PLACES);
    slabCount++;
    slabsEver++;
  }

  private int vacantPlace() {
    SlabRow[] current = rows;
    for (int i = 0; i < current.length; i++) {
      int vacant = current[i].vacant();
      if (vacant >= 0) {
        return i * SlabRow.PLACES + vacant;
      }
    }
    SlabRow[] more = Arrays.copyOf(current, current.length + 1);
    more[current.length] = new SlabRow();
    rows = more;
    return current.length * SlabRow.PLACES;
  }

  /** Removes the slab if it is whole and not under I/O. */
  boolean remove(Slab slab) {
    int place = slab.place % SlabRow.PLACES;
    SlabRow row = row(slab);
    if (!row.has(slab, place)) {
      return false;
    }
    if (!slab.tryRetire()) {
      // Whoever looked meanwhile may have found it empty.
      row.mark(place);
      return false;
    }
    row.remove(place);
    slabCount--;
    return true;
  }

  void forEachSlab(Consumer<Slab> action) {
    for (SlabRow row : rows) {
      row.forEach(action);
    }
  }

  private SlabRow row(Slab slab) {
    return rows[slab.place / SlabRow.PLACES];
  }
}
