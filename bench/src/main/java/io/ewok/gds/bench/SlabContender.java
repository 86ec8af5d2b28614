package io.ewok.gds.bench;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.SlabAllocator;
import io.ewok.gds.allocator.SlabOptions;
import io.ewok.gds.allocator.SlabShard;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;

/** Ours: size classes, through a shard for each thread or through the calls for any thread. */
final class SlabContender implements Contender {
  private final SlabAllocator allocator =
      new SlabAllocator(MemoryBudget.root("bench", 8L << 30), SlabOptions.named("bench"));
  private final long[] handles;
  private final boolean shards;
  private final boolean batches;

  /**
   * Opens an allocator.
   *
   * @param shards whether each thread has a shard of its own
   * @param batches whether neighbouring slots are filled and emptied by one call
   */
  SlabContender(int slots, boolean shards, boolean batches) {
    this.handles = new long[slots];
    this.shards = shards;
    this.batches = batches;
  }

  @Override
  public Slots slots() {
    Calls calls = shards ? new ShardCalls(allocator.shard()) : new AnyThreadCalls(allocator);
    return batches ? new BatchSlots(calls, handles) : new SingleSlots(calls, handles);
  }

  @Override
  public long usedBytes() {
    return allocator.stats().liveBytes();
  }

  @Override
  public long committedBytes() {
    return allocator.stats().committedBytes();
  }

  @Override
  public long residentBytes() {
    Set<Region> regions = new HashSet<>();
    for (long handle : handles) {
      if (handle != SlabAllocator.NONE) {
        regions.add(allocator.region(handle));
      }
    }
    return ResidentMemory.bytes(regions);
  }

  @Override
  public void close() {
    allocator.close();
  }

  /** What shard and allocator have in common. A fork knows one of the two only. */
  private interface Calls {
    long allocate(int bytes);

    int allocateBatch(int bytes, long[] handles, int from, int count);

    void free(long handle);

    void freeBatch(long[] handles, int from, int count);

    long address(long handle);

    MemorySegment segment(long handle, long bytes);

    void close();
  }

  private record ShardCalls(SlabShard shard) implements Calls {
    @Override
    public long allocate(int bytes) {
      return shard.allocate(bytes);
    }

    @Override
    public int allocateBatch(int bytes, long[] handles, int from, int count) {
      return shard.allocateBatch(bytes, handles, from, count);
    }

    @Override
    public void free(long handle) {
      shard.free(handle);
    }

    @Override
    public void freeBatch(long[] handles, int from, int count) {
      shard.freeBatch(handles, from, count);
    }

    @Override
    public long address(long handle) {
      return shard.address(handle);
    }

    @Override
    public MemorySegment segment(long handle, long bytes) {
      return shard.segment(handle, bytes);
    }

    @Override
    public void close() {
      shard.close();
    }
  }

  private record AnyThreadCalls(SlabAllocator allocator) implements Calls {
    @Override
    public long allocate(int bytes) {
      return allocator.allocate(bytes);
    }

    @Override
    public int allocateBatch(int bytes, long[] handles, int from, int count) {
      return allocator.allocateBatch(bytes, handles, from, count);
    }

    @Override
    public void free(long handle) {
      allocator.free(handle);
    }

    @Override
    public void freeBatch(long[] handles, int from, int count) {
      allocator.freeBatch(handles, from, count);
    }

    @Override
    public long address(long handle) {
      return allocator.address(handle);
    }

    @Override
    public MemorySegment segment(long handle, long bytes) {
      return allocator.segment(handle, bytes);
    }

    @Override
    public void close() {}
  }

  /** One call for each block. */
  private static final class SingleSlots implements Slots {
    private final Calls calls;
    private final long[] handles;

    SingleSlots(Calls calls, long[] handles) {
      this.calls = calls;
      this.handles = handles;
    }

    @Override
    public void allocate(int slot, int bytes) {
      long handle = calls.allocate(bytes);
      if (handle == SlabAllocator.NONE) {
        throw noRoom();
      }
      handles[slot] = handle;
      Malloc.touch(calls.address(handle));
    }

    @Override
    public void write(int slot, int bytes) {
      calls.segment(handles[slot], bytes).fill((byte) 0);
    }

    @Override
    public void free(int slot) {
      long handle = handles[slot];
      handles[slot] = SlabAllocator.NONE;
      calls.free(handle);
    }

    @Override
    public void leave() {
      calls.close();
    }
  }

  /** One call for neighbouring slots; their handles stay behind when they are free. */
  private static final class BatchSlots implements Slots {
    private final Calls calls;
    private final long[] handles;

    BatchSlots(Calls calls, long[] handles) {
      this.calls = calls;
      this.handles = handles;
    }

    @Override
    public void allocate(int slot, int bytes) {
      allocateAll(slot, 1, bytes);
    }

    @Override
    public void allocateAll(int from, int count, int bytes) {
      if (calls.allocateBatch(bytes, handles, from, count) < count) {
        throw noRoom();
      }
      for (int slot = from; slot < from + count; slot++) {
        Malloc.touch(calls.address(handles[slot]));
      }
    }

    @Override
    public void write(int slot, int bytes) {
      calls.segment(handles[slot], bytes).fill((byte) 0);
    }

    @Override
    public void free(int slot) {
      freeAll(slot, 1);
    }

    @Override
    public void freeAll(int from, int count) {
      calls.freeBatch(handles, from, count);
    }

    @Override
    public void leave() {
      calls.close();
    }
  }

  private static OutOfMemoryError noRoom() {
    return new OutOfMemoryError("the budget of the benchmark is too small");
  }
}
