package io.ewok.gds.allocator.numa;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.LinuxMemory;
import io.ewok.gds.ffm.LinuxThreads;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;

/**
 * Runs in the guest of {@link PlacementInGuestTest}: tells the nodes, applies every policy to fresh
 * memory, writes it, and tells where each page landed. One line a result, fields separated by
 * {@code |}; judging them is the test's part.
 */
final class GuestMain {
  /** What every line begins with; others are the kernel's or the runner's. */
  static final String PREFIX = "guest|";

  /** Twelve huge pages: the shares of 2, 3 or 4 nodes, and of weights 1, 1, 1 and 3, are whole. */
  static final long MEMORY_BYTES = 24L << 20;

  private static final Path WEIGHTS = Path.of("/sys/kernel/mm/mempolicy/weighted_interleave");

  private GuestMain() {}

  public static void main(String[] args) throws IOException {
    NumaTopology topology = NumaTopology.read();
    int last = topology.nodes().getLast().id();
    tell("topology", topology);
    tell("fallback", topology.fallbackReason());
    for (NumaNode node : topology.nodes()) {
      tell("node", node.id(), node.memoryBytes());
    }
    tell("weights", weights(topology, last));
    BitSet everywhere = LinuxThreads.affinity();
    for (NumaNode node : topology.nodes()) {
      if (!node.cpus().isEmpty()) {
        LinuxThreads.setAffinity(node.cpus());
        tell("pinned", node.id(), topology.currentNode());
        for (String policy : List.of("default", "local")) {
          place("on-" + node.id(), policy, MEMORY_BYTES);
          placeRegion("region-on-" + node.id(), policy);
        }
      }
    }
    LinuxThreads.setAffinity(everywhere);
    for (String policy : args) {
      place("anywhere", policy, MEMORY_BYTES);
      placeRegion("region", policy);
      placeReserved("reserved", policy);
    }
    setExplicitHugePagesAside(last);
    placeExplicit("explicit", "bind:" + last);
    placeExplicit("explicit", "bind:0");
    // More than the last node has: the rest goes elsewhere.
    long tooMuch = NumaTopology.read().node(last).freeBytes() + (16L << 20);
    place("too-much", "preferred:" + last, tooMuch);
  }

  /** Weight of each node, after an attempt to give the last one 3; empty where there are none. */
  private static Map<Integer, Integer> weights(NumaTopology topology, int last) {
    Map<Integer, Integer> weights = new TreeMap<>();
    try {
      Files.writeString(WEIGHTS.resolve("node" + last), "3");
    } catch (IOException e) {
      tell("weights-fixed", e);
    }
    try {
      for (NumaNode node : topology.nodes()) {
        weights.put(
            node.id(),
            Integer.valueOf(Files.readString(WEIGHTS.resolve("node" + node.id())).strip()));
      }
    } catch (IOException e) {
      tell("weights-absent", e);
    }
    return weights;
  }

  private static void place(String where, String policy, long bytes) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = LinuxMemory.map(bytes, 2L << 20, arena);
      // A page each, so that shares of nodes come out exactly.
      LinuxMemory.adviseNoHugePages(memory);
      Placement requested = Placement.request(memory, PlacementPolicy.parse(policy));
      LinuxMemory.populate(memory);
      tellPlaced(where, policy, requested.verify(memory), memory);
    }
  }

  /** The same by the settings of a region, whose huge pages are whatever the kernel has. */
  private static void placeRegion(String where, String policy) throws IOException {
    MemoryBudget budget = MemoryBudget.root("guest", MEMORY_BYTES);
    try (Region region = Region.map(budget, options(policy))) {
      tellPlaced(where, policy, region.placement(), region.segment());
    }
  }

  /** Memory that was given back and taken again has the policy still. */
  private static void placeReserved(String where, String policy) throws IOException {
    MemoryBudget budget = MemoryBudget.root("guest", MEMORY_BYTES);
    try (Region region = Region.reserve(budget, options(policy))) {
      region.commit(0, MEMORY_BYTES);
      region.decommit(0, MEMORY_BYTES);
      region.commit(0, MEMORY_BYTES);
      tellPlaced(where, policy, region.placement(), region.segment());
    }
  }

  /** Gives one node a pool of explicit huge pages that is just large enough. */
  private static void setExplicitHugePagesAside(int node) throws IOException {
    Path pool =
        Path.of("/sys/devices/system/node/node" + node, "hugepages/hugepages-2048kB/nr_hugepages");
    Files.writeString(pool, Long.toString(MEMORY_BYTES / Region.UNIT_BYTES));
    tell("pool", node, Files.readString(pool).strip());
  }

  private static void placeExplicit(String where, String policy) throws IOException {
    MemoryBudget budget = MemoryBudget.root("guest", MEMORY_BYTES);
    try (Region region = Region.map(budget, options(policy).withHugePages(HugePages.HUGETLB))) {
      tellPlaced(where, policy, region.placement(), region.segment());
      tell("pages", where, policy, region.pages());
    }
  }

  private static RegionOptions options(String policy) {
    return RegionOptions.from(
        MEMORY_BYTES, Map.of("numa.policy", policy, "memory.prefault-threads", "2"));
  }

  private static void tellPlaced(
      String where, String policy, Placement placement, MemorySegment memory) throws IOException {
    tell(
        "placed",
        where,
        policy,
        placement.effective(),
        pagesByNode(memory),
        placement.pagesByNode(),
        placement.reason());
  }

  /** Every page, not a sample. */
  private static Map<Integer, Integer> pagesByNode(MemorySegment memory) throws IOException {
    long pageBytes = LinuxMemory.pageSizeBytes();
    long[] addresses = new long[(int) (memory.byteSize() / pageBytes)];
    for (int i = 0; i < addresses.length; i++) {
      addresses[i] = memory.address() + i * pageBytes;
    }
    Map<Integer, Integer> pages = new TreeMap<>();
    for (int node : LinuxMemory.movePagesQuery(addresses)) {
      pages.merge(node, 1, Integer::sum);
    }
    return pages;
  }

  private static void tell(Object... fields) {
    StringJoiner line = new StringJoiner("|", PREFIX, "|");
    for (Object field : fields) {
      line.add(field.toString());
    }
    System.out.println(line);
  }
}
