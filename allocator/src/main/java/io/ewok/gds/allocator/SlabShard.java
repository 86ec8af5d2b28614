package io.ewok.gds.allocator;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;

/**
 * An owner's share of a {@link SlabAllocator}: the same calls without an atomic operation, for an
 * event loop or whoever else is one thread at a time. Cells of the whole allocator can be freed
 * here, and what was allocated here can be freed anywhere.
 *
 * <p>Ownership: the owner closes the shard, which makes the free cells that it kept available to
 * others. These are at most two magazines of each class on its own node, and one of each class on
 * each other node; a magazine holds 32 KiB or 64 cells, whichever is less, but two cells at least.
 *
 * <p>Threads: confined to its owner, one thread at a time.
 *
 * <p>With {@link DebugLetters} on, a shard keeps no cells, and each call is one of the allocator.
 *
 * <p>Errors: as in {@link SlabAllocator}; and, without letters, if two threads free the same handle
 * at the same moment, one of them in a shard, it may be that none of them throws.
 *
 * <pre>{@code
 * try (SlabShard shard = allocator.shard()) {
 *   long handle = shard.allocate(4096);
 *   shard.segment(handle).fill((byte) 0);
 *   shard.free(handle);
 * }
 * }</pre>
 */
public final class SlabShard implements AutoCloseable {
  private final SlabAllocator allocator;
  private final NodeHeap heap;

  /** Null if no letter is on. */
  private final SlabDebug debug;

  /** By class: allocation pops from it, free pushes to it. */
  private final long[][] loaded = new long[SizeClasses.COUNT][];

  /** By class: takes turns with {@link #loaded}, so that the bin is seldom asked. */
  private final long[][] spare = new long[SizeClasses.COUNT][];

  /** By node and class: cells on their way to other nodes; null where there are none. */
  private final long[][][] outbound;

  /** Plain, for its one writer; who reads it elsewhere may see an old number. */
  private long remoteFrees;

  private boolean closed;

  SlabShard(NodeHeap heap) {
    this.allocator = heap.allocator();
    this.heap = heap;
    this.debug = allocator.debug();
    this.outbound = new long[allocator.nodeIndexes()][][];
    abandon();
    heap.shards().add(this);
  }

  // ---------------------------------------------------------------- allocate

  /** As {@link SlabAllocator#allocate(int)}. */
  public long allocate(int bytes) {
    int sizeClass = SlabAllocator.sizeClass(bytes);
    long handle = Magazine.pop(loaded[sizeClass]);
    return handle != CellHandle.NONE ? handle : allocateSlowly(sizeClass, bytes, 1);
  }

  /** As {@link SlabAllocator#allocate(int, int)}. */
  public long allocate(int bytes, int alignmentBytes) {
    int sizeClass = SlabAllocator.sizeClass(bytes, alignmentBytes);
    long handle = Magazine.pop(loaded[sizeClass]);
    return handle != CellHandle.NONE ? handle : allocateSlowly(sizeClass, bytes, alignmentBytes);
  }

  private long allocateSlowly(int sizeClass, int bytes, int alignmentBytes) {
    if (debug == null) {
      return takeSlowly(sizeClass);
    }
    requireOpen();
    return debug.allocate(heap, bytes, alignmentBytes);
  }

  /** As {@link SlabAllocator#allocateZeroed}. */
  public long allocateZeroed(int bytes) {
    return allocator.zeroed(allocate(bytes), bytes);
  }

  /** As {@link SlabAllocator#allocateBatch}. */
  public int allocateBatch(int bytes, long[] handles, int from, int count) {
    int sizeClass = SlabAllocator.sizeClass(bytes);
    Objects.checkFromIndexSize(from, count, handles.length);
    int done = 0;
    while (done < count) {
      done += Magazine.popAll(loaded[sizeClass], handles, from + done, count - done);
      if (done < count) {
        long handle = allocateSlowly(sizeClass, bytes, 1);
        if (handle == CellHandle.NONE) {
          return done;
        }
        handles[from + done] = handle;
        done++;
      }
    }
    return done;
  }

  long take(int sizeClass) {
    long handle = Magazine.pop(loaded[sizeClass]);
    return handle != CellHandle.NONE ? handle : takeSlowly(sizeClass);
  }

  private long takeSlowly(int sizeClass) {
    requireOpen();
    long handle = load(sizeClass);
    if (handle == CellHandle.NONE) {
      // What this shard keeps may be all that stands between a slab of another class and its end.
      flush();
      handle = load(sizeClass);
    }
    return handle != CellHandle.NONE ? handle : allocator.takeElsewhere(heap, sizeClass);
  }

  private long load(int sizeClass) {
    long[] next = spare[sizeClass];
    if (Magazine.isEmpty(next)) {
      Bin bin = heap.bin(sizeClass);
      spare[sizeClass] = Magazine.NONE;
      next = bin.load(next);
      // A callback of the budget may have used this shard meanwhile, and left cells here.
      bin.takeOver(spare[sizeClass]);
    }
    spare[sizeClass] = loaded[sizeClass];
    loaded[sizeClass] = next;
    return Magazine.pop(next);
  }

  // ---------------------------------------------------------------- free

  /** As {@link SlabAllocator#free}. */
  public void free(long handle) {
    Slab slab = SlabTable.find(handle);
    if (slab == null || slab.simpleHeap != heap) {
      freeSlowly(handle);
      return;
    }
    if (!slab.isLive(handle)) {
      throw allocator.stale(handle);
    }
    push(slab.sizeClass, CellHandle.next(handle));
    slab.step(handle);
  }

  /** As {@link SlabAllocator#freeBatch}. */
  public void freeBatch(long[] handles, int from, int count) {
    Objects.checkFromIndexSize(from, count, handles.length);
    for (int i = from; i < from + count; i++) {
      free(handles[i]);
    }
  }

  /** Frees what is no live cell, or one of another node, or one that may be under I/O. */
  private void freeSlowly(long handle) {
    Slab slab = allocator.live(handle);
    requireOpen();
    if (debug != null) {
      debug.free(handle);
      return;
    }
    slab.step(handle);
    if (slab.heap.defer(slab, handle)) {
      return;
    }
    if (slab.heap == heap) {
      push(slab.sizeClass, CellHandle.next(handle));
    } else {
      send(slab, CellHandle.next(handle));
    }
  }

  /** Keeps a cell of this node that nobody has, under the handle that it is issued under next. */
  void push(int sizeClass, long next) {
    if (!Magazine.push(loaded[sizeClass], next)) {
      pushSlowly(sizeClass, next);
    }
  }

  private void pushSlowly(int sizeClass, long handle) {
    requireOpen();
    long[] next = spare[sizeClass];
    if (Magazine.isFull(next)) {
      next = heap.bin(sizeClass).unload(next);
    }
    spare[sizeClass] = loaded[sizeClass];
    loaded[sizeClass] = next;
    Magazine.push(next, handle);
  }

  /** Puts a cell on its way to its own node. It is not used here, or locality would be lost. */
  private void send(Slab slab, long next) {
    remoteFrees++;
    long[][] magazines = outbound[slab.heap.index];
    if (magazines == null) {
      magazines = new long[SizeClasses.COUNT][];
      Arrays.fill(magazines, Magazine.NONE);
      outbound[slab.heap.index] = magazines;
    }
    long[] magazine = magazines[slab.sizeClass];
    if (Magazine.isFull(magazine)) {
      magazine = slab.heap.bin(slab.sizeClass).unload(magazine);
      magazines[slab.sizeClass] = magazine;
    }
    Magazine.push(magazine, next);
  }

  // ---------------------------------------------------------------- what handles name

  /** As {@link SlabAllocator#address}. */
  public long address(long handle) {
    return allocator.address(handle);
  }

  /** As {@link SlabAllocator#segment(long)}. */
  public MemorySegment segment(long handle) {
    return allocator.segment(handle);
  }

  /** As {@link SlabAllocator#segment(long, long)}. */
  public MemorySegment segment(long handle, long bytes) {
    return allocator.segment(handle, bytes);
  }

  /** As {@link SlabAllocator#cellBytes}. */
  public int cellBytes(long handle) {
    return allocator.cellBytes(handle);
  }

  /** Returns the number of the node that the shard allocates on. */
  public int node() {
    return heap.node;
  }

  // ---------------------------------------------------------------- end

  /** Makes the free cells that the shard has kept available to others. */
  public void flush() {
    requireOpen();
    flush(heap, loaded);
    flush(heap, spare);
    for (int i = 0; i < outbound.length; i++) {
      if (outbound[i] != null) {
        flush(allocator.heap(i), outbound[i]);
      }
    }
  }

  private static void flush(NodeHeap heap, long[][] magazines) {
    for (int sizeClass = 0; sizeClass < magazines.length; sizeClass++) {
      long[] magazine = magazines[sizeClass];
      magazines[sizeClass] = Magazine.NONE;
      heap.bin(sizeClass).takeOver(magazine);
    }
  }

  /**
   * Flushes the shard. Later allocations and frees throw {@link IllegalStateException}. Closing
   * twice, or after the allocator, does nothing.
   */
  @Override
  public void close() {
    if (!closed && !heap.isClosed()) {
      flush();
    }
    closed = true;
    heap.shards().remove(this);
  }

  /** Forgets all cells: the allocator is closing, and they go with it. */
  void abandon() {
    Arrays.fill(loaded, Magazine.NONE);
    Arrays.fill(spare, Magazine.NONE);
    Arrays.fill(outbound, null);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the shard is closed: " + allocator);
    }
    heap.requireOpen();
  }

  /** Adds the numbers of this shard; for any thread, which sees them as of some moment ago. */
  void count(SlabStats.Sum sum) {
    sum.addShard();
    sum.remoteFrees += remoteFrees;
    count(sum, loaded);
    count(sum, spare);
    for (long[][] magazines : outbound) {
      if (magazines != null) {
        count(sum, magazines);
      }
    }
  }

  private static void count(SlabStats.Sum sum, long[][] magazines) {
    for (int sizeClass = 0; sizeClass < magazines.length; sizeClass++) {
      sum.addCached(sizeClass, Magazine.count(magazines[sizeClass]));
    }
  }

  /** Returns whose shard it is, and on which node, in one line. */
  @Override
  public String toString() {
    return "SlabShard[node=%d closed=%b of %s]".formatted(heap.node, closed, allocator);
  }
}
