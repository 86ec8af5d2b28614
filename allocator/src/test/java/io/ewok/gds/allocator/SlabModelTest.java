package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is allocated, through a shard and by any thread. */
class SlabModelTest {
  private static final long LIMIT_BYTES = 32 << 20;
  private static final long SEED = Long.getLong("gds.seed", 3);

  /** The two ways to call. */
  enum Way {
    SHARD,
    ANY_THREAD;

    SlabCalls calls(SlabAllocator allocator) {
      return this == SHARD ? SlabCalls.ofShards(allocator) : SlabCalls.ofAnyThread(allocator);
    }
  }

  private final MemoryBudget budget = MemoryBudget.root("test", LIMIT_BYTES);
  private final SlabAllocator slabs =
      new SlabAllocator(budget, SlabOptions.named("test").withHugePages(HugePages.OFF));

  @AfterEach
  void close() {
    slabs.close();
    assertEquals(0, budget.usedBytes());
  }

  /** Something that is allocated: what is there is the low byte of its handle's hash. */
  private record Block(long handle, int bytes) {
    byte pattern() {
      return (byte) Long.hashCode(handle * 31);
    }
  }

  private Block fill(long handle, int bytes) {
    Block block = new Block(handle, bytes);
    slabs.segment(handle, bytes).fill(block.pattern());
    return block;
  }

  private void requireIntact(Block block, long seed) {
    MemorySegment found = slabs.segment(block.handle, block.bytes);
    byte[] expected = new byte[block.bytes];
    Arrays.fill(expected, block.pattern());
    assertEquals(
        -1,
        found.mismatch(MemorySegment.ofArray(expected)),
        () -> "somebody else wrote here: " + block + ", repeat with -Dgds.seed=" + seed);
  }

  @ParameterizedTest
  @EnumSource
  void whatIsWrittenStaysUntilItIsFreed(Way way) {
    Random random = new Random(SEED);
    SlabCalls calls = way.calls(slabs);
    List<Block> live = new ArrayList<>();
    for (int step = 0; step < 60_000; step++) {
      if (live.size() < 1500 && random.nextInt(5) < 3) {
        int bytes = 1 + random.nextInt(16 << random.nextInt(13));
        long handle = calls.allocate(bytes);
        assertNotEquals(SlabAllocator.NONE, handle);
        live.add(fill(handle, bytes));
      } else if (!live.isEmpty()) {
        int index = random.nextInt(live.size());
        Block block = live.get(index);
        live.set(index, live.getLast());
        live.removeLast();
        requireIntact(block, SEED);
        calls.free(block.handle);
      }
    }
    for (Block block : live) {
      requireIntact(block, SEED);
      calls.free(block.handle);
    }
    assertEquals(0, slabs.stats().liveCells());
  }

  @ParameterizedTest
  @EnumSource
  void sealedItReusesWhatItHas(Way way) {
    SlabCalls calls = way.calls(slabs);
    long handle = calls.allocate(4096);
    long committed = budget.usedBytes();
    slabs.seal();
    calls.free(handle);
    List<Long> all = new ArrayList<>();
    for (long next = calls.allocate(4096); next != SlabAllocator.NONE; ) {
      all.add(next);
      next = calls.allocate(4096);
    }
    assertTrue(all.size() > 8);
    assertEquals(committed, budget.usedBytes());
    all.forEach(calls::free);
    assertNotEquals(SlabAllocator.NONE, calls.allocate(4096));
  }

  @ParameterizedTest
  @EnumSource
  void trimmedMemoryGoesBackAndComesAgain(Way way) {
    SlabCalls calls = way.calls(slabs);
    List<Block> blocks = new ArrayList<>();
    for (int i = 0; i < 4000; i++) {
      blocks.add(fill(calls.allocate(4096), 4096));
    }
    Region region = slabs.region(blocks.getFirst().handle);
    long full = Resident.pages(region.segment());
    assertTrue(full >= 4000);
    for (Block block : blocks.subList(1, blocks.size())) {
      requireIntact(block, 0);
      calls.free(block.handle);
    }
    calls.flush();
    long before = budget.usedBytes();
    long returned = slabs.trim();
    assertEquals(before - returned, budget.usedBytes());
    assertTrue(budget.usedBytes() <= 2 * Region.UNIT_BYTES, budget::toString);
    assertTrue(Resident.pages(region.segment()) <= 2 * Region.UNIT_BYTES / 4096);
    requireIntact(blocks.getFirst(), 0);
    for (int i = 0; i < 4000; i++) {
      fill(calls.allocate(4096), 4096);
    }
    requireIntact(blocks.getFirst(), 0);
  }
}
