package io.ewok.gds.reactor;

import io.ewok.gds.allocator.Setting;
import io.ewok.gds.allocator.Settings;
import io.ewok.gds.allocator.numa.NumaTopology;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * How many reactors there are, and where they run.
 *
 * <p>Threads: any; immutable.
 *
 * <pre>{@code
 * GroupOptions options = GroupOptions.defaults().withCount(2).withNodes(List.of(0, 1));
 * }</pre>
 *
 * <p>Errors: {@link IllegalArgumentException} for what cannot be, ending in {@code name=value}.
 *
 * @param count reactors, 1 to {@link #COUNT_MAX}; default 1. More spread the work over more
 *     processors; each has a thread and a ring
 * @param nodes of memory that reactors are placed on, each in turn: such a reactor may run on all
 *     CPUs of its node; default none. Divides the count
 * @param reactor how each is made. Its CPUs are dealt out in ascending order, to each the same
 *     number of neighbours: as many CPUs as reactors pin each to one. With nodes there are none
 */
public record GroupOptions(int count, List<Integer> nodes, ReactorOptions reactor) {
  /** The most reactors. */
  public static final int COUNT_MAX = 1024;

  static final String COUNT = "reactor.count";
  static final String NODES = "reactor.nodes";

  private static final List<Setting> SETTINGS =
      List.of(
          Setting.of(
                  COUNT,
                  "1",
                  "1 to " + COUNT_MAX,
                  "reactors of an engine; each has a thread and a ring")
              .change(
                  "one CPU is not enough to keep the device busy",
                  "a CPU for each that is busy; transfers may wait while another reactor is idle"),
          Setting.of(
                  NODES,
                  "",
                  "NUMA nodes, such as 0-1; none for anywhere",
                  "nodes that reactors are placed on, each in turn; not together with reactor.cpus")
              .change(
                  "the machine has several nodes; as many reactors as nodes, or a multiple",
                  "a reactor does not move to an idle CPU of another node"));

  /** Checks. */
  public GroupOptions {
    nodes = List.copyOf(nodes);
    Objects.requireNonNull(reactor, "reactor");
    if (count < 1 || count > COUNT_MAX) {
      throw new IllegalArgumentException("from 1 to " + COUNT_MAX + ": count=" + count);
    }
    if (new HashSet<>(nodes).size() < nodes.size()) {
      throw new IllegalArgumentException("a node is named once: nodes=" + nodes);
    }
    if (!nodes.isEmpty() && !reactor.cpus().isEmpty()) {
      throw new IllegalArgumentException(
          "reactors are placed by CPUs or by nodes, not by both: nodes=" + nodes);
    }
    requireDivides(nodes.isEmpty() ? 1 : nodes.size(), count, "nodes=" + nodes);
    if (!reactor.cpus().isEmpty()) {
      requireDivides(count, reactor.cpus().size(), "cpus=" + reactor.cpus());
    }
  }

  private static void requireDivides(int divisor, int number, String what) {
    if (number % divisor != 0) {
      throw new IllegalArgumentException(
          "they cannot be dealt out evenly, %d to %d: %s".formatted(number, divisor, what));
    }
  }

  /** Returns one reactor, anywhere. */
  public static GroupOptions defaults() {
    return new GroupOptions(1, List.of(), ReactorOptions.defaults());
  }

  /**
   * Returns the defaults, changed by {@code reactor.count}, {@code reactor.nodes} (as in {@code
   * 0-1,3}) and what {@link ReactorOptions#from} reads.
   *
   * @throws IllegalArgumentException that ends in a name, an equals sign and its value
   */
  public static GroupOptions from(Map<String, String> settings) {
    return new GroupOptions(
        Settings.readInt(settings, COUNT, 1),
        List.copyOf(
            Settings.read(settings, NODES, text -> ReactorOptions.list(NODES, text), Set.of())),
        ReactorOptions.from(settings));
  }

  /** Returns what {@link #from} reads, with that of reactors and fibers. */
  public static List<Setting> settings() {
    List<Setting> all = new ArrayList<>(SETTINGS);
    all.addAll(ReactorOptions.settings());
    return List.copyOf(all);
  }

  /** Returns these with another number of reactors. */
  public GroupOptions withCount(int count) {
    return new GroupOptions(count, nodes, reactor);
  }

  /** Returns these with other nodes. */
  public GroupOptions withNodes(List<Integer> nodes) {
    return new GroupOptions(count, nodes, reactor);
  }

  /** Returns these with other options of each reactor. */
  public GroupOptions withReactor(ReactorOptions reactor) {
    return new GroupOptions(count, nodes, reactor);
  }

  /**
   * Returns the options of each reactor.
   *
   * @throws IllegalArgumentException if the machine lacks a node, or CPUs on it
   */
  List<ReactorOptions> each(NumaTopology machine) {
    List<Integer> cpus = reactor.cpus().stream().sorted().toList();
    int cpusEach = cpus.size() / count;
    List<ReactorOptions> each = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Set<Integer> own =
          nodes.isEmpty()
              ? Set.copyOf(cpus.subList(i * cpusEach, (i + 1) * cpusEach))
              : cpusOf(nodes.get(i % nodes.size()), machine);
      String name = count == 1 ? reactor.name() : reactor.name() + "-" + i;
      each.add(reactor.withName(name).withCpus(own));
    }
    return each;
  }

  private static Set<Integer> cpusOf(int node, NumaTopology machine) {
    Set<Integer> cpus =
        machine.node(node).cpus().stream().boxed().collect(Collectors.toUnmodifiableSet());
    if (cpus.isEmpty()) {
      throw new IllegalArgumentException("a node without CPUs runs no reactor: node=" + node);
    }
    return cpus;
  }
}
