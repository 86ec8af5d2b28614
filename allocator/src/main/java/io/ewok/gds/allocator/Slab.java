package io.ewok.gds.allocator;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A run of blocks cut into cells of one class. What is known about the cells lies here on the heap;
 * nothing is written into free memory.
 *
 * <pre>
 *   in the slab --take--> in a magazine --allocate--> with the caller --free--> in a magazine
 *        ^                      |                            |
 *        |                     put                  free while under I/O
 *        |                      |                            |
 *        +----------------------+-------- operation ends ----+
 * </pre>
 *
 * <p>Threads: any, by the rules at each group of fields.
 */
final class Slab {
  private static final VarHandle INTS = MethodHandles.arrayElementVarHandle(int[].class);
  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle LEASES;

  static {
    try {
      LEASES = MethodHandles.lookup().findVarHandle(Slab.class, "leases", CellLeases.class);
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
  private final long offset;
  private final int firstFrees;
  private final boolean zero;

  /** Null if no letter is on. */
  final CellNotes notes;

  /**
   * By cell, the generation of its live handle, or of the next one. Freeing steps it: plainly where
   * the cell has one owner, by compare-and-set where frees may race. Whoever passes a handle on
   * does so in order, for the sake of the bytes in the cell; that orders these writes too. Across
   * magazines the depot orders them, across slabs {@link #free}.
   */
  private final int[] generations;

  /**
   * Bit set: the cell is in the slab. Changed by atomic operations only. Setting a bit releases
   * what was done with the cell, its generation above all; taking it acquires that.
   */
  private final long[] free;

  /**
   * The heap, as long as a shard of it can take freed cells without further questions; null once
   * there was I/O on a cell, and always with letters on. Written plainly: whoever frees a cell
   * under I/O was told of the I/O.
   */
  NodeHeap simpleHeap;

  /** Null until there is I/O on a cell. */
  private volatile CellLeases leases;

  /** Partner of the count of leases: whoever begins one looks here after counting it. */
  private volatile boolean retired;

  /** Where the bin keeps this slab. Written before that. */
  int place;

  /**
   * Makes a slab all of whose cells are in it.
   *
   * @param firstFrees from how many frees its generations count
   * @param colour how many cache lines the first cell is shifted by, where the class is coloured
   * @param zero whether the blocks are as they came from the system
   */
  Slab(
      NodeHeap heap,
      int sizeClass,
      int number,
      int firstFrees,
      Unit unit,
      int firstBlock,
      int blocks,
      int colour,
      boolean zero) {
    this.heap = heap;
    this.sizeClass = sizeClass;
    this.cellBytes = SizeClasses.cellBytes(sizeClass);
    this.number = number;
    this.firstFrees = firstFrees;
    this.unit = unit;
    this.firstBlock = firstBlock;
    this.blocks = blocks;
    this.cellCount = SizeClasses.cells(sizeClass, blocks);
    SlabDebug debug = heap.allocator().debug();
    this.simpleHeap = debug == null ? heap : null;
    this.notes = debug == null ? null : debug.notes(cellCount);
    this.zero = zero && debug == null;
    int shift = SizeClasses.colourBytes(sizeClass, colour);
    int front = debug == null ? 0 : debug.frontBytes(sizeClass);
    this.offset = unit.offset(firstBlock) + shift + front;
    this.generations = new int[cellCount];
    for (int cell = 0; cell < cellCount; cell++) {
      generations[cell] = CellHandle.generation(firstFrees, number, cell);
    }
    this.free = new long[(cellCount + Long.SIZE - 1) / Long.SIZE];
    for (int word = 0; word < free.length; word++) {
      free[word] = allCells(word);
    }
  }

  /** Returns a word of {@link #free} in which every cell is free. */
  private long allCells(int word) {
    return -1L >>> Math.max(0, (word + 1) * Long.SIZE - cellCount);
  }

  // ---------------------------------------------------------------- handles

  /** Returns whether the handle, one of this slab's number, names a live cell. */
  boolean isLive(long handle) {
    int cell = CellHandle.cell(handle);
    int[] current = generations;
    // Unsigned, because that is the comparison which the access implies anyway.
    return Integer.compareUnsigned(cell, current.length) < 0
        && current[cell] == CellHandle.generation(handle);
  }

  /** Ends the life of a handle that {@link #isLive}; nobody else frees it at the same time. */
  void step(long handle) {
    generations[CellHandle.cell(handle)] = CellHandle.generation(CellHandle.next(handle));
  }

  /** Ends the life of a handle that {@link #isLive}, unless another thread just did. */
  boolean tryStep(long handle) {
    return INTS.compareAndSet(
        generations,
        CellHandle.cell(handle),
        CellHandle.generation(handle),
        CellHandle.generation(CellHandle.next(handle)));
  }

  /** Returns the offset of a cell in the region, in bytes. */
  long offset(long handle) {
    return offset + (long) CellHandle.cell(handle) * cellBytes;
  }

  /** Returns the address of a cell. */
  long address(long handle) {
    return unit.address() + offset(handle);
  }

  /** Returns how many bytes of a live cell are the caller's. */
  int usableBytes(long handle) {
    return notes == null
        ? cellBytes
        : heap.allocator().debug().usableBytes(this, CellHandle.cell(handle));
  }

  /** Returns the first bytes of a cell, with the scope of the region. */
  MemorySegment segment(long handle, long bytes) {
    return unit.region().segment().asSlice(offset(handle), bytes);
  }

  /** Returns whether nobody has had the cell since its memory came, zeroed, from the system. */
  boolean isZero(long handle) {
    return zero
        && CellHandle.generation(handle)
            == CellHandle.generation(firstFrees, number, CellHandle.cell(handle));
  }

  /** Returns more than how many times each cell has been freed. For a slab that has gone. */
  int freesAtEnd() {
    int most = 0;
    for (int cell = 0; cell < generations.length; cell++) {
      int frees = CellHandle.frees(generations[cell], number, cell) - firstFrees;
      most = Integer.compareUnsigned(frees, most) > 0 ? frees : most;
    }
    return firstFrees + most + 1;
  }

  // ---------------------------------------------------------------- cells in the slab

  /** Moves cells into the magazine until it is full or the slab is empty. */
  void take(long[] magazine) {
    for (int word = 0; word < free.length && !Magazine.isFull(magazine); word++) {
      // From the highest on, so that the lowest is allocated first.
      for (long cells = takeCells(word, Magazine.room(magazine)); cells != 0; ) {
        long highest = Long.highestOneBit(cells);
        int cell = word * Long.SIZE + Long.numberOfTrailingZeros(highest);
        Magazine.push(magazine, handle(cell));
        cells ^= highest;
      }
    }
  }

  /** Returns the handle of a live cell, or the one that a free cell is issued under next. */
  long handle(int cell) {
    return CellHandle.of(generations[cell], number, cell);
  }

  private long takeCells(int word, int max) {
    while (true) {
      long cells = (long) LONGS.getVolatile(free, word);
      long taken = lowestBits(cells, max);
      if (taken == 0 || LONGS.compareAndSet(free, word, cells, cells & ~taken)) {
        return taken;
      }
    }
  }

  private static long lowestBits(long bits, int max) {
    long rest = bits;
    for (int i = Math.min(max, Long.bitCount(bits)); i > 0; i--) {
      rest &= rest - 1;
    }
    return bits & ~rest;
  }

  /** Puts back a cell that nobody has. */
  void put(int cell) {
    LONGS.getAndBitwiseOr(free, cell / Long.SIZE, 1L << cell);
  }

  /** Returns whether a cell was in the slab a moment ago. */
  boolean hasCells() {
    for (int word = 0; word < free.length; word++) {
      if ((long) LONGS.getVolatile(free, word) != 0) {
        return true;
      }
    }
    return false;
  }

  /** Returns how many cells were in the slab a moment ago. */
  int freeCells() {
    int count = 0;
    for (int word = 0; word < free.length; word++) {
      count += Long.bitCount((long) LONGS.getVolatile(free, word));
    }
    return count;
  }

  /** Returns whether each cell was in the slab when it was looked at. */
  boolean isWhole() {
    for (int word = 0; word < free.length; word++) {
      if ((long) LONGS.getVolatile(free, word) != allCells(word)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Takes the slab out of use: from then on nobody takes a cell or begins an operation on one.
   * False if a cell is missing or under I/O; meanwhile others may have found no cells here.
   */
  boolean tryRetire() {
    for (int word = 0; word < free.length; word++) {
      if (!LONGS.compareAndSet(free, word, allCells(word), 0L)) {
        putWords(word);
        return false;
      }
    }
    retired = true;
    CellLeases current = leases;
    if (current != null && current.isAny()) {
      retired = false;
      putWords(free.length);
      return false;
    }
    return true;
  }

  private void putWords(int count) {
    for (int word = 0; word < count; word++) {
      LONGS.setVolatile(free, word, allCells(word));
    }
  }

  // ---------------------------------------------------------------- I/O

  /**
   * An operation on some bytes of the slab begins.
   *
   * @param from offset in the region, in this slab's blocks, in bytes
   * @param to end offset, in this slab's blocks
   * @return false if the slab has been retired meanwhile, or no cell is there; then it is not
   *     counted
   */
  boolean lease(long from, long to) {
    int first = firstCell(from);
    int end = endCell(to);
    if (first >= end) {
      // Between slabs, where nothing would keep the slab in place.
      return false;
    }
    CellLeases counts = leases;
    if (counts == null) {
      CellLeases fresh = new CellLeases(cellCount);
      // Before others see that there are leases: they tell of their operations without a look here.
      simpleHeap = null;
      CellLeases witness = (CellLeases) LEASES.compareAndExchange(this, null, fresh);
      counts = witness == null ? fresh : witness;
    }
    for (int cell = first; cell < end; cell++) {
      counts.begin(cell);
    }
    if (retired) {
      for (int cell = first; cell < end; cell++) {
        counts.end(cell);
      }
      return false;
    }
    return true;
  }

  /** An operation has ended. Cells that were freed meanwhile, and are under no other, go back. */
  void unlease(long from, long to) {
    CellLeases counts = leases;
    if (counts == null) {
      throw new IllegalStateException("no operation is in flight here: offset=" + from);
    }
    int end = endCell(to);
    for (int cell = firstCell(from); cell < end; cell++) {
      if (counts.end(cell)) {
        release(cell);
      }
    }
  }

  private void release(int cell) {
    if (notes == null) {
      heap.bin(sizeClass).put(this, cell);
    } else {
      heap.allocator().debug().release(this, cell);
    }
  }

  /**
   * Leaves a cell that has just been freed to the end of the operations on it, if there are any.
   */
  boolean defer(long handle) {
    CellLeases current = leases;
    return current != null && current.defer(CellHandle.cell(handle));
  }

  /** Returns how many cells were freed and wait for operations, a moment ago. */
  int deferredCells() {
    CellLeases current = leases;
    return current == null ? 0 : current.deferred();
  }

  private int firstCell(long from) {
    return (int) Math.max(0, (from - offset) / cellBytes);
  }

  private int endCell(long to) {
    return Math.clamp((to - offset + cellBytes - 1) / cellBytes, 0, cellCount);
  }
}
