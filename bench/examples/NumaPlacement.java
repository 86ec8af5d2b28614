import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.allocator.numa.PlacementPolicy;

/**
 * Asks for memory on nodes, and shows what the kernel made of it and where the pages are: three
 * different things, since a node may be full, and a machine may have but one.
 */
final class NumaPlacement {
  private static final long BYTES = 8L << 20;

  static void main(String[] arguments) {
    NumaTopology machine = NumaTopology.read();
    IO.println("machine: " + machine);
    MemoryBudget budget = MemoryBudget.root("placed", 64L << 20);
    show(budget, PlacementPolicy.local());
    show(budget, PlacementPolicy.bind(machine.nodes().getFirst().id()));
    show(budget, PlacementPolicy.interleave(machine.nodesWithMemory().stream().toArray()));
  }

  private static void show(MemoryBudget budget, PlacementPolicy policy) {
    RegionOptions options = RegionOptions.ofSize(BYTES).withPlacement(policy);
    try (Region region = Region.map(budget, options)) {
      region.segment().fill((byte) 1); // a page lies nowhere before it is touched
      var placement = region.placement();
      IO.println(
          "asked for %s, is %s: pages by node %s"
              .formatted(placement.requested(), placement.effective(), placement.pagesByNode()));
      if (placement.isDegraded()) {
        IO.println("  since " + placement.reason());
      }
    }
  }
}
