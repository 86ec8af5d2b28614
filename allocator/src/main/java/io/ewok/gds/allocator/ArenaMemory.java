package io.ewok.gds.allocator;

import io.ewok.gds.ffm.LinuxMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory that a bump arena cuts its blocks from, one behind the other. It lies in
 * <em>extents</em>, of which there are two kinds:
 *
 * <ul>
 *   <li>A reserved region, of which the part in use is committed. Each new one is as large as all
 *       before it, so that even many small blocks need few mappings.
 *   <li>A cell of a {@link SlabAllocator}, just large enough for what is wanted at that moment.
 * </ul>
 *
 * <p>What was cut off can be taken back only as a whole down to some place: by {@link #reset} or
 * {@link #rewind}. It stays committed, and is cut off again from there.
 *
 * <p>Threads: {@link #segment} and {@link #usageBytes} any, the rest one at a time.
 */
final class ArenaMemory {
  /** Ends of blocks are multiples of it, and so it is the largest alignment. */
  static final int PAGE_BYTES = 4096;

  private static final long EXTENT_BYTES_MIN = 1L << 20;

  /** Clearing more at once would keep the process from its safepoints. */
  private static final long CLEAR_BYTES_MAX = 1L << 20;

  private static final Extent[] NONE = {};

  private final MemoryBudget budget;

  /** Null if extents are regions. */
  private final SlabAllocator cells;

  /** Whether what others left in cells is to look as if it had been used and given up here. */
  private final boolean poisonsCells;

  /** Appended to by the owner; searched by any thread. */
  private volatile Extent[] extents = NONE;

  private final AtomicLong usageBytes = new AtomicLong();

  /** Index of the extent that is being cut. */
  private int current;

  /** The place of the next cut, an address in the current extent; 0 at the beginning of all. */
  private long place;

  private boolean cutting;

  /** Takes memory from the system. */
  ArenaMemory(MemoryBudget budget) {
    this.budget = Objects.requireNonNull(budget, "budget");
    this.cells = null;
    this.poisonsCells = false;
  }

  /** Takes memory from an allocator. */
  ArenaMemory(SlabAllocator cells, DebugLetters letters) {
    this.budget = cells.budget();
    this.cells = cells;
    this.poisonsCells = letters.poison();
  }

  /** Address space, the beginning of which is memory. */
  private static final class Extent {
    /** Null if it is a cell. */
    final Region region;

    /** {@link SlabAllocator#NONE} if it is a region. */
    final long cell;

    final MemorySegment segment;
    final long start;
    final long end;

    /**
     * From here on it is not memory yet. Written by the owner; whoever asks for a segment has got
     * the address from him, after the memory was committed.
     */
    long committedEnd;

    /** From here on the memory has never been used, as of the last time the place went back. */
    long usedEnd;

    Extent(Region region) {
      this.region = region;
      this.cell = SlabAllocator.NONE;
      this.segment = region.segment();
      this.start = segment.address();
      this.end = start + segment.byteSize();
      this.committedEnd = start;
      this.usedEnd = start;
    }

    Extent(long cell, MemorySegment segment) {
      this.region = null;
      this.cell = cell;
      this.segment = segment;
      this.start = segment.address();
      this.end = start + segment.byteSize();
      this.committedEnd = end;
      this.usedEnd = end; // by others, before
    }

    boolean contains(long address, long bytes) {
      return address >= start && bytes >= 0 && bytes <= committedEnd - address;
    }

    MemorySegment slice(long address, long bytes) {
      return segment.asSlice(address - start, bytes);
    }
  }

  /**
   * Cuts memory off.
   *
   * @param bytes at least so many, at most {@link Region#SIZE_BYTES_MAX}
   * @param alignmentBytes of the first byte, a power of two up to {@link #PAGE_BYTES}
   * @param endAlignmentBytes of the end, a power of two up to {@link #PAGE_BYTES}
   * @return the address; the end is {@link #place}
   * @throws BudgetExceededException if the budget has no room; nothing was cut
   * @throws IllegalStateException if called inside of itself, by a callback of the budget
   */
  long cut(long bytes, long alignmentBytes, long endAlignmentBytes) {
    requireNotCutting();
    cutting = true;
    try {
      return cutExclusively(bytes, alignmentBytes, endAlignmentBytes);
    } finally {
      cutting = false;
    }
  }

  /**
   * @throws IllegalStateException if called inside of {@link #cut}, by a callback of the budget
   */
  void requireNotCutting() {
    if (cutting) {
      throw new IllegalStateException(
          "a callback of the budget uses the arena that made it run: budget=" + budget);
    }
  }

  private long cutExclusively(long bytes, long alignmentBytes, long endAlignmentBytes) {
    Extent[] known = extents;
    for (int i = current; i < known.length; i++) {
      // A place is never before its extent, unless it is 0.
      long from = i == current ? Math.max(place, known[i].start) : known[i].start;
      long address = roundUp(from, alignmentBytes);
      long end = roundUp(address + bytes, endAlignmentBytes);
      if (end <= known[i].end) {
        commit(known[i], end);
        moveTo(i, end);
        return address;
      }
    }
    long wanted = roundUp(bytes, endAlignmentBytes);
    Extent added = cells == null ? addRegion(wanted) : addCell(wanted, alignmentBytes);
    Extent[] more = Arrays.copyOf(known, known.length + 1);
    more[known.length] = added;
    extents = more;
    moveTo(known.length, added.start + wanted);
    return added.start;
  }

  private void moveTo(int index, long to) {
    if (index != current) {
      Extent left = extents[current];
      left.usedEnd = Math.max(left.usedEnd, place);
    }
    current = index;
    place = to;
  }

  private Extent addRegion(long bytes) {
    long total = 0;
    for (Extent extent : extents) {
      total += extent.end - extent.start;
    }
    long sizeBytes = Math.max(EXTENT_BYTES_MIN, Math.min(total, Region.SIZE_BYTES_MAX));
    Extent added =
        new Extent(
            Region.reserve(
                budget,
                RegionOptions.ofSize(Math.max(bytes, sizeBytes)).withHugePages(HugePages.OFF)));
    boolean committed = false;
    try {
      commit(added, added.start + bytes);
      committed = true;
    } finally {
      if (!committed) {
        added.region.close();
      }
    }
    return added;
  }

  private Extent addCell(long bytes, long alignmentBytes) {
    long cell = cells.allocate((int) bytes, (int) alignmentBytes);
    if (cell == SlabAllocator.NONE) {
      throw new BudgetExceededException("no room in " + cells, budget, bytes);
    }
    MemorySegment segment = cells.segment(cell);
    usageBytes.addAndGet(segment.byteSize());
    if (poisonsCells) {
      Poison.FREED.fill(segment);
    }
    return new Extent(cell, segment);
  }

  private void commit(Extent extent, long end) {
    if (end <= extent.committedEnd) {
      return;
    }
    long bytes = roundUp(end - extent.committedEnd, LinuxMemory.pageSizeBytes());
    while (!extent.region.commit(extent.committedEnd - extent.start, bytes)) {
      // Knows which budget of the tree is full, and says so, unless there is room by now.
      budget.reserve(bytes);
      budget.release(bytes);
    }
    extent.committedEnd += bytes;
    usageBytes.addAndGet(bytes);
  }

  /** Returns the end of what was cut last. */
  long place() {
    return place;
  }

  /** Returns the number of the extent that the place is in, for {@link #rewind}. */
  int extent() {
    return current;
  }

  /**
   * Returns where, in what was cut last, memory begins that has never been used: an address that
   * may lie before or behind it.
   */
  long usedEnd() {
    return extents[current].usedEnd;
  }

  /**
   * Goes back to where it was.
   *
   * @param extent as {@link #extent} was
   * @param place as {@link #place} was
   * @param blockEnd end of the block that is being given up
   * @param blockUsedEnd from here on the block has not been used
   */
  void rewind(int extent, long place, long blockEnd, long blockUsedEnd) {
    if (extents.length > 0) {
      Extent left = extents[current];
      long usedEnd = blockEnd == this.place ? blockUsedEnd : this.place;
      left.usedEnd = Math.max(left.usedEnd, usedEnd);
    }
    this.current = extent;
    this.place = place;
  }

  /** Goes back to the beginning; parameters as in {@link #rewind}. */
  void reset(long blockEnd, long blockUsedEnd) {
    rewind(0, 0, blockEnd, blockUsedEnd);
  }

  /** Fills what has been cut off and taken back, with nothing else. */
  void fillFree(Poison poison) {
    Extent[] known = extents;
    for (int i = current; i < known.length; i++) {
      Extent extent = known[i];
      long from = i == current ? Math.max(place, extent.start) : extent.start;
      if (from < extent.usedEnd) {
        poison.fill(extent.slice(from, extent.usedEnd - from));
      }
    }
  }

  /** Returns what is thrown to pretend that the budget has no room. */
  BudgetExceededException refusal(long bytes) {
    return new BudgetExceededException("this allocation is to fail", budget, bytes);
  }

  /**
   * Returns memory that was cut off as a segment with the scope of its region. Any thread.
   *
   * @throws IllegalArgumentException if no extent contains these bytes
   */
  MemorySegment segment(long address, long bytes) {
    Extent[] known = extents;
    // The likeliest first: of what the owner asks, it is the one that he cuts just now.
    int likely = current;
    if (likely < known.length && known[likely].contains(address, bytes)) {
      return known[likely].slice(address, bytes);
    }
    for (int i = known.length - 1; i >= 0; i--) {
      if (known[i].contains(address, bytes)) {
        return known[i].slice(address, bytes);
      }
    }
    throw new IllegalArgumentException(
        "the arena does not contain these bytes: address=%d bytes=%d".formatted(address, bytes));
  }

  /** Returns the most that can be cut off at once, in bytes. */
  long cutBytesMax() {
    return cells == null ? Region.SIZE_BYTES_MAX : SlabAllocator.BYTES_MAX;
  }

  /** Returns the bytes charged to the budget. Any thread. */
  long usageBytes() {
    return usageBytes.get();
  }

  static long requireBlock(long blockBytes) {
    if (blockBytes < PAGE_BYTES || blockBytes > Region.SIZE_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a block has %d to %d bytes: blockBytes=%d"
              .formatted(PAGE_BYTES, Region.SIZE_BYTES_MAX, blockBytes));
    }
    return blockBytes;
  }

  static int requireCellBlock(int blockBytes) {
    if (blockBytes < PAGE_BYTES
        || blockBytes > SlabAllocator.BYTES_MAX
        || Integer.bitCount(blockBytes) != 1) {
      throw new IllegalArgumentException(
          "a block in a cell is a power of two from %d to %d bytes: blockBytes=%d"
              .formatted(PAGE_BYTES, SlabAllocator.BYTES_MAX, blockBytes));
    }
    return blockBytes;
  }

  static void requireAllocatable(long bytes, long alignmentBytes) {
    if (bytes < 1 || bytes > Region.SIZE_BYTES_MAX) {
      throw new IllegalArgumentException(
          "one allocation has 1 to %d bytes: bytes=%d".formatted(Region.SIZE_BYTES_MAX, bytes));
    }
    if (!isAlignment(alignmentBytes)) {
      throw new IllegalArgumentException(
          "an alignment is a power of two up to %d: alignmentBytes=%d"
              .formatted(PAGE_BYTES, alignmentBytes));
    }
  }

  /** Whether a number is a power of two from 1 to {@link #PAGE_BYTES}. */
  static boolean isAlignment(long bytes) {
    // One test: a power of two has no bit in common with its predecessor, which is below a page.
    return ((bytes - 1) & (bytes | -PAGE_BYTES)) == 0;
  }

  /** Makes an allocator, which may count on sizes of at least one byte, allow empty segments. */
  static SegmentAllocator withEmpty(SegmentAllocator positive) {
    return (bytes, alignmentBytes) ->
        bytes == 0
            ? positive.allocate(1, alignmentBytes).asSlice(0, 0)
            : positive.allocate(bytes, alignmentBytes);
  }

  /** Sets memory to zero. */
  void clear(long address, long bytes) {
    // Through a segment: whoever allocates in an arena that is being closed gets an exception.
    MemorySegment memory = segment(address, bytes);
    for (long done = 0; done < bytes; done += CLEAR_BYTES_MAX) {
      memory.asSlice(done, Math.min(CLEAR_BYTES_MAX, bytes - done)).fill((byte) 0);
    }
  }

  static long roundUp(long value, long powerOfTwo) {
    return (value + powerOfTwo - 1) & -powerOfTwo;
  }

  /**
   * Frees everything. Closing twice does nothing.
   *
   * @param found is thrown in any case, unless it is null
   * @throws IllegalStateException if a native call is using memory of the arena just now; close it
   *     again later
   */
  void close(MemoryCorruptionException found) {
    try {
      close();
    } catch (IllegalStateException e) {
      if (found == null) {
        throw e;
      }
      found.addSuppressed(e);
    }
    if (found != null) {
      throw found;
    }
  }

  private void close() {
    for (Extent extent : extents) {
      if (extent.region != null) {
        extent.region.close();
      } else {
        cells.free(extent.cell);
      }
    }
    extents = NONE;
    usageBytes.set(0);
    current = 0;
    place = 0;
  }
}
