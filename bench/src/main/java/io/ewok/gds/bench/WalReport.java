package io.ewok.gds.bench;

import io.ewok.gds.bench.curves.Curves;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.openjdk.jmh.runner.RunnerException;

/**
 * {@code gds bench wal}: appends beside copying and a checksum, synced commits beside what the
 * device can do and beside RocksDB, and recovery beside reading.
 */
final class WalReport implements Report {
  private static final String USAGE =
      """
      Usage: gds bench wal [--quick] [--rounds N] [--json] [--directory PATH]
      The write-ahead log: records appended beside records only copied and checksummed; records made
      durable by 1, 8 and 64 writers beside a thread that overwrites blocks of a file, and beside
      RocksDB; recovery beside reading the files once; and ways to read the log, each beside another
      one. A ratio above 1 is in favour of ours.

        --quick           ends within a minute: few cases, three rounds, wide spread
        --rounds N        how often everything is measured; default 5, about two minutes each
        --json            one JSON object a line instead of a table
        --output FILE     the same objects into a file
        --html FILE       a page with charts of the ratios, of commits over time and of latencies
        --directory PATH  on the disk in question; default: the one for temporary files
      """;

  static final ReportCommand COMMAND =
      new ReportCommand(
          "gds bench wal", USAGE, Set.of(ReportArguments.DIRECTORY), WalReport::prepare);

  private static final String LAYER = "bufferpool";
  private static final long NANOS_PER_MILLI = 1_000_000;
  private static final double MEGA = 1e6;
  private static final int[] WRITERS = {1, 8, 64};

  static final List<AllocationCase> APPENDS =
      List.of(
          append("append, 100 B", LogAppendBenchmark.class, "100"),
          append("append, 200 B", LogAppendBenchmark.class, "200"),
          append("append, 100 B, 2 threads", LogAppendTwoThreadsBenchmark.class, "100"),
          append("append, 200 B, 2 threads", LogAppendTwoThreadsBenchmark.class, "200"));

  static final List<AllocationCase> APPENDS_QUICK =
      List.of(append("append, 128 B", LogAppendBenchmark.class, "128"));

  private final List<AllocationCase> appends;
  private final Rounds appendRounds;
  private final int count;
  private final boolean quick;
  private final Path directory;
  private final LogReadRows readers;

  /** By who and how many; one element a round. */
  private final Map<String, List<CommitLoad.Sample>> commits = new LinkedHashMap<>();

  private final double[] replayed;
  private final double[] read;

  private WalReport(int count, boolean quick, Path directory) {
    this.appends = quick ? APPENDS_QUICK : APPENDS;
    this.appendRounds = new Rounds(count, quick);
    this.count = count;
    this.quick = quick;
    this.directory = directory;
    this.readers = new LogReadRows(count, quick, directory);
    this.replayed = new double[count];
    this.read = new double[count];
  }

  private static AllocationCase append(String name, Class<?> benchmark, String bytes) {
    return new AllocationCase(
        name, benchmark, Map.of("bytes", bytes), List.of("append"), List.of("copyAndChecksum"));
  }

  private static Measurement prepare(ReportArguments arguments) {
    boolean quick = arguments.quick();
    WalReport report =
        new WalReport(arguments.roundsOr(quick ? 3 : 5), quick, arguments.directory());
    return report::measure;
  }

  private WalReport measure() throws IOException, InterruptedException, RunnerException {
    measureCommits();
    readers.measure();
    appendRounds.measure(cases(), List.of(), List.of());
    return this;
  }

  /** All in turn in each round, each round beginning with another. */
  private void measureCommits() throws IOException, InterruptedException {
    long watchedNanos = (quick ? 200 : 1500) * NANOS_PER_MILLI;
    List<LogContender> contenders = new ArrayList<>(List.of(LogContender.values()));
    try (Progress progress = Progress.of("warming up", contenders.size() + 1)) {
      for (LogContender contender : contenders) {
        progress.begin("warming up: " + contender.label, 1);
        contender.measure(directory, WRITERS[WRITERS.length - 1], watchedNanos);
      }
      progress.begin("warming up: recovery", 1);
      LogRecoveryRun.measure(directory, 2);
    }
    try (Progress progress = Progress.ofRounds(count, WRITERS.length * contenders.size() + 1)) {
      for (int round = 0; round < count; round++) {
        for (int writers : WRITERS) {
          progress.begin(round, "commits, " + writers(writers), contenders.size());
          for (LogContender contender : contenders) {
            commits
                .computeIfAbsent(key(contender, writers), key -> new ArrayList<>())
                .add(contender.measure(directory, writers, watchedNanos));
          }
        }
        progress.begin(round, "recovery", 1);
        LogRecoveryRun run = LogRecoveryRun.measure(directory, quick ? 2 : 8);
        replayed[round] = run.replayed() / MEGA;
        read[round] = run.read() / MEGA;
        Collections.rotate(contenders, 1);
      }
    }
  }

  @Override
  public List<Comparison> comparisons() {
    List<Comparison> comparisons = new ArrayList<>(rates());
    comparisons.addAll(appendRounds.compareHeap(LAYER, cases()));
    return comparisons;
  }

  private List<Comparison> rates() {
    List<Comparison> comparisons = new ArrayList<>(appendRounds.compareNanos(LAYER, cases()));
    comparisons.addAll(commitsAndRecovery());
    comparisons.addAll(readers.comparisons());
    return comparisons;
  }

  /** What JMH measures. */
  private List<AllocationCase> cases() {
    List<AllocationCase> cases = new ArrayList<>(appends);
    if (!quick) {
      cases.addAll(LogReadRows.COPIES);
    }
    return cases;
  }

  private List<Comparison> commitsAndRecovery() {
    List<Comparison> comparisons = new ArrayList<>();
    for (int writers : WRITERS) {
      comparisons.add(commits(writers, LogContender.DEVICE.label, LogContender.DEVICE, writers));
      comparisons.add(commits(writers, LogContender.ROCKSDB.label, LogContender.ROCKSDB, writers));
      if (writers > 1) {
        comparisons.add(commits(writers, "log, 1 writer", LogContender.OURS, 1));
      }
    }
    comparisons.add(
        Comparison.ofRates(LAYER, "recovery", "MB/s", replayed, "files read once", read));
    return comparisons;
  }

  private Comparison commits(int writers, String rival, LogContender theirs, int theirWriters) {
    return Comparison.ofRates(
        LAYER,
        "synced commits, " + writers(writers),
        "/s",
        perSecond(LogContender.OURS, writers),
        rival,
        perSecond(theirs, theirWriters));
  }

  private double[] perSecond(LogContender contender, int writers) {
    return commits.get(key(contender, writers)).stream()
        .mapToDouble(CommitLoad.Sample::perSecond)
        .toArray();
  }

  @Override
  public List<Chart> charts() {
    List<Chart> charts = new ArrayList<>();
    for (int writers : WRITERS) {
      Map<String, Curves> curves = new LinkedHashMap<>();
      for (LogContender contender : LogContender.values()) {
        curves.put(
            contender.label,
            Curves.median(
                commits.get(key(contender, writers)),
                CommitLoad.Sample::perSecond,
                CommitLoad.Sample::curves));
      }
      charts.addAll(Chart.of("synced commits, " + writers(writers), curves));
    }
    return charts;
  }

  private static String writers(int count) {
    return count == 1 ? "1 writer" : count + " writers";
  }

  private static String key(LogContender contender, int writers) {
    return contender.label + '/' + writers;
  }

  @Override
  public void print(PrintStream out) {
    out.println(Comparison.header());
    rates().forEach(comparison -> out.println(comparison.toRow()));
    out.printf("%n%-40s%12s%14s%n", "", "GB/s", "heap, bytes");
    for (AllocationCase one : appends) {
      double nanos = Comparison.median(appendRounds.nanos(one, "append"));
      out.printf(
          Locale.ROOT,
          "%-40s%12.2f%14.2f%n",
          one.name() + ", by a thread",
          Integer.parseInt(one.parameters().get("bytes")) / nanos,
          Comparison.median(appendRounds.heapBytes(one, "append")));
    }
    out.println(
        """

        Medians over the rounds. Append: the time of one thread for one record, not waiting for a
        device. Commits: of all writers together, each waiting for its own record of 128 bytes; ours
        are fibers if there are several, RocksDB's threads; the overwrite loop is one thread that
        writes 4 KiB at a time and waits. Recovery: bytes of the log's files. Readers: the time for
        what one of them fetches at a time, with pauses in between.
        """);
  }
}
