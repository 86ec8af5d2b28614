package io.ewok.gds.allocator.numa;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * On which NUMA nodes memory is wanted: one of the kernel's policies and the nodes it names. A
 * value; what came of it is a {@link Placement}.
 *
 * <table>
 * <caption>Which one to use</caption>
 * <tr><th>text</th><th>where a page goes when it is first written</th></tr>
 * <tr><td>{@code default}</td><td>as the thread's own policy says; nothing is requested</td></tr>
 * <tr><td>{@code local}</td><td>to the node of the writing thread, others when that is full</td></tr>
 * <tr><td>{@code preferred:1}</td><td>to that node, others when it is full</td></tr>
 * <tr><td>{@code preferred-many:0,2}</td><td>to those nodes, others when they are full; Linux
 *     5.15</td></tr>
 * <tr><td>{@code bind:0-1}</td><td>to those nodes and no other: when they are full the kernel
 *     reclaims, and in the end kills the process</td></tr>
 * <tr><td>{@code interleave:0-3}</td><td>to those nodes in turn</td></tr>
 * <tr><td>{@code weighted-interleave:0-3}</td><td>to those nodes in turn, in the proportions that
 *     the administrator has set for the machine; Linux 6.9</td></tr>
 * </table>
 *
 * {@snippet :
 * PlacementPolicy policy = PlacementPolicy.parse("interleave:0-1");
 * PlacementPolicy same = PlacementPolicy.interleave(0, 1);
 * }
 *
 * @param mode the kind of policy
 * @param nodes the nodes it names: none, one or more, as the mode wants; the record keeps a copy
 */
public record PlacementPolicy(Mode mode, BitSet nodes) {

  /** Name of the setting that {@link #parse} reads. */
  public static final String KEY = "numa.policy";

  /** The largest number that a node can have. */
  static final int NODE_MAX = 1023;

  /** The kinds of policy. */
  public enum Mode {
    /** Nothing is requested. */
    DEFAULT(0, 0, 0),
    /** The node of the thread that writes first. */
    LOCAL(4, 0, 0),
    /** One node, others when it is full. */
    PREFERRED(1, 1, 1),
    /** Some nodes, others when they are full. */
    PREFERRED_MANY(5, 1, NODE_MAX + 1),
    /** Some nodes and no other. */
    BIND(2, 1, NODE_MAX + 1),
    /** Some nodes in turn. */
    INTERLEAVE(3, 1, NODE_MAX + 1),
    /** Some nodes in turn, in the machine's proportions. */
    WEIGHTED_INTERLEAVE(6, 1, NODE_MAX + 1);

    /** Number of linux/mempolicy.h. */
    final int number;

    private final int nodesMin;
    private final int nodesMax;

    Mode(int number, int nodesMin, int nodesMax) {
      this.number = number;
      this.nodesMin = nodesMin;
      this.nodesMax = nodesMax;
    }

    /** The name in settings, such as {@code preferred-many}. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Whether it wants so many nodes. */
    boolean takes(BitSet nodes) {
      int count = nodes.cardinality();
      return count >= nodesMin && count <= nodesMax;
    }

    private static Optional<Mode> of(String text) {
      for (Mode mode : values()) {
        if (mode.toString().equals(text)) {
          return Optional.of(mode);
        }
      }
      return Optional.empty();
    }
  }

  /** Checks that the mode gets as many nodes as it wants. */
  public PlacementPolicy {
    Objects.requireNonNull(mode, "mode");
    nodes = (BitSet) nodes.clone();
    if (nodes.length() > NODE_MAX + 1) {
      throw new IllegalArgumentException(
          "nodes are numbered from 0 to " + NODE_MAX + ": node=" + (nodes.length() - 1));
    }
    if (!mode.takes(nodes)) {
      throw new IllegalArgumentException(
          mode + " takes " + wanted(mode) + ": nodes=" + NodeList.format(nodes));
    }
  }

  /** Requests nothing. */
  public static PlacementPolicy none() {
    return new PlacementPolicy(Mode.DEFAULT, new BitSet());
  }

  /** The node of the thread that writes a page first. */
  public static PlacementPolicy local() {
    return new PlacementPolicy(Mode.LOCAL, new BitSet());
  }

  /** One node, others when it is full. */
  public static PlacementPolicy preferred(int node) {
    return of(Mode.PREFERRED, node);
  }

  /** Some nodes, others when they are full. */
  public static PlacementPolicy preferredMany(int... nodes) {
    return of(Mode.PREFERRED_MANY, nodes);
  }

  /** Some nodes and no other. */
  public static PlacementPolicy bind(int... nodes) {
    return of(Mode.BIND, nodes);
  }

  /** Some nodes in turn. */
  public static PlacementPolicy interleave(int... nodes) {
    return of(Mode.INTERLEAVE, nodes);
  }

  /** Some nodes in turn, in the machine's proportions. */
  public static PlacementPolicy weightedInterleave(int... nodes) {
    return of(Mode.WEIGHTED_INTERLEAVE, nodes);
  }

  private static PlacementPolicy of(Mode mode, int... nodes) {
    BitSet set = new BitSet();
    for (int node : nodes) {
      if (node < 0 || node > NODE_MAX) {
        throw new IllegalArgumentException(
            "nodes are numbered from 0 to " + NODE_MAX + ": node=" + node);
      }
      set.set(node);
    }
    return new PlacementPolicy(mode, set);
  }

  /**
   * Reads what {@link #toString} writes: the mode and, after a colon, its nodes as numbers and
   * ranges with commas between them. Spaces around the text are ignored.
   *
   * @throws IllegalArgumentException if the text is nothing of the kind; names the valid forms
   */
  public static PlacementPolicy parse(String text) {
    return parse(KEY, text);
  }

  /**
   * The same, of another setting.
   *
   * @param name of the setting, for the message
   * @throws IllegalArgumentException that ends in the name, an equals sign and the text
   */
  public static PlacementPolicy parse(String name, String text) {
    String trimmed = text.strip();
    int colon = trimmed.indexOf(':');
    Optional<Mode> mode = Mode.of(colon < 0 ? trimmed : trimmed.substring(0, colon));
    Optional<BitSet> nodes =
        NodeList.parse(colon < 0 ? "" : trimmed.substring(colon + 1), NODE_MAX);
    if (mode.isEmpty() || nodes.isEmpty() || (colon >= 0 && nodes.get().isEmpty())) {
      throw new IllegalArgumentException(
          "a policy is one of default, local, preferred:0, preferred-many:0,2, bind:0-1,"
              + " interleave:0-1, weighted-interleave:0-1, with nodes from 0 to "
              + NODE_MAX
              + ": "
              + name
              + "="
              + text);
    }
    if (!mode.get().takes(nodes.get())) {
      throw new IllegalArgumentException(
          mode.get() + " takes " + wanted(mode.get()) + ": " + name + "=" + text);
    }
    return new PlacementPolicy(mode.get(), nodes.get());
  }

  /**
   * Reads several policies, with semicolons between them.
   *
   * @param name of the setting, for the message
   * @throws IllegalArgumentException that ends in the name, an equals sign and the text
   */
  public static List<PlacementPolicy> parseAll(String name, String text) {
    List<PlacementPolicy> policies = new ArrayList<>();
    for (String part : text.split(";", -1)) {
      try {
        policies.add(parse(part));
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "not where memory can lie: " + e.getMessage() + ": " + name + "=" + text, e);
      }
    }
    return policies;
  }

  /**
   * Reads a policy that is meant for a machine.
   *
   * @throws IllegalArgumentException also if the machine lacks one of the nodes, or has no memory
   *     on it
   */
  public static PlacementPolicy parse(String text, NumaTopology topology) {
    PlacementPolicy policy = parse(text);
    policy.requireMemory(topology, KEY);
    return policy;
  }

  /**
   * Checks that a machine has memory on all nodes that this names. Without it the kernel refuses
   * the policy, or leaves nodes out, and {@link Placement} tells.
   *
   * @param name of what is set so, for the message
   * @throws IllegalArgumentException if not; ends in the name, an equals sign and this policy
   */
  public void requireMemory(NumaTopology topology, String name) {
    BitSet absent = nodes();
    absent.andNot(topology.nodesWithMemory());
    if (!absent.isEmpty()) {
      throw new IllegalArgumentException(
          "no memory on node "
              + NodeList.format(absent)
              + " of a machine with memory on "
              + NodeList.format(topology.nodesWithMemory())
              + ": "
              + name
              + "="
              + this);
    }
  }

  private static String wanted(Mode mode) {
    return switch (mode.nodesMax) {
      case 0 -> "no nodes";
      case 1 -> "one node";
      default -> "one node or more";
    };
  }

  /** A copy. */
  @Override
  public BitSet nodes() {
    return (BitSet) nodes.clone();
  }

  /**
   * The node, where the policy names exactly one; threads that populate the memory belong there.
   */
  public OptionalInt onlyNode() {
    return nodes.cardinality() == 1 ? OptionalInt.of(nodes.nextSetBit(0)) : OptionalInt.empty();
  }

  /** What comes closest in a kernel that does not know the mode; nothing where all know it. */
  Optional<PlacementPolicy> forOlderKernel() {
    return switch (mode) {
      case WEIGHTED_INTERLEAVE -> Optional.of(new PlacementPolicy(Mode.INTERLEAVE, nodes));
      case PREFERRED_MANY -> Optional.of(preferred(nodes.nextSetBit(0)));
      default -> Optional.empty();
    };
  }

  /** What {@link #parse} reads, such as {@code interleave:0-1}. */
  @Override
  public String toString() {
    return nodes.isEmpty() ? mode.toString() : mode + ":" + NodeList.format(nodes);
  }
}
