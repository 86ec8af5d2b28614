package io.ewok.gds.allocator;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * Memory for things that die together: allocation moves a pointer, nothing is freed alone, and
 * closing the arena frees everything; {@link #reset} makes all of it available again, {@link
 * #rewind} what came after a {@link #mark}.
 *
 * <p>Memory comes in blocks. A request that does not fit into what is left of the current block
 * opens a new one, unless it is larger than a quarter of a block: then it gets a block of its own
 * and the current one stays in use. So at most a quarter of a block is wasted at each end (after
 * LevelDB's arena). Blocks are cut from a few regions, so small ones are cheap.
 *
 * <p>What memory contains at first:
 *
 * <table>
 * <caption>Content</caption>
 * <tr><th>method</th><th>content</th><th>costs</th></tr>
 * <tr><td>{@link #allocate}, {@link #allocateAligned}, {@link #allocateSegment}, {@link
 *     #segments}</td><td>undefined: zero, or what was there before a reset or rewind</td>
 *     <td>nothing</td></tr>
 * <tr><td>{@link #allocateZeroed}</td><td>zero</td><td>nothing for memory that has not been
 *     allocated before, else its clearing</td></tr>
 * </table>
 *
 * <p>Ownership: the creator closes the arena, when nothing reads from it any more. Segments throw
 * {@link IllegalStateException} afterwards; addresses must not be used. After a reset or rewind
 * segments and addresses of what is gone refer to memory that will be allocated again.
 *
 * <p>Threads: allocation, reset and rewind are confined to one thread at a time, the owner; {@link
 * ConcurrentBumpArena} is for many. What has been allocated may be read by any thread to which the
 * owner published it. {@link #segment} and {@link #memoryUsageBytes} are for any thread.
 *
 * <p>{@link DebugLetters}: R behind each allocation, looked at when it goes; P, filled when memory
 * is given up by a reset or rewind, which takes its time then, and looked at when it is allocated
 * again; T with R; F throws {@link BudgetExceededException}. Nothing is freed alone, so there is no
 * quarantine and nothing leaks.
 *
 * {@snippet :
 * try (BumpArena arena = new BumpArena(budget, 4096)) {
 *   long node = arena.allocateAligned(40);
 *   MemorySegment name = arena.segments().allocateFrom("a name");
 *   arena.reset(); // both are gone
 * }
 * }
 */
public final class BumpArena implements AutoCloseable {
  /** The largest alignment of an allocation, in bytes. */
  public static final long ALIGNMENT_BYTES_MAX = ArenaMemory.PAGE_BYTES;

  private static final long DEFAULT_ALIGNMENT_BYTES = 8;

  private final ArenaMemory memory;
  private final long blockBytes;

  /*
   * The current block, as addresses. Before the first, after a reset and after close all three are equal, so that
   * nothing fits. The end of a block is a multiple of every alignment, so an aligned address is never behind it.
   */
  private long next;
  private long end;

  /** From here on the block has never been used, and so is zero, as long as this is behind next. */
  private long usedEnd;

  /** The innermost mark that is not stale, or null. */
  private Mark marks;

  private boolean closed;

  /** Null if no letter is on. Otherwise there is never a current block here. */
  private final BumpDebug debug;

  /**
   * Creates an arena that holds no memory yet.
   *
   * @param budget charged for each block
   * @param blockBytes size of a block in bytes, 4 KiB to {@link Region#SIZE_BYTES_MAX}; smaller
   *     blocks waste less at the end, larger ones are opened less often
   */
  public BumpArena(MemoryBudget budget, long blockBytes) {
    this(budget, blockBytes, DebugLetters.fromProperty());
  }

  /** As {@link #BumpArena(MemoryBudget, long)}, with letters other than those of the property. */
  public BumpArena(MemoryBudget budget, long blockBytes, DebugLetters letters) {
    this(new ArenaMemory(budget), ArenaMemory.requireBlock(blockBytes), letters);
  }

  private BumpArena(ArenaMemory memory, long blockBytes, DebugLetters letters) {
    this.memory = memory;
    this.blockBytes = blockBytes;
    this.debug =
        letters.isNone()
            ? null
            : new BumpDebug(new BumpArena(memory, blockBytes, DebugLetters.NONE), memory, letters);
  }

  /**
   * Creates an arena that holds no memory yet and takes blocks from an allocator: for arenas that
   * live so short that mapping memory for them would cost more than using it. Closing it frees the
   * blocks. Segments have the lifetime of the allocator, which is closed after the arena, and
   * memory is cleared for {@link #allocateZeroed} always. There is no request over {@link
   * SlabAllocator#BYTES_MAX}.
   *
   * @param blockBytes size of a block in bytes, a power of two, 4 KiB to 64 KiB
   */
  public BumpArena(SlabAllocator allocator, int blockBytes) {
    this(allocator, blockBytes, DebugLetters.fromProperty());
  }

  /** As {@link #BumpArena(SlabAllocator, int)}, with letters other than those of the property. */
  public BumpArena(SlabAllocator allocator, int blockBytes, DebugLetters letters) {
    this(new ArenaMemory(allocator, letters), ArenaMemory.requireCellBlock(blockBytes), letters);
  }

  /**
   * Allocates memory that begins at any byte.
   *
   * @param bytes size in bytes, 1 to {@link Region#SIZE_BYTES_MAX}
   * @return the address
   * @throws BudgetExceededException if a new block is needed and the budget has no room; the arena
   *     is as before
   */
  public long allocate(long bytes) {
    long address = next;
    // Unsigned, so that it refuses what is below 1 as well as what does not fit.
    if (Long.compareUnsigned(bytes - 1, end - address) >= 0) {
      return allocateFallback(bytes, 1);
    }
    next = address + bytes;
    return address;
  }

  /** As {@link #allocateAligned(long, long)}, aligned to 8 bytes. */
  public long allocateAligned(long bytes) {
    return allocateAligned(bytes, DEFAULT_ALIGNMENT_BYTES);
  }

  /**
   * Allocates aligned memory.
   *
   * @param bytes size in bytes, 1 to {@link Region#SIZE_BYTES_MAX}
   * @param alignmentBytes a power of two, at most {@link #ALIGNMENT_BYTES_MAX}
   * @return the address, a multiple of the alignment
   * @throws BudgetExceededException if a new block is needed and the budget has no room; the arena
   *     is as before
   */
  public long allocateAligned(long bytes, long alignmentBytes) {
    long address = ArenaMemory.roundUp(next, alignmentBytes);
    if (!ArenaMemory.isAlignment(alignmentBytes)
        || Long.compareUnsigned(bytes - 1, end - address) >= 0) {
      return allocateFallback(bytes, alignmentBytes);
    }
    next = address + bytes;
    return address;
  }

  /**
   * Allocates memory that is zero; parameters as in {@link #allocateAligned(long, long)}.
   *
   * @throws BudgetExceededException if a new block is needed and the budget has no room; the arena
   *     is as before
   */
  public long allocateZeroed(long bytes, long alignmentBytes) {
    long address = allocateAligned(bytes, alignmentBytes);
    long usedBytes = debug == null ? usedBytes(address, bytes) : bytes;
    if (usedBytes > 0) {
      memory.clear(address, usedBytes);
    }
    return address;
  }

  /** Returns how many of the bytes that were allocated last are not zero, the first ones. */
  long usedBytes(long address, long bytes) {
    boolean inBlock = address + bytes == next;
    return Math.clamp((inBlock ? usedEnd : memory.usedEnd()) - address, 0, bytes);
  }

  /**
   * Allocates memory as a segment with the lifetime of the arena; parameters as in {@link
   * #allocateAligned(long, long)}.
   *
   * @throws BudgetExceededException if a new block is needed and the budget has no room; the arena
   *     is as before
   */
  public MemorySegment allocateSegment(long bytes, long alignmentBytes) {
    return memory.segment(allocateAligned(bytes, alignmentBytes), bytes);
  }

  /**
   * Returns a view of the arena for those who take a {@link SegmentAllocator}. Like {@link
   * SegmentAllocator#slicingAllocator} it does not clear the memory. It allows segments of no
   * bytes.
   */
  public SegmentAllocator segments() {
    return ArenaMemory.withEmpty(this::allocateSegment);
  }

  /** For requests that are wrong or do not fit into the current block. */
  private long allocateFallback(long bytes, long alignmentBytes) {
    requireOpen();
    ArenaMemory.requireAllocatable(bytes, alignmentBytes);
    if (debug != null) {
      return debug.allocate(bytes, alignmentBytes);
    }
    if (bytes > blockBytes / 4) {
      return memory.cut(bytes, alignmentBytes, 1);
    }
    long address = memory.cut(blockBytes, alignmentBytes, ArenaMemory.PAGE_BYTES);
    next = address + bytes;
    end = memory.place();
    usedEnd = Math.min(end, memory.usedEnd());
    return address;
  }

  /**
   * Returns memory of this arena as a segment with its lifetime: what an address becomes before it
   * leaves a public API. Any thread.
   *
   * @param address as allocated, or inside of an allocation
   * @param bytes size in bytes, not beyond the allocation
   * @throws IllegalArgumentException if the arena does not contain these bytes, as after close
   */
  public MemorySegment segment(long address, long bytes) {
    return memory.segment(address, bytes);
  }

  /** Returns the bytes charged for this arena, used or not. Any thread. */
  public long memoryUsageBytes() {
    return memory.usageBytes();
  }

  /**
   * Makes all memory available again, in constant time, and all marks stale. Nothing is given back
   * before {@link #close}.
   */
  public void reset() {
    requireOpen();
    if (debug != null) {
      debug.reset();
      return;
    }
    memory.reset(end, Math.max(next, usedEnd));
    next = 0;
    end = 0;
    usedEnd = 0;
    marks = null;
  }

  /**
   * Remembers the present state, so that {@link #rewind} can come back to it. Marks nest; one is
   * forgotten when the arena is rewound to an older one or reset.
   */
  public Mark mark() {
    requireOpen();
    if (debug != null) {
      return debug.mark();
    }
    if (marks == null || marks.next != next || marks.end != end || marks.place != memory.place()) {
      marks = new Mark(marks, next, end, memory.extent(), memory.place());
    }
    return marks;
  }

  /**
   * Makes memory available again that was allocated after the mark. The mark can be used again;
   * those that were made after it cannot. Takes time in proportion to their number.
   *
   * @throws IllegalStateException if the mark is stale, since the arena was reset or rewound to an
   *     older one, or is one of another arena; nothing has changed
   */
  public void rewind(Mark mark) {
    requireOpen();
    if (debug != null) {
      debug.rewind(mark);
      return;
    }
    Mark found = marks;
    while (found != mark) {
      if (found == null) {
        throw new IllegalStateException(
            "a stale mark, or one of another arena: mark=" + mark + " innermost=" + marks);
      }
      found = found.outer;
    }
    long blockUsedEnd = Math.max(next, usedEnd);
    memory.rewind(mark.extent, mark.place, end, blockUsedEnd);
    // A block that has been left was full, more or less.
    usedEnd = mark.end == end ? blockUsedEnd : mark.end;
    next = mark.next;
    end = mark.end;
    marks = mark;
  }

  /** Fills what is not allocated but has been. */
  void fillFree(Poison poison) {
    memory.fillFree(poison);
    if (next < usedEnd) {
      poison.fill(memory.segment(next, usedEnd - next));
    }
  }

  /** A state of an arena, see {@link #mark}. */
  public static final class Mark {
    private final Mark outer;
    private final long next;
    private final long end;
    private final int extent;
    private final long place;

    private Mark(Mark outer, long next, long end, int extent, long place) {
      this.outer = outer;
      this.next = next;
      this.end = end;
      this.extent = extent;
      this.place = place;
    }

    /** Returns the addresses in one line. */
    @Override
    public String toString() {
      return "next 0x%x in block to 0x%x".formatted(next, end);
    }
  }

  /** Returns the memory in use in one line. */
  @Override
  public String toString() {
    return "bump arena (%d bytes in blocks of %d)".formatted(memoryUsageBytes(), blockBytes);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the arena is closed");
    }
  }

  /**
   * Frees everything. Closing twice does nothing.
   *
   * @throws IllegalStateException if a native call is using memory of the arena just now; close it
   *     again later. Also in a callback of the budget that an allocation here made run.
   */
  @Override
  public void close() {
    memory.requireNotCutting();
    MemoryCorruptionException found = debug == null || closed ? null : debug.verify();
    closed = true;
    next = 0;
    end = 0;
    usedEnd = 0;
    marks = null;
    memory.close(found);
  }
}
