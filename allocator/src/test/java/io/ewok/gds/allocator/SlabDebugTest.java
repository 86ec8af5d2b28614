package io.ewok.gds.allocator;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.ffm.unchecked.Memory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a slab allocator finds when letters are on. */
class SlabDebugTest {
  private static final byte FREED = (byte) 0xdd;
  private static final byte ALLOCATED = (byte) 0xa5;

  @RegisterExtension final LeakCheck leaks = new LeakCheck();

  private final MemoryBudget budget = MemoryBudget.root("test", 64 << 20);
  private SlabAllocator allocator;

  private SlabAllocator allocator(String letters) {
    allocator =
        new SlabAllocator(
            budget, SlabOptions.named("tested").withDebug(DebugLetters.parse(letters)));
    return allocator;
  }

  @AfterEach
  void close() {
    allocator.close();
    assertEquals(0, budget.usedBytes());
  }

  private long allocateHere(int bytes) {
    return allocator.allocate(bytes);
  }

  private void freeHere(long handle) {
    allocator.free(handle);
  }

  private static void assertMessage(MemoryCorruptionException e, String... parts) {
    for (String part : parts) {
      assertTrue(e.getMessage().contains(part), part + " in: " + e.getMessage());
    }
  }

  // ---- R

  @Test
  void writeBehindAnAllocationIsFoundWhenItIsFreed() {
    allocator("RT");
    for (int bytes : new int[] {1, 100, 511, 512, 4096, 5000, 32768, 65_000}) {
      long handle = allocateHere(bytes);
      long address = allocator.address(handle);
      byte before = Memory.getByte(address + bytes);
      Memory.putByte(address + bytes, (byte) 7);
      MemoryCorruptionException e =
          assertThrows(MemoryCorruptionException.class, () -> allocator.free(handle));
      assertEquals((byte) 0xbb, before);
      assertMessage(
          e,
          "the bytes behind an allocation were written in slab allocator tested",
          "allocated at " + getClass().getName() + ".allocateHere",
          ": handle=0x%x offset=%d expected=0xbb actual=0x07".formatted(handle, bytes));
      assertThrows(StaleHandleException.class, () -> allocator.free(handle), "it is free");
    }
  }

  @Test
  void writeBeforeAnAllocationIsFoundWhenItIsFreed() {
    allocator("R");
    for (int bytes : new int[] {1, 100, 5000, 40_000}) {
      long handle = allocator.allocate(bytes);
      Memory.putByte(allocator.address(handle) - 3, (byte) 7);
      MemoryCorruptionException e =
          assertThrows(MemoryCorruptionException.class, () -> allocator.free(handle));
      assertMessage(e, "the bytes before an allocation", "offset=-3 expected=0xbb actual=0x07");
    }
  }

  @Test
  void writeThatNobodyFreesIsFoundByClose() {
    allocator("R");
    long handle = allocator.allocate(100);
    Memory.putByte(allocator.address(handle) + 100, (byte) 7);
    MemoryCorruptionException e =
        assertThrows(MemoryCorruptionException.class, () -> allocator.close());
    assertMessage(e, "offset=100 ");
    assertEquals(1, leaks.take().size());
    assertEquals(0, budget.usedBytes(), "the memory is given back all the same");
  }

  @Test
  void anAllocationIsWhatWasAskedForAndAligned() {
    allocator("RPQT");
    List<Long> handles = new ArrayList<>();
    try (SlabShard shard = allocator.shard()) {
      for (int bytes = 1; bytes <= SlabAllocator.BYTES_MAX; bytes += 1 + bytes / 3) {
        for (int alignment = 1; alignment <= 65_536; alignment *= 4) {
          long handle = shard.allocate(bytes, alignment);
          MemorySegment memory = shard.segment(handle);
          assertEquals(bytes, memory.byteSize());
          assertEquals(bytes, allocator.cellBytes(handle));
          assertEquals(0, memory.address() % Math.max(alignment, 8), "bytes=" + bytes);
          memory.fill((byte) 1);
          handles.add(handle);
          handles.add(allocator.allocate(bytes));
          allocator.segment(handles.getLast()).fill((byte) 2);
          assertThrows(
              IllegalArgumentException.class,
              () -> allocator.segment(handle, memory.byteSize() + 1));
        }
      }
      for (int bytes = 512; bytes <= SlabAllocator.BYTES_MAX; bytes *= 2) {
        long frame = shard.allocate(bytes);
        assertEquals(0, shard.address(frame) % bytes);
        shard.segment(frame).fill((byte) 1);
        handles.add(frame);
      }
      handles.forEach(shard::free);
    }
  }

  // ---- P

  @Test
  void newAndFreedMemoryHoldsItsPattern() {
    allocator("P");
    long handle = allocator.allocate(100);
    MemorySegment memory = allocator.segment(handle);
    assertEquals(ALLOCATED, memory.get(JAVA_BYTE, 0));
    assertEquals(ALLOCATED, memory.get(JAVA_BYTE, 99));
    allocator.free(handle);
    assertEquals(FREED, memory.get(JAVA_BYTE, 0));
    assertEquals(FREED, memory.get(JAVA_BYTE, 99));
  }

  @Test
  void zeroedMemoryIsZeroNevertheless() {
    allocator("RPQT");
    for (int i = 0; i < 3; i++) {
      long handle = allocator.allocateZeroed(1000);
      assertEquals(-1, allocator.segment(handle).mismatch(MemorySegment.ofArray(new byte[1000])));
      allocator.free(handle);
    }
  }

  @Test
  void writeAfterFreeIsFoundWhenTheMemoryIsAllocatedAgain() {
    allocator("PT");
    long handle = allocateHere(100);
    long address = allocator.address(handle);
    freeHere(handle);
    Memory.putByte(address + 50, (byte) 7);
    MemoryCorruptionException e =
        assertThrows(MemoryCorruptionException.class, () -> allocator.allocate(100));
    assertMessage(
        e,
        "memory was written after it had been freed in slab allocator tested",
        "allocated at " + getClass().getName() + ".allocateHere",
        "freed at " + getClass().getName() + ".freeHere",
        ": handle=0x%x offset=50 expected=0xdd actual=0x07".formatted(handle));
    long again = allocator.allocate(100);
    assertEquals(address, allocator.address(again), "the cell goes on in use");
    allocator.free(again);
  }

  @Test
  void whatTheKernelWritesUntilItsOperationEndsIsNoMistake() {
    for (String letters : new String[] {"P", "RPQT"}) {
      allocator(letters);
      long handle = allocator.allocate(4096);
      Region region = allocator.region(handle);
      long offset = allocator.offset(handle);
      RegionLeases.take(region, offset, 4096);
      allocator.free(handle);
      region.segment().set(JAVA_BYTE, offset + 5, (byte) 5);
      assertEquals(1, allocator.stats().deferredCells());
      RegionLeases.giveBack(region, offset, 4096);
      assertEquals(0, allocator.stats().deferredCells());
      assertEquals(FREED, region.segment().get(JAVA_BYTE, offset + 5));
      allocator.free(allocator.allocate(4096));
      allocator.close();
    }
  }

  // ---- Q

  @Test
  void freedMemoryIsNotAllocatedAgainForAWhile() {
    allocator("Q");
    long first = allocator.allocate(100);
    long address = allocator.address(first);
    allocator.free(first);
    SlabStats stats = allocator.stats();
    assertEquals(0, stats.liveCells());
    assertEquals(0, stats.liveBytes());
    assertTrue(stats.quarantinedBytes() >= 100, stats.toString());
    for (int i = 0; i < Quarantine.COUNT_MAX; i++) {
      long handle = allocator.allocate(100);
      assertNotEquals(address, allocator.address(handle));
      allocator.free(handle);
    }
    assertTrue(allocator.stats().quarantinedBytes() <= Quarantine.BYTES_MAX);
  }

  @Test
  void writeAfterFreeIsFoundWhenTheMemoryLeavesQuarantine() {
    allocator("PQ");
    long gone = allocator.allocate(100);
    long address = allocator.address(gone);
    allocator.free(gone);
    Memory.putByte(address, (byte) 7);
    MemoryCorruptionException e =
        assertThrows(
            MemoryCorruptionException.class,
            () -> {
              for (int i = 0; i <= Quarantine.COUNT_MAX; i++) {
                allocator.free(allocator.allocate(100));
              }
            });
    assertMessage(e, "handle=0x%x offset=0 ".formatted(gone));
    assertEquals(0, allocator.stats().liveCells(), "what was to be freed is free");
  }

  @Test
  void writeAfterFreeIsFoundByTrimAndByClose() {
    allocator("PQ");
    long handle = allocator.allocate(100);
    long address = allocator.address(handle);
    allocator.free(handle);
    Memory.putByte(address, (byte) 7);
    assertThrows(MemoryCorruptionException.class, () -> allocator.trim());
    assertEquals(0, budget.usedBytes(), "what is not used was given back");
    long other = allocator.allocate(100);
    long otherAddress = allocator.address(other);
    allocator.free(other);
    Memory.putByte(otherAddress, (byte) 7);
    assertThrows(MemoryCorruptionException.class, () -> allocator.close());
  }

  @Test
  void quarantineDoesNotRefuseWhatThereIsRoomFor() {
    MemoryBudget small = MemoryBudget.root("small", 2 << 20);
    DebugLetters letters = DebugLetters.parse("PQ");
    try (SlabAllocator full =
        new SlabAllocator(small, SlabOptions.named("full").withDebug(letters))) {
      for (int bytes : new int[] {65_536, 16, 4096, 65_536}) {
        long[] handles = new long[32];
        assertEquals(32, full.allocateBatch(bytes, handles, 0, 32), "bytes=" + bytes);
        full.freeBatch(handles, 0, 32);
      }
    }
    allocator("");
  }

  // ---- T

  @Test
  void staleHandleIsToldWithItsSites() {
    allocator("T");
    long handle = allocateHere(100);
    freeHere(handle);
    StaleHandleException e = assertThrows(StaleHandleException.class, () -> allocator.free(handle));
    assertTrue(e.getMessage().contains(".allocateHere"), e.getMessage());
    assertTrue(e.getMessage().contains(".freeHere"), e.getMessage());
    assertTrue(e.getMessage().endsWith("handle=0x%x".formatted(handle)), e.getMessage());
  }

  @Test
  void closeReportsWhatIsAllocatedAndWhere() {
    allocator("T");
    for (int i = 0; i < 3; i++) {
      allocateHere(1000);
    }
    long other = allocator.allocate(10);
    LeakReport report = allocator.leaks();
    assertEquals(4, report.count());
    assertEquals(3010, report.bytes());
    assertEquals(2, report.sites().size());
    assertTrue(report.sites().getFirst().where().contains(".allocateHere"), report.toString());
    assertEquals(3, report.sites().getFirst().count());
    allocator.free(other);
    allocator.close();
    allocator.close();
    List<String> told = leaks.take();
    assertEquals(1, told.size());
    assertTrue(told.getFirst().startsWith("3 allocations of 3000 bytes not freed in slab alloc"));
    assertTrue(told.getFirst().contains(".allocateHere"), told.getFirst());
  }

  @Test
  void closeReportsWithoutAnyLetterToo() {
    allocator("");
    allocator.allocate(1000);
    assertEquals(1, allocator.leaks().count());
    allocator.close();
    assertEquals(
        List.of("1 allocations of 1024 bytes not freed in slab allocator tested"), leaks.take());
  }

  // ---- F

  @Test
  void theNthAllocationFailsAndNoOther() {
    allocator("F=3");
    try (SlabShard shard = allocator.shard()) {
      long one = allocator.allocate(100);
      long two = shard.allocate(100);
      long[] handles = new long[4];
      assertEquals(0, shard.allocateBatch(100, handles, 0, 4));
      assertEquals(4, shard.allocateBatch(100, handles, 0, 4));
      shard.freeBatch(handles, 0, 4);
      shard.free(one);
      shard.free(two);
    }
  }

  // ---- all

  @Test
  void ofTwoFreesThatRaceThroughShardsOneThrows() throws Exception {
    allocator("P");
    for (int round = 0; round < 300; round++) {
      long handle = allocator.allocate(64);
      CyclicBarrier start = new CyclicBarrier(2);
      List<FutureTask<Boolean>> tasks = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        tasks.add(new FutureTask<>(() -> frees(handle, start)));
        Thread.ofPlatform().start(tasks.getLast());
      }
      assertNotEquals(tasks.get(0).get(), tasks.get(1).get());
    }
  }

  private boolean frees(long handle, CyclicBarrier start) throws Exception {
    try (SlabShard shard = allocator.shard()) {
      start.await();
      shard.free(handle);
      return true;
    } catch (StaleHandleException e) {
      return false;
    }
  }

  @Test
  void closedAllocatorRefuses() {
    allocator("RPQT");
    long handle = allocator.allocate(100);
    SlabShard shard = allocator.shard();
    allocator.free(handle);
    allocator.close();
    assertThrows(IllegalStateException.class, () -> allocator.allocate(100));
    assertThrows(IllegalStateException.class, () -> shard.allocate(100));
    assertThrows(StaleHandleException.class, () -> shard.free(handle));
    shard.close();
  }
}
