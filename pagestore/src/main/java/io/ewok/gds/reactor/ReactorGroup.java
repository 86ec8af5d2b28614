package io.ewok.gds.reactor;

import io.ewok.gds.allocator.numa.NumaTopology;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Reactors that are started and closed together, each with a thread and a ring of its own.
 *
 * <p>Ownership: whoever starts a group closes it, and none of its reactors.
 *
 * <p>Threads: any; {@link #close} is refused on the reactors' own threads and fibers.
 *
 * <pre>{@code
 * try (ReactorGroup group = ReactorGroup.start(GroupOptions.defaults().withCount(2))) {
 *   group.reactors().get(1).post(task);
 * }
 * }</pre>
 *
 * <p>Errors: those of {@link Reactor}; one that fails leaves the others as they are.
 */
public final class ReactorGroup implements AutoCloseable {
  /** For {@link #reactorFor}: memory of which nobody knows where it lies. */
  public static final int NO_NODE = -1;

  private final List<Reactor> reactors;
  private final Reactor[] all;

  /** Those whose CPUs are of one node. */
  private final Map<Integer, Reactor[]> byNode = new HashMap<>();

  private ReactorGroup(List<Reactor> reactors, List<ReactorOptions> each, NumaTopology machine) {
    this.reactors = List.copyOf(reactors);
    all = reactors.toArray(Reactor[]::new);
    Map<Integer, List<Reactor>> placed = new HashMap<>();
    for (int i = 0; i < all.length; i++) {
      int node = nodeOf(each.get(i).cpus(), machine);
      placed.computeIfAbsent(node, key -> new ArrayList<>()).add(all[i]);
    }
    placed.remove(NO_NODE);
    placed.forEach((node, near) -> byNode.put(node, near.toArray(Reactor[]::new)));
  }

  private static int nodeOf(Set<Integer> cpus, NumaTopology machine) {
    Set<Integer> nodes = cpus.stream().map(machine::nodeOfCpu).collect(Collectors.toSet());
    return nodes.size() == 1 ? nodes.iterator().next() : NO_NODE;
  }

  /**
   * Starts the reactors.
   *
   * @throws IOException as {@link Reactor#start}; none is left behind
   * @throws IllegalArgumentException if this machine lacks a node or CPU that the options name
   */
  public static ReactorGroup start(GroupOptions options) throws IOException {
    return start(options, NumaTopology.read());
  }

  /** As the above, where a machine is declared to have other nodes. */
  public static ReactorGroup start(GroupOptions options, NumaTopology machine) throws IOException {
    List<ReactorOptions> each = options.each(machine);
    each.forEach(one -> nodeOf(one.cpus(), machine));
    List<Reactor> started = new ArrayList<>();
    boolean complete = false;
    try {
      for (ReactorOptions one : each) {
        started.add(Reactor.start(one));
      }
      complete = true;
    } finally {
      if (!complete) {
        started.forEach(Reactor::close);
      }
    }
    return new ReactorGroup(started, each, machine);
  }

  /** Returns them all, in the order in which they were placed. */
  public List<Reactor> reactors() {
    return reactors;
  }

  /**
   * Returns the reactor to give an operation to: on a thread or fiber of one of them that one;
   * elsewhere one on the node where the memory lies; and where there is none, or nobody knows, the
   * same one for all that a thread does, so that threads are spread.
   *
   * @param node where the operation's memory lies, or {@link #NO_NODE}
   */
  public Reactor reactorFor(int node) {
    if (all.length == 1) {
      return all[0];
    }
    Reactor current = Reactor.current();
    if (current != null && reactors.contains(current)) {
      return current;
    }
    Reactor[] near = node == NO_NODE ? all : byNode.getOrDefault(node, all);
    return near[(int) (Thread.currentThread().threadId() % near.length)];
  }

  /** Closes them all, one after the other. Twice does nothing. */
  @Override
  public void close() {
    Reactor current = Reactor.current();
    if (current != null && reactors.contains(current)) {
      throw new IllegalStateException("a reactor of the group would wait for itself");
    }
    for (Reactor reactor : all) {
      reactor.close();
    }
  }
}
