package io.ewok.gds.bench;

import io.ewok.gds.bench.curves.Curves;
import io.ewok.gds.bench.kv.KvCase;
import io.ewok.gds.bench.kv.KvContender;
import io.ewok.gds.bench.kv.KvGroup;
import io.ewok.gds.bench.kv.KvSample;
import io.ewok.gds.bench.kv.KvTurn;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** {@code gds bench kv}: the store beside RocksDB and LMDB. */
final class KvReport implements Report {
  private static final String USAGE =
      """
      Usage: gds bench kv [--quick] [--rounds N] [--json] [--entries N] [--cases NAMES]
                          [--directory PATH]
      The store beside RocksDB and LMDB, in turn, each turn in a JVM of its own, with the same memory,
      durability and compression. A ratio above 1 is in favour of ours; of two stores, "net" is the
      time of an operation less what the workload takes with an empty store.

        --quick           ends within a minute: few cases, records and rivals, three rounds
        --rounds N        how often everything is measured; default 5, about ten minutes each
        --json            one JSON object a line instead of tables
        --output FILE     the same objects into a file
        --html FILE       a page with charts of the ratios, of operations over time, latencies and writes
        --entries N       records of 116 bytes; default 2000000, with --quick 100000
        --cases NAMES     only these, of: %s
        --directory PATH  on the disk in question; default: the one for temporary files
      """
          .formatted(
              Arrays.stream(KvCase.values())
                  .map(KvReport::name)
                  .collect(Collectors.joining(", "))
                  .replaceAll("(.{60,75}), ", "$1,\n                    "));

  private static final String ENTRIES = "--entries";
  private static final String CASES = "--cases";

  static final ReportCommand COMMAND =
      new ReportCommand(
          "gds bench kv",
          USAGE,
          Set.of(ENTRIES, CASES, ReportArguments.DIRECTORY),
          KvReport::prepare);

  private static final String LAYER = "lsm";
  private static final String DEVICE = "overwrite loop";
  private static final String BEFORE = "before the deletes";
  private static final String SEEKS = "seeks in turn";
  private static final int ENTRIES_DEFAULT = 2_000_000;
  private static final int ENTRIES_QUICK = 100_000;
  private static final int ENTRIES_MIN = 10_000;
  private static final int ENTRIES_MAX = 100_000_000;
  private static final long NANOS_PER_MILLI = 1_000_000;
  private static final double NANOS_PER_SECOND = 1e9;

  /** All of one group, so that few stores are made. */
  private static final List<KvCase> QUICK =
      List.of(
          KvCase.FILL_RANDOM,
          KvCase.READ_RANDOM,
          KvCase.READ_MISSING,
          KvCase.SCAN,
          KvCase.SEEK,
          KvCase.OVERWRITE);

  /** Those that they are beside then. */
  private static final Set<KvContender> QUICK_CONTENDERS =
      EnumSet.of(KvContender.GDS, KvContender.ROCKSDB, KvContender.LMDB);

  private static final double NONE = Double.NaN;
  private static final ToDoubleFunction<KvSample> WRITES = KvSample::writeAmplification;

  /** What is told about a case beside its rate; the less the better. */
  private record Measure(String label, String unit, ToDoubleFunction<KvSample> number) {}

  private static final List<Measure> MEASURES =
      List.of(
          new Measure("p50", "us", KvSample::medianMicros),
          new Measure("p99", "us", KvSample::p99Micros),
          new Measure("p99.99", "us", KvSample::p9999Micros),
          new Measure("CPU", "ns", KvSample::cpuNanos),
          new Measure("heap", "B", KvSample::heapBytes),
          new Measure("write amplification", "", WRITES),
          new Measure("space amplification", "", KvSample::spaceAmplification));

  private final List<KvCase> cases;
  private final Set<KvContender> among;
  private final int count;
  private final int entries;
  private final long watchedNanos;
  private final Path directory;

  /** By case and contender; one element a round. */
  private final Map<KvCase, Map<KvContender, List<KvSample>>> samples = new EnumMap<>(KvCase.class);

  /** Synced overwrites a second; one element a round. */
  private final double[] device;

  /** For all contenders. */
  KvReport(List<KvCase> cases, int count, int entries, long watchedNanos, Path directory) {
    this(cases, EnumSet.allOf(KvContender.class), count, entries, watchedNanos, directory);
  }

  private KvReport(
      List<KvCase> cases,
      Set<KvContender> among,
      int count,
      int entries,
      long watchedNanos,
      Path directory) {
    this.cases = cases;
    this.among = among;
    this.count = count;
    this.entries = entries;
    this.watchedNanos = watchedNanos;
    this.directory = directory;
    this.device = new double[count];
  }

  private static String name(KvCase one) {
    return one.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static Measurement prepare(ReportArguments arguments) {
    boolean quick = arguments.quick();
    int usual = quick ? ENTRIES_QUICK : ENTRIES_DEFAULT;
    String cases = arguments.others().get(CASES);
    boolean areNamed = cases != null;
    KvReport report =
        new KvReport(
            areNamed ? cases(cases) : quick ? QUICK : List.of(KvCase.values()),
            quick && !areNamed ? QUICK_CONTENDERS : EnumSet.allOf(KvContender.class),
            arguments.roundsOr(quick ? 3 : 5),
            arguments.number(ENTRIES, usual, ENTRIES_MIN, ENTRIES_MAX),
            (quick ? 250 : 1500) * NANOS_PER_MILLI,
            arguments.directory());
    return report::measure;
  }

  private static List<KvCase> cases(String names) {
    List<String> wanted = List.of(names.split(",", -1));
    List<KvCase> found =
        Arrays.stream(KvCase.values()).filter(one -> wanted.contains(name(one))).toList();
    if (found.size() != wanted.size()) {
      throw new IllegalArgumentException("--cases names one that there is not: " + names);
    }
    return found;
  }

  /** All contenders in turn for each group in each round, each round beginning with another. */
  KvReport measure() throws IOException, InterruptedException {
    int turns = 0;
    for (KvGroup group : KvGroup.values()) {
      turns += casesOf(group).isEmpty() ? 0 : contenders(group).size();
    }
    try (Progress progress = Progress.ofRounds(count, turns)) {
      for (int round = 0; round < count; round++) {
        for (KvGroup group : KvGroup.values()) {
          if (!casesOf(group).isEmpty()) {
            List<KvContender> contenders = new ArrayList<>(contenders(group));
            Collections.rotate(contenders, round);
            for (KvContender contender : contenders) {
              progress.begin(
                  round, group.name().toLowerCase(Locale.ROOT) + ", " + contender.label(), 1);
              measure(group, contender, round);
            }
          }
        }
      }
    }
    return this;
  }

  private void measure(KvGroup group, KvContender contender, int round)
      throws IOException, InterruptedException {
    boolean besideDevice = group == KvGroup.SYNCED && contender == KvContender.GDS;
    double before = besideDevice ? deviceSyncs() : 0;
    for (KvSample sample :
        KvTurn.run(contender, casesOf(group), entries, watchedNanos, directory)) {
      samples
          .computeIfAbsent(sample.one(), key -> new EnumMap<>(KvContender.class))
          .computeIfAbsent(contender, key -> new ArrayList<>())
          .add(sample);
    }
    if (besideDevice) {
      device[round] = (before + deviceSyncs()) / 2; // its speed changes within seconds
    }
  }

  private double deviceSyncs() throws IOException, InterruptedException {
    return LogContender.DEVICE.measure(directory, 1, watchedNanos).perSecond();
  }

  private List<KvContender> contenders(KvGroup group) {
    return group.contenders().stream().filter(among::contains).toList();
  }

  private List<KvCase> casesOf(KvGroup group) {
    return cases.stream().filter(one -> one.group() == group).toList();
  }

  @Override
  public List<Comparison> comparisons() {
    List<Comparison> comparisons = new ArrayList<>();
    for (KvCase one : cases) {
      comparisons.addAll(rates(one));
      for (KvContender rival : rivals(one)) {
        for (Measure measure : MEASURES) {
          double[] ours = series(one, KvContender.GDS, measure.number());
          double[] theirs = series(one, rival, measure.number());
          if (Double.isFinite(ours[0])) {
            comparisons.add(
                Comparison.of(
                    LAYER,
                    one.label() + ", " + measure.label(),
                    measure.unit(),
                    ours,
                    rival.label(),
                    theirs));
          }
        }
      }
    }
    return comparisons;
  }

  private List<Comparison> rates(KvCase one) {
    List<Comparison> rates = new ArrayList<>();
    double[] ours = series(one, KvContender.GDS, KvSample::perSecond);
    for (KvContender rival : rivals(one)) {
      double[] theirs = series(one, rival, KvSample::perSecond);
      rates.add(Comparison.ofRates(LAYER, one.label(), "/s", ours, rival.label(), theirs));
      if (contenders(one.group()).contains(KvContender.EMPTY)) {
        double[] floor = series(one, KvContender.EMPTY, KvSample::perSecond);
        rates.add(
            Comparison.of(
                LAYER,
                one.label() + ", net",
                "ns",
                net(ours, floor),
                rival.label(),
                net(theirs, floor)));
      }
    }
    if (one == KvCase.SYNC_1) {
      rates.add(Comparison.ofRates(LAYER, one.label(), "/s", ours, DEVICE, device));
    }
    KvCase yardstick = one.yardstickOrNull();
    if (yardstick != null && cases.contains(yardstick)) {
      double[] other = series(yardstick, KvContender.GDS, KvSample::perSecond);
      String name = one.group() == KvGroup.BREADTH ? BEFORE : SEEKS;
      rates.add(Comparison.ofRates(LAYER, one.label(), "/s", ours, name, other));
    }
    return rates;
  }

  /** Returns the nanoseconds of an operation less those of the workload alone. */
  private static double[] net(double[] perSecond, double[] floorPerSecond) {
    double[] nanos = new double[perSecond.length];
    for (int i = 0; i < nanos.length; i++) {
      nanos[i] = NANOS_PER_SECOND / perSecond[i] - NANOS_PER_SECOND / floorPerSecond[i];
    }
    return nanos;
  }

  /** Returns for each case when operations ended and how long they took, and what was written. */
  @Override
  public List<Chart> charts() {
    List<Chart> charts = new ArrayList<>();
    charts.add(writes());
    for (KvCase one : cases) {
      Map<String, Curves> curves = new LinkedHashMap<>();
      for (KvContender contender : drawn(one)) {
        curves.put(
            contender.label(),
            Curves.median(samples.get(one).get(contender), KvSample::perSecond, KvSample::curves));
      }
      charts.addAll(Chart.of(one.label(), curves));
    }
    return charts;
  }

  private Chart writes() {
    List<KvCase> writing =
        cases.stream()
            .filter(one -> Double.isFinite(median(one, KvContender.GDS, WRITES)))
            .toList();
    List<Chart.Series> series = new ArrayList<>();
    for (KvContender contender : KvContender.values()) {
      List<Double> bars =
          writing.stream()
              .map(one -> drawn(one).contains(contender) ? median(one, contender, WRITES) : NONE)
              .toList();
      if (bars.stream().anyMatch(Double::isFinite)) {
        series.add(new Chart.Series(contender.label(), List.of(), bars));
      }
    }
    List<String> labels = writing.stream().map(KvCase::label).toList();
    return new Chart(Chart.Kind.WRITES, "write amplification", labels, series);
  }

  private double median(KvCase one, KvContender contender, ToDoubleFunction<KvSample> number) {
    return Comparison.median(series(one, contender, number));
  }

  /** What the empty store does is no store's speed. */
  private List<KvContender> drawn(KvCase one) {
    return contenders(one.group()).stream().filter(each -> each != KvContender.EMPTY).toList();
  }

  private List<KvContender> rivals(KvCase one) {
    return contenders(one.group()).stream()
        .filter(each -> each != KvContender.GDS && each != KvContender.EMPTY)
        .toList();
  }

  private double[] series(KvCase one, KvContender contender, ToDoubleFunction<KvSample> number) {
    return samples.get(one).get(contender).stream().mapToDouble(number).toArray();
  }

  @Override
  public void print(PrintStream out) {
    out.println(Comparison.header());
    for (KvCase one : cases) {
      rates(one).forEach(comparison -> out.println(comparison.toRow()));
    }
    out.printf(
        "%n%-30s %-12s %10s %10s %10s %10s %10s %10s %10s %10s%n",
        "", "", "/s", "p50 us", "p99 us", "p99.99 us", "CPU ns", "heap B", "write", "space");
    for (KvCase one : cases) {
      for (KvContender contender : contenders(one.group())) {
        StringBuilder row = new StringBuilder();
        row.append("%-30s %-12s".formatted(one.label(), contender.label()));
        row.append(" %10s".formatted(cell(one, contender, KvSample::perSecond)));
        for (Measure measure : MEASURES) {
          row.append(" %10s".formatted(cell(one, contender, measure.number())));
        }
        out.println(row);
      }
    }
    out.println(
        """

        Medians over the rounds. Write: bytes handed to the device or the page cache for a byte of
        records, until the background is idle, but of overwrites while they go on; space: bytes of files
        for a byte of records, at the same time. CPU: of the whole process, for an operation. Heap: of
        the threads that call the store. Values read are checked.
        """);
  }

  private String cell(KvCase one, KvContender contender, ToDoubleFunction<KvSample> number) {
    double median = median(one, contender, number);
    return Double.isFinite(median)
        ? String.format(Locale.ROOT, median < 1000 ? "%.2f" : "%.0f", median)
        : "-";
  }
}
