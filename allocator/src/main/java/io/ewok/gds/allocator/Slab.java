package io.ewok.gds.allocator;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A run of blocks cut into cells of one class. What is known about the cells lies here on the heap;
 * nothing is written into free memory.
 *
 * <p>A cell is in one of four places:
 *
 * <pre>
 *   in the slab --take--> in a magazine --issue--> with the caller
 *        ^                   |      ^                  |
 *        +------- put -------+      +---- withdraw ----+
 * </pre>
 *
 * <p>Its entry in {@link #generations} is the generation of the live handle while it is with the
 * caller, else {@link CellHandle#NO_GENERATION}, which no handle has. So a handle that was freed,
 * or never issued, matches nothing.
 *
 * <p>Threads: any, by the rules at each group of fields.
 */
final class Slab {
  private static final VarHandle INTS = MethodHandles.arrayElementVarHandle(int[].class);
  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle NEXT_GENERATION;

  static {
    try {
      NEXT_GENERATION =
          MethodHandles.lookup().findVarHandle(Slab.class, "nextGeneration", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  // Never change.
  final NodeHeap heap;
  final int sizeClass;
  final int cellBytes;
  final int number;
  final int cellCount;
  final Unit unit;
  final int firstBlock;
  final int blocks;

  /** Of the first cell, from the start of the region. */
  final long offset;

  /**
   * By cell. Written by whoever has the cell: plainly where a shard issues or withdraws it, by
   * compare-and-set where frees may race. Passing a handle to another thread in order, as it must
   * be passed anyway for the bytes of the cell, orders these writes too.
   */
  private final int[] generations;

  /**
   * Bit set: the cell is in the slab. Changed by atomic operations only. Setting a bit releases
   * what was done with the cell and {@link #nextGeneration}; taking it acquires both.
   */
  private final long[] free;

  /**
   * At least the generation that any cell in the slab is issued under next; raised before the cell
   * is put. One number for all cells: generations may skip, they must not repeat.
   */
  @SuppressWarnings("unused") // By NEXT_GENERATION.
  private volatile int nextGeneration;

  /** Where the bin keeps this slab. Guarded by the heap's growth lock; read after that. */
  int place = -1;

  Slab(
      NodeHeap heap,
      int sizeClass,
      int number,
      int firstGeneration,
      Unit unit,
      int firstBlock,
      int blocks,
      int colour) {
    this.heap = heap;
    this.sizeClass = sizeClass;
    this.cellBytes = SizeClasses.cellBytes(sizeClass);
    this.number = number;
    this.unit = unit;
    this.firstBlock = firstBlock;
    this.blocks = blocks;
    boolean coloured = cellBytes < SizeClasses.COLOURED_BELOW_BYTES;
    int shift = coloured ? colour % SizeClasses.COLOURS * SizeClasses.CACHE_LINE_BYTES : 0;
    this.offset = unit.offset(firstBlock) + shift;
    this.cellCount =
        Math.min((blocks * SizeClasses.BLOCK_BYTES - shift) / cellBytes, CellHandle.CELLS_MAX);
    this.generations = new int[cellCount];
    this.free = new long[(cellCount + Long.SIZE - 1) / Long.SIZE];
    for (int word = 0; word < free.length; word++) {
      free[word] = allCells(word);
    }
    this.nextGeneration = firstGeneration;
  }

  /** Returns a word of {@link #free} in which every cell is free. */
  private long allCells(int word) {
    return -1L >>> Math.max(0, (word + 1) * Long.SIZE - cellCount);
  }

  /** Returns whether the handle, one of this slab's number, names a live cell. */
  boolean isLive(long handle) {
    int cell = CellHandle.cell(handle);
    int generation = CellHandle.generation(handle);
    int[] current = generations;
    // The unsigned comparison is the one that the JIT would make anyway.
    return Integer.compareUnsigned(cell, current.length) < 0
        && current[cell] == generation
        && generation != CellHandle.NO_GENERATION;
  }

  /** Marks the cell as the caller's. */
  void issue(long handle) {
    generations[CellHandle.cell(handle)] = CellHandle.generation(handle);
  }

  /** Ends the life of a handle that {@link #isLive}; nobody else frees it at the same time. */
  void withdraw(long handle) {
    generations[CellHandle.cell(handle)] = CellHandle.NO_GENERATION;
  }

  /** Ends the life of a handle that {@link #isLive}, unless another thread just did. */
  boolean tryWithdraw(long handle) {
    return INTS.compareAndSet(
        generations,
        CellHandle.cell(handle),
        CellHandle.generation(handle),
        CellHandle.NO_GENERATION);
  }

  /** Returns the offset of a cell in the region, in bytes. */
  long offset(long handle) {
    return offset + (long) CellHandle.cell(handle) * cellBytes;
  }

  /** Returns the address of a cell. */
  long address(long handle) {
    return unit.region.address() + offset(handle);
  }

  /** Returns the first bytes of a cell, with the scope of the region. */
  MemorySegment segment(long handle, long bytes) {
    return unit.region.segment().asSlice(offset(handle), bytes);
  }

  /** Moves free cells into the magazine until it is full or the slab is empty. */
  void take(Magazine magazine) {
    for (int word = 0; word < free.length && !magazine.isFull(); word++) {
      long cells = takeCells(word, magazine.room());
      if (cells != 0) {
        // After the bits: it is at least what was there when the last of these cells was put.
        int generation = nextGeneration;
        for (; cells != 0; cells &= cells - 1) {
          int cell = word * Long.SIZE + Long.numberOfTrailingZeros(cells);
          magazine.push(CellHandle.of(generation, number, cell));
        }
      }
    }
  }

  private long takeCells(int word, int max) {
    while (true) {
      long cells = (long) LONGS.getVolatile(free, word);
      long taken = Long.bitCount(cells) <= max ? cells : lowestBits(cells, max);
      if (taken == 0 || LONGS.compareAndSet(free, word, cells, cells & ~taken)) {
        return taken;
      }
    }
  }

  private static long lowestBits(long bits, int count) {
    long rest = bits;
    for (int i = 0; i < count; i++) {
      rest &= rest - 1;
    }
    return bits & ~rest;
  }

  /**
   * Puts back a cell that is in a magazine.
   *
   * @return whether its word of 64 cells is complete now
   */
  boolean put(long handle) {
    raiseNextGeneration(CellHandle.generation(handle));
    int cell = CellHandle.cell(handle);
    int word = cell / Long.SIZE;
    long bit = 1L << cell;
    return ((long) LONGS.getAndBitwiseOr(free, word, bit) | bit) == allCells(word);
  }

  /** Raises it to at least this. Generations come round, so the shorter way says which is later. */
  void raiseNextGeneration(int generation) {
    int next = nextGeneration;
    while (generation - next > 0) {
      int witness = (int) NEXT_GENERATION.compareAndExchange(this, next, generation);
      if (witness == next) {
        return;
      }
      next = witness;
    }
  }

  boolean hasCells() {
    for (int word = 0; word < free.length; word++) {
      if ((long) LONGS.getVolatile(free, word) != 0) {
        return true;
      }
    }
    return false;
  }

  /** Returns how many cells are in the slab, a moment ago. */
  int freeCells() {
    int count = 0;
    for (int word = 0; word < free.length; word++) {
      count += Long.bitCount((long) LONGS.getVolatile(free, word));
    }
    return count;
  }

  /** Returns whether all cells were in the slab when each was looked at. */
  boolean isWhole() {
    for (int word = 0; word < free.length; word++) {
      if ((long) LONGS.getVolatile(free, word) != allCells(word)) {
        return false;
      }
    }
    return true;
  }

  /** Takes all cells, so that nobody can any more, or none if one is missing. */
  boolean tryTakeWhole() {
    for (int word = 0; word < free.length; word++) {
      if (!LONGS.compareAndSet(free, word, allCells(word), 0L)) {
        while (--word >= 0) {
          LONGS.setVolatile(free, word, allCells(word));
        }
        return false;
      }
    }
    return true;
  }

  int nextGeneration() {
    return nextGeneration;
  }

  /** Returns how many cells are with callers, a moment ago. */
  int liveCells() {
    int live = 0;
    for (int generation : generations) {
      if (generation != CellHandle.NO_GENERATION) {
        live++;
      }
    }
    return live;
  }

  /** Ends the life of all handles. For a slab that goes away. */
  void withdrawAll() {
    for (int cell = 0; cell < generations.length; cell++) {
      int generation = generations[cell];
      if (generation != CellHandle.NO_GENERATION) {
        raiseNextGeneration(
            CellHandle.generation(CellHandle.next(CellHandle.of(generation, number, cell))));
        generations[cell] = CellHandle.NO_GENERATION;
      }
    }
  }
}
