package io.ewok.gds.allocator;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Memory for things that die together: allocation moves a pointer, nothing is freed alone, and
 * closing the arena frees everything.
 *
 * <p>Memory comes in blocks, each a {@link Region}. A request that does not fit into what is left
 * of the current block opens a new one, unless it is larger than a quarter of a block: then it gets
 * a block of its own and the current one stays in use. So at most a quarter of a block is wasted at
 * each end (after LevelDB's arena).
 *
 * <p>Ownership: the creator closes the arena, when nothing reads from it any more. Segments throw
 * {@link IllegalStateException} afterwards; addresses must not be used.
 *
 * <p>Threads: allocation is confined to one thread at a time, its owner. What has been allocated
 * may be read by any thread to which the owner published it. {@link #memoryUsageBytes} is for any
 * thread.
 */
public final class BumpArena implements AutoCloseable {
  private static final long DEFAULT_ALIGNMENT_BYTES = 8;
  private static final long ALIGNMENT_BYTES_MAX = 4096;

  private final MemoryBudget budget;
  private final long blockBytes;

  /** Appended to by the owner; searched by any thread. */
  private final List<Region> blocks = new CopyOnWriteArrayList<>();

  /** The block that small requests are cut from, or null before the first. */
  private Region current;

  /** Bytes of {@link #current} in use. */
  private long currentBytes;

  /** Changed by the owner, once per block; atomic for the gauges of other threads. */
  private final AtomicLong memoryUsageBytes = new AtomicLong();

  private boolean closed;

  /**
   * Creates an arena that holds no memory yet.
   *
   * @param budget charged for each block
   * @param blockBytes size of a block in bytes, 4 KiB to {@link Region#SIZE_BYTES_MAX}; smaller
   *     blocks waste less at the end, larger ones need fewer mappings
   */
  public BumpArena(MemoryBudget budget, long blockBytes) {
    this.budget = Objects.requireNonNull(budget, "budget");
    if (blockBytes < 4096 || blockBytes > Region.SIZE_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a block has 4096 to " + Region.SIZE_BYTES_MAX + " bytes: blockBytes=" + blockBytes);
    }
    this.blockBytes = blockBytes;
  }

  /**
   * Allocates memory, zero at first, aligned to 8 bytes.
   *
   * @param bytes size in bytes, at least 1
   * @return the address
   * @throws BudgetExceededException if a new block is needed and the budget has no room
   */
  public long allocate(long bytes) {
    return allocateAligned(bytes, DEFAULT_ALIGNMENT_BYTES);
  }

  /**
   * Allocates memory, zero at first.
   *
   * @param bytes size in bytes, at least 1
   * @param alignmentBytes a power of two, at most 4096
   * @return the address, a multiple of the alignment
   * @throws BudgetExceededException if a new block is needed and the budget has no room
   */
  public long allocateAligned(long bytes, long alignmentBytes) {
    requireAllocatable(bytes, alignmentBytes);
    long offset = bump(bytes, alignmentBytes);
    return offset >= 0 ? current.address() + offset : allocateFallback(bytes).address();
  }

  /**
   * Allocates memory, zero at first, as a segment with the arena's lifetime.
   *
   * @param bytes size in bytes, at least 1
   * @param alignmentBytes a power of two, at most 4096
   * @throws BudgetExceededException if a new block is needed and the budget has no room
   */
  public MemorySegment allocateSegment(long bytes, long alignmentBytes) {
    requireAllocatable(bytes, alignmentBytes);
    long offset = bump(bytes, alignmentBytes);
    return offset >= 0 ? current.segment().asSlice(offset, bytes) : allocateFallback(bytes);
  }

  /**
   * Returns memory of this arena as a segment with its lifetime: what an address becomes before it
   * leaves a public API. Any thread; takes time in proportion to the number of blocks.
   *
   * @param address as allocated, or inside of an allocation
   * @param bytes size in bytes, not beyond the allocation
   * @throws IllegalArgumentException if no block contains these bytes, as after close
   */
  public MemorySegment segment(long address, long bytes) {
    for (Region block : blocks) {
      long offset = address - block.address();
      if (offset >= 0 && bytes >= 0 && bytes <= block.sizeBytes() - offset) {
        return block.segment().asSlice(offset, bytes);
      }
    }
    throw new IllegalArgumentException(
        "the arena does not contain these bytes: address=%d bytes=%d".formatted(address, bytes));
  }

  /** Returns the bytes mapped for this arena, used or not. */
  public long memoryUsageBytes() {
    return memoryUsageBytes.get();
  }

  /** Cuts from the current block. Returns the offset in it, or -1 if the request does not fit. */
  private long bump(long bytes, long alignmentBytes) {
    if (current == null) {
      return -1;
    }
    long offset = (currentBytes + alignmentBytes - 1) & -alignmentBytes;
    if (offset + bytes > current.sizeBytes()) {
      return -1;
    }
    currentBytes = offset + bytes;
    return offset;
  }

  /** Opens a block for a request that does not fit. A block's start suits every alignment. */
  private MemorySegment allocateFallback(long bytes) {
    if (bytes > blockBytes / 4) {
      return openBlock(bytes).segment().asSlice(0, bytes);
    }
    current = openBlock(blockBytes);
    currentBytes = bytes;
    return current.segment().asSlice(0, bytes);
  }

  private Region openBlock(long bytes) {
    Region block = Region.map(budget, RegionOptions.ofSize(bytes).withHugePages(HugePages.OFF));
    blocks.add(block);
    memoryUsageBytes.addAndGet(block.sizeBytes());
    return block;
  }

  private void requireAllocatable(long bytes, long alignmentBytes) {
    if (closed) {
      throw new IllegalStateException("the arena is closed");
    }
    if (bytes < 1 || bytes > Region.SIZE_BYTES_MAX) {
      throw new IllegalArgumentException(
          "one allocation has 1 to " + Region.SIZE_BYTES_MAX + " bytes: bytes=" + bytes);
    }
    if (Long.bitCount(alignmentBytes) != 1
        || alignmentBytes < 1
        || alignmentBytes > ALIGNMENT_BYTES_MAX) {
      throw new IllegalArgumentException(
          "an alignment is a power of two up to 4096: alignmentBytes=" + alignmentBytes);
    }
  }

  /**
   * Frees everything. Closing twice does nothing.
   *
   * @throws IllegalStateException if a native call is using memory of the arena just now; close it
   *     again later
   */
  @Override
  public void close() {
    closed = true;
    blocks.forEach(Region::close);
    blocks.clear();
    current = null;
    memoryUsageBytes.set(0);
  }
}
