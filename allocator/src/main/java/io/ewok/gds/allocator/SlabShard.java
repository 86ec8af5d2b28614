package io.ewok.gds.allocator;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;

/**
 * An owner's share of a {@link SlabAllocator}: the same calls without any atomic operation, for an
 * event loop or whoever else is one thread at a time. Cells of the whole allocator can be freed
 * here, and what was allocated here can be freed by anybody.
 *
 * <p>Ownership: the owner closes the shard, which makes the free cells it has kept available to
 * others. They are at most two magazines of each class, 64 KiB or four cells.
 *
 * <p>Threads: confined to its owner, one thread at a time.
 *
 * <p>Errors: as in {@link SlabAllocator}. A handle that two threads free at the same moment, one of
 * them here, may pass for live twice.
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
  private final NodeHeap heap;

  /** By class; allocation pops from it, free pushes to it. */
  private final Magazine[] loaded = new Magazine[SizeClasses.COUNT];

  /** By class; takes turns with {@link #loaded}, so that the depot is asked seldom. */
  private final Magazine[] spare = new Magazine[SizeClasses.COUNT];

  private boolean closed;

  SlabShard(NodeHeap heap) {
    this.heap = heap;
    Arrays.fill(loaded, Magazine.NONE);
    Arrays.fill(spare, Magazine.NONE);
  }

  /** As {@link SlabAllocator#allocate(int)}. */
  public long allocate(int bytes) {
    return take(SlabAllocator.sizeClass(bytes));
  }

  /** As {@link SlabAllocator#allocate(int, int)}. */
  public long allocate(int bytes, int alignmentBytes) {
    return take(SlabAllocator.sizeClass(bytes, alignmentBytes));
  }

  /** As {@link SlabAllocator#allocateZeroed}. */
  public long allocateZeroed(int bytes) {
    long handle = allocate(bytes);
    if (handle != CellHandle.NONE) {
      segment(handle, bytes).fill((byte) 0);
    }
    return handle;
  }

  /** As {@link SlabAllocator#allocateBatch}. */
  public int allocateBatch(int bytes, long[] handles, int from, int count) {
    Objects.checkFromIndexSize(from, count, handles.length);
    int sizeClass = SlabAllocator.sizeClass(bytes);
    for (int i = 0; i < count; i++) {
      long handle = take(sizeClass);
      if (handle == CellHandle.NONE) {
        return i;
      }
      handles[from + i] = handle;
    }
    return count;
  }

  /** As {@link SlabAllocator#free}. */
  public void free(long handle) {
    Slab slab = SlabTable.find(handle);
    if (slab == null || slab.heap != heap || !slab.isLive(handle)) {
      throw heap.allocator().stale(handle);
    }
    if (!loaded[slab.sizeClass].tryPush(CellHandle.next(handle))) {
      unload(slab.sizeClass, CellHandle.next(handle));
    }
    slab.withdraw(handle);
  }

  /** As {@link SlabAllocator#freeBatch}. */
  public void freeBatch(long[] handles, int from, int count) {
    Objects.checkFromIndexSize(from, count, handles.length);
    for (int i = from; i < from + count; i++) {
      free(handles[i]);
    }
  }

  long take(int sizeClass) {
    long handle = loaded[sizeClass].tryPop();
    if (handle == CellHandle.NONE) {
      handle = reload(sizeClass);
      if (handle == CellHandle.NONE) {
        return CellHandle.NONE;
      }
    }
    Slab slab = SlabTable.find(handle);
    if (slab == null || slab.heap != heap) {
      throw new IllegalStateException("closed: " + heap.allocator());
    }
    slab.issue(handle);
    return handle;
  }

  private long reload(int sizeClass) {
    requireOpen();
    Magazine next = spare[sizeClass];
    if (next.isEmpty()) {
      next = heap.bin(sizeClass).refill(next);
    }
    spare[sizeClass] = loaded[sizeClass];
    loaded[sizeClass] = next;
    return next.tryPop();
  }

  /** Keeps a cell that has just been withdrawn from its caller. */
  void accept(Slab slab, long handle) {
    if (!loaded[slab.sizeClass].tryPush(CellHandle.next(handle))) {
      unload(slab.sizeClass, CellHandle.next(handle));
    }
  }

  private void unload(int sizeClass, long handle) {
    requireOpen();
    Magazine next = spare[sizeClass];
    if (next.isFull()) {
      next = heap.bin(sizeClass).unload(next);
    }
    spare[sizeClass] = loaded[sizeClass];
    loaded[sizeClass] = next;
    next.push(handle);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the shard is closed: " + heap.allocator());
    }
    heap.requireOpen();
  }

  /** As {@link SlabAllocator#address}. */
  public long address(long handle) {
    return heap.allocator().address(handle);
  }

  /** As {@link SlabAllocator#segment(long)}. */
  public MemorySegment segment(long handle) {
    return heap.allocator().segment(handle);
  }

  /** As {@link SlabAllocator#segment(long, long)}. */
  public MemorySegment segment(long handle, long bytes) {
    return heap.allocator().segment(handle, bytes);
  }

  /** Makes the free cells that the shard has kept available to others. */
  public void flush() {
    requireOpen();
    flush(loaded);
    flush(spare);
  }

  private void flush(Magazine[] magazines) {
    for (int sizeClass = 0; sizeClass < magazines.length; sizeClass++) {
      Magazine magazine = magazines[sizeClass];
      magazines[sizeClass] = Magazine.NONE;
      if (magazine != Magazine.NONE) {
        heap.bin(sizeClass).takeOver(magazine);
      }
    }
  }

  /** Tells the slabs the generations of the cells in the magazines. For a heap that goes away. */
  void surrenderGenerations() {
    surrenderGenerations(loaded);
    surrenderGenerations(spare);
  }

  private static void surrenderGenerations(Magazine[] magazines) {
    for (Magazine magazine : magazines) {
      for (int i = 0; i < magazine.count(); i++) {
        long handle = magazine.handle(i);
        SlabTable.find(handle).raiseNextGeneration(CellHandle.generation(handle));
      }
    }
  }

  /**
   * Flushes the shard. Later calls throw {@link IllegalStateException}; closing twice does nothing.
   */
  @Override
  public void close() {
    if (!closed) {
      flush();
      heap.remove(this);
      closed = true;
    }
  }
}
