package io.ewok.gds.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.openjdk.jmh.runner.RunnerException;

/**
 * {@code gds bench alloc}: time and bytes of our allocators beside those of the rivals. The times
 * come from the JMH suites, the bytes from {@link ChurnFork}.
 */
final class AllocationReport implements Report {
  private static final String USAGE =
      """
      Usage: gds bench alloc [--quick] [--rounds N] [--json]
      Time and bytes of the allocators beside those of malloc, Netty and the JDK. A ratio above 1
      is in favour of ours.

        --quick        ends within a minute: few cases, three rounds, wide spread
        --rounds N     how often everything is measured; default 5, about three minutes each
        --json         one JSON object a line instead of tables
        --output FILE  the same objects into a file
        --html FILE    a page with charts of the ratios
      """;

  static final ReportCommand COMMAND =
      new ReportCommand("gds bench alloc", USAGE, Set.of(), AllocationReport::prepare);

  private static final String LAYER = "allocator";
  private static final String OURS = "slabShard";

  /** A churn without memory: what the JVM itself grows by. */
  private static final String NOTHING = "nothing";

  private static final double MEBIBYTE = 1 << 20;

  private final List<AllocationCase> cases;
  private final List<String> profiles;

  /** Ours first. */
  private final List<String> churners;

  private final Rounds rounds;

  private AllocationReport(boolean quick, int count) {
    cases = quick ? AllocationCase.QUICK : AllocationCase.ALL;
    profiles = quick ? List.of(ChurnFork.MIXED) : List.of(ChurnFork.MIXED, ChurnFork.FRAMES);
    churners =
        quick
            ? List.of(OURS, "malloc", "nettyAdaptive")
            : List.of(
                OURS,
                "slabAllocator",
                "malloc",
                "nettyAdaptive",
                "nettyAdaptiveShared",
                "nettyPooled");
    rounds = new Rounds(count, quick);
  }

  private static Measurement prepare(ReportArguments arguments) {
    boolean quick = arguments.quick();
    AllocationReport report = new AllocationReport(quick, arguments.roundsOr(quick ? 3 : 5));
    return report::measure;
  }

  private AllocationReport measure() throws IOException, InterruptedException, RunnerException {
    List<String> all = new ArrayList<>(churners);
    all.add(NOTHING);
    rounds.measure(cases, profiles, all);
    return this;
  }

  @Override
  public List<Comparison> comparisons() {
    List<Comparison> comparisons = rounds.compareNanos(LAYER, cases);
    for (String profile : profiles) {
      for (String rival : churners.subList(1, churners.size())) {
        comparisons.add(
            Comparison.of(
                LAYER,
                profile + ", " + OURS,
                "ns",
                rounds.churn(profile, OURS, ChurnFork.Sample::nanosPerStep),
                rival,
                rounds.churn(profile, rival, ChurnFork.Sample::nanosPerStep)));
      }
      for (String rival : churners.subList(1, churners.size())) {
        comparisons.add(
            Comparison.of(
                LAYER,
                profile + ", memory, " + OURS,
                "MiB",
                mebibytes(profile, OURS),
                rival,
                mebibytes(profile, rival)));
      }
    }
    return comparisons;
  }

  /** Returns all memory that a contender costs, less what a JVM grows by that allocates nothing. */
  private double[] mebibytes(String profile, String contender) {
    double idle = Comparison.median(rounds.churn(profile, NOTHING, ChurnFork.Sample::memoryBytes));
    return rounds.churn(
        profile, contender, sample -> Math.max(0, sample.memoryBytes() - idle) / MEBIBYTE);
  }

  private double[] requestedMebibytes(String profile, String contender) {
    return rounds.churn(profile, contender, sample -> sample.requestedBytes() / MEBIBYTE);
  }

  @Override
  public void print(PrintStream out) {
    out.println(Comparison.header());
    comparisons().forEach(comparison -> out.println(comparison.toRow()));
    for (String profile : profiles) {
      out.printf(
          "%n%-24s%10s%10s%10s%10s%10s%10s%10s%n",
          profile + ", MiB",
          "requested",
          "in cells",
          "committed",
          "resident",
          "process",
          "heap",
          "cost");
      for (String contender : churners) {
        printMemory(out, profile, contender);
      }
      printMemory(out, profile, NOTHING);
    }
    out.println(
        """

        Medians. Requested: asked for by the live blocks. In cells: with what is lost to rounding.
        Committed: held by the allocator, by its own account. Resident: of that, what the kernel has
        in memory. Process: growth of the process, the Java heap aside. Heap: growth of live objects.
        Cost: process and heap, less those of nothing, divided by requested.
        """);
  }

  private void printMemory(PrintStream out, String profile, String contender) {
    out.printf(
        "%-24s%10s%10s%10s%10s%10s%10s%10.2f%n",
        contender,
        median(profile, contender, ChurnFork.Sample::requestedBytes),
        median(profile, contender, ChurnFork.Sample::usedBytes),
        median(profile, contender, ChurnFork.Sample::committedBytes),
        median(profile, contender, ChurnFork.Sample::residentBytes),
        median(profile, contender, ChurnFork.Sample::grownBytes),
        median(profile, contender, ChurnFork.Sample::heapBytes),
        Comparison.median(mebibytes(profile, contender))
            / Comparison.median(requestedMebibytes(profile, contender)));
  }

  private String median(
      String profile, String contender, ToDoubleFunction<ChurnFork.Sample> number) {
    double bytes = Comparison.median(rounds.churn(profile, contender, number));
    return bytes < 0 ? "-" : String.format(Locale.ROOT, "%.1f", bytes / MEBIBYTE);
  }
}
