package io.ewok.gds.bench;

import io.ewok.gds.bench.feeds.FeedContest;
import io.ewok.gds.bench.feeds.FeedContest.Sample;
import io.ewok.gds.ffm.LinuxThreads;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.ToDoubleFunction;

/**
 * {@code gds bench feeds}: TCP feeds of order-book updates, read by fibers on one reactor and by a
 * selector loop of the JDK, in turn.
 */
final class FeedReport implements Report {
  private static final String USAGE =
      """
      Usage: gds bench feeds [--quick] [--rounds N] [--json]
      Messages of four local TCP feeds, parsed by fibers on the thread of one reactor and by a plain
      selector loop, in turn, each pinned to the last CPU. A ratio above 1 is in favour of ours.

        --quick        ends within a minute: three short rounds, wide spread
        --rounds N     how often everything is measured; default 9, about a quarter of a minute each
        --json         one JSON object a line instead of a table
        --output FILE  the same objects into a file
        --html FILE    a page with charts of the ratios
      """;

  static final ReportCommand COMMAND =
      new ReportCommand("gds bench feeds", USAGE, Set.of(), FeedReport::prepare);

  private static final int FEEDS = 4;
  private static final int MESSAGES = 500_000;
  private static final long SEED = 1;
  private static final String LAYER = "reactor";
  private static final String RIVAL = "NIO selector";

  /** What a source sends at once, at most; what arrives at once is more where readers are slow. */
  private static final Map<String, Integer> BURSTS = new LinkedHashMap<>();

  static {
    BURSTS.put("64 KiB", 64 << 10);
    BURSTS.put("4 KiB", 4 << 10);
    BURSTS.put("256 bytes", 256);
  }

  private final int rounds;
  private final int readings;
  private final int messages;

  /** By burst; one element a round. */
  private final Map<String, List<Sample>> ours = new LinkedHashMap<>();

  private final Map<String, List<Sample>> theirs = new LinkedHashMap<>();

  /**
   * Prepares.
   *
   * @param readings of all feeds by each in a round, in turn
   * @param messages of a feed
   */
  FeedReport(int rounds, int readings, int messages) {
    this.rounds = rounds;
    this.readings = readings;
    this.messages = messages;
  }

  private static Measurement prepare(ReportArguments arguments) {
    boolean quick = arguments.quick();
    FeedReport report = new FeedReport(arguments.roundsOr(quick ? 3 : 9), quick ? 2 : 10, MESSAGES);
    return report::measure;
  }

  /** The last one that we may use, if there are others for the sources. */
  private static Set<Integer> cpus() throws IOException {
    BitSet all = LinuxThreads.affinity();
    return all.cardinality() > 1 ? Set.of(all.length() - 1) : Set.of();
  }

  FeedReport measure() throws IOException, ExecutionException {
    Map<String, FeedContest> contests = new LinkedHashMap<>();
    try {
      try (Progress progress = Progress.of("warming up", BURSTS.size())) {
        for (Map.Entry<String, Integer> burst : BURSTS.entrySet()) {
          progress.begin("warming up: bursts to " + burst.getKey(), 1);
          FeedContest contest = FeedContest.open(FEEDS, messages, burst.getValue(), SEED, cpus());
          contests.put(burst.getKey(), contest);
          contest.byFibers();
          contest.bySelector();
        }
      }
      try (Progress progress = Progress.ofRounds(rounds, 2 * contests.size())) {
        for (int round = 0; round < rounds; round++) {
          for (Map.Entry<String, FeedContest> contest : contests.entrySet()) {
            progress.begin(round, "bursts to " + contest.getKey(), 2);
            measure(contest.getKey(), contest.getValue(), round % 2 == 0);
          }
        }
      }
    } finally {
      for (FeedContest contest : contests.values()) {
        contest.close();
      }
    }
    return this;
  }

  /** They take turns, also in who comes first. */
  private void measure(String burst, FeedContest contest, boolean oursFirst)
      throws IOException, ExecutionException {
    Sample fibers = Sample.NONE;
    Sample selector = Sample.NONE;
    for (int reading = 0; reading < readings; reading++) {
      if (oursFirst) {
        fibers = fibers.plus(contest.byFibers());
      }
      selector = selector.plus(contest.bySelector());
      if (!oursFirst) {
        fibers = fibers.plus(contest.byFibers());
      }
    }
    ours.computeIfAbsent(burst, key -> new ArrayList<>()).add(fibers);
    theirs.computeIfAbsent(burst, key -> new ArrayList<>()).add(selector);
  }

  /** Returns two for each length of bursts. */
  @Override
  public List<Comparison> comparisons() {
    List<Comparison> comparisons = new ArrayList<>();
    for (String burst : BURSTS.keySet()) {
      String name = FEEDS + " feeds, bursts to " + burst;
      comparisons.add(
          Comparison.ofRates(
              LAYER,
              name,
              "M/s",
              numbers(ours.get(burst), FeedReport::rate),
              RIVAL,
              numbers(theirs.get(burst), FeedReport::rate)));
      comparisons.add(
          Comparison.of(
              LAYER,
              name + ", CPU",
              "ns",
              numbers(ours.get(burst), FeedReport::cpu),
              RIVAL,
              numbers(theirs.get(burst), FeedReport::cpu)));
    }
    return comparisons;
  }

  @Override
  public void print(PrintStream out) {
    Report.super.print(out);
    out.print(
        """

        Medians over the rounds. M/s: million messages in a second, all feeds together. CPU: processor
        time of the reader's thread for a message, in nanoseconds.
        """);
  }

  private static double rate(Sample sample) {
    return 1e3 * sample.messages() / sample.nanos();
  }

  private static double cpu(Sample sample) {
    return (double) sample.cpuNanos() / sample.messages();
  }

  private static double[] numbers(List<Sample> samples, ToDoubleFunction<Sample> number) {
    return samples.stream().mapToDouble(number).toArray();
  }
}
