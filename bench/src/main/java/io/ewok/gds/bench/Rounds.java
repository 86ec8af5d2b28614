package io.ewok.gds.bench;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.regex.Pattern;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Measures everything once a round, each measurement in a JVM of its own. What disturbs the machine
 * for a while so disturbs ours and the rivals alike, and a ratio is taken within a round.
 */
final class Rounds {
  private static final int LIVE = 1 << 15;

  /** What JMH calls the bytes of an operation. */
  private static final String HEAP = "gc.alloc.rate.norm";

  private static final long NANOS_PER_SECOND = 1_000_000_000;

  private final int count;
  private final boolean quick;

  /** For so long cases are begun; the greatest number if there is no limit. */
  private final long limitNanos;

  /** Nanoseconds by case and method; one element a round. */
  private final Map<String, List<Double>> nanos = new HashMap<>();

  /** Bytes of the Java heap, as above. */
  private final Map<String, List<Double>> heapBytes = new HashMap<>();

  /** What a churn measured, by profile and contender; one element a round. */
  private final Map<String, List<ChurnFork.Sample>> samples = new HashMap<>();

  Rounds(int count, boolean quick) {
    this(count, quick, Long.MAX_VALUE);
  }

  private Rounds(int count, boolean quick, long limitNanos) {
    this.count = count;
    this.quick = quick;
    this.limitNanos = limitNanos;
  }

  /** Short ones, of which none begins a case after so many seconds: there may be fewer then. */
  static Rounds quick(int countMax, long seconds) {
    return new Rounds(countMax, true, seconds * NANOS_PER_SECOND);
  }

  /** Measures, and says on the error stream how far it is. */
  void measure(List<AllocationCase> cases, List<String> profiles, List<String> churners)
      throws IOException, InterruptedException, RunnerException {
    int runs = profiles.size() * churners.size();
    for (AllocationCase one : cases) {
      runs += one.methods().size();
    }
    long start = System.nanoTime();
    try (Progress progress = Progress.ofRounds(count, runs)) {
      for (int round = 0; round < count; round++) {
        for (AllocationCase one : cases) {
          if (System.nanoTime() - start >= limitNanos) {
            return;
          }
          for (String method : one.methods()) {
            progress.begin(round, one.name() + ", " + method, 1);
            RunResult result = run(one, method);
            put(nanos, one, method, result.getPrimaryResult());
            put(heapBytes, one, method, result.getSecondaryResults().get(HEAP));
          }
        }
        for (String profile : profiles) {
          for (String contender : churners) {
            progress.begin(round, profile + ", " + contender, 1);
            samples
                .computeIfAbsent(key(profile, contender), key -> new ArrayList<>())
                .add(churn(contender, profile));
          }
        }
      }
    }
  }

  /** Whether there is a round of a case. */
  boolean isMeasured(AllocationCase one) {
    return nanos.containsKey(key(one.name(), one.methods().getFirst()));
  }

  /** Returns the nanoseconds of a method, one element a round. */
  double[] nanos(AllocationCase one, String method) {
    return array(nanos.get(key(one.name(), method)));
  }

  /** Returns the bytes of the Java heap that a method allocates, one element a round. */
  double[] heapBytes(AllocationCase one, String method) {
    return array(heapBytes.get(key(one.name(), method)));
  }

  /** Returns the nanoseconds of ours beside those of each rival. */
  List<Comparison> compareNanos(String layer, List<AllocationCase> cases) {
    return compare(layer, cases, ", ", "ns", nanos);
  }

  /** Returns the bytes of the Java heap that ours allocates beside those of each rival. */
  List<Comparison> compareHeap(String layer, List<AllocationCase> cases) {
    return compare(layer, cases, ", heap, ", "B", heapBytes);
  }

  private static double[] array(List<Double> series) {
    return series.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private List<Comparison> compare(
      String layer,
      List<AllocationCase> cases,
      String between,
      String unit,
      Map<String, List<Double>> series) {
    List<Comparison> comparisons = new ArrayList<>();
    for (AllocationCase one : cases.stream().filter(this::isMeasured).toList()) {
      for (String ours : one.ours()) {
        for (String rival : one.rivals()) {
          comparisons.add(
              Comparison.of(
                  layer,
                  one.name() + between + ours,
                  unit,
                  array(series.get(key(one.name(), ours))),
                  rival,
                  array(series.get(key(one.name(), rival)))));
        }
      }
    }
    return comparisons;
  }

  /** Returns a number of a contender's churn, one element a round. */
  double[] churn(String profile, String contender, ToDoubleFunction<ChurnFork.Sample> number) {
    return samples.get(key(profile, contender)).stream().mapToDouble(number).toArray();
  }

  private static String key(String what, String who) {
    return what + '/' + who;
  }

  private static void put(
      Map<String, List<Double>> series, AllocationCase one, String method, Result<?> result) {
    series
        .computeIfAbsent(key(one.name(), method), key -> new ArrayList<>())
        .add(result.getScore());
  }

  private RunResult run(AllocationCase one, String method) throws RunnerException {
    String name = AllocationCase.methodName(method);
    TimeValue time = TimeValue.milliseconds(quick ? 100 : 300);
    int iterations = quick ? 2 : 3;
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include("^" + Pattern.quote(one.benchmark().getName() + "." + name) + "$")
            .forks(1)
            .mode(Mode.AverageTime)
            .timeUnit(TimeUnit.NANOSECONDS)
            .warmupIterations(iterations)
            .warmupTime(time)
            .measurementIterations(iterations)
            .measurementTime(time)
            .addProfiler(GCProfiler.class)
            .verbosity(VerboseMode.SILENT)
            .shouldFailOnError(true);
    one.parameters(method).forEach(options::param);
    return new Runner(options.build()).runSingle();
  }

  private ChurnFork.Sample churn(String contender, String profile)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(AllocationSuite.JVM_ARGS);
    // The heap is resident from the start, so that growth of the process is not the heap's.
    command.add("-XX:+AlwaysPreTouch");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(ChurnFork.class.getName());
    command.add(contender);
    command.add(profile);
    command.add(Integer.toString(LIVE));
    command.add(Integer.toString(quick ? 500_000 : 4_000_000));
    Process process = new ProcessBuilder(command).redirectError(Redirect.INHERIT).start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
    if (process.waitFor() != 0) {
      throw new IllegalStateException("the churn failed: contender=" + contender);
    }
    return ChurnFork.Sample.parse(output.substring(output.lastIndexOf('\n') + 1));
  }
}
