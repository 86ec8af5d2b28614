package io.ewok.gds.allocator;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A {@link BumpArena} for many writers at once, such as those of one memtable. All of them cut from
 * the same block, so that no more memory is held than one writer would hold: there are no chunks
 * per thread.
 *
 * <p>Blocks, large requests and alignment are as in {@link BumpArena}. Memory is zero at first,
 * since none is ever allocated twice: there is no reset.
 *
 * <p>Ownership: the creator closes the arena, when nobody allocates or reads from it any more.
 * Segments throw {@link IllegalStateException} afterwards; addresses must not be used.
 *
 * <p>Threads: any. An allocation is one atomic addition, or a compare-and-set if it is aligned.
 * Opening a block, once per block, takes a lock: threads that need it meanwhile wait for it.
 *
 * <p>{@link DebugLetters}: R behind each allocation, looked at by close; T with R; F throws {@link
 * BudgetExceededException}. Memory is zero and never given up, so there is nothing to poison. With
 * any of them each allocation takes the lock.
 *
 * {@snippet :
 * try (ConcurrentBumpArena arena = new ConcurrentBumpArena(budget, 1 << 20)) {
 *   long node = arena.allocateAligned(40); // any thread
 * }
 * }
 */
public final class ConcurrentBumpArena implements AutoCloseable {
  private static final VarHandle NEXT;

  static {
    try {
      NEXT = MethodHandles.lookup().findVarHandle(Block.class, "next", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** An allocation that did not succeed: no memory lies at this address. */
  private static final long NONE = 0;

  private static final long DEFAULT_ALIGNMENT_BYTES = 8;

  private final long blockBytes;

  /** Larger requests do not use up what is left of a block that they do not fit into. */
  private final long smallBytesMax;

  private final ReentrantLock lock = new ReentrantLock();

  /** Allocations that the budget may be calling somebody for, who must not close the arena. */
  private final AtomicInteger slowly = new AtomicInteger();

  // Guarded by lock, but for what is for any thread.
  private final ArenaMemory memory;
  private boolean closed;

  /** Counted only with letters on. */
  private long allocations;

  private final RedZones zones;

  private final DebugLetters letters;

  /**
   * Null if no letter is on. Otherwise there is never a current block here, so that every
   * allocation takes the lock, and is served from this arena.
   */
  private final ConcurrentBumpArena plain;

  /**
   * Written with the lock, after its memory was committed: whoever reads it here, in {@link
   * #allocate} and {@link #allocateAligned}, may use that memory. Nothing fits into the first one,
   * and into the one after close.
   */
  private volatile Block current = new Block(0, 0);

  /** A block that is being cut up. */
  private static final class Block {
    final long end;

    /** Behind the end when somebody has asked for more than was left; it stays so. */
    volatile long next;

    Block(long next, long end) {
      this.next = next;
      this.end = end;
    }
  }

  /**
   * Creates an arena that holds no memory yet.
   *
   * @param budget charged for each block
   * @param blockBytes size of a block in bytes, 4 KiB to {@link Region#SIZE_BYTES_MAX}
   */
  public ConcurrentBumpArena(MemoryBudget budget, long blockBytes) {
    this(budget, blockBytes, DebugLetters.fromProperty());
  }

  /**
   * As {@link #ConcurrentBumpArena(MemoryBudget, long)}, with letters other than those of the
   * property.
   */
  public ConcurrentBumpArena(MemoryBudget budget, long blockBytes, DebugLetters letters) {
    this(new ArenaMemory(budget), ArenaMemory.requireBlock(blockBytes), letters);
  }

  private ConcurrentBumpArena(ArenaMemory memory, long blockBytes, DebugLetters letters) {
    this.memory = memory;
    this.blockBytes = blockBytes;
    this.smallBytesMax = blockBytes / 4;
    this.letters = letters;
    this.zones = new RedZones(memory, letters);
    this.plain =
        letters.isNone() ? null : new ConcurrentBumpArena(memory, blockBytes, DebugLetters.NONE);
  }

  /**
   * Allocates memory, zero at first, that begins at any byte.
   *
   * @param bytes size in bytes, 1 to {@link Region#SIZE_BYTES_MAX}
   * @return the address
   * @throws BudgetExceededException if a new block is needed and the budget has no room; the arena
   *     is as before
   */
  public long allocate(long bytes) {
    // Unsigned, so that it refuses what is below 1 as well.
    if (Long.compareUnsigned(bytes - 1, smallBytesMax) < 0) {
      Block block = current;
      // What is added is the caller's alone: two additions never return the same.
      long address = (long) NEXT.getAndAdd(block, bytes);
      if (address + bytes <= block.end) {
        return address;
      }
    }
    return allocateFallback(bytes, 1);
  }

  /** As {@link #allocateAligned(long, long)}, aligned to 8 bytes. */
  public long allocateAligned(long bytes) {
    return allocateAligned(bytes, DEFAULT_ALIGNMENT_BYTES);
  }

  /**
   * Allocates aligned memory, zero at first.
   *
   * @param bytes size in bytes, 1 to {@link Region#SIZE_BYTES_MAX}
   * @param alignmentBytes a power of two, at most {@link BumpArena#ALIGNMENT_BYTES_MAX}
   * @return the address, a multiple of the alignment
   * @throws BudgetExceededException if a new block is needed and the budget has no room; the arena
   *     is as before
   */
  public long allocateAligned(long bytes, long alignmentBytes) {
    ArenaMemory.requireAllocatable(bytes, alignmentBytes);
    long address = cutFrom(current, bytes, alignmentBytes);
    return address != NONE ? address : allocateFallback(bytes, alignmentBytes);
  }

  /**
   * Allocates aligned memory, zero at first, as a segment with the lifetime of the arena;
   * parameters as in {@link #allocateAligned(long, long)}.
   *
   * @throws BudgetExceededException if a new block is needed and the budget has no room; the arena
   *     is as before
   */
  public MemorySegment allocateSegment(long bytes, long alignmentBytes) {
    return memory.segment(allocateAligned(bytes, alignmentBytes), bytes);
  }

  /**
   * Returns a view of the arena for those who take a {@link SegmentAllocator}, for any thread. It
   * allows segments of no bytes.
   */
  public SegmentAllocator segments() {
    return ArenaMemory.withEmpty(this::allocateSegment);
  }

  /** Cuts from a block if it fits; a block into which it does not fit stays as it is. */
  private static long cutFrom(Block block, long bytes, long alignmentBytes) {
    long next = block.next;
    while (true) {
      long address = ArenaMemory.roundUp(next, alignmentBytes);
      if (bytes > block.end - address) {
        return NONE;
      }
      long found = (long) NEXT.compareAndExchange(block, next, address + bytes);
      if (found == next) {
        return address;
      }
      next = found;
    }
  }

  /** For requests that are wrong, large, or do not fit into the current block. */
  private long allocateFallback(long bytes, long alignmentBytes) {
    ArenaMemory.requireAllocatable(bytes, alignmentBytes);
    // Whom the budget calls may use this arena, or wait for another that waits for this one.
    slowly.incrementAndGet();
    try {
      return Callbacks.getBefore(() -> allocateLocked(bytes, alignmentBytes));
    } finally {
      slowly.decrementAndGet();
    }
  }

  private long allocateLocked(long bytes, long alignmentBytes) {
    lock.lock();
    try {
      if (closed) {
        throw new IllegalStateException("the arena is closed");
      }
      if (plain != null) {
        return allocateDebugged(bytes, alignmentBytes);
      }
      // Who had the lock before may have opened a block.
      long address = cutFrom(current, bytes, alignmentBytes);
      if (address != NONE) {
        return address;
      }
      if (bytes > smallBytesMax) {
        return memory.cut(bytes, alignmentBytes, 1);
      }
      address = memory.cut(blockBytes, alignmentBytes, ArenaMemory.PAGE_BYTES);
      current = new Block(address + bytes, memory.place());
      return address;
    } finally {
      lock.unlock();
    }
  }

  private long allocateDebugged(long bytes, long alignmentBytes) {
    allocations++;
    if (allocations == letters.failAt()) {
      throw memory.refusal(bytes);
    }
    long address = plain.allocateAligned(bytes + zones.zoneBytes(bytes), alignmentBytes);
    zones.add(address, bytes);
    return address;
  }

  /**
   * Returns memory of this arena as a segment with its lifetime: what an address becomes before it
   * leaves a public API.
   *
   * @param address as allocated, or inside of an allocation
   * @param bytes size in bytes, not beyond the allocation
   * @throws IllegalArgumentException if the arena does not contain these bytes, as after close
   */
  public MemorySegment segment(long address, long bytes) {
    return memory.segment(address, bytes);
  }

  /** Returns the bytes charged for this arena, used or not. */
  public long memoryUsageBytes() {
    return memory.usageBytes();
  }

  /** Returns the memory in use in one line. */
  @Override
  public String toString() {
    return "concurrent bump arena (%d bytes in blocks of %d)"
        .formatted(memoryUsageBytes(), blockBytes);
  }

  /**
   * Frees everything. Closing twice does nothing.
   *
   * @throws IllegalStateException if a native call is using memory of the arena just now, or an
   *     allocation is opening a block, as when a callback of the budget closes the arena that made
   *     it run; close it again later
   */
  @Override
  public void close() {
    lock.lock();
    try {
      if (slowly.get() > 0) {
        throw new IllegalStateException("the arena is in use: allocations=" + slowly);
      }
      MemoryCorruptionException found = closed ? null : zones.verify(0, this);
      closed = true;
      current = new Block(0, 0);
      memory.close(found);
    } finally {
      lock.unlock();
    }
  }
}
