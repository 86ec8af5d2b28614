package io.ewok.gds.allocator;

import static io.ewok.gds.allocator.SlabFixture.granted;
import static io.ewok.gds.allocator.SlabFixture.options;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.numa.NumaNode;
import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Declared nodes 0, 2, 4, … on whatever machine this is. */
class SlabNodesTest {
  private static final int MIB = 1 << 20;

  /** The CPU on which the test pretends to run; on node n it has the number n. */
  private int cpu;

  private SlabAllocator allocator(int nodes, long bytes) {
    NumaTopology topology = SlabFixture.nodes(nodes).withCurrentCpu(() -> cpu);
    return new SlabAllocator(MemoryBudget.root("test", bytes), options().withTopology(topology));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 8})
  void eachNodeHasMemoryOfItsOwn(int nodes) {
    try (SlabAllocator allocator = allocator(nodes, 64 * MIB)) {
      Set<Region> regions = new HashSet<>();
      for (int node = 0; node < 2 * nodes; node += 2) {
        cpu = node;
        Region region = allocator.region(granted(allocator.allocate(100)));
        assertTrue(regions.add(region));
        try (SlabShard byCpu = allocator.shard();
            SlabShard byNumber = allocator.shard(node)) {
          assertEquals(node, byCpu.node());
          assertEquals(node, byNumber.node());
          assertSame(region, allocator.region(granted(byCpu.allocate(4096))));
          assertSame(region, allocator.region(granted(byNumber.allocate(64))));
        }
        String requested = nodes == 1 ? "default" : "preferred:" + node;
        assertEquals(requested, region.placement().requested().toString());
      }
      assertEquals(nodes, regions.size());
    }
  }

  @Test
  @WithoutLetters
  void cellFreedByAShardOfAnotherNodeGoesBackToItsOwn() {
    try (SlabAllocator allocator = allocator(2, 64 * MIB);
        SlabShard home = allocator.shard(0);
        SlabShard away = allocator.shard(2)) {
      long[] handles = new long[1000];
      assertEquals(1000, home.allocateBatch(100, handles, 0, 1000));
      Region region = allocator.region(handles[0]);
      Set<Long> addresses = new HashSet<>();
      for (long handle : handles) {
        addresses.add(allocator.address(handle));
      }
      away.freeBatch(handles, 0, 1000);
      assertEquals(1000, allocator.stats().remoteFrees());
      assertEquals(0, allocator.stats().liveCells());
      for (int i = 0; i < 2000; i++) {
        assertNotSame(region, allocator.region(granted(away.allocate(100))));
      }
      // Most are back without any ado; the rest when the shard is flushed.
      long slabs = allocator.stats().slabs();
      away.flush();
      for (int i = 0; i < 1000; i++) {
        long handle = granted(home.allocate(100));
        assertSame(region, allocator.region(handle));
        addresses.remove(allocator.address(handle));
      }
      assertTrue(addresses.size() < 200, "not reused: " + addresses.size());
      assertEquals(slabs, allocator.stats().slabs());
    }
  }

  @Test
  @WithoutLetters
  void cellFreedByAnyThreadGoesBackToItsOwnNode() {
    try (SlabAllocator allocator = allocator(2, 64 * MIB)) {
      cpu = 0;
      long handle = granted(allocator.allocate(100));
      long address = allocator.address(handle);
      cpu = 2;
      allocator.free(handle);
      assertNotEquals(address, allocator.address(granted(allocator.allocate(100))));
      cpu = 0;
      assertEquals(address, allocator.address(granted(allocator.allocate(100))));
    }
  }

  @Test
  void batchOfCellsOfSeveralNodesGoesBackToEach() {
    try (SlabAllocator allocator = allocator(2, 64 * MIB)) {
      int[] origins = {0, 0, 2, 0, 2, 2};
      long[] handles = new long[origins.length];
      Region[] regions = new Region[origins.length];
      for (int i = 0; i < origins.length; i++) {
        cpu = origins[i];
        handles[i] = granted(allocator.allocate(65_536));
        regions[i] = allocator.region(handles[i]);
      }
      allocator.freeBatch(handles, 0, handles.length);
      assertEquals(0, allocator.stats().liveCells());
      for (int i = 0; i < origins.length; i++) {
        cpu = origins[i];
        assertSame(regions[i], allocator.region(granted(allocator.allocate(65_536))));
      }
    }
  }

  @Test
  @WithoutLetters
  void shardThatOnlyFreesKeepsLittle() {
    try (SlabAllocator allocator = allocator(2, 6 * MIB);
        SlabShard home = allocator.shard(0);
        SlabShard away = allocator.shard(2)) {
      long[] handles = new long[256];
      for (int round = 0; round < 500; round++) {
        assertEquals(256, home.allocateBatch(4096, handles, 0, 256));
        away.freeBatch(handles, 0, 256);
      }
      assertTrue(allocator.stats().committedBytes() <= 4 * MIB);
      assertEquals(500 * 256, allocator.stats().remoteFrees());
    }
  }

  @Test
  @WithoutLetters
  void nodeWithoutRoomTakesFromOthers() {
    try (SlabAllocator allocator = allocator(2, 2 * MIB);
        SlabShard away = allocator.shard(2)) {
      cpu = 0;
      long handle = granted(allocator.allocate(65_536));
      Region region = allocator.region(handle);
      long borrowed = granted(away.allocate(65_536));
      assertSame(region, allocator.region(borrowed));
      away.free(borrowed);
      cpu = 2;
      long[] handles = new long[32];
      // The shard has one on its way back.
      assertEquals(30, allocator.allocateBatch(65_536, handles, 0, 32));
      away.flush();
      assertEquals(1, allocator.allocateBatch(65_536, handles, 30, 2));
      allocator.freeBatch(handles, 0, 31);
      allocator.free(handle);
    }
  }

  @Test
  void nodesWithoutMemoryAreServedByTheNearestAndThoseWithoutProcessorsStandBy() {
    BitSet zero = BitSet.valueOf(new long[] {0b01});
    BitSet one = BitSet.valueOf(new long[] {0b10});
    NumaTopology topology =
        NumaTopology.declared(
                List.of(
                    new NumaNode(0, zero, 1 << 30, 0, List.of(10, 20, 30)),
                    new NumaNode(1, one, 0, 0, List.of(20, 10, 12)),
                    new NumaNode(5, new BitSet(), 1 << 30, 0, List.of(30, 12, 10))))
            .withCurrentCpu(() -> cpu);
    try (SlabAllocator allocator =
        new SlabAllocator(MemoryBudget.root("test", 64 * MIB), options().withTopology(topology))) {
      cpu = 1;
      try (SlabShard shard = allocator.shard()) {
        assertEquals(5, shard.node());
      }
      Region ofOne = allocator.region(granted(allocator.allocate(10)));
      cpu = 0;
      Region ofZero = allocator.region(granted(allocator.allocate(10)));
      assertEquals("preferred:5", ofOne.placement().requested().toString());
      assertEquals("preferred:0", ofZero.placement().requested().toString());
    }
  }

  @Test
  void placementThatIsAskedForHoldsForAllMemory() {
    SlabOptions options = options().withTopology(SlabFixture.nodes(2).withCurrentCpu(() -> cpu));
    RegionOptions interleaved = options.region().withPlacement(PlacementPolicy.interleave(0));
    try (SlabAllocator allocator =
        new SlabAllocator(MemoryBudget.root("test", 64 * MIB), options.withRegion(interleaved))) {
      cpu = 0;
      Region first = allocator.region(granted(allocator.allocate(100)));
      cpu = 2;
      Region second = allocator.region(granted(allocator.allocate(100)));
      assertSame(first, second);
      assertEquals("interleave:0", first.placement().requested().toString());
    }
  }

  @Test
  void memoryFromTheStartIsOnAllNodes() {
    SlabOptions options = options().withTopology(SlabFixture.nodes(4)).withCommittedBytes(8 * MIB);
    try (SlabAllocator allocator = new SlabAllocator(MemoryBudget.root("test", 8 * MIB), options)) {
      allocator.seal();
      for (int node = 0; node < 8; node += 2) {
        try (SlabShard shard = allocator.shard(node)) {
          long[] handles = new long[32];
          assertEquals(32, shard.allocateBatch(65_536, handles, 0, 32));
          Set<Region> regions = new HashSet<>();
          for (long handle : handles) {
            regions.add(allocator.region(handle));
          }
          assertEquals(1, regions.size());
        }
      }
    }
  }
}
