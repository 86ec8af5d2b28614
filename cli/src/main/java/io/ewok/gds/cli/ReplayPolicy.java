package io.ewok.gds.cli;

import io.ewok.gds.buffers.eviction.EvictionKind;
import io.ewok.gds.buffers.eviction.ReferenceTrace;
import io.ewok.gds.buffers.eviction.Simulation;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** What a trace can be replayed through: the pool's policies, and exact ones to compare with. */
record ReplayPolicy(String name, Replay replay) {
  private static final String ALL_NAME = "all";

  /** Counts the hits of a trace in a cache of so many keys. */
  @FunctionalInterface
  interface Replay {
    long hits(ReferenceTrace trace, int size);
  }

  /** Every policy, worst first as a rule. */
  static List<ReplayPolicy> all() {
    List<ReplayPolicy> all = new ArrayList<>();
    all.add(new ReplayPolicy("fifo", Simulation::fifoHits));
    all.add(new ReplayPolicy("lru", Simulation::lruHits));
    for (EvictionKind kind : EvictionKind.values()) {
      String name = kind.name().toLowerCase(Locale.ROOT).replace('_', '-');
      all.add(new ReplayPolicy(name, (trace, size) -> Simulation.hits(kind, trace, size)));
    }
    all.add(new ReplayPolicy("opt", Simulation::optimalHits));
    return all;
  }

  /** The policies of these names, each once. */
  static Set<ReplayPolicy> named(String option, List<String> names) {
    List<ReplayPolicy> all = all();
    Set<ReplayPolicy> named = new LinkedHashSet<>();
    for (String name : names) {
      String wanted = name.strip().toLowerCase(Locale.ROOT).replace('_', '-');
      List<ReplayPolicy> found =
          all.stream()
              .filter(policy -> wanted.equals(ALL_NAME) || wanted.equals(policy.name))
              .toList();
      if (found.isEmpty()) {
        throw CommandFailure.usage(
            "there is no such policy; known are %s and %s: %s=%s"
                .formatted(
                    String.join(", ", all.stream().map(ReplayPolicy::name).toList()),
                    ALL_NAME,
                    option,
                    name));
      }
      named.addAll(found);
    }
    return named;
  }
}
