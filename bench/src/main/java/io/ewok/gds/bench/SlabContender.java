package io.ewok.gds.bench;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.SlabAllocator;
import io.ewok.gds.allocator.SlabOptions;
import io.ewok.gds.allocator.SlabShard;
import java.util.HashSet;
import java.util.Set;

/**
 * Ours: size classes, either through a shard for each thread or through the calls for any thread.
 */
final class SlabContender implements Contender {
  private final SlabAllocator allocator =
      new SlabAllocator(MemoryBudget.root("bench", 8L << 30), SlabOptions.named("bench"));
  private final long[] handles;
  private final Access access;

  /** How the slots call the allocator. */
  enum Access {
    SHARD,
    SHARD_IN_BATCHES,
    ANY_THREAD
  }

  SlabContender(int slots, Access access) {
    this.handles = new long[slots];
    this.access = access;
  }

  @Override
  public Slots slots() {
    return switch (access) {
      case SHARD -> new ShardSlots(allocator, handles);
      case SHARD_IN_BATCHES -> new BatchSlots(allocator, handles);
      case ANY_THREAD -> new AnyThreadSlots(allocator, handles);
    };
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

  private static long granted(long handle) {
    if (handle == SlabAllocator.NONE) {
      throw new OutOfMemoryError("the budget of the benchmark is too small");
    }
    return handle;
  }

  /** One call for each block, on a shard. */
  private static final class ShardSlots implements Slots {
    private final SlabShard shard;
    private final long[] handles;

    ShardSlots(SlabAllocator allocator, long[] handles) {
      this.shard = allocator.shard();
      this.handles = handles;
    }

    @Override
    public void allocate(int slot, int bytes) {
      long handle = granted(shard.allocate(bytes));
      handles[slot] = handle;
      Malloc.touch(shard.address(handle));
    }

    @Override
    public void write(int slot, int bytes) {
      shard.segment(handles[slot], bytes).fill((byte) 0);
    }

    @Override
    public void free(int slot) {
      long handle = handles[slot];
      handles[slot] = SlabAllocator.NONE;
      shard.free(handle);
    }

    @Override
    public void leave() {
      shard.close();
    }
  }

  /** One call for neighbouring slots, on a shard. */
  private static final class BatchSlots implements Slots {
    private final SlabShard shard;
    private final long[] handles;

    BatchSlots(SlabAllocator allocator, long[] handles) {
      this.shard = allocator.shard();
      this.handles = handles;
    }

    @Override
    public void allocate(int slot, int bytes) {
      allocateAll(slot, 1, bytes);
    }

    @Override
    public void allocateAll(int from, int count, int bytes) {
      if (shard.allocateBatch(bytes, handles, from, count) < count) {
        throw new OutOfMemoryError("the budget of the benchmark is too small");
      }
      for (int slot = from; slot < from + count; slot++) {
        Malloc.touch(shard.address(handles[slot]));
      }
    }

    @Override
    public void write(int slot, int bytes) {
      shard.segment(handles[slot], bytes).fill((byte) 0);
    }

    @Override
    public void free(int slot) {
      freeAll(slot, 1);
    }

    @Override
    public void freeAll(int from, int count) {
      shard.freeBatch(handles, from, count);
    }

    @Override
    public void leave() {
      shard.close();
    }
  }

  /** One call for each block, from whatever thread. */
  private static final class AnyThreadSlots implements Slots {
    private final SlabAllocator allocator;
    private final long[] handles;

    AnyThreadSlots(SlabAllocator allocator, long[] handles) {
      this.allocator = allocator;
      this.handles = handles;
    }

    @Override
    public void allocate(int slot, int bytes) {
      long handle = granted(allocator.allocate(bytes));
      handles[slot] = handle;
      Malloc.touch(allocator.address(handle));
    }

    @Override
    public void write(int slot, int bytes) {
      allocator.segment(handles[slot], bytes).fill((byte) 0);
    }

    @Override
    public void free(int slot) {
      long handle = handles[slot];
      handles[slot] = SlabAllocator.NONE;
      allocator.free(handle);
    }
  }
}
