package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.allocator.numa.NumaTopology;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A machine with two nodes, the memory of each piece in turn on one of them. */
class NodeTrafficTest {
  private static final long PIECE = NodeTraffic.PIECE_BYTES;

  private final AtomicInteger here = new AtomicInteger();

  private NodeTraffic twoNodes(Region region) {
    return new NodeTraffic(
        true,
        here::get,
        piece -> {
          int number = (int) ((piece.address() - region.address()) / PIECE);
          return number == 2 ? NodeTraffic.UNKNOWN : number % 2;
        });
  }

  @Test
  void transfersOfTheOtherNodeAreCounted() {
    MemoryBudget budget = MemoryBudget.root("test", 64 << 20);
    try (Region region = Region.map(budget, RegionOptions.ofSize(4 * PIECE + 4096))) {
      NodeTraffic traffic = twoNodes(region);
      traffic.count(region, PIECE, 1);
      assertEquals(0, traffic.remoteOperations(), "not registered");
      traffic.register(region);
      traffic.count(region, 0, 10);
      traffic.count(region, PIECE, 200);
      traffic.count(region, 2 * PIECE, 3000);
      traffic.count(region, 4 * PIECE, 40000);
      traffic.count(region, region.sizeBytes(), 0);
      assertEquals(1, traffic.remoteOperations());
      assertEquals(200, traffic.remoteBytes());
      here.set(1);
      traffic.count(region, 0, 10);
      traffic.count(region, PIECE, 200);
      assertEquals(2, traffic.remoteOperations());
      assertEquals(210, traffic.remoteBytes());
      traffic.unregister(region);
      traffic.count(region, 0, 10);
      assertEquals(2, traffic.remoteOperations());
    }
  }

  @Test
  void memoryOfThisMachineIsFoundOnItsNodes() {
    MemoryBudget budget = MemoryBudget.root("test", 64 << 20);
    NumaTopology topology = NumaTopology.read();
    try (Region region = Region.map(budget, RegionOptions.ofSize(PIECE + 4096))) {
      region.segment().fill((byte) 1);
      assertEquals(true, topology.hasNode(NodeTraffic.nodeOf(region.segment())));
      NodeTraffic traffic = NodeTraffic.ofMachine(topology);
      traffic.register(region);
      traffic.count(region, PIECE, 10);
      if (topology.nodesWithMemory().cardinality() == 1) {
        assertEquals(0, traffic.remoteOperations());
      }
    }
  }
}
