package io.ewok.gds.cli;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.cli.Finding.Severity;
import io.ewok.gds.lsm.MemoryOptions;
import io.ewok.gds.lsm.StoreOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** Looks at whether the machine has the pages and nodes that a store's memory is to lie in. */
final class MemoryCheck {
  private static final String POOL = "sys/kernel/mm/hugepages/hugepages-2048kB/";

  private final Machine machine;
  private final StoreOptions options;

  MemoryCheck(Machine machine, StoreOptions options) {
    this.machine = machine;
    this.options = options;
  }

  List<Finding> examine() {
    return List.of(explicitHugePages(), nodes());
  }

  private Finding explicitHugePages() {
    String name = "explicit huge pages";
    OptionalLong total = machine.number(POOL + "nr_hugepages");
    OptionalLong free = machine.number(POOL + "free_hugepages");
    long freeCount = free.orElse(0);
    String found =
        total.isEmpty() || free.isEmpty()
            ? "none"
            : "%s of 2 MiB, %s of them free"
                .formatted(Units.count(total.getAsLong()), Units.count(freeCount));
    if (options.memory().hugePages() != HugePages.HUGETLB) {
      return total.orElse(0) == 0
          ? Finding.ok(name, found, "nothing is set aside")
          : Finding.of(
                  Severity.INFO, name, found, "memory that is set aside, and of no use to a store")
              .withWanted("none, or store.huge-pages=hugetlb")
              .withDecision("regions advise transparent huge pages, or none");
    }
    long needed = (options.memoryBytes() + Region.UNIT_BYTES - 1) / Region.UNIT_BYTES;
    String wanted = Units.count(needed) + " free";
    String decision = "regions for which there are too few have what store.huge-pages=auto gives";
    if (freeCount >= needed) {
      return Finding.ok(name, found, "enough for all of a store").withWanted(wanted);
    }
    return Finding.of(
            Severity.WARN, name, found, "too few for a store with store.huge-pages=hugetlb")
        .withWanted(wanted)
        .withDecision(decision)
        .withCommands(
            "echo %d > /%snr_hugepages".formatted(total.orElse(0) + needed - freeCount, POOL));
  }

  private Finding nodes() {
    String name = "NUMA policies";
    List<String> said = new ArrayList<>();
    NumaTopology topology = NumaTopology.read(machine.root());
    MemoryOptions memory = options.memory();
    try {
      for (PlacementPolicy policy : memory.pool()) {
        check(topology, "store.numa.pool", policy, said);
      }
      check(topology, "store.numa.memtable", memory.memtables(), said);
      check(topology, "store.numa.record-cache", memory.recordCache(), said);
      check(topology, "store.numa.buffers", memory.buffers(), said);
    } catch (IllegalArgumentException e) {
      return Finding.of(Severity.FATAL, name, "bad", e.getMessage())
          .withWanted("nodes that have memory")
          .withDecision("no store is opened");
    }
    return said.isEmpty()
        ? Finding.ok(name, "none", "memory lies where the thread is that writes there first")
        : Finding.ok(name, String.join(", ", said), "all nodes that are named have memory")
            .withDecision("each part of a store's memory is placed so, where the kernel lets it");
  }

  private static void check(
      NumaTopology topology, String setting, PlacementPolicy policy, List<String> said) {
    policy.requireMemory(topology, setting);
    if (!policy.equals(PlacementPolicy.none())) {
      said.add(setting + "=" + policy);
    }
  }
}
