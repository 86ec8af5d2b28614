package io.ewok.gds.allocator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * All slabs of one class on one node, and the depot before them.
 *
 * <p>Cells are taken from the slab in the lowest place that has any, and new slabs go to the lowest
 * place that is vacant. So what is in use gathers in few slabs and the others become whole.
 *
 * <p>Threads: any; lock-free, except that slabs are added and removed under the growth lock of the
 * heap.
 */
final class Bin {
  private static final VarHandle SPARE;
  private static final VarHandle CELLS;

  static {
    try {
      SPARE = MethodHandles.lookup().findVarHandle(Bin.class, "spare", Slab.class);
      CELLS = MethodHandles.lookup().findVarHandle(Row.class, "cells", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final NodeHeap heap;
  final int sizeClass;
  private final int magazineCapacity;
  private final Depot depot = new Depot();

  /** Only grows, under the growth lock. */
  private volatile Row[] rows = {};

  /** A whole slab that is kept for the next to come; it may be in use again. */
  private volatile Slab spare;

  /** Slabs in use. Guarded by the growth lock. */
  private int slabCount;

  /** Slabs there have been. Guarded by the growth lock. */
  private int colour;

  /** 64 places for slabs. */
  private static final class Row {
    /**
     * Written under the growth lock. Setting a bit of {@link #cells} releases the entry, seeing it
     * acquires it.
     */
    final Slab[] slabs = new Slab[Long.SIZE];

    /**
     * Bit set: the slab in this place may have cells. Whoever puts a cell and finds the bit clear
     * sets it; whoever finds a slab empty clears it and looks again. Both are volatile, so one of
     * the two sees the other.
     */
    volatile long cells;

    void set(int place) {
      if ((cells & 1L << place) == 0) {
        CELLS.getAndBitwiseOr(this, 1L << place);
      }
    }

    void clearIfEmpty(int place) {
      CELLS.getAndBitwiseAnd(this, ~(1L << place));
      // It need not be the slab that was found empty: that one may have gone.
      Slab slab = slabs[place];
      if (slab != null && slab.hasCells()) {
        set(place);
      }
    }
  }

  Bin(NodeHeap heap, int sizeClass) {
    this.heap = heap;
    this.sizeClass = sizeClass;
    this.magazineCapacity = SizeClasses.magazineCapacity(sizeClass);
  }

  /**
   * Takes an empty magazine and returns one with handles in it; the same, still empty, if there is
   * no room.
   */
  Magazine refill(Magazine empty) {
    Magazine filled = depot.takeFilled();
    if (filled != null) {
      if (empty != Magazine.NONE) {
        depot.putEmpty(empty);
      }
      return filled;
    }
    Magazine magazine = empty == Magazine.NONE ? newMagazine() : empty;
    takeFromSlabs(magazine);
    if (magazine.isEmpty()) {
      heap.grow(this, magazine);
    }
    return magazine;
  }

  /** Puts one cell into the magazine, which has room for one; none if there is no room for more. */
  void takeOne(Magazine one) {
    takeFromSlabs(one);
    if (one.isEmpty()) {
      Magazine filled = depot.takeFilled();
      if (filled == null) {
        heap.grow(this, one);
      } else {
        one.push(filled.pop());
        takeOver(filled);
      }
    }
  }

  /** Takes a full magazine and returns one with room. */
  Magazine unload(Magazine full) {
    if (full == Magazine.NONE) {
      return newMagazine();
    }
    if (depot.putFilled(full)) {
      return newMagazine();
    }
    empty(full);
    return full;
  }

  private Magazine newMagazine() {
    Magazine magazine = depot.takeEmpty();
    return magazine == null ? new Magazine(magazineCapacity) : magazine;
  }

  /** Takes over a magazine of whoever does not need it any more. */
  void takeOver(Magazine magazine) {
    if (magazine.isEmpty() || !depot.putFilled(magazine)) {
      empty(magazine);
    }
  }

  /** Puts all cells of the magazine back into their slabs. */
  private void empty(Magazine magazine) {
    while (!magazine.isEmpty()) {
      put(magazine.pop());
    }
  }

  /** Puts a cell back into its slab. */
  void put(long handle) {
    Slab slab = SlabTable.find(handle);
    if (slab == null || slab.heap != heap) {
      // The allocator was closed meanwhile, and the number may be another's.
      return;
    }
    boolean wordComplete = slab.put(handle);
    row(slab).set(slab.place % Long.SIZE);
    if (wordComplete && slab.isWhole()) {
      retireUnlessSpare(slab);
    }
  }

  private void retireUnlessSpare(Slab slab) {
    Slab kept = spare;
    if (kept == slab) {
      return;
    }
    if (kept == null || !kept.isWhole()) {
      SPARE.compareAndSet(this, kept, slab);
    } else {
      heap.retire(this, slab);
    }
  }

  /** Moves cells from the slabs into the magazine until it is full or there are none. */
  void takeFromSlabs(Magazine magazine) {
    for (Row row : rows) {
      for (long cells = row.cells; cells != 0; cells &= cells - 1) {
        int place = Long.numberOfTrailingZeros(cells);
        Slab slab = row.slabs[place];
        if (slab != null) {
          slab.take(magazine);
        }
        if (magazine.isFull()) {
          return;
        }
        row.clearIfEmpty(place);
      }
    }
  }

  /** Puts what is in the depot back into the slabs. */
  void drainDepot() {
    for (Magazine filled = depot.takeFilled(); filled != null; filled = depot.takeFilled()) {
      empty(filled);
    }
  }

  // From here on guarded by the growth lock.

  int slabCount() {
    return slabCount;
  }

  int nextColour() {
    return colour++;
  }

  void add(Slab slab) {
    int place = vacantPlace();
    slab.place = place;
    Row row = rows[place / Long.SIZE];
    row.slabs[place % Long.SIZE] = slab;
    row.set(place % Long.SIZE);
    slabCount++;
  }

  private int vacantPlace() {
    Row[] current = rows;
    for (int place = 0; place < current.length * Long.SIZE; place++) {
      if (current[place / Long.SIZE].slabs[place % Long.SIZE] == null) {
        return place;
      }
    }
    Row[] more = Arrays.copyOf(current, current.length + 1);
    more[current.length] = new Row();
    rows = more;
    return current.length * Long.SIZE;
  }

  /** Removes the slab if it is whole. From then on nobody finds cells in it. */
  boolean remove(Slab slab) {
    if (row(slab).slabs[slab.place % Long.SIZE] != slab) {
      return false;
    }
    if (!slab.tryTakeWhole()) {
      // Whoever looked meanwhile may have found it empty.
      row(slab).set(slab.place % Long.SIZE);
      return false;
    }
    SPARE.compareAndSet(this, slab, null);
    row(slab).slabs[slab.place % Long.SIZE] = null;
    slabCount--;
    return true;
  }

  void forEachSlab(Consumer<Slab> action) {
    for (Row row : rows) {
      for (Slab slab : row.slabs) {
        if (slab != null) {
          action.accept(slab);
        }
      }
    }
  }

  private Row row(Slab slab) {
    return rows[slab.place / Long.SIZE];
  }
}
