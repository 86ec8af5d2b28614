package io.ewok.gds.cli;

import io.ewok.gds.lsm.CursorOptions;
import io.ewok.gds.lsm.Explanation;
import io.ewok.gds.lsm.ScanExplanation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds explain}: tells where a get or a scan looks, and what it reads for that. */
@Command(
    name = "explain",
    description = {
      "Get a key, or without KEY scan a range, and print where that looked and what it read.",
      "The store is opened for it, as get and scan do: nothing of it is in memory yet, but what is "
          + "still in the log. Ends with status 0 whether the key has a value or not."
    },
    footer = {
      "%nExamples:",
      "  gds explain /tmp/store greeting",
      "  gds explain /tmp/store --prefix /usr/bin/",
      "  gds explain /tmp/store --from a --to b --limit 100 --json | jq -r .outcome"
    })
final class ExplainCommand implements Callable<Integer> {
  private final Streams streams;
  private final JsonOutput output;

  @Mixin private StoreArguments store;

  @Mixin private FamilyArguments family;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Parameters(
      index = "1",
      paramLabel = "KEY",
      arity = "0..1",
      description = "The key, as UTF-8 text.")
  private String key;

  @Option(names = "--from", paramLabel = "KEY", description = "Smallest key to scan.")
  private String from;

  @Option(
      names = "--to",
      paramLabel = "KEY",
      description = "Keys from this one on are not scanned.")
  private String to;

  @Option(names = "--prefix", paramLabel = "TEXT", description = "Only keys that start with it.")
  private String prefix;

  @Option(names = "--limit", paramLabel = "N", description = "Stop after so many records.")
  private Long limit;

  @Option(names = "--hex", description = "Keys are hexadecimal digits, two a byte.")
  private boolean hex;

  @Option(
      names = "--json",
      description = "Print a JSON object for each memtable and table, and one for the whole.")
  private boolean json;

  ExplainCommand(Streams streams) {
    this.streams = streams;
    this.output = new JsonOutput(streams);
  }

  @Override
  public Integer call() throws IOException {
    if (key != null && (from != null || to != null || prefix != null || limit != null)) {
      throw CommandFailure.usage("a KEY, or a range of them, not both: KEY=" + key);
    }
    if (limit != null && limit < 0) {
      throw CommandFailure.usage("a limit is zero or more: --limit=" + limit);
    }
    byte[] keyBytes = bytes("KEY", key);
    CursorOptions range = range();
    try (ReadableStore opened = store.openToRead(directory, streams)) {
      if (key != null) {
        print(family.of(opened).explain(keyBytes));
      } else {
        print(family.of(opened).explainScan(range, limit == null ? Long.MAX_VALUE : limit));
      }
    }
    return ExitStatus.OK;
  }

  /** A prefix alone is said as one, so that filters can be asked for it. */
  private CursorOptions range() {
    byte[] low = bytes("--from", from);
    byte[] high = bytes("--to", to);
    byte[] start = bytes("--prefix", prefix);
    CursorOptions options = CursorOptions.defaults();
    if (start != null && low == null && high == null) {
      return options.withPrefix(start);
    }
    KeyRange range = KeyRange.of(low, high, start);
    options = options.withLower(range.from());
    return range.to() == null ? options : options.withUpper(range.to());
  }

  private byte[] bytes(String option, String text) {
    return text == null ? null : ByteText.parse(option, text, hex);
  }

  private void print(Explanation explanation) {
    if (!json) {
      streams.out(explanation + "\n");
      return;
    }
    for (Explanation.Step step : explanation.steps()) {
      output.line(
          line ->
              line.text("place", step.place())
                  .text("outcome", step.outcome().name())
                  .number("blocks_read", step.blocksRead())
                  .number("nanos", step.nanos()));
    }
    output.line(
        line ->
            line.flag("found", explanation.found())
                .number("blocks_read", explanation.blocksRead())
                .number("nanos", explanation.nanos()));
  }

  private void print(ScanExplanation explanation) {
    if (!json) {
      streams.out(explanation + "\n");
      return;
    }
    for (ScanExplanation.Source source : explanation.sources()) {
      output.line(
          line ->
              line.text("place", source.place())
                  .text("outcome", source.outcome().name())
                  .number("filter_blocks", source.filterBlocks())
                  .number("index_blocks", source.indexBlocks())
                  .number("data_blocks", source.dataBlocks())
                  .number("blocks_read", source.blocksRead())
                  .number("hidden", source.hidden()));
    }
    output.line(
        line ->
            line.number("returned", explanation.returned())
                .number("hidden", explanation.hidden())
                .number("deleted", explanation.deleted())
                .number("range_deleted", explanation.rangeDeleted())
                .flag("complete", explanation.complete())
                .number("blocks", explanation.blocks())
                .number("blocks_read", explanation.blocksRead())
                .number("nanos", explanation.nanos()));
  }
}
