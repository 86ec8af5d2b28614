package io.ewok.gds.allocator;

import io.ewok.gds.allocator.Stripes.Stripe;
import io.ewok.gds.allocator.numa.NumaNode;
import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Memory for things of 1 byte to 64 KiB that come and go in any order, named by 64-bit handles. A
 * handle carries the generation of its cell: use after free, a second free and a handle of another
 * allocator are exceptions that name the allocator, in production too.
 *
 * <p>Requests are rounded up to one of eight sizes for each doubling. A power of two from 512 bytes
 * on is a frame: it lies at a multiple of its size, as direct I/O wants it. Memory is not cleared
 * unless asked for.
 *
 * <p>Ownership: the creator closes the allocator. Whatever is still allocated is freed by that, and
 * reported as a leak; handles are stale then, segments throw {@link IllegalStateException},
 * addresses must not be used.
 *
 * <p>Threads: any, and no call waits for another, except where memory is taken from the system.
 * Whoever is one thread at a time, such as an event loop, is served several times faster by a
 * {@link #shard} of its own. Of two frees of one handle that race, one throws.
 *
 * <p>{@link DebugLetters}: all of them. Red zones lie on both sides of an allocation, but behind it
 * only if it is aligned to more than 16 bytes or a frame; those take twice their size, and a frame
 * of 64 KiB has none. An allocation has exactly as many bytes then as were asked for. Of two frees
 * that race one always throws. What is freed under I/O is not checked for writes after that.
 *
 * <pre>{@code
 * try (SlabAllocator allocator = new SlabAllocator(budget, SlabOptions.named("cache"))) {
 *   long handle = allocator.allocate(100);
 *   if (handle != SlabAllocator.NONE) {
 *     allocator.segment(handle, 100).fill((byte) 0);
 *     allocator.free(handle);
 *   }
 * }
 * }</pre>
 *
 * <p>Errors: {@link StaleHandleException} for a handle that is not live here, {@link
 * IllegalStateException} after close, {@link IllegalArgumentException} for a size out of range. No
 * room is no error but {@link #NONE}.
 */
public final class SlabAllocator implements AutoCloseable {
  /** No allocation: what is returned when there is no room. */
  public static final long NONE = CellHandle.NONE;

  /** The largest request, in bytes. */
  public static final int BYTES_MAX = SizeClasses.CELL_BYTES_MAX;

  private final SlabOptions options;

  /** Null if no letter is on. */
  private final SlabDebug debug;

  private final AtomicBoolean leaksTold = new AtomicBoolean();

  /** One for each node with memory, or one for all. */
  private final NodeHeap[] heaps;

  /** By the number of a node, the heap that serves its threads: its own or the nearest. */
  private final NodeHeap[] heapOfNode;

  /**
   * Creates an allocator.
   *
   * @param budget charged for memory as it is taken from the system
   * @throws BudgetExceededException if the budget has no room for what is committed from the start
   */
  public SlabAllocator(MemoryBudget budget, SlabOptions options) {
    Objects.requireNonNull(budget, "budget");
    this.options = Objects.requireNonNull(options, "options");
    this.debug = options.debug().isNone() ? null : new SlabDebug(this, options.debug());
    NumaTopology topology = options.topology();
    RegionOptions region = options.region();
    int[] nodes = topology.nodesWithMemory().stream().toArray();
    boolean apart = nodes.length > 1 && region.placement().equals(PlacementPolicy.none());
    this.heaps = new NodeHeap[apart ? nodes.length : 1];
    this.heapOfNode = new NodeHeap[topology.nodes().getLast().id() + 1];
    for (int i = 0; i < heaps.length; i++) {
      int node = nodes[i];
      RegionOptions placed = apart ? region.withPlacement(PlacementPolicy.preferred(node)) : region;
      heaps[i] = new NodeHeap(this, budget, placed, node, i);
    }
    for (NumaNode node : topology.nodes()) {
      heapOfNode[node.id()] = nearestHeap(topology, node.id());
    }
    commit(options.committedBytes());
  }

  private NodeHeap nearestHeap(NumaTopology topology, int node) {
    for (NumaNode near : topology.nearest(node)) {
      for (NodeHeap heap : heaps) {
        if (heap.node == near.id()) {
          return heap;
        }
      }
    }
    return heaps[0];
  }

  private void commit(long bytes) {
    boolean committed = false;
    try {
      for (NodeHeap heap : heaps) {
        heap.commit((bytes + heaps.length - 1) / heaps.length);
      }
      committed = true;
    } finally {
      if (!committed) {
        close();
      }
    }
  }

  // ---------------------------------------------------------------- allocate

  /**
   * Allocates memory, aligned to 8 bytes, frames to their size. Its content is undefined.
   *
   * @param bytes size in bytes, 1 to {@link #BYTES_MAX}
   * @return a handle, or {@link #NONE} if the budget has no room
   */
  public long allocate(int bytes) {
    return debug == null ? take(sizeClass(bytes)) : debug.allocate(localHeap(), bytes, 1);
  }

  /**
   * Allocates memory that starts at a multiple of an alignment. Its content is undefined.
   *
   * @param bytes size in bytes, 1 to {@link #BYTES_MAX}
   * @param alignmentBytes a power of two up to 64 KiB; 64 for a cache line
   * @return a handle, or {@link #NONE} if the budget has no room
   */
  public long allocate(int bytes, int alignmentBytes) {
    return debug == null
        ? take(sizeClass(bytes, alignmentBytes))
        : debug.allocate(localHeap(), bytes, alignmentBytes);
  }

  /**
   * Allocates memory, aligned to 8 bytes, of which as many bytes as asked for are zero.
   *
   * @param bytes size in bytes, 1 to {@link #BYTES_MAX}
   * @return a handle, or {@link #NONE} if the budget has no room
   */
  public long allocateZeroed(int bytes) {
    return zeroed(allocate(bytes), bytes);
  }

  /** Clears what was just allocated, unless it is fresh from the system. */
  long zeroed(long handle, int bytes) {
    if (handle != NONE) {
      Slab slab = live(handle);
      if (!slab.isZero(handle)) {
        // Not by address: another thread may close the allocator meanwhile.
        slab.segment(handle, bytes).fill((byte) 0);
      }
    }
    return handle;
  }

  /**
   * Allocates several of one size.
   *
   * @param bytes size of each in bytes, 1 to {@link #BYTES_MAX}
   * @param handles where the handles go
   * @param from index of the first
   * @param count how many are wanted
   * @return how many there are; fewer than wanted if the budget has no room
   */
  public int allocateBatch(int bytes, long[] handles, int from, int count) {
    int sizeClass = sizeClass(bytes);
    Objects.checkFromIndexSize(from, count, handles.length);
    Stripe stripe = debug == null ? localHeap().stripes().tryEnter() : null;
    if (stripe != null) {
      try {
        return stripe.shard().allocateBatch(bytes, handles, from, count);
      } finally {
        stripe.lock().leave();
      }
    }
    for (int i = 0; i < count; i++) {
      long handle = debug == null ? take(sizeClass) : debug.allocate(localHeap(), bytes, 1);
      if (handle == NONE) {
        return i;
      }
      handles[from + i] = handle;
    }
    return count;
  }

  private long take(int sizeClass) {
    return localHeap().stripes().take(sizeClass);
  }

  /** Allocates on another node where one has no room, near ones first. */
  long takeElsewhere(NodeHeap full, int sizeClass) {
    for (NumaNode near : options.topology().nearest(full.node)) {
      NodeHeap heap = heapOfNode[near.id()];
      if (heap != full && heap.node == near.id()) {
        long handle = heap.bin(sizeClass).takeOne();
        if (handle != NONE) {
          return handle;
        }
      }
    }
    return NONE;
  }

  private NodeHeap localHeap() {
    return heaps.length == 1 ? heaps[0] : heapOfNode[options.topology().currentNode()];
  }

  // ---------------------------------------------------------------- free

  /**
   * Frees what the handle names. The handle is stale from now on.
   *
   * @throws StaleHandleException if the handle is not live in this allocator
   */
  public void free(long handle) {
    if (debug != null) {
      debug.free(handle);
      return;
    }
    Slab slab = end(handle);
    if (!slab.heap.defer(slab, handle)) {
      slab.heap.stripes().put(slab, CellHandle.next(handle));
    }
  }

  /** Ends the life of a handle, of which at most one caller can; returns its slab. */
  private Slab end(long handle) {
    Slab slab = live(handle);
    if (!slab.tryStep(handle)) {
      throw stale(handle);
    }
    return slab;
  }

  /**
   * Frees several, in order.
   *
   * @throws StaleHandleException if one is not live in this allocator; those before it are freed
   */
  public void freeBatch(long[] handles, int from, int count) {
    Objects.checkFromIndexSize(from, count, handles.length);
    int next = from;
    while (next < from + count) {
      next = freeRun(handles, next, from + count);
    }
  }

  /** Frees one or more, as long as they are of one node; returns the index of the next. */
  private int freeRun(long[] handles, int from, int end) {
    NodeHeap heap = live(handles[from]).heap;
    Stripe stripe = debug == null ? heap.stripes().tryEnter() : null;
    if (stripe == null) {
      free(handles[from]);
      return from + 1;
    }
    try {
      int next = from;
      do {
        Slab slab = end(handles[next]);
        if (!heap.defer(slab, handles[next])) {
          stripe.shard().push(slab.sizeClass, CellHandle.next(handles[next]));
        }
        next++;
      } while (next < end && live(handles[next]).heap == heap);
      return next;
    } finally {
      stripe.lock().leave();
    }
  }

  // ---------------------------------------------------------------- what handles name

  /**
   * Returns the address of the first byte. Nothing guards what is done with it after free or close.
   *
   * @throws StaleHandleException if the handle is not live in this allocator
   */
  public long address(long handle) {
    return live(handle).address(handle);
  }

  /**
   * Returns the whole cell, which may be larger than asked for, with the scope of its region.
   *
   * @throws StaleHandleException if the handle is not live in this allocator
   */
  public MemorySegment segment(long handle) {
    Slab slab = live(handle);
    return slab.segment(handle, slab.usableBytes(handle));
  }

  /**
   * Returns the first bytes of the cell, with the scope of its region.
   *
   * @param bytes how many, at most {@link #cellBytes}
   * @throws StaleHandleException if the handle is not live in this allocator
   */
  public MemorySegment segment(long handle, long bytes) {
    Slab slab = live(handle);
    int usableBytes = slab.usableBytes(handle);
    if (bytes < 0 || bytes > usableBytes) {
      throw new IllegalArgumentException(
          "the cell has %d bytes: bytes=%d".formatted(usableBytes, bytes));
    }
    return slab.segment(handle, bytes);
  }

  /**
   * Returns how many bytes there really are, at least as many as asked for.
   *
   * @throws StaleHandleException if the handle is not live in this allocator
   */
  public int cellBytes(long handle) {
    return live(handle).usableBytes(handle);
  }

  /**
   * Returns the region that the memory lies in, for I/O. It belongs to the allocator.
   *
   * @throws StaleHandleException if the handle is not live in this allocator
   */
  public Region region(long handle) {
    return live(handle).unit.region();
  }

  /**
   * Returns where in its region the memory starts, in bytes.
   *
   * @throws StaleHandleException if the handle is not live in this allocator
   */
  public long offset(long handle) {
    return live(handle).offset(handle);
  }

  Slab live(long handle) {
    Slab slab = SlabTable.find(handle);
    if (slab == null || slab.heap.allocator() != this || !slab.isLive(handle)) {
      throw stale(handle);
    }
    return slab;
  }

  StaleHandleException stale(long handle) {
    Slab slab = SlabTable.find(handle);
    boolean foreign = slab != null && slab.heap.allocator() != this;
    return new StaleHandleException(
        "%s %s%s: handle=%s"
            .formatted(
                foreign ? "not a handle of" : "freed already, or never allocated, in",
                this,
                slab == null || foreign || debug == null ? "" : SlabDebug.toldOf(slab, handle),
                CellHandle.toString(handle)));
  }

  // ---------------------------------------------------------------- as a whole

  /** Returns a new shard for the node that the calling thread runs on. Its owner closes it. */
  public SlabShard shard() {
    return shard(localHeap());
  }

  /**
   * Returns a new shard. Its owner closes it.
   *
   * @param node allocates preferably on this node, or on the nearest with memory
   * @throws IllegalArgumentException if there is no such node
   */
  public SlabShard shard(int node) {
    return shard(heapOfNode[options.topology().node(node).id()]);
  }

  private static SlabShard shard(NodeHeap heap) {
    SlabShard shard = new SlabShard(heap);
    // After it is known: either close finds the shard, or this finds the heap closed.
    heap.requireOpen();
    return shard;
  }

  SlabDebug debug() {
    return debug;
  }

  MemoryBudget budget() {
    return heaps[0].budget();
  }

  int nodeIndexes() {
    return heaps.length;
  }

  NodeHeap heap(int index) {
    return heaps[index];
  }

  /**
   * Returns memory that nobody uses to the system, in units of 2 MiB. What shards keep stays; flush
   * them before. So does all of a region that is registered with a ring.
   *
   * @return how many bytes the budget has back
   */
  public long trim() {
    MemoryCorruptionException found = debug == null ? null : debug.endQuarantine();
    long bytes = 0;
    for (NodeHeap heap : heaps) {
      bytes += heap.trim();
    }
    SlabDebug.raise(found);
    return bytes;
  }

  /**
   * Forbids to take more memory from the system, or to return any. From now on there is room for
   * what fits into what there is.
   */
  public void seal() {
    for (NodeHeap heap : heaps) {
      heap.seal();
    }
  }

  /** Returns numbers. Looks at every cell: for gauges, not for decisions on a hot path. */
  public SlabStats stats() {
    SlabStats.Sum sum = new SlabStats.Sum();
    for (NodeHeap heap : heaps) {
      heap.count(sum);
    }
    if (debug != null) {
      sum.addQuarantined(debug.quarantinedCells(), debug.quarantinedBytes());
    }
    return sum.stats();
  }

  /**
   * Returns what is allocated; exact if nobody allocates or frees meanwhile. Without letters sizes
   * are those of whole cells.
   */
  public LeakReport leaks() {
    if (debug == null) {
      SlabStats stats = stats();
      return new LeakReport(toString(), stats.liveCells(), stats.liveBytes(), List.of());
    }
    LeakReport.Builder leaks = new LeakReport.Builder();
    forEachSlab(slab -> SlabDebug.addLeaks(slab, leaks));
    return leaks.build(toString());
  }

  private void forEachSlab(Consumer<Slab> action) {
    for (NodeHeap heap : heaps) {
      heap.forEachSlab(action);
    }
  }

  /**
   * Frees everything. Closing twice does nothing.
   *
   * @throws IllegalStateException if operations in flight use some of the memory; it is closed for
   *     allocation then, close it again later to free the rest
   */
  @Override
  public void close() {
    MemoryCorruptionException[] found = {null};
    if (leaksTold.compareAndSet(false, true)) {
      LeakEvent.tell(leaks());
      if (debug != null) {
        found[0] = debug.endQuarantine();
        forEachSlab(
            slab -> found[0] = MemoryCorruptionException.join(found[0], debug.verifyLive(slab)));
      }
    }
    try {
      for (NodeHeap heap : heaps) {
        heap.close();
      }
    } catch (IllegalStateException e) {
      if (found[0] == null) {
        throw e;
      }
      found[0].addSuppressed(e);
    }
    SlabDebug.raise(found[0]);
  }

  /** Returns the name in one line. */
  @Override
  public String toString() {
    return "slab allocator " + options.name();
  }

  static int sizeClass(int bytes) {
    if (bytes < 1 || bytes > BYTES_MAX) {
      throw refused(bytes);
    }
    return SizeClasses.indexOf(bytes);
  }

  static int sizeClass(int bytes, int alignmentBytes) {
    if (Integer.bitCount(alignmentBytes) != 1
        || alignmentBytes < 1
        || alignmentBytes > SizeClasses.BLOCK_BYTES) {
      throw new IllegalArgumentException(
          "an alignment is a power of two up to 65536: alignmentBytes=" + alignmentBytes);
    }
    if (bytes < 1 || bytes > BYTES_MAX) {
      throw refused(bytes);
    }
    return SizeClasses.indexOf(bytes, alignmentBytes);
  }

  private static IllegalArgumentException refused(int bytes) {
    return new IllegalArgumentException(
        bytes < 1
            ? "an allocation has at least one byte: bytes=" + bytes
            : "a slab has no cells over 65536 bytes, use a FramePool or a Region: bytes=" + bytes);
  }
}
