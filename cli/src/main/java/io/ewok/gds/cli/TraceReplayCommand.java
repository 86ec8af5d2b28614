package io.ewok.gds.cli;

import io.ewok.gds.buffers.eviction.ReferenceTrace;
import io.ewok.gds.cli.trace.HitPlot;
import io.ewok.gds.cli.trace.TraceFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds trace replay}: how often each policy would have had what a trace asks for. */
@Command(
    name = "replay",
    description = {
      "Replay a recorded trace through caches of several sizes and policies, and print how many requests they would"
          + " have answered.",
      "clock, s3-fifo and car are what the buffer pool can have; fifo, lru and opt are exact, for comparison. No"
          + " policy can do better than opt, which knows the future. pool is a real buffer pool with its default policy"
          + " that reads from a file of zeros."
    },
    footer = {
      "%nFormats:",
      "  arc     lines of: first block, number of blocks, anything",
      "  csv     a header and columns; lbn is the first block, size the bytes",
      "  keys    a number a line; other lines are skipped",
      "  u32le, u32be, u64be   binary numbers of 4 or 8 bytes",
      "A block has 512 bytes. A request for several blocks counts as one for each, or with --page for each page.",
      "%nExamples:",
      "  gds trace replay p3.gz --format arc --sizes 1%%,5%%,10%%",
      "  gds trace replay io.csv --format csv --page 8K --policy lru,s3-fifo,opt --sizes 1000,10K --json",
      "  seq 100 | gds trace replay - --format keys --sizes 10 --plot hits.svg"
    })
final class TraceReplayCommand implements Callable<Integer> {
  private static final String ROW = "%-8s %12s %14s %14s %10s%n";

  private final Streams streams;

  @Parameters(
      index = "0",
      paramLabel = "FILE",
      description =
          "The trace, compressed if its name ends in .gz; '-' is standard input, as it is.")
  private String file;

  @Option(
      names = "--format",
      required = true,
      paramLabel = "FORMAT",
      description = "arc, csv, keys, u32le, u32be or u64be; see below.")
  private TraceFormat format;

  @Option(
      names = "--policy",
      split = ",",
      paramLabel = "NAME",
      defaultValue = "all",
      description =
          "fifo, lru, clock, s3-fifo, car, opt, all of these, or pool. Default: ${DEFAULT-VALUE}.")
  private List<String> policies;

  @Option(
      names = "--sizes",
      split = ",",
      paramLabel = "SIZE",
      defaultValue = "1%,2%,5%,10%,20%,40%",
      description =
          "Sizes of the cache in keys; K and M are thousands and millions, %% is a part of the"
              + " different keys. Default: ${DEFAULT-VALUE}.")
  private List<String> sizes;

  @Option(
      names = "--page",
      paramLabel = "BYTES",
      converter = SizeConverter.class,
      description =
          "Keys are pages of so many bytes, a multiple of 512. Default: each block is a key.")
  private Long pageBytes;

  @Option(
      names = "--plot",
      paramLabel = "FILE",
      description = "Draw the hit ratios into this SVG file as well.")
  private Path plotFile;

  @Option(
      names = "--json",
      description = "Print a JSON object per line, one for each policy and size.")
  private boolean json;

  TraceReplayCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    Set<ReplayPolicy> chosen = ReplayPolicy.named("--policy", policies);
    CacheSizes chosenSizes = CacheSizes.parse("--sizes", sizes);
    TraceInput input = new TraceInput(streams, file, format, blocksPerKey());
    TraceInput.Result read = input.read();
    ReferenceTrace trace = read.trace();
    if (read.skippedLines() > 0) {
      streams.note("skipped lines that are no number: " + Units.count(read.skippedLines()));
    }
    if (trace.length() == 0) {
      throw CommandFailure.failed("the trace has no requests: path=" + input.name());
    }
    List<Result> results = replay(trace, chosen, chosenSizes.keys(trace.distinct()));
    if (json) {
      JsonOutput output = new JsonOutput(streams);
      results.forEach(result -> output.line(line -> write(line, trace, result)));
    } else {
      print(input, read, results);
    }
    if (plotFile != null) {
      plot(input, trace, results);
    }
    return ExitStatus.OK;
  }

  private record Result(String policy, int size, long hits, double ratio) {}

  private List<Result> replay(
      ReferenceTrace trace, Set<ReplayPolicy> chosen, List<Integer> keyCounts) throws IOException {
    for (ReplayPolicy policy : chosen) {
      keyCounts.forEach(policy::checkSize); // before the time for the others is spent
    }
    List<Result> results = new ArrayList<>();
    long total = (long) trace.length() * chosen.size() * keyCounts.size();
    try (Progress progress = Progress.start(streams, "replaying", total, Units::count)) {
      for (int size : keyCounts) {
        for (ReplayPolicy policy : chosen) {
          long hits = policy.replay().hits(trace, size, progress::add);
          results.add(new Result(policy.name(), size, hits, (double) hits / trace.length()));
        }
      }
    }
    return results;
  }

  private long blocksPerKey() {
    if (pageBytes == null) {
      return 1;
    }
    if (!format.hasBlocks()) {
      throw CommandFailure.usage(
          "a trace of keys has no blocks to put into pages: --page=" + pageBytes);
    }
    if (pageBytes % TraceFormat.BLOCK_BYTES != 0) {
      throw CommandFailure.usage("a page is a multiple of 512 bytes: --page=" + pageBytes);
    }
    return pageBytes / TraceFormat.BLOCK_BYTES;
  }

  private void write(JsonOutput.Fields line, ReferenceTrace trace, Result result) {
    line.text("trace", file)
        .text("policy", result.policy)
        .number("size", result.size)
        .number("keys", trace.distinct())
        .number("requests", trace.length())
        .number("hits", result.hits)
        .number("hit_ratio", result.ratio);
  }

  private void print(TraceInput input, TraceInput.Result read, List<Result> results) {
    ReferenceTrace trace = read.trace();
    streams.out(
        "%s: %s records, %s requests for %s different keys%n%n"
            .formatted(
                input.name(),
                Units.count(read.records()),
                Units.count(trace.length()),
                Units.count(trace.distinct())));
    streams.out(ROW.formatted("policy", "size", "requests", "hits", "hit ratio"));
    for (Result result : results) {
      streams.out(
          ROW.formatted(
              result.policy,
              Units.count(result.size),
              Units.count(trace.length()),
              Units.count(result.hits),
              String.format(Locale.ROOT, "%.2f %%", 100 * result.ratio)));
    }
  }

  private void plot(TraceInput input, ReferenceTrace trace, List<Result> results)
      throws IOException {
    HitPlot plot =
        new HitPlot(
            "%s: %s requests for %s different keys"
                .formatted(
                    input.name(), Units.count(trace.length()), Units.count(trace.distinct())));
    results.forEach(result -> plot.add(result.policy, result.size, result.ratio));
    Files.writeString(plotFile, plot.toSvg());
  }
}
