package io.ewok.gds.allocator.numa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.numa.Guest.Placed;
import io.ewok.gds.allocator.numa.PlacementPolicy.Mode;
import io.ewok.gds.testing.VirtualMachine;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Where pages really land, in virtual machines of several NUMA nodes.
 *
 * <p>Opt-in, some minutes where the machine is emulated:
 *
 * <pre>
 * ./build verify -pl allocator -am -Dgds.test.vm=/path/to/runner
 * </pre>
 *
 * <p>The runner is a command, with options of its own if need be (separated by spaces). It is
 * called as {@code runner --nodes N --mem-per-node MIB -- COMMAND ARG...}, starts a guest with
 * {@code N} nodes of so much memory, in which this machine's files can be read under the same
 * paths, runs the command in it as root, and passes on its output and exit status.
 */
@EnabledIfSystemProperty(named = VirtualMachine.RUNNER, matches = ".+")
class PlacementInGuestTest {
  private static final long MIB_PER_NODE = 512;
  private static final long NODE_BYTES = MIB_PER_NODE << 20;

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void pagesLandWhereThePolicySays(int nodes) throws Exception {
    int last = nodes - 1;
    BitSet all = new BitSet();
    all.set(0, nodes);
    BitSet notTheFirst = new BitSet();
    notTheFirst.set(1, nodes);

    List<PlacementPolicy> confined = new ArrayList<>();
    confined.add(new PlacementPolicy(Mode.BIND, notTheFirst));
    confined.add(new PlacementPolicy(Mode.PREFERRED_MANY, notTheFirst));
    for (int node = 0; node < nodes; node++) {
      confined.add(PlacementPolicy.preferred(node));
      confined.add(PlacementPolicy.bind(node));
    }
    List<PlacementPolicy> spread =
        List.of(new PlacementPolicy(Mode.INTERLEAVE, all), PlacementPolicy.interleave(0, last));
    PlacementPolicy weighted = new PlacementPolicy(Mode.WEIGHTED_INTERLEAVE, all);
    PlacementPolicy absent = PlacementPolicy.bind(nodes);
    PlacementPolicy partlyAbsent = PlacementPolicy.interleave(0, nodes);

    List<PlacementPolicy> policies = new ArrayList<>(confined);
    policies.addAll(spread);
    policies.addAll(List.of(weighted, absent, partlyAbsent));
    Guest guest = Guest.run(folder, nodes, MIB_PER_NODE, policies);

    assertTopology(guest, nodes);
    assertLocal(guest);
    for (String where : List.of("anywhere", "region", "reserved")) {
      for (PlacementPolicy policy : confined) {
        Placed placed = guest.placed(where, policy);
        placed.assertAsRequested();
        BitSet allowed = policy.nodes();
        assertTrue(placed.pages().keySet().stream().allMatch(allowed::get), placed.toString());
      }
      for (PlacementPolicy policy : spread) {
        Placed placed = guest.placed(where, policy);
        placed.assertAsRequested();
        placed.assertPages(equalShares(policy));
      }
      assertWeighted(guest, guest.placed(where, weighted));
      Placed nowhere = guest.placed(where, absent);
      assertEquals(PlacementPolicy.none(), nowhere.effective());
      assertTrue(nowhere.reason().contains("EINVAL"), nowhere.toString());
      Placed remaining = guest.placed(where, partlyAbsent);
      assertEquals(PlacementPolicy.interleave(0), remaining.effective());
      assertTrue(remaining.reason().contains("keeps interleave:0"), remaining.toString());
      remaining.assertPages(Map.of(0, 1));
    }
    assertExplicitHugePages(guest, last);

    Placed tooMuch = guest.placed("too-much", PlacementPolicy.preferred(last));
    assertEquals(PlacementPolicy.preferred(last), tooMuch.effective());
    assertTrue(tooMuch.pages().size() > 1, tooMuch.toString());
    assertTrue(tooMuch.reason().contains("sampled pages lie elsewhere"), tooMuch.toString());
  }

  private static void assertTopology(Guest guest, int nodes) {
    assertEquals(List.of(List.of("")), guest.lines("fallback"));
    List<List<String>> told = guest.lines("node");
    assertEquals(nodes, told.size());
    for (int node = 0; node < nodes; node++) {
      assertEquals(Integer.toString(node), told.get(node).getFirst());
      // The kernel keeps some for itself.
      long memoryBytes = Long.parseLong(told.get(node).get(1));
      assertTrue(memoryBytes > NODE_BYTES / 2, "memoryBytes=" + memoryBytes);
      assertTrue(memoryBytes <= NODE_BYTES, "memoryBytes=" + memoryBytes);
    }
  }

  /** On whatever node's CPUs a thread is, its pages land there. */
  private static void assertLocal(Guest guest) {
    List<List<String>> pinned = guest.lines("pinned");
    assertFalse(pinned.isEmpty());
    for (List<String> nodes : pinned) {
      String node = nodes.getFirst();
      assertEquals(node, nodes.get(1), "current node");
      for (PlacementPolicy policy : List.of(PlacementPolicy.none(), PlacementPolicy.local())) {
        for (String where : List.of("on-", "region-on-")) {
          Placed placed = guest.placed(where + node, policy);
          placed.assertAsRequested();
          placed.assertPages(Map.of(Integer.valueOf(node), 1));
        }
      }
    }
  }

  /**
   * Only the last node has a pool. A region that is bound to another one may not touch pages that
   * it cannot get: that would end the process.
   */
  private static void assertExplicitHugePages(Guest guest, int last) {
    String pages = Long.toString(GuestMain.MEMORY_BYTES / Region.UNIT_BYTES);
    assertEquals(List.of(List.of(Integer.toString(last), pages)), guest.lines("pool"));
    Placed onLast = guest.placed("explicit", PlacementPolicy.bind(last));
    onLast.assertAsRequested();
    onLast.assertPages(Map.of(last, 1));
    assertEquals("HUGETLB", pages(guest, onLast));
    Placed onFirst = guest.placed("explicit", PlacementPolicy.bind(0));
    onFirst.assertAsRequested();
    onFirst.assertPages(Map.of(0, 1));
    assertTrue(pages(guest, onFirst).startsWith("AUTO instead of HUGETLB"), pages(guest, onFirst));
  }

  private static String pages(Guest guest, Placed placed) {
    return guest.lines("pages").stream()
        .filter(line -> line.get(0).equals(placed.where()))
        .filter(line -> line.get(1).equals(placed.requested().toString()))
        .findFirst()
        .orElseThrow()
        .get(2);
  }

  /** By the weights of the machine where the kernel has them, else equally, and reported so. */
  private static void assertWeighted(Guest guest, Placed placed) {
    Map<Integer, Integer> weights = Guest.counts(guest.lines("weights").getFirst().getFirst());
    if (weights.isEmpty()) {
      assertTrue(placed.reason().contains("does not know"), placed.toString());
      placed.assertPages(equalShares(placed.requested()));
    } else {
      placed.assertAsRequested();
      placed.assertPages(weights);
    }
  }

  private static Map<Integer, Integer> equalShares(PlacementPolicy policy) {
    Map<Integer, Integer> shares = new TreeMap<>();
    policy.nodes().stream().forEach(node -> shares.put(node, 1));
    return shares;
  }
}
