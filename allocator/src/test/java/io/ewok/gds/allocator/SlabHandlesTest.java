package io.ewok.gds.allocator;

import static io.ewok.gds.allocator.SlabFixture.allocator;
import static io.ewok.gds.allocator.SlabFixture.assertStale;
import static io.ewok.gds.allocator.SlabFixture.granted;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Handles that must not work. */
class SlabHandlesTest {
  private static final int MIB = 1 << 20;

  private final SlabAllocator allocator = allocator(64 * MIB);
  private final SlabShard shard = allocator.shard();

  @AfterEach
  void close() {
    shard.close();
    allocator.close();
  }

  private void assertStaleEverywhere(long handle) {
    assertStale(allocator, handle);
    assertThrows(StaleHandleException.class, () -> shard.free(handle));
    assertThrows(StaleHandleException.class, () -> shard.address(handle));
  }

  @Test
  void secondFreeAtOnce() {
    long handle = granted(shard.allocate(100));
    shard.free(handle);
    assertStaleEverywhere(handle);
    long other = granted(allocator.allocate(100));
    allocator.free(other);
    assertStaleEverywhere(other);
    assertEquals(0, allocator.stats().liveCells());
  }

  @Test
  void secondFreeMuchLater() {
    long handle = granted(shard.allocate(100));
    shard.free(handle);
    long[] others = new long[5000];
    for (int round = 0; round < 10; round++) {
      assertEquals(5000, shard.allocateBatch(100, others, 0, 5000));
      assertStaleEverywhere(handle);
      shard.freeBatch(others, 0, 5000);
      assertStaleEverywhere(handle);
      assertStaleEverywhere(others[round]);
    }
  }

  @Test
  void secondFreeOnAnotherThread() throws InterruptedException {
    long handle = granted(allocator.allocate(100));
    Thread first = Thread.ofPlatform().start(() -> allocator.free(handle));
    first.join();
    assertStaleEverywhere(handle);
  }

  @Test
  @WithoutLetters
  void freeAfterReuse() {
    long earlier = granted(shard.allocate(100));
    long address = shard.address(earlier);
    shard.free(earlier);
    long later = granted(shard.allocate(100));
    assertEquals(address, shard.address(later));
    assertNotEquals(earlier, later);
    assertStaleEverywhere(earlier);
    shard.free(later);
  }

  @Test
  void handlesOfOneCellDifferThroughManyLives() {
    Set<Long> seen = new HashSet<>();
    for (int i = 0; i < 100_000; i++) {
      long handle = granted(shard.allocate(100));
      assertTrue(seen.add(handle));
      shard.free(handle);
    }
  }

  @Test
  void freeAfterTheMemoryWasReturned() {
    List<Long> handles = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      handles.add(granted(shard.allocate(100)));
    }
    handles.forEach(shard::free);
    shard.flush();
    assertTrue(allocator.trim() > 0);
    assertEquals(0, allocator.stats().slabs());
    handles.forEach(handle -> assertThrows(StaleHandleException.class, () -> shard.free(handle)));
    // The numbers of the slabs are used anew.
    Set<Long> again = new HashSet<>();
    for (int i = 0; i < 10_000; i++) {
      again.add(granted(shard.allocate(100)));
    }
    for (long handle : handles) {
      assertFalse(again.contains(handle));
      assertThrows(StaleHandleException.class, () -> shard.free(handle));
    }
    assertEquals(10_000, allocator.stats().liveCells());
  }

  @Test
  void freeAfterClose() {
    SlabAllocator closed = allocator(8 * MIB);
    List<Long> handles = new ArrayList<>();
    for (int i = 0; i < 3000; i++) {
      handles.add(granted(closed.allocate(1000)));
    }
    closed.free(handles.getFirst());
    closed.close();
    try (SlabAllocator next = allocator(8 * MIB)) {
      for (int i = 0; i < 3000; i++) {
        assertFalse(handles.contains(granted(next.allocate(1000))));
      }
      for (long handle : handles) {
        assertThrows(StaleHandleException.class, () -> closed.free(handle));
        assertThrows(StaleHandleException.class, () -> next.free(handle));
      }
      assertStale(closed, handles.getLast());
      assertEquals(3000, next.stats().liveCells());
    }
  }

  @Test
  void handleOfAnotherAllocator() {
    try (SlabAllocator other =
        new SlabAllocator(MemoryBudget.root("other", 8 * MIB), SlabOptions.named("other"))) {
      long foreign = granted(other.allocate(100));
      granted(allocator.allocate(100));
      assertStaleEverywhere(foreign);
      String message =
          assertThrows(StaleHandleException.class, () -> shard.free(foreign)).getMessage();
      assertTrue(message.startsWith("not a handle of"), message);
      other.free(foreign);
    }
  }

  @Test
  void inventedHandles() {
    long handle = granted(shard.allocate(100));
    long freed = granted(shard.allocate(100));
    shard.free(freed);
    for (int bit = 0; bit < Long.SIZE; bit++) {
      assertStaleEverywhere(handle ^ 1L << bit);
      assertStaleEverywhere(freed ^ 1L << bit);
      assertStaleEverywhere(1L << bit);
    }
    for (long step = -1000; step <= 1000; step++) {
      assertStaleEverywhere(freed + (step << 32));
    }
    for (long each : new long[] {0, -1, 1, Long.MIN_VALUE, Long.MAX_VALUE, 0xffff_ffffL}) {
      assertStaleEverywhere(each);
    }
    assertEquals(1, allocator.stats().liveCells());
    shard.free(handle);
  }

  @Test
  void batchStopsAtTheFirstStaleHandle() {
    long[] handles = new long[10];
    assertEquals(10, allocator.allocateBatch(100, handles, 0, 10));
    allocator.free(handles[6]);
    assertThrows(StaleHandleException.class, () -> allocator.freeBatch(handles, 0, 10));
    assertEquals(3, allocator.stats().liveCells());
    assertThrows(StaleHandleException.class, () -> shard.freeBatch(handles, 6, 4));
    assertEquals(3, allocator.stats().liveCells());
    shard.freeBatch(handles, 7, 3);
  }
}
