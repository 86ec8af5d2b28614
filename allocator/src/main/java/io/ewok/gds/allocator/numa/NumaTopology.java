package io.ewok.gds.allocator.numa;

import io.ewok.gds.ffm.LinuxThreads;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.StringJoiner;
import java.util.function.IntSupplier;

/**
 * The NUMA nodes of a machine: the one that runs us, or a declared one, so that code for many nodes
 * can be tested on one.
 *
 * <p>It is what the machine has when it is read: memory and CPUs that come or go later, and free
 * memory, are seen by reading again. A process may be allowed less than all nodes; whether it gets
 * memory on one, {@link Placement} tells.
 *
 * <p>Threads: any; immutable.
 *
 * {@snippet :
 * NumaTopology topology = NumaTopology.read();
 * for (NumaNode node : topology.nearest(topology.currentNode())) {
 *   if (node.hasMemory()) { ... }
 * }
 * }
 */
public final class NumaTopology {
  private static final int NONE = -1;

  /** By ascending number. */
  private final List<NumaNode> nodes;

  /** By the number of a node, its index in {@link #nodes} or {@link #NONE}. */
  private final int[] indexOfNode;

  /** By the number of a CPU, the number of its node or {@link #NONE}. */
  private final int[] nodeOfCpu;

  /** By the index of a node, all nodes, near ones first. */
  private final List<List<NumaNode>> nearest;

  private final IntSupplier currentCpu;
  private final String fallbackReason;

  private NumaTopology(List<NumaNode> declared, IntSupplier currentCpu, String fallbackReason) {
    if (declared.isEmpty()) {
      throw new IllegalArgumentException("a machine has a node: nodes=" + declared);
    }
    this.nodes = declared.stream().sorted(Comparator.comparingInt(NumaNode::id)).toList();
    this.currentCpu = currentCpu;
    this.fallbackReason = fallbackReason;
    this.indexOfNode = new int[nodes.getLast().id() + 1];
    this.nodeOfCpu =
        new int[nodes.stream().mapToInt(node -> node.cpus().length()).max().getAsInt()];
    Arrays.fill(indexOfNode, NONE);
    Arrays.fill(nodeOfCpu, NONE);
    for (int i = 0; i < nodes.size(); i++) {
      NumaNode node = nodes.get(i);
      if (indexOfNode[node.id()] != NONE) {
        throw new IllegalArgumentException("a node is declared once: node=" + node.id());
      }
      if (node.distances().size() != nodes.size()) {
        throw new IllegalArgumentException(
            "a node has a distance to each: node=" + node.id() + " distances=" + node.distances());
      }
      indexOfNode[node.id()] = i;
      node.cpus().stream().forEach(cpu -> claim(cpu, node.id()));
    }
    this.nearest = nodes.stream().map(this::nearest).toList();
  }

  private void claim(int cpu, int node) {
    if (nodeOfCpu[cpu] != NONE) {
      throw new IllegalArgumentException("a CPU belongs to one node: cpu=" + cpu);
    }
    nodeOfCpu[cpu] = node;
  }

  private List<NumaNode> nearest(NumaNode from) {
    List<NumaNode> others = new ArrayList<>(nodes);
    // Stable, so that of equally distant nodes the lower number comes first.
    others.sort(
        Comparator.comparing((NumaNode node) -> !node.equals(from))
            .thenComparingInt(node -> from.distances().get(indexOfNode[node.id()])));
    return List.copyOf(others);
  }

  /**
   * The machine that runs us, as {@code /sys/devices/system/node} describes it. If that is missing
   * or makes no sense, as in some containers, all is taken for one node, and {@link
   * #fallbackReason} tells why; it never fails.
   */
  public static NumaTopology read() {
    return read(Path.of("/"));
  }

  /** The same, as if {@code root} were the root of the file system. */
  public static NumaTopology read(Path root) {
    return new SysfsTopology(root).read();
  }

  /**
   * A machine of these nodes.
   *
   * @throws IllegalArgumentException if there are none, a number or a CPU is there twice, or a node
   *     has not a distance to each
   */
  public static NumaTopology declared(List<NumaNode> nodes) {
    return new NumaTopology(nodes, LinuxThreads::currentCpu, "");
  }

  /** One node instead of what could not be read. */
  static NumaTopology fallback(NumaNode node, String reason) {
    return new NumaTopology(List.of(node), LinuxThreads::currentCpu, reason);
  }

  /**
   * The same machine, with another answer to the question on which CPU the calling thread runs: for
   * tests.
   */
  public NumaTopology withCurrentCpu(IntSupplier currentCpu) {
    return new NumaTopology(nodes, currentCpu, fallbackReason);
  }

  /** All nodes, by ascending number. */
  public List<NumaNode> nodes() {
    return nodes;
  }

  /** Numbers of the nodes on which pages can lie. */
  public BitSet nodesWithMemory() {
    BitSet ids = new BitSet();
    nodes.stream().filter(NumaNode::hasMemory).forEach(node -> ids.set(node.id()));
    return ids;
  }

  /** Whether there is a node of this number. */
  public boolean hasNode(int id) {
    return id >= 0 && id < indexOfNode.length && indexOfNode[id] != NONE;
  }

  /**
   * The node of a number.
   *
   * @throws IllegalArgumentException if there is none
   */
  public NumaNode node(int id) {
    return nodes.get(index(id));
  }

  private int index(int id) {
    if (!hasNode(id)) {
      throw new IllegalArgumentException("the machine has no such node: node=" + id);
    }
    return indexOfNode[id];
  }

  /**
   * The number of the node of a CPU.
   *
   * @throws IllegalArgumentException if no node has it
   */
  public int nodeOfCpu(int cpu) {
    if (cpu < 0 || cpu >= nodeOfCpu.length || nodeOfCpu[cpu] == NONE) {
      throw new IllegalArgumentException("the machine has no such CPU: cpu=" + cpu);
    }
    return nodeOfCpu[cpu];
  }

  /**
   * How far it is from a node to another, 10 to itself.
   *
   * @throws IllegalArgumentException if one of them is not there
   */
  public int distance(int from, int to) {
    return node(from).distances().get(index(to));
  }

  /**
   * All nodes, itself first, then by their distance from it, then by number.
   *
   * @throws IllegalArgumentException if there is no such node
   */
  public List<NumaNode> nearest(int id) {
    return nearest.get(index(id));
  }

  /**
   * The number of the node whose CPU the calling thread runs on; it may be another one already. One
   * native call where there are several nodes, none where there is one. A CPU that no node had when
   * the topology was read counts as one of the first node.
   */
  public int currentNode() {
    if (nodes.size() == 1) {
      return nodes.getFirst().id();
    }
    int cpu = currentCpu.getAsInt();
    int node = cpu >= 0 && cpu < nodeOfCpu.length ? nodeOfCpu[cpu] : NONE;
    return node == NONE ? nodes.getFirst().id() : node;
  }

  /** Why all is taken for one node although nothing said so; empty if the kernel told the nodes. */
  public String fallbackReason() {
    return fallbackReason;
  }

  /** All of it in one line. */
  @Override
  public String toString() {
    StringJoiner text = new StringJoiner(" ", "NumaTopology[", "]");
    for (NumaNode node : nodes) {
      text.add(
          "node"
              + node.id()
              + "(cpus="
              + NodeList.format(node.cpus())
              + " memoryMiB="
              + (node.memoryBytes() >> 20)
              + " freeMiB="
              + (node.freeBytes() >> 20)
              + " distances="
              + node.distances()
              + ")");
    }
    if (!fallbackReason.isEmpty()) {
      text.add("fallbackReason=" + fallbackReason);
    }
    return text.toString();
  }
}
