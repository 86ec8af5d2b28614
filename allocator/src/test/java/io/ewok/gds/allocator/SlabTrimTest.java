package io.ewok.gds.allocator;

import static io.ewok.gds.allocator.SlabFixture.granted;
import static io.ewok.gds.allocator.SlabFixture.options;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.leases.RegionLeases;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Memory that goes back to the system, and memory that stays. */
class SlabTrimTest {
  private static final int MIB = 1 << 20;

  private final MemoryBudget budget = MemoryBudget.root("test", 128 * MIB);
  private final SlabAllocator allocator = new SlabAllocator(budget, options());

  @AfterEach
  void close() {
    allocator.close();
  }

  private List<Long> allocate(int count, int bytes) {
    List<Long> handles = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long handle = granted(allocator.allocate(bytes));
      allocator.segment(handle).fill((byte) 1);
      handles.add(handle);
    }
    return handles;
  }

  private void free(List<Long> handles, int count) {
    List<Long> some = handles.subList(handles.size() - count, handles.size());
    some.forEach(allocator::free);
    some.clear();
  }

  private Set<Region> regions(List<Long> handles) {
    Set<Region> regions = new HashSet<>();
    handles.forEach(handle -> regions.add(allocator.region(handle)));
    return regions;
  }

  private static long residentBytes(Set<Region> regions) {
    return regions.stream().mapToLong(region -> Resident.pages(region.segment()) * 4096).sum();
  }

  @Test
  void everythingGoesBackWhenNothingIsInUse() {
    List<Long> handles = allocate(4000, 10_000);
    handles.addAll(allocate(100_000, 100));
    Set<Region> regions = regions(handles);
    long used = budget.usedBytes();
    assertTrue(used > 48 * MIB);
    assertTrue(residentBytes(regions) > 45 * MIB);
    assertEquals(0, allocator.trim());
    handles.forEach(allocator::free);
    assertEquals(used, allocator.trim());
    assertEquals(0, budget.usedBytes());
    assertEquals(0, residentBytes(regions));
    assertEquals(new SlabStats(0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0), allocator.stats());
    // And comes again.
    handles = allocate(4000, 10_000);
    assertTrue(budget.usedBytes() > 40 * MIB);
    handles.forEach(allocator::free);
  }

  @Test
  void onlyWholeUnitsGo() {
    List<Long> handles = allocate(20_000, 1000);
    long one = handles.remove(10_000);
    handles.forEach(allocator::free);
    allocator.trim();
    assertEquals(Region.UNIT_BYTES, budget.usedBytes());
    assertEquals(1, allocator.segment(one).get(ValueLayout.JAVA_BYTE, 0));
    allocator.free(one);
    assertEquals(Region.UNIT_BYTES, allocator.trim());
  }

  @Test
  void whatIsAllocatedAfterAPeakGathersInFewUnits() {
    List<Long> handles = allocate(60_000, 1000);
    long peak = budget.usedBytes();
    Random random = new Random(5);
    // A tenth stays, anywhere. Then again and again a part of it is replaced.
    Collections.shuffle(handles, random);
    free(handles, 54_000);
    for (int round = 0; round < 40; round++) {
      Collections.shuffle(handles, random);
      free(handles, 1500);
      handles.addAll(allocate(1500, 1000));
    }
    allocator.trim();
    assertTrue(budget.usedBytes() <= peak / 4, "seed=5 usedBytes=" + budget.usedBytes());
    handles.forEach(allocator::free);
  }

  @Test
  @WithoutLetters
  void whatAShardKeepsStaysUntilItIsFlushed() {
    try (SlabShard shard = allocator.shard()) {
      shard.free(granted(shard.allocate(4096)));
      assertEquals(0, allocator.trim());
      shard.flush();
      assertEquals(Region.UNIT_BYTES, allocator.trim());
    }
  }

  @Test
  void sealedAllocatorNeitherGrowsNorShrinks() {
    long first = granted(allocator.allocate(65_536));
    allocator.seal();
    List<Long> handles = new ArrayList<>();
    for (long handle = allocator.allocate(65_536);
        handle != SlabAllocator.NONE;
        handle = allocator.allocate(65_536)) {
      handles.add(handle);
    }
    assertEquals(31, handles.size());
    assertEquals(Region.UNIT_BYTES, budget.usedBytes());
    assertEquals(SlabAllocator.NONE, allocator.allocate(16));
    handles.forEach(allocator::free);
    allocator.free(first);
    assertEquals(0, allocator.trim());
    assertEquals(Region.UNIT_BYTES, budget.usedBytes());
    allocator.free(granted(allocator.allocate(16)));
    allocator.seal();
  }

  @Test
  @WithoutLetters
  void sealedFromTheStartItHasWhatWasCommitted() {
    try (SlabAllocator sealed = new SlabAllocator(budget, options().withCommittedBytes(4 * MIB))) {
      sealed.seal();
      long[] handles = new long[2000];
      assertEquals(1024, sealed.allocateBatch(4096, handles, 0, 2000));
    }
  }

  @Test
  void regionRegisteredWithARingKeepsItsMemory() {
    RegionOptions small = options().region();
    small = new RegionOptions(2 * MIB, small.hugePages(), small.placement(), 0, false);
    try (SlabAllocator registered =
        new SlabAllocator(budget, options().withRegion(small).withCommittedBytes(2 * MIB))) {
      long handle = granted(registered.allocate(4096));
      Region region = registered.region(handle);
      RegionLeases.register(region);
      registered.free(handle);
      assertEquals(0, registered.trim());
      registered.free(granted(registered.allocate(4096)));
      assertThrows(IllegalStateException.class, registered::close);
      RegionLeases.unregister(region);
    }
  }
}
