package consumer;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.SlabAllocator;
import io.ewok.gds.allocator.SlabOptions;
import io.ewok.gds.allocator.SlabShard;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Memory of a slab, for one owner. */
final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    MemoryBudget budget = MemoryBudget.root("cache", 64 << 20);
    try (SlabAllocator slabs = new SlabAllocator(budget, SlabOptions.named("cache"));
        SlabShard shard = slabs.shard()) {
      long handle = shard.allocate(100);
      MemorySegment memory = shard.segment(handle, 100);
      memory.set(ValueLayout.JAVA_LONG, 0, 42);
      if (memory.get(ValueLayout.JAVA_LONG, 0) != 42) {
        throw new AssertionError(memory);
      }
      shard.free(handle);
    }
  }
}
