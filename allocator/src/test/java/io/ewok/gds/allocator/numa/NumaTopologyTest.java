package io.ewok.gds.allocator.numa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NumaTopologyTest {
  private static final long GIB = 1L << 30;

  private static BitSet set(int... numbers) {
    BitSet set = new BitSet();
    for (int number : numbers) {
      set.set(number);
    }
    return set;
  }

  private static NumaNode node(int id, BitSet cpus, long memoryBytes, Integer... distances) {
    return new NumaNode(id, cpus, memoryBytes, memoryBytes / 2, List.of(distances));
  }

  /** Nodes in a ring, with four CPUs each: the farther around, the more distant. */
  private static NumaTopology ring(int count) {
    List<NumaNode> nodes = new ArrayList<>();
    for (int id = 0; id < count; id++) {
      Integer[] distances = new Integer[count];
      for (int to = 0; to < count; to++) {
        int hops = Math.min(Math.floorMod(to - id, count), Math.floorMod(id - to, count));
        distances[to] = 10 + 10 * hops;
      }
      nodes.add(
          node(id, set(4 * id, 4 * id + 1, 4 * id + 2, 4 * id + 3), GIB * (id + 1), distances));
    }
    return NumaTopology.declared(nodes);
  }

  /** Node 0 is whole, node 2 has no memory, node 5 no CPUs. */
  private static NumaTopology uneven() {
    return NumaTopology.declared(
        List.of(
            node(0, set(0, 1), GIB, 10, 21, 31),
            node(2, set(2, 3), 0, 21, 10, 14),
            node(5, set(), 8 * GIB, 31, 14, 10)));
  }

  private static List<Integer> ids(List<NumaNode> nodes) {
    return nodes.stream().map(NumaNode::id).toList();
  }

  private static void refused(String end, Executable call) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, call);
    assertTrue(e.getMessage().endsWith(end), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 8})
  void declaredNodesAreFoundByNumberAndCpu(int count) {
    NumaTopology topology = ring(count);
    assertEquals(count, topology.nodes().size());
    assertEquals("", topology.fallbackReason());
    for (int id = 0; id < count; id++) {
      assertEquals(id, topology.node(id).id());
      assertEquals(GIB * (id + 1), topology.node(id).memoryBytes());
      assertEquals(10, topology.distance(id, id));
      for (int cpu = 4 * id; cpu < 4 * id + 4; cpu++) {
        assertEquals(id, topology.nodeOfCpu(cpu));
      }
    }
    assertFalse(topology.hasNode(count));
    assertFalse(topology.hasNode(-1));
    refused("node=" + count, () -> topology.node(count));
    refused("node=-1", () -> topology.nearest(-1));
    refused("node=" + count, () -> topology.distance(0, count));
    refused("cpu=" + 4 * count, () -> topology.nodeOfCpu(4 * count));
    refused("cpu=-1", () -> topology.nodeOfCpu(-1));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 8})
  void nearestBeginsWithItselfAndNeverComesNearer(int count) {
    NumaTopology topology = ring(count);
    for (int id = 0; id < count; id++) {
      List<Integer> nearest = ids(topology.nearest(id));
      assertEquals(id, nearest.getFirst());
      assertEquals(count, List.copyOf(nearest.stream().distinct().toList()).size());
      for (int i = 1; i < count; i++) {
        int before = topology.distance(id, nearest.get(i - 1));
        int after = topology.distance(id, nearest.get(i));
        assertTrue(
            before < after || (before == after && (i == 1 || nearest.get(i - 1) < nearest.get(i))),
            "node=" + id + " nearest=" + nearest);
      }
    }
  }

  @Test
  void nodesWithoutCpusOrMemoryAndGapsAreNormal() {
    NumaTopology topology = uneven();
    assertEquals(List.of(0, 2, 5), ids(topology.nodes()));
    assertEquals(List.of(2, 5, 0), ids(topology.nearest(2)));
    assertEquals(List.of(5, 2, 0), ids(topology.nearest(5)));
    assertEquals(14, topology.distance(2, 5));
    assertEquals(set(0, 5), topology.nodesWithMemory());
    assertTrue(topology.hasNode(2));
    assertFalse(topology.hasNode(1));
    refused("node=1", () -> topology.node(1));
    assertTrue(topology.node(5).cpus().isEmpty());
    assertFalse(topology.node(2).hasMemory());
    assertEquals(2, topology.nodeOfCpu(3));
  }

  @Test
  void orderOfDeclarationDoesNotMatter() {
    List<NumaNode> backwards = new ArrayList<>(uneven().nodes());
    Collections.reverse(backwards);
    assertEquals(uneven().nodes(), NumaTopology.declared(backwards).nodes());
  }

  @Test
  void itselfComesFirstWhateverTheDistancesSay() {
    NumaTopology topology =
        NumaTopology.declared(List.of(node(0, set(0), GIB, 10, 10), node(1, set(1), GIB, 5, 10)));
    assertEquals(List.of(1, 0), ids(topology.nearest(1)));
  }

  @Test
  void machineWithoutAnyCpuKnownStillAnswers() {
    NumaTopology topology =
        NumaTopology.declared(List.of(node(3, set(), GIB, 10, 20), node(4, set(), GIB, 20, 10)));
    assertEquals(3, topology.currentNode());
  }

  @Test
  void currentNodeIsThatOfTheCurrentCpu() {
    AtomicInteger cpu = new AtomicInteger();
    NumaTopology topology = uneven().withCurrentCpu(cpu::get);
    for (int at : new int[] {0, 1, 2, 3}) {
      cpu.set(at);
      assertEquals(at < 2 ? 0 : 2, topology.currentNode());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 4, 8192, Integer.MAX_VALUE})
  void cpuThatCameLaterCountsAsOneOfTheFirstNode(int cpu) {
    assertEquals(0, uneven().withCurrentCpu(() -> cpu).currentNode());
  }

  @Test
  void oneNodeAnswersWithoutACall() {
    NumaTopology topology =
        NumaTopology.declared(List.of(node(7, set(0), GIB, 10)))
            .withCurrentCpu(
                () -> {
                  throw new AssertionError("called");
                });
    assertEquals(7, topology.currentNode());
  }

  @Test
  void currentNodeOfThisMachineIsOneOfItsNodes() {
    NumaTopology topology = NumaTopology.read();
    assertTrue(topology.hasNode(topology.currentNode()));
    // Declared so that the real CPU is asked.
    assertTrue(ring(2).hasNode(ring(2).currentNode()));
  }

  @Test
  void wrongDeclarationsAreRefused() {
    refused("nodes=[]", () -> NumaTopology.declared(List.of()));
    refused("node=-1", () -> node(-1, set(), GIB, 10));
    refused("node=1024", () -> node(1024, set(), GIB, 10));
    refused("cpu=8192", () -> node(0, set(8192), GIB, 10));
    refused("distance=0", () -> node(0, set(), GIB, 0));
    refused("memoryBytes=-2 freeBytes=-1", () -> node(0, set(), -2, 10));
    refused("freeBytes=2", () -> new NumaNode(0, set(), 1, 2, List.of(10)));
    NumaNode zero = node(0, set(0), GIB, 10, 20);
    refused("node=0", () -> NumaTopology.declared(List.of(zero, zero)));
    refused("distances=[10, 20]", () -> NumaTopology.declared(List.of(zero)));
    refused("cpu=0", () -> NumaTopology.declared(List.of(zero, node(1, set(0), GIB, 20, 10))));
  }

  @Test
  void nodeIsAValueThatNobodyChanges() {
    BitSet cpus = set(1);
    List<Integer> distances = new ArrayList<>(List.of(10));
    NumaNode node = new NumaNode(0, cpus, 1, 1, distances);
    cpus.set(2);
    node.cpus().set(3);
    distances.set(0, 99);
    assertEquals(new NumaNode(0, set(1), 1, 1, List.of(10)), node);
  }

  @Test
  void policyIsReadAgainstAMachine() {
    assertEquals(
        PlacementPolicy.interleave(0, 5), PlacementPolicy.parse("interleave:0,5", uneven()));
    assertEquals(PlacementPolicy.local(), PlacementPolicy.parse("local", uneven()));
    for (String text : List.of("bind:2", "bind:0-2", "preferred:1", "interleave:0,6")) {
      refused(
          "with memory on 0,5: numa.policy=" + text, () -> PlacementPolicy.parse(text, uneven()));
    }
  }

  @Test
  void toStringIsOneLine() {
    assertEquals(
        "NumaTopology[node0(cpus=0-3 memoryMiB=1024 freeMiB=512 distances=[10])]",
        ring(1).toString());
  }
}
