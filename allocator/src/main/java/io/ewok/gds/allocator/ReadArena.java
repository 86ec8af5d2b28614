package io.ewok.gds.allocator;

import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import java.util.function.LongConsumer;

/**
 * Pages to read into, for a log whose readers fetch a little and move on: between a floor and a
 * ceiling that are known at start.
 *
 * <p>Memory comes in blocks of 256 KiB. A block serves pages of 512 or of 4096 bytes, never both,
 * one after the other; it is empty again when the last of its pages has been released. So an
 * allocation costs next to nothing, and one page that is kept keeps its block.
 *
 * <ul>
 *   <li>Up to the minimum, blocks that have become empty are kept for reuse. That much is set aside
 *       in the budget from the start.
 *   <li>Above it they are given back, to the system and to the budget, except for one in eight of
 *       those in use: so a load that hovers at an edge does not map and unmap all the time, and
 *       when everything is released no more than the minimum is left.
 *   <li>At the maximum, or when the budget is full, an allocation is {@linkplain #allocate(int,
 *       int) refused}, or {@linkplain #whenAvailable calls back}, or {@linkplain #allocate(int,
 *       int, long) waits}. Blocks that become empty go to who asked first.
 * </ul>
 *
 * <p>An allocation is a <em>stride</em>: 1 to 4 neighbouring pages, named by a 64-bit handle. A
 * handle that was released or is of another arena is a {@link StaleHandleException}, always. One
 * that was made up can name pages of others, but never anything else than pages that are allocated.
 * Content is undefined at first.
 *
 * <p>Under I/O: a page that is released while an operation is in flight on it keeps its block until
 * the operation has completed. An operation on memory that is not allocated is refused.
 *
 * <p>Registered with a ring: memory cannot be given back then, so compaction pauses, and {@link
 * #stats} says so. Call {@link #commitAll} before registering {@link #regions}, and {@link
 * #compact} after the registration has ended.
 *
 * <p>Ownership: whoever creates an arena closes it, when no operation is in flight. Segments throw
 * {@link IllegalStateException} then, handles are stale.
 *
 * <p>Threads: any. Nothing blocks but the form that waits. Pages are issued and released without
 * locks and without garbage; once per block there is a short lock, and a system call where memory
 * comes or goes. One arena per core keeps threads out of each other's way.
 *
 * <pre>{@code
 * try (ReadArena arena = new ReadArena(coreBudget, ReadArenaOptions.DEFAULT)) {
 *   long stride = arena.allocate(4096, 2);
 *   if (stride != ReadArena.NONE) {
 *     read(arena.segment(stride), position);
 *     ...
 *     arena.release(stride);
 *   }
 * }
 * }</pre>
 */
public final class ReadArena implements AutoCloseable {
  /** No stride: what an allocation returns when there is no room. */
  public static final long NONE = 0;

  /** Size of a block in bytes: 256 KiB. */
  public static final int BLOCK_BYTES = ReadBlocks.BLOCK_BYTES;

  /** The most pages of one stride. */
  public static final int STRIDE_PAGES_MAX = ReadHandle.PAGES_MAX;

  private static final int BLOCKS_MIN = 2;

  private final ReadMemory memory;
  private final ReadBlocks blocks;
  private final BlockNumbers.Range numbers;
  private final ReadSupply supply;

  /**
   * Creates an arena. It reserves address space for its maximum, and has no memory yet.
   *
   * @param budget percentages refer to its limit; gets a child named {@code read arena}
   * @throws BudgetExceededException if the budget has no room for the minimum
   * @throws IllegalArgumentException if the maximum is less than two blocks or the minimum
   * @throws IllegalStateException if the budget is closed, or there are so many arenas that no
   *     block numbers are left
   * @throws UncheckedIOException if the kernel refuses the address space
   */
  public ReadArena(MemoryBudget budget, ReadArenaOptions options) {
    this(budget, options, ReadMemory.REGION_BLOCKS_MAX);
  }

  /**
   * As {@link #ReadArena(MemoryBudget, ReadArenaOptions)}.
   *
   * @param regionBlocks how many blocks a region has, a power of two
   */
  ReadArena(MemoryBudget budget, ReadArenaOptions options, int regionBlocks) {
    Objects.requireNonNull(options, "options");
    long wholeBytes = budget.limitBytes();
    long minBlocks = options.min().bytes(wholeBytes) / BLOCK_BYTES;
    long maxBlocks = options.max().bytes(wholeBytes) / BLOCK_BYTES;
    if (maxBlocks < BLOCKS_MIN || maxBlocks < minBlocks || maxBlocks > 1 << BlockNumbers.BITS) {
      throw new IllegalArgumentException(
          "the maximum of a read arena is at least its minimum, from %d to %d bytes: wholeBytes=%d min=%s max=%s"
              .formatted(
                  BLOCKS_MIN * BLOCK_BYTES,
                  (long) BLOCK_BYTES << BlockNumbers.BITS,
                  wholeBytes,
                  options.min(),
                  options.max()));
    }
    MemoryBudget own = budget.child("read arena", maxBlocks * BLOCK_BYTES, minBlocks * BLOCK_BYTES);
    BlockNumbers.Range taken = null;
    ReadMemory reserved = null;
    try {
      taken = BlockNumbers.take((int) maxBlocks);
      reserved = ReadMemory.reserve(own, (int) maxBlocks, regionBlocks, options.placement());
    } finally {
      if (reserved == null) {
        if (taken != null) {
          BlockNumbers.giveBack(taken, taken.generation());
        }
        own.close();
      }
    }
    numbers = taken;
    memory = reserved;
    blocks = new ReadBlocks(numbers.count(), numbers.generation());
    supply = new ReadSupply(own, memory, blocks, numbers, (int) minBlocks);
    memory.attach(supply, blocks);
  }

  // ---------------------------------------------------------------- allocation

  /**
   * Allocates a stride if there is room.
   *
   * @param pageBytes 512 or 4096
   * @param pages 1 to {@link #STRIDE_PAGES_MAX}
   * @return its handle, or {@link #NONE} if there is no room, or others wait for it
   * @throws IllegalStateException if the arena is closed
   */
  public long allocate(int pageBytes, int pages) {
    return supply.allocate(size(pageBytes), requirePages(pages));
  }

  /**
   * Allocates a stride, and waits for room if need be. Any thread, platform or virtual; not for an
   * event loop, whose other work may be what releases pages.
   *
   * @param pageBytes 512 or 4096
   * @param pages 1 to {@link #STRIDE_PAGES_MAX}
   * @param timeoutNanos longest wait in nanoseconds; not positive: as {@link #allocate(int, int)}
   * @return its handle, or {@link #NONE} if the time was over first
   * @throws InterruptedException if interrupted while it waits; nothing is allocated
   * @throws IllegalStateException if the arena is closed, before or meanwhile
   */
  public long allocate(int pageBytes, int pages, long timeoutNanos) throws InterruptedException {
    long handle = allocate(pageBytes, pages);
    if (handle != NONE || timeoutNanos <= 0) {
      return handle;
    }
    ReadRequest request = supply.append(size(pageBytes), pages, null, Thread.currentThread());
    request.await(timeoutNanos);
    if (request.isClosed()) {
      throw new IllegalStateException("the arena was closed: arena=" + supply.name());
    }
    return request.handle();
  }

  /**
   * Allocates a stride as soon as there is room and all who asked earlier have theirs, then calls
   * back, once.
   *
   * @param pageBytes 512 or 4096
   * @param pages 1 to {@link #STRIDE_PAGES_MAX}
   * @param granted is called with the handle, or with {@link #NONE} if the arena is closed first:
   *     before this method returns if there is room now, else on the thread that made room, under
   *     no lock; on a thread that is in a callback, when that has returned. It should be short and
   *     not wait. If it throws, that is logged, and the stride stays allocated.
   * @return the request, which can be canceled
   * @throws IllegalStateException if the arena is closed
   */
  public ReadRequest whenAvailable(int pageBytes, int pages, LongConsumer granted) {
    Objects.requireNonNull(granted, "granted");
    long handle = allocate(pageBytes, pages);
    if (handle == NONE) {
      return supply.append(size(pageBytes), pages, granted, null);
    }
    ReadRequest request = new ReadRequest(supply, size(pageBytes), pages, 0, granted, null);
    request.grant(handle);
    Callbacks.run(List.of(request::callBack));
    return request;
  }

  /**
   * Releases a stride, or what is left of it. Its handle is stale from now on.
   *
   * @throws StaleHandleException if nothing of it is allocated
   */
  public void release(long handle) {
    release(handle, ReadHandle.firstPage(handle), ReadHandle.pages(handle));
  }

  /**
   * Releases one page of a stride.
   *
   * @param page index in the stride
   * @throws StaleHandleException if it is not allocated
   */
  public void releasePage(long handle, int page) {
    Objects.checkIndex(page, ReadHandle.pages(handle));
    release(handle, ReadHandle.firstPage(handle) + page, 1);
  }

  private void release(long handle, int first, int pages) {
    int block = block(handle);
    if (!blocks.beginUse(block, ReadHandle.generation(handle))) {
      throw stale(handle);
    }
    int released = blocks.clear(block, first, pages);
    supply.endUses(block, 1 + released);
    if (released == 0) {
      throw stale(handle);
    }
  }

  // ---------------------------------------------------------------- strides

  /**
   * Returns a stride as a segment with the scope of its region.
   *
   * @throws StaleHandleException if not all of it is allocated
   */
  public MemorySegment segment(long handle) {
    int pages = ReadHandle.pages(handle);
    return slice(handle, ReadHandle.firstPage(handle), pages);
  }

  /**
   * Returns a page of a stride as a segment with the scope of its region.
   *
   * @param page index in the stride
   * @throws StaleHandleException if it is not allocated
   */
  public MemorySegment segment(long handle, int page) {
    Objects.checkIndex(page, ReadHandle.pages(handle));
    return slice(handle, ReadHandle.firstPage(handle) + page, 1);
  }

  private MemorySegment slice(long handle, int first, int pages) {
    int block = block(handle);
    long pageBytes = livePageBytes(handle, first, pages);
    return memory
        .region(block)
        .segment()
        .asSlice(memory.offset(block) + first * pageBytes, pages * pageBytes);
  }

  /**
   * Returns the address of a stride. Nothing guards what is done with it after the release.
   *
   * @throws StaleHandleException if not all of it is allocated
   */
  public long address(long handle) {
    return region(handle).address() + offset(handle);
  }

  /**
   * Returns the offset of a stride in its {@link #region}, in bytes.
   *
   * @throws StaleHandleException if not all of it is allocated
   */
  public long offset(long handle) {
    int first = ReadHandle.firstPage(handle);
    long pageBytes = livePageBytes(handle, first, ReadHandle.pages(handle));
    return memory.offset(block(handle)) + first * pageBytes;
  }

  /**
   * Returns the region that holds a stride.
   *
   * @throws StaleHandleException if the handle is of another arena
   */
  public Region region(long handle) {
    return memory.region(block(handle));
  }

  private long livePageBytes(long handle, int first, int pages) {
    int size = blocks.liveSize(block(handle), ReadHandle.generation(handle), first, pages);
    if (size < 0) {
      throw stale(handle);
    }
    return ReadBlocks.pageBytes(size);
  }

  private int block(long handle) {
    int block = ReadHandle.number(handle) - numbers.first();
    if (block < 0 || block >= numbers.count() || !ReadHandle.isPossible(handle)) {
      throw new StaleHandleException("not a handle of %s: handle=0x%x".formatted(this, handle));
    }
    return block;
  }

  private StaleHandleException stale(long handle) {
    return new StaleHandleException(
        "released already, or never allocated, in %s: handle=0x%x".formatted(this, handle));
  }

  private static int size(int pageBytes) {
    return switch (pageBytes) {
      case 512 -> 0;
      case 4096 -> 1;
      default ->
          throw new IllegalArgumentException(
              "a page has 512 or 4096 bytes: pageBytes=" + pageBytes);
    };
  }

  private static int requirePages(int pages) {
    if (pages < 1 || pages > STRIDE_PAGES_MAX) {
      throw new IllegalArgumentException(
          "a stride has 1 to %d pages: pages=%d".formatted(STRIDE_PAGES_MAX, pages));
    }
    return pages;
  }

  // ---------------------------------------------------------------- the whole

  /**
   * Gives all empty blocks above the minimum back, the spare ones too, and lets compaction go on if
   * it had paused: for when others need memory, and for when a registration has ended.
   *
   * @return how many bytes were given back
   */
  public long compact() {
    return (long) supply.compact() * BLOCK_BYTES;
  }

  /**
   * Makes the whole maximum memory, and keeps it so until {@link #compact}, so that the regions can
   * be registered.
   *
   * @return false if the budget has no room
   * @throws IllegalStateException if the arena is closed
   */
  public boolean commitAll() {
    return supply.commitAll();
  }

  /**
   * Returns the regions that the pages lie in, each at most {@link Region#SIZE_BYTES_MAX}. They
   * belong to the arena.
   */
  public List<Region> regions() {
    return memory.regions();
  }

  /** Returns the bytes in blocks that are memory, used or not. */
  public long committedBytes() {
    return supply.committedBytes();
  }

  /** Returns what there is and what was done. Looks at every block. */
  public ReadArenaStats stats() {
    return supply.stats();
  }

  /**
   * Unmaps the memory and gives it back to the budget. Requests that wait are ended: who waits gets
   * an {@link IllegalStateException}, a callback {@link #NONE}. Closing twice does nothing.
   *
   * @throws IllegalStateException if operations are in flight or the memory is registered; nothing
   *     more is allocated, but what is may still be used and released, in all regions; close again
   *     later
   */
  @Override
  public void close() {
    supply.close();
  }

  /** Returns use and limits in one line. */
  @Override
  public String toString() {
    return "read arena %d (%d of %d to %d bytes)"
        .formatted(numbers.first(), committedBytes(), supply.minBytes(), supply.maxBytes());
  }
}
