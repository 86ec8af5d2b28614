package io.ewok.gds.bench;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.ewok.gds.allocator.MemorySize;
import io.ewok.gds.bench.kv.Zipf;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.buffers.eviction.EvictionKind;
import io.ewok.gds.buffers.eviction.ReferenceTrace;
import io.ewok.gds.buffers.eviction.Simulation;
import io.ewok.gds.cli.trace.TraceFormat;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

/**
 * {@code gds bench trace}: the part of the requests of a trace that the policy of the buffer pool
 * would have answered, beside other policies, for caches of several sizes.
 */
final class TraceReport implements Report {
  private static final String USAGE =
      """
      Usage: gds bench trace [--quick] [--rounds N] [--json] [--sizes PERCENTS]
                             [--file PATH --format FORMAT [--page BYTES]]
      Hit ratios of the buffer pool's policy beside those of others, of Caffeine's, and of the best
      that there can be (opt, which knows the future): of requests after Zipf's law, alone and beside
      scans, or of a recorded trace. A ratio above 1 is in favour of ours. The pool has to take what is
      asked for, Caffeine need not.

        --quick           ends within a minute: fewer requests
        --rounds N        how often requests are drawn; default 5. A file has one round
        --json            one JSON object a line instead of a table
        --output FILE     the same objects into a file
        --html FILE       a page with charts of the ratios, and of hits over sizes
        --sizes PERCENTS  of the cache, of all keys of the trace; default 1,2,5,10,20,40
        --file PATH       a recorded trace, compressed if its name ends in .gz
        --format FORMAT   of the file: %s; gds trace replay --help tells what they are
        --page BYTES      what a key is in a trace of blocks; default 4K
      """
          .formatted(
              Arrays.stream(TraceFormat.values())
                  .map(format -> format.name().toLowerCase(Locale.ROOT))
                  .collect(Collectors.joining(", ")));

  private static final String SIZES = "--sizes";
  private static final String FORMAT = "--format";
  private static final String PAGE = "--page";

  static final ReportCommand COMMAND =
      new ReportCommand(
          "gds bench trace",
          USAGE,
          Set.of(ReportArguments.FILE, FORMAT, PAGE, SIZES),
          TraceReport::prepare);

  private static final String LAYER = "bufferpool";
  private static final String SIZES_DEFAULT = "1,2,5,10,20,40";
  private static final String PERCENT = "[0-9]{1,3}(\\.[0-9]{1,3})?";
  private static final int ROUNDS_DEFAULT = 5;
  private static final int KEYS = 100_000;
  private static final int KEYS_QUICK = 20_000;
  private static final int REQUESTS_PER_KEY = 8;

  /** A scan, of a tenth of as many other keys, begins after so many requests for a key. */
  private static final int SCAN_EVERY = 2;

  private static final int SCAN_PART = 10;
  private static final long SEED = 17;

  /** Who decides what leaves the cache. */
  @FunctionalInterface
  private interface Policy {
    long hits(ReferenceTrace trace, int size);
  }

  private static final EvictionKind OURS = new BufferOptions(1 << 20, 4096, null).eviction();

  private static final Map<String, Policy> POLICIES = new LinkedHashMap<>();

  static {
    POLICIES.put(name(OURS), (trace, size) -> Simulation.hits(OURS, trace, size));
    POLICIES.put("lru", Simulation::lruHits);
    for (EvictionKind kind : EvictionKind.values()) {
      if (kind != OURS) {
        POLICIES.put(name(kind), (trace, size) -> Simulation.hits(kind, trace, size));
      }
    }
    POLICIES.put("Caffeine", TraceReport::caffeineHits);
    POLICIES.put("opt", Simulation::optimalHits);
  }

  /** What is asked for, drawn anew in each round. */
  @FunctionalInterface
  private interface Source {
    ReferenceTrace draw(int round) throws IOException;
  }

  private final int rounds;
  private final List<Double> percents;
  private final Map<String, Source> sources;

  /** Hits in per cent, by trace, size and policy; one element a round. */
  private final Map<String, Map<Double, Map<String, double[]>>> hits = new LinkedHashMap<>();

  private TraceReport(int rounds, List<Double> percents, Map<String, Source> sources) {
    this.rounds = rounds;
    this.percents = percents;
    this.sources = sources;
  }

  private static String name(EvictionKind kind) {
    return kind.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static Measurement prepare(ReportArguments arguments) {
    List<Double> percents = percents(arguments.others().getOrDefault(SIZES, SIZES_DEFAULT));
    String path = arguments.others().get(ReportArguments.FILE);
    TraceReport report;
    if (path == null) {
      for (String needsFile : List.of(FORMAT, PAGE)) {
        if (arguments.others().containsKey(needsFile)) {
          throw new IllegalArgumentException(needsFile + " is of a --file");
        }
      }
      report =
          ofKeys(
              arguments.quick() ? KEYS_QUICK : KEYS, arguments.roundsOr(ROUNDS_DEFAULT), percents);
    } else {
      TraceFile file = file(Path.of(path), arguments.others());
      String name = String.valueOf(file.path().getFileName());
      report = new TraceReport(1, percents, Map.of(name, round -> file.read()));
    }
    return report::measure;
  }

  private static List<Double> percents(String text) {
    List<Double> percents = new ArrayList<>();
    for (String each : text.split(",", -1)) {
      double percent = each.matches(PERCENT) ? Double.parseDouble(each) : 0;
      if (percent <= 0 || percent > 100) {
        throw new IllegalArgumentException("--sizes needs parts of all keys, such as 1,2.5,10");
      }
      percents.add(percent);
    }
    return percents;
  }

  private static TraceFile file(Path path, Map<String, String> others) {
    String wanted = others.getOrDefault(FORMAT, "");
    TraceFormat format =
        Arrays.stream(TraceFormat.values())
            .filter(each -> each.name().equalsIgnoreCase(wanted))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("there is no --format " + wanted));
    MemorySize page = MemorySize.parse(PAGE, others.getOrDefault(PAGE, "4K"));
    long pageBytes = page.isShare() ? 0 : page.bytes(0);
    if (pageBytes <= 0 || pageBytes % TraceFormat.BLOCK_BYTES != 0) {
      throw new IllegalArgumentException("a page is a multiple of 512 bytes: --page=" + pageBytes);
    }
    if (!Files.isRegularFile(path)) {
      throw new IllegalArgumentException("there is no such file: path=" + path);
    }
    return new TraceFile(path, format, pageBytes);
  }

  /** A report of requests that are drawn. */
  static TraceReport ofKeys(int keys, int rounds, List<Double> percents) {
    Map<String, Source> sources = new LinkedHashMap<>();
    sources.put("zipf 0.99", round -> draw(keys, round, false));
    sources.put("zipf 0.99 beside scans", round -> draw(keys, round, true));
    return new TraceReport(rounds, percents, sources);
  }

  private static ReferenceTrace draw(int keys, int round, boolean scans) {
    ReferenceTrace.Builder trace = new ReferenceTrace.Builder();
    Zipf zipf = new Zipf(keys, new SplittableRandom(SEED + round));
    long scanned = keys;
    for (int i = 0; i < Math.min(Zipf.DRAWN, REQUESTS_PER_KEY * keys); i++) {
      if (scans && i > 0 && i % (SCAN_EVERY * keys) == 0) {
        for (int end = keys / SCAN_PART; end > 0; end--) {
          trace.add(scanned++);
        }
      }
      trace.add(zipf.next());
    }
    return trace.build();
  }

  /** A cache of it that holds so many keys, with what it asks others to do done at once. */
  private static long caffeineHits(ReferenceTrace trace, int size) {
    Cache<Integer, Boolean> cache =
        Caffeine.newBuilder().maximumSize(size).executor(Runnable::run).build();
    long hits = 0;
    for (int i = 0; i < trace.length(); i++) {
      Integer key = trace.id(i);
      if (cache.getIfPresent(key) != null) {
        hits++;
      } else {
        cache.put(key, true);
      }
    }
    return hits;
  }

  TraceReport measure() throws IOException {
    int runs = sources.size() * percents.size() * POLICIES.size();
    try (Progress progress = Progress.ofRounds(rounds, runs)) {
      for (int round = 0; round < rounds; round++) {
        for (Map.Entry<String, Source> source : sources.entrySet()) {
          ReferenceTrace trace = source.getValue().draw(round);
          for (double percent : percents) {
            int size = (int) Math.max(1, Math.round(percent / 100 * trace.distinct()));
            for (Map.Entry<String, Policy> policy : POLICIES.entrySet()) {
              progress.begin(round, source.getKey() + ", " + policy.getKey(), 1);
              series(source.getKey(), percent, policy.getKey())[round] =
                  100.0 * policy.getValue().hits(trace, size) / trace.length();
            }
          }
        }
      }
    }
    return this;
  }

  private static String text(double percent) {
    return percent == (long) percent ? Long.toString((long) percent) : Double.toString(percent);
  }

  private double[] series(String trace, double percent, String policy) {
    return hits.computeIfAbsent(trace, key -> new LinkedHashMap<>())
        .computeIfAbsent(percent, key -> new LinkedHashMap<>())
        .computeIfAbsent(policy, key -> new double[rounds]);
  }

  @Override
  public List<Comparison> comparisons() {
    List<Comparison> rows = new ArrayList<>();
    for (String trace : sources.keySet()) {
      for (double percent : percents) {
        double[] ours = series(trace, percent, name(OURS));
        for (String rival : POLICIES.keySet()) {
          if (!rival.equals(name(OURS))) {
            rows.add(
                Comparison.ofRates(
                    LAYER,
                    "%s, %s, %s %%".formatted(trace, name(OURS), text(percent)),
                    "%",
                    ours,
                    rival,
                    series(trace, percent, rival)));
          }
        }
      }
    }
    return rows;
  }

  /** Returns one for each trace: medians over the rounds. */
  @Override
  public List<Chart> charts() {
    List<Chart> charts = new ArrayList<>();
    for (String trace : sources.keySet()) {
      List<Chart.Series> lines = new ArrayList<>();
      for (String policy : POLICIES.keySet()) {
        List<Double> medians =
            percents.stream()
                .sorted()
                .map(percent -> Comparison.median(series(trace, percent, policy)))
                .toList();
        lines.add(new Chart.Series(policy, percents.stream().sorted().toList(), medians));
      }
      charts.add(new Chart(Chart.Kind.HITS, trace, List.of(), lines));
    }
    return charts;
  }

  @Override
  public void print(PrintStream out) {
    for (String trace : sources.keySet()) {
      out.printf("%-24s", trace);
      percents.forEach(percent -> out.printf("%10s", text(percent) + " %"));
      out.println();
      for (String policy : POLICIES.keySet()) {
        out.printf("  %-22s", policy);
        for (double percent : percents) {
          out.printf(Locale.ROOT, "%10.2f", Comparison.median(series(trace, percent, policy)));
        }
        out.println();
      }
      out.println();
    }
    Report.super.print(out);
    out.print(
        """

        Above, hits in 100 requests, for caches of so many of 100 keys. Medians over the rounds, each of
        which draws other requests.
        """);
  }
}
