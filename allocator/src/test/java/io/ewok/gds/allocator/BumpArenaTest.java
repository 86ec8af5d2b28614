package io.ewok.gds.allocator;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BumpArenaTest {
  private static final int BLOCK_BYTES = 64 << 10;

  private final MemoryBudget budget = MemoryBudget.root("test", 64 << 20);

  @Test
  void emptyArenaHoldsNothing() {
    try (BumpArena arena = new BumpArena(budget, BLOCK_BYTES)) {
      assertEquals(0, arena.memoryUsageBytes());
    }
  }

  @Test
  void allocationsAreAlignedZeroAndDisjoint() {
    long seed = 7;
    Random random = new Random(seed);
    try (BumpArena arena = new BumpArena(budget, BLOCK_BYTES)) {
      List<MemorySegment> segments = new ArrayList<>();
      long requestedBytes = 0;
      for (int i = 0; i < 20_000; i++) {
        int bytes =
            random.nextInt(1000) == 0 ? 1 + random.nextInt(30_000) : 1 + random.nextInt(100);
        long alignment = 1L << random.nextInt(7);
        MemorySegment segment = arena.allocateSegment(bytes, alignment);
        assertEquals(0, segment.address() % alignment, "seed=" + seed);
        assertEquals(-1, segment.mismatch(MemorySegment.ofArray(new byte[bytes])), "seed=" + seed);
        segment.fill((byte) i);
        segments.add(segment);
        requestedBytes += bytes;
      }
      for (int i = 0; i < segments.size(); i++) {
        MemorySegment segment = segments.get(i);
        for (long at = 0; at < segment.byteSize(); at++) {
          assertEquals((byte) i, segment.get(JAVA_BYTE, at), "seed=" + seed + " allocation=" + i);
        }
      }
      assertTrue(arena.memoryUsageBytes() >= requestedBytes);
      assertEquals(budget.usedBytes(), arena.memoryUsageBytes());
    }
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void largeRequestDoesNotWasteTheCurrentBlock() {
    try (BumpArena arena = new BumpArena(budget, BLOCK_BYTES)) {
      long first = arena.allocate(64);
      arena.allocate(BLOCK_BYTES);
      assertEquals(first + 64, arena.allocate(64));
      assertEquals(2 * BLOCK_BYTES, arena.memoryUsageBytes());
    }
  }

  @Test
  void closedArenaRefusesAndItsSegmentsThrow() {
    BumpArena arena = new BumpArena(budget, BLOCK_BYTES);
    MemorySegment segment = arena.allocateSegment(8, 8);
    arena.close();
    arena.close();
    assertThrows(IllegalStateException.class, () -> segment.get(JAVA_BYTE, 0));
    assertThrows(IllegalStateException.class, () -> arena.allocate(8));
  }

  @Test
  void anAddressBecomesASegmentWithTheLifetimeOfTheArena() {
    BumpArena arena = new BumpArena(budget, BLOCK_BYTES);
    MemorySegment first = arena.allocateSegment(64, 8);
    MemorySegment large = arena.allocateSegment(3 * BLOCK_BYTES, 8);
    first.fill((byte) 1);
    large.fill((byte) 2);
    MemorySegment inside = arena.segment(large.address() + BLOCK_BYTES, 10);
    assertEquals(2, inside.get(JAVA_BYTE, 9));
    assertEquals(1, arena.segment(first.address() + 63, 1).get(JAVA_BYTE, 0));
    assertEquals(0, arena.segment(first.address() + 64, 0).byteSize());
    assertThrows(
        IllegalArgumentException.class, () -> arena.segment(large.address(), 4 * BLOCK_BYTES));
    assertThrows(IllegalArgumentException.class, () -> arena.segment(1, 1));
    arena.close();
    assertThrows(IllegalStateException.class, () -> inside.get(JAVA_BYTE, 0));
    assertThrows(IllegalArgumentException.class, () -> arena.segment(first.address(), 1));
  }

  @Test
  void refusedRequestLeavesTheArenaUsable() {
    MemoryBudget small = MemoryBudget.root("small", BLOCK_BYTES);
    try (BumpArena arena = new BumpArena(small, BLOCK_BYTES)) {
      arena.allocate(8);
      assertThrows(BudgetExceededException.class, () -> arena.allocate(BLOCK_BYTES));
      arena.allocate(8);
      assertEquals(BLOCK_BYTES, arena.memoryUsageBytes());
    }
  }

  @Test
  void badArgumentsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new BumpArena(budget, 100));
    try (BumpArena arena = new BumpArena(budget, BLOCK_BYTES)) {
      assertThrows(IllegalArgumentException.class, () -> arena.allocate(0));
      assertThrows(IllegalArgumentException.class, () -> arena.allocate(-1));
      assertThrows(IllegalArgumentException.class, () -> arena.allocateAligned(8, 3));
      assertThrows(IllegalArgumentException.class, () -> arena.allocateAligned(8, 8192));
      assertThrows(IllegalArgumentException.class, () -> arena.allocateAligned(8, Long.MIN_VALUE));
    }
  }
}
