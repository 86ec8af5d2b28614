package io.ewok.gds.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.openjdk.jmh.runner.RunnerException;

/**
 * {@code gds bench tasks}: time and Java heap of tasks, fibers and shards beside those of the JDK's
 * threads. All numbers come from the JMH suites.
 */
final class TaskReport implements Report {
  private static final String USAGE =
      """
      Usage: gds bench tasks [--quick] [--rounds N] [--json]
      Time and Java heap of tasks, fibers and shards beside those of the JDK's threads. A ratio above
      1 is in favour of ours; beside the bare continuation it is what a baton costs.

        --quick        ends within a minute: few cases, three rounds, wide spread
        --rounds N     how often everything is measured; default 5, about a minute each
        --json         one JSON object a line instead of tables
        --output FILE  the same objects into a file
        --html FILE    a page with charts of the ratios
      """;

  static final ReportCommand COMMAND =
      new ReportCommand("gds bench tasks", USAGE, Set.of(), TaskReport::prepare);

  private static final String LAYER = "reactor";

  private static final AllocationCase TASK =
      one(
          "task",
          TaskBenchmark.class,
          "reactor",
          List.of("direct", "fiber"),
          "forkJoin",
          "virtualThread");
  private static final AllocationCase HAND_OFF =
      one(
          "hand-off",
          HandOffBenchmark.class,
          "reactor",
          List.of("baton"),
          "continuation",
          "virtualThread",
          "platformThread");
  private static final AllocationCase CROSS_SHARD =
      one(
          "other shard and back",
          CrossShardBenchmark.class,
          "reactor",
          List.of("direct", "fiber"),
          "executor",
          "completableFuture",
          "virtualThread");

  static final List<AllocationCase> ALL =
      List.of(
          TASK, HAND_OFF, CROSS_SHARD, fallback(TASK), fallback(HAND_OFF), fallback(CROSS_SHARD));

  /** What is asked when there is little time. */
  static final List<AllocationCase> QUICK =
      List.of(shortened(TASK, 1), shortened(HAND_OFF, 2), shortened(CROSS_SHARD, 1));

  private final List<AllocationCase> cases;
  private final Rounds rounds;

  private TaskReport(List<AllocationCase> cases, Rounds rounds) {
    this.cases = cases;
    this.rounds = rounds;
  }

  private static AllocationCase one(
      String name, Class<?> benchmark, String fibers, List<String> ours, String... rivals) {
    return new AllocationCase(name, benchmark, Map.of("fibers", fibers), ours, List.of(rivals));
  }

  /** With ordinary virtual threads as fibers, beside one rival. */
  private static AllocationCase fallback(AllocationCase of) {
    return one(
        of.name() + ", JVM's fibers", of.benchmark(), "virtual", of.ours(), of.rivals().getFirst());
  }

  private static AllocationCase shortened(AllocationCase of, int rivals) {
    return of.with(of.ours(), of.rivals().subList(0, rivals));
  }

  private static Measurement prepare(ReportArguments arguments) {
    boolean quick = arguments.quick();
    Rounds rounds = new Rounds(arguments.roundsOr(quick ? 3 : 5), quick);
    TaskReport report = new TaskReport(quick ? QUICK : ALL, rounds);
    return report::measure;
  }

  private TaskReport measure() throws IOException, InterruptedException, RunnerException {
    rounds.measure(cases, List.of(), List.of());
    return this;
  }

  /** Returns one of times for each pair, and one of heap for each method. */
  @Override
  public List<Comparison> comparisons() {
    List<Comparison> comparisons = rounds.compareNanos(LAYER, cases);
    comparisons.addAll(rounds.compareHeap(LAYER, cases));
    return comparisons;
  }

  @Override
  public void print(PrintStream out) {
    out.println(Comparison.header());
    comparisons().stream()
        .filter(comparison -> comparison.unit().equals("ns"))
        .forEach(comparison -> out.println(comparison.toRow()));
    out.printf("%n%-40s%12s%14s%n", "", "M/s", "heap, bytes");
    for (AllocationCase one : cases) {
      for (String method : one.methods()) {
        out.printf(
            Locale.ROOT,
            "%-40s%12.2f%14.2f%n",
            one.name() + ", " + method,
            1e3 / Comparison.median(rounds.nanos(one, method)),
            Comparison.median(rounds.heapBytes(one, method)));
      }
    }
    out.println(
        """

        Medians, for one task, one hand-off, and one question with its answer. Heap: what all threads
        of the JVM allocate for it; what JMH itself allocates for an invocation is in it.
        """);
  }
}
