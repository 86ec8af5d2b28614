package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Handles outlive the allocator that issued them, and match nothing that comes after it. */
class SlabCloseTest {
  private static final int BYTES = 4096;

  private final MemoryBudget budget = MemoryBudget.root("test", 64 << 20);

  @Test
  void handlesOfAShardAreNotIssuedAgainAfterClose() {
    // The shard is never closed: it goes with its allocator.
    requireUniqueAcrossAllocators(SlabCalls::ofShards);
  }

  @Test
  void handlesOfAnyThreadAreNotIssuedAgainAfterClose() {
    requireUniqueAcrossAllocators(SlabCalls::ofAnyThread);
  }

  private void requireUniqueAcrossAllocators(Function<SlabAllocator, SlabCalls> user) {
    Set<Long> issued = new HashSet<>();
    for (int life = 0; life < 4; life++) {
      try (SlabAllocator allocator = allocator()) {
        SlabCalls calls = user.apply(allocator);
        for (int i = 0; i < 1000; i++) {
          long handle = calls.allocate(BYTES);
          assertTrue(issued.add(handle), () -> "issued twice: handle=0x%x".formatted(handle));
          // A few stay allocated; then one cell is used again and again, and ends in a magazine.
          if (i >= 8) {
            calls.free(handle);
          }
        }
      }
    }
  }

  private SlabAllocator allocator() {
    return new SlabAllocator(budget, SlabOptions.named("test").withHugePages(HugePages.OFF));
  }
}
