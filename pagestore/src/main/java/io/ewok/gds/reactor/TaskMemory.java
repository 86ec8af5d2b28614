package io.ewok.gds.reactor;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Map;

/**
 * The scratch memory of a reactor's tasks: blocks of three sizes, cut once from a region that is
 * mapped when the first is taken.
 *
 * <p>Ownership: whoever takes a block gives it back; close takes all, so that an access is an
 * exception from then on.
 *
 * <p>Threads: confined to the reactor's.
 */
final class TaskMemory implements AutoCloseable {
  private static final int PAGE_BYTES = 4096;

  /** The free blocks of one size, the first {@code count} of the array. */
  private static final class Blocks {
    final MemorySegment[] free;
    int count;

    Blocks(int count) {
      this.free = new MemorySegment[count];
      this.count = count;
    }
  }

  private final Map<Task.Scratch, Blocks> sizes = new EnumMap<>(Task.Scratch.class);
  private Region region;

  TaskMemory(FiberOptions options) {
    sizes.put(Task.Scratch.SMALL, new Blocks(options.smallScratches()));
    sizes.put(Task.Scratch.MEDIUM, new Blocks(options.mediumScratches()));
    sizes.put(Task.Scratch.LARGE, new Blocks(options.largeScratches()));
  }

  /** Returns whether a block of a size is free; none always is. */
  boolean has(Task.Scratch size) {
    return size == Task.Scratch.NONE || sizes.get(size).count > 0;
  }

  /** Takes a block that there is; null for none. */
  MemorySegment take(Task.Scratch size) {
    if (size == Task.Scratch.NONE) {
      return null;
    }
    if (region == null) {
      map();
    }
    Blocks blocks = sizes.get(size);
    return blocks.free[--blocks.count];
  }

  private void map() {
    long needed = 0;
    for (Map.Entry<Task.Scratch, Blocks> size : sizes.entrySet()) {
      needed += (long) size.getKey().bytes * size.getValue().count;
    }
    long bytes = (needed + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    region =
        Region.map(MemoryBudget.root("task scratch memory", bytes), RegionOptions.ofSize(bytes));
    long offset = 0;
    for (Map.Entry<Task.Scratch, Blocks> size : sizes.entrySet()) {
      MemorySegment[] free = size.getValue().free;
      for (int i = 0; i < free.length; i++) {
        free[i] = region.segment().asSlice(offset, size.getKey().bytes);
        offset += size.getKey().bytes;
      }
    }
  }

  /** Gives a block back. */
  void give(Task.Scratch size, MemorySegment block) {
    if (size != Task.Scratch.NONE) {
      Blocks blocks = sizes.get(size);
      blocks.free[blocks.count++] = block;
    }
  }

  /** Unmaps the memory. */
  @Override
  public void close() {
    if (region != null) {
      region.close();
    }
  }
}
