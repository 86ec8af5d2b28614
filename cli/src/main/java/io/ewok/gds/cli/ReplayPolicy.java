package io.ewok.gds.cli;

import io.ewok.gds.buffers.eviction.EvictionKind;
import io.ewok.gds.buffers.eviction.ReferenceTrace;
import io.ewok.gds.buffers.eviction.Simulation;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.LongConsumer;

/**
 * What a trace can be replayed through: the pool's policies, exact ones to compare with, and the
 * pool itself.
 */
record ReplayPolicy(String name, Replay replay) {
  private static final String ALL_NAME = "all";
  private static final String POOL_NAME = "pool";

  /** Counts the hits of a trace in a cache of so many keys. */
  @FunctionalInterface
  interface Replay {
    /** {@code done} is told how many references were replayed, now and then. */
    long hits(ReferenceTrace trace, int size, LongConsumer done) throws IOException;
  }

  @FunctionalInterface
  private interface Simulated {
    long hits(ReferenceTrace trace, int size);
  }

  private static ReplayPolicy simulated(String name, Simulated simulated) {
    return new ReplayPolicy(
        name,
        (trace, size, done) -> {
          long hits = simulated.hits(trace, size);
          done.accept(trace.length());
          return hits;
        });
  }

  /** Every policy, worst first as a rule, then the pool. */
  private static List<ReplayPolicy> known() {
    List<ReplayPolicy> known = new ArrayList<>();
    known.add(simulated("fifo", Simulation::fifoHits));
    known.add(simulated("lru", Simulation::lruHits));
    for (EvictionKind kind : EvictionKind.values()) {
      String name = kind.name().toLowerCase(Locale.ROOT).replace('_', '-');
      known.add(simulated(name, (trace, size) -> Simulation.hits(kind, trace, size)));
    }
    known.add(simulated("opt", Simulation::optimalHits));
    known.add(new ReplayPolicy(POOL_NAME, PoolReplay::hits));
    return known;
  }

  /**
   * Checks that there can be a cache of so many keys.
   *
   * @throws IllegalArgumentException if it is too small or too large for the pool
   */
  void checkSize(int size) {
    if (name.equals(POOL_NAME)) {
      PoolReplay.options(size);
    }
  }

  private boolean isMeantBy(String wanted) {
    return wanted.equals(name) || (wanted.equals(ALL_NAME) && !name.equals(POOL_NAME));
  }

  /** The policies of these names, each once; all of them but the pool have a name together. */
  static Set<ReplayPolicy> named(String option, List<String> names) {
    List<ReplayPolicy> known = known();
    Set<ReplayPolicy> named = new LinkedHashSet<>();
    for (String name : names) {
      String wanted = name.strip().toLowerCase(Locale.ROOT).replace('_', '-');
      List<ReplayPolicy> found = known.stream().filter(policy -> policy.isMeantBy(wanted)).toList();
      if (found.isEmpty()) {
        throw CommandFailure.usage(
            "there is no such policy; known are %s and %s: %s=%s"
                .formatted(
                    String.join(", ", known.stream().map(ReplayPolicy::name).toList()),
                    ALL_NAME,
                    option,
                    name));
      }
      named.addAll(found);
    }
    return named;
  }
}
