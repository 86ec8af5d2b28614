package io.ewok.gds.allocator;

import static io.ewok.gds.allocator.SlabFixture.allocator;
import static io.ewok.gds.allocator.SlabFixture.granted;
import static io.ewok.gds.allocator.SlabFixture.options;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class SlabAllocatorTest {
  private static final int MIB = 1 << 20;

  @Test
  void cellIsWhatItsHandleSays() {
    try (SlabAllocator allocator = allocator(64 * MIB)) {
      for (int bytes : new int[] {1, 16, 17, 100, 512, 4096, 5000, 65_536}) {
        long handle = granted(allocator.allocate(bytes));
        MemorySegment whole = allocator.segment(handle);
        assertTrue(whole.byteSize() >= bytes);
        assertEquals(allocator.cellBytes(handle), whole.byteSize());
        assertEquals(allocator.address(handle), whole.address());
        assertEquals(bytes, allocator.segment(handle, bytes).byteSize());
        assertEquals(
            allocator.address(handle),
            allocator.region(handle).address() + allocator.offset(handle));
        whole.fill((byte) 1);
        allocator.free(handle);
      }
    }
  }

  @Test
  void powersOfTwoFromHalfAKibibyteOnLieAtMultiplesOfTheirSize() {
    try (SlabAllocator allocator = allocator(64 * MIB)) {
      for (int bytes = 512; bytes <= 65_536; bytes *= 2) {
        for (int i = 0; i < 100; i++) {
          assertEquals(0, allocator.address(granted(allocator.allocate(bytes))) % bytes);
        }
      }
    }
  }

  @Test
  void alignmentIsKept() {
    try (SlabAllocator allocator = allocator(64 * MIB)) {
      for (int alignment = 1; alignment <= 65_536; alignment *= 2) {
        for (int bytes : new int[] {1, 24, 65, 100, 500, 1000, 5000, 40_000}) {
          long address = allocator.address(granted(allocator.allocate(bytes, alignment)));
          assertEquals(0, address % alignment, "bytes=" + bytes + " alignment=" + alignment);
        }
      }
    }
  }

  @Test
  void firstCellsOfSmallSlabsAreSpreadOverCacheLines() {
    try (SlabAllocator allocator = allocator(64 * MIB)) {
      for (int bytes : new int[] {64, 448}) {
        Set<Long> slabs = new TreeSet<>();
        Set<Long> lines = new TreeSet<>();
        while (slabs.size() < SizeClasses.COLOURS) {
          long address = allocator.address(granted(allocator.allocate(bytes)));
          if (slabs.add(address / SizeClasses.BLOCK_BYTES)) {
            lines.add(address % SizeClasses.BLOCK_BYTES / SizeClasses.CACHE_LINE_BYTES);
          }
        }
        assertEquals(SizeClasses.COLOURS, lines.size(), "bytes=" + bytes);
      }
    }
  }

  @Test
  void zeroedMemoryIsZeroAlthoughItWasUsedBefore() {
    try (SlabAllocator allocator = allocator(64 * MIB);
        SlabShard shard = allocator.shard()) {
      for (int round = 0; round < 3; round++) {
        List<Long> handles = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
          long handle =
              granted(i % 2 == 0 ? allocator.allocateZeroed(3000) : shard.allocateZeroed(3000));
          assertEquals(
              -1, allocator.segment(handle, 3000).mismatch(MemorySegment.ofArray(new byte[3000])));
          allocator.segment(handle).fill((byte) 0xff);
          handles.add(handle);
        }
        handles.forEach(allocator::free);
        shard.flush();
        // Another class gets the same blocks.
        allocator.trim();
      }
    }
  }

  @Test
  @WithoutLetters
  void zeroedMemoryFreshFromTheSystemIsNotTouched() {
    try (SlabAllocator allocator = allocator(64 * MIB)) {
      long handle = granted(allocator.allocateZeroed(65_536));
      assertEquals(0, Resident.pages(allocator.segment(handle)));
    }
  }

  @Test
  void batchesAreTheSameAsSingles() {
    try (SlabAllocator allocator = allocator(64 * MIB);
        SlabShard shard = allocator.shard()) {
      long[] handles = new long[1000];
      assertEquals(900, allocator.allocateBatch(200, handles, 50, 900));
      assertEquals(SlabAllocator.NONE, handles[49]);
      assertEquals(SlabAllocator.NONE, handles[950]);
      for (int i = 50; i < 950; i++) {
        allocator.segment(handles[i]).set(ValueLayout.JAVA_LONG_UNALIGNED, 0, i);
      }
      for (int i = 50; i < 950; i++) {
        assertEquals(i, allocator.segment(handles[i]).get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
      }
      assertEquals(900, allocator.stats().liveCells());
      shard.freeBatch(handles, 50, 400);
      allocator.freeBatch(handles, 450, 500);
      assertEquals(0, allocator.stats().liveCells());
      assertEquals(1000, shard.allocateBatch(200, handles, 0, 1000));
      assertEquals(1000, allocator.stats().liveCells());
    }
  }

  @Test
  @WithoutLetters
  void exhaustionIsNoneAndNothingIsLost() {
    try (SlabAllocator allocator = allocator(4 * MIB)) {
      List<Long> handles = new ArrayList<>();
      for (int round = 0; round < 3; round++) {
        for (long handle = allocator.allocate(4096);
            handle != SlabAllocator.NONE;
            handle = allocator.allocate(4096)) {
          handles.add(handle);
        }
        assertEquals(4 * MIB / 4096, handles.size());
        long[] batch = new long[4];
        assertEquals(0, allocator.allocateBatch(4096, batch, 0, 4));
        assertArrayEquals(new long[4], batch);
        allocator.free(handles.removeLast());
        allocator.free(handles.removeLast());
        assertEquals(2, allocator.allocateBatch(4096, batch, 0, 4));
        handles.add(batch[0]);
        handles.add(batch[1]);
        handles.forEach(allocator::free);
        handles.clear();
      }
    }
  }

  @Test
  @WithoutLetters
  void oneClassGetsWhatAnotherHasFreed() {
    try (SlabAllocator allocator = allocator(4 * MIB)) {
      for (int bytes : new int[] {65_536, 64, 4096, 1000, 16, 40_000}) {
        List<Long> handles = new ArrayList<>();
        for (long handle = allocator.allocate(bytes);
            handle != SlabAllocator.NONE;
            handle = allocator.allocate(bytes)) {
          handles.add(handle);
        }
        long got = handles.size() * (long) bytes;
        assertTrue(got > 4 * MIB * 0.75, "bytes=" + bytes + " got=" + got);
        handles.forEach(allocator::free);
      }
    }
  }

  @Test
  void memoryIsChargedAsItIsTakenAndGivenBackAtClose() {
    MemoryBudget budget = MemoryBudget.root("test", 64 * MIB);
    SlabAllocator allocator = new SlabAllocator(budget, options());
    assertEquals(0, budget.usedBytes());
    granted(allocator.allocate(100));
    assertEquals(Region.UNIT_BYTES, budget.usedBytes());
    assertEquals(budget.usedBytes(), allocator.stats().committedBytes());
    allocator.close();
    assertEquals(0, budget.usedBytes());
    allocator.close();
  }

  @Test
  void memoryFromTheStartIsThereOrRefused() {
    MemoryBudget budget = MemoryBudget.root("test", 8 * MIB);
    try (SlabAllocator allocator =
        new SlabAllocator(budget, options().withCommittedBytes(5 * MIB))) {
      assertEquals(6 * MIB, allocator.stats().committedBytes());
      BudgetExceededException e =
          assertThrows(
              BudgetExceededException.class,
              () -> new SlabAllocator(budget, options().withCommittedBytes(4 * MIB)));
      assertTrue(e.getMessage().contains(SlabFixture.NAME), e.getMessage());
      assertEquals(6 * MIB, budget.usedBytes());
    }
  }

  @Test
  void segmentsAndHandlesEndWithTheAllocator() {
    SlabAllocator allocator = allocator(64 * MIB);
    SlabShard shard = allocator.shard();
    long handle = granted(allocator.allocate(100));
    long ofShard = granted(shard.allocate(100));
    MemorySegment segment = allocator.segment(handle);
    allocator.close();
    assertThrows(IllegalStateException.class, () -> segment.get(ValueLayout.JAVA_BYTE, 0));
    SlabFixture.assertStale(allocator, handle);
    assertThrows(StaleHandleException.class, () -> shard.free(ofShard));
    assertThrows(IllegalStateException.class, () -> allocator.allocate(100));
    assertThrows(IllegalStateException.class, () -> allocator.allocateBatch(9, new long[1], 0, 1));
    assertThrows(IllegalStateException.class, () -> shard.allocate(100));
    assertThrows(IllegalStateException.class, allocator::shard);
    assertThrows(IllegalStateException.class, allocator::trim);
    assertThrows(IllegalStateException.class, allocator::seal);
    shard.close();
  }

  @Test
  void closedShardRefusesAndWhatItKeptIsThereForOthers() {
    try (SlabAllocator allocator = allocator(2 * MIB)) {
      SlabShard shard = allocator.shard();
      long kept = granted(shard.allocate(65_536));
      long[] handles = new long[32];
      assertEquals(31, shard.allocateBatch(65_536, handles, 0, 32));
      shard.freeBatch(handles, 0, 31);
      shard.close();
      shard.close();
      assertThrows(IllegalStateException.class, () -> shard.allocate(65_536));
      assertThrows(IllegalStateException.class, () -> shard.free(kept));
      assertEquals(31, allocator.allocateBatch(65_536, handles, 0, 32));
      allocator.free(kept);
      assertEquals(31, allocator.stats().liveCells());
    }
  }

  @Test
  @WithoutLetters
  void numbersAddUp() {
    try (SlabAllocator allocator = allocator(64 * MIB);
        SlabShard shard = allocator.shard()) {
      assertEquals(new SlabStats(0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0), allocator.stats());
      long[] handles = new long[100];
      assertEquals(100, shard.allocateBatch(4096, handles, 0, 100));
      SlabStats stats = allocator.stats();
      assertEquals(100, stats.liveCells());
      assertEquals(100 * 4096, stats.liveBytes());
      shard.freeBatch(handles, 0, 30);
      allocator.freeBatch(handles, 30, 30);
      stats = allocator.stats();
      assertEquals(40, stats.liveCells());
      assertTrue(stats.cachedBytes() > 0);
      assertTrue(stats.slabBytes() >= stats.liveBytes() + stats.cachedBytes());
      assertTrue(stats.committedBytes() >= stats.slabBytes());
    }
  }

  @Test
  void badArgumentsAreRefused() {
    try (SlabAllocator allocator = allocator(64 * MIB);
        SlabShard shard = allocator.shard()) {
      for (int bytes : new int[] {0, -1, 65_537, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
        refused("bytes=" + bytes, () -> allocator.allocate(bytes));
        refused("bytes=" + bytes, () -> shard.allocate(bytes));
        refused("bytes=" + bytes, () -> allocator.allocate(bytes, 8));
        refused("bytes=" + bytes, () -> allocator.allocateZeroed(bytes));
        refused("bytes=" + bytes, () -> allocator.allocateBatch(bytes, new long[1], 0, 1));
        refused("bytes=" + bytes, () -> shard.allocateBatch(bytes, new long[1], 0, 1));
      }
      assertTrue(refused("bytes=65537", () -> allocator.allocate(65_537)).contains("FramePool"));
      for (int alignment : new int[] {0, -8, 3, 131_072, Integer.MIN_VALUE}) {
        refused("alignmentBytes=" + alignment, () -> allocator.allocate(10, alignment));
      }
      long handle = granted(allocator.allocate(100));
      refused("bytes=105", () -> allocator.segment(handle, 105));
      refused("bytes=-1", () -> allocator.segment(handle, -1));
      refused("node=7", () -> allocator.shard(7));
      assertThrows(
          IndexOutOfBoundsException.class, () -> allocator.allocateBatch(9, new long[4], 2, 3));
      assertThrows(
          IndexOutOfBoundsException.class, () -> shard.allocateBatch(9, new long[4], 2, 3));
      assertThrows(IndexOutOfBoundsException.class, () -> shard.freeBatch(new long[4], 2, 3));
      assertEquals(1, allocator.stats().liveCells());
      refused("sizeBytes=4096", () -> options().withRegion(RegionOptions.ofSize(4096)));
      refused("committedBytes=-1", () -> options().withCommittedBytes(-1));
    }
  }

  private static String refused(String end, org.junit.jupiter.api.function.Executable call) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, call);
    assertTrue(e.getMessage().endsWith(end), e.getMessage());
    return e.getMessage();
  }

  @Test
  @WithoutLetters
  void oneLineSaysWhatItIs() {
    try (SlabAllocator allocator = allocator(64 * MIB);
        SlabShard shard = allocator.shard(0)) {
      assertTrue(allocator.toString().contains(SlabFixture.NAME), allocator.toString());
      assertTrue(shard.toString().contains("node=0"), shard.toString());
      assertEquals(0, shard.node());
      long handle = granted(shard.allocate(10));
      assertSame(allocator.region(handle), allocator.region(handle));
      assertEquals(16, shard.cellBytes(handle));
      assertEquals(allocator.address(handle), shard.address(handle));
      assertEquals(allocator.segment(handle), shard.segment(handle));
      assertEquals(allocator.segment(handle, 3), shard.segment(handle, 3));
    }
  }
}
