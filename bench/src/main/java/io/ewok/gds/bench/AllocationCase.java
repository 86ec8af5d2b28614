package io.ewok.gds.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One question of a report: methods of a benchmark, ours and rivals. Those of {@link
 * AllocationReport}, of which the floors are left to the JMH suites, are here.
 *
 * @param name for people
 * @param benchmark the class with the methods
 * @param parameters values of its parameters
 * @param ours methods of ours, the most telling first; {@code name parameter=value} where it is a
 *     parameter that makes the rival
 * @param rivals methods of the rivals, the most telling first
 */
record AllocationCase(
    String name,
    Class<?> benchmark,
    Map<String, String> parameters,
    List<String> ours,
    List<String> rivals) {

  private static final AllocationCase SMALL_PAIR = pair("64 B", "64", "slabShard", "slabAllocator");
  private static final AllocationCase FRAME_PAIR =
      pair("4 KiB", "4096", "slabShard", "framePool", "slabAllocator");
  private static final AllocationCase REMOTE =
      new AllocationCase(
          "remote free, 64 B",
          RemoteFreeBenchmark.class,
          Map.of("bytes", "64"),
          List.of("slabShard", "slabShardBatch", "slabAllocator", "slabAllocatorBatch"),
          List.of("malloc", "nettyAdaptive", "nettyPooled"));
  private static final AllocationCase BUMP =
      new AllocationCase(
          "bump, 64 B",
          BumpBenchmark.class,
          Map.of(),
          List.of("bumpArena", "bumpArenaSegment"),
          List.of("mallocPair", "slicingAllocator", "malloc", "confinedArena"));

  static final List<AllocationCase> ALL =
      List.of(
          SMALL_PAIR,
          FRAME_PAIR,
          live("64 live, 64 B", BatchBenchmark.class, "64"),
          live("64 live, 4 KiB", BatchBenchmark.class, "4096"),
          live("2 threads, 64 B", TwoThreadsBenchmark.class, "64"),
          live("2 threads, 4 KiB", TwoThreadsBenchmark.class, "4096"),
          REMOTE,
          BUMP,
          new AllocationCase(
              "bump, 64 B, 2 threads",
              ConcurrentBumpBenchmark.class,
              Map.of(),
              List.of("concurrentBumpArena"),
              List.of("mallocPair", "slicingAllocatorLocked")),
          new AllocationCase(
              "zeroed, 4 KiB",
              ZeroedBenchmark.class,
              Map.of("bytes", "4096"),
              List.of("slabShard", "bumpArena"),
              List.of("calloc", "nettyAdaptive", "nettyPooled", "confinedArena")));

  /** What is asked when there is little time. */
  static final List<AllocationCase> QUICK =
      List.of(SMALL_PAIR.shortened(), FRAME_PAIR.shortened(), REMOTE.shortened(), BUMP.shortened());

  private static AllocationCase pair(String size, String bytes, String... ours) {
    return new AllocationCase(
        "pair, " + size,
        PairBenchmark.class,
        Map.of("bytes", bytes),
        List.of(ours),
        List.of(
            "malloc",
            "nettyAdaptive",
            "mallocPlain",
            "nettyAdaptiveShared",
            "nettyAsDefault",
            "nettyPooled",
            "confinedArena",
            "sharedArena"));
  }

  private static AllocationCase live(String name, Class<?> benchmark, String bytes) {
    return new AllocationCase(
        name,
        benchmark,
        Map.of("bytes", bytes, "live", "64"),
        List.of("slabShard", "slabShardBatch", "slabAllocator", "slabAllocatorBatch"),
        List.of("malloc", "nettyAdaptive", "nettyPooled", "confinedArena"));
  }

  private AllocationCase shortened() {
    return with(ours.subList(0, 1), rivals.subList(0, 2));
  }

  /** Returns the same question to others. */
  AllocationCase with(List<String> others, List<String> otherRivals) {
    return new AllocationCase(name, benchmark, parameters, others, otherRivals);
  }

  /** Returns the name of the method alone. */
  static String methodName(String method) {
    int blank = method.indexOf(' ');
    return blank < 0 ? method : method.substring(0, blank);
  }

  /** Returns the values of all parameters for a method. */
  Map<String, String> parameters(String method) {
    int blank = method.indexOf(' ');
    if (blank < 0) {
      return parameters;
    }
    Map<String, String> all = new HashMap<>(parameters);
    int equals = method.indexOf('=');
    all.put(method.substring(blank + 1, equals), method.substring(equals + 1));
    return all;
  }

  /** Returns ours and rivals. */
  List<String> methods() {
    List<String> methods = new ArrayList<>(ours);
    methods.addAll(rivals);
    return methods;
  }
}
