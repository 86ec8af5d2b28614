package io.ewok.gds.cli;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds load}: puts every record of a file into a store. */
@Command(
    name = "load",
    description = {
      "Put every record of a file of lines, CSV or TSV into a store, or what gds dump has "
          + "written of another one.",
      "Of a key that occurs twice the later value holds. Empty lines are skipped."
    },
    footer = {
      "%nExamples:",
      "  gds load /tmp/store words.txt",
      "  gds load /tmp/store people.csv --key-column id",
      "  gds load /tmp/store /etc/passwd --delimiter : --value-column 7",
      "  find / -xdev | gds load /tmp/store -",
      "  gds dump /tmp/store --format export | gds load /tmp/copy --format export --sorted"
    })
final class LoadCommand implements Callable<Integer> {
  private static final int THREADS_MAX = 256;

  private final Streams streams;

  @Mixin private StoreArguments storeArguments;

  @Mixin private FamilyArguments familyArguments;
  @Mixin private InputArguments input;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store; created if missing.")
  private Path directory;

  @Parameters(
      index = "1",
      paramLabel = "FILE",
      arity = "0..1",
      defaultValue = "-",
      description = "The input; '-', the default, is standard input.")
  private String file;

  @Option(
      names = "--synced",
      description = "Every batch is durable before the next; default: all of them at the end.")
  private boolean synced;

  @Option(
      names = "--sorted",
      description =
          "The keys come in ascending order, each once: they are written as tables right away, "
              + "and are there when all of a family are.")
  private boolean sorted;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "1",
      description = "Threads that write. Default: ${DEFAULT-VALUE}.")
  private int threads = 1;

  @Option(names = "--json", description = "Print the result as a JSON object.")
  private boolean json;

  LoadCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    if (threads < 1 || threads > THREADS_MAX) {
      throw CommandFailure.usage("threads are 1 to " + THREADS_MAX + ": --threads=" + threads);
    }
    long start = System.nanoTime();
    StoreOptions options = storeArguments.options();
    Counts counts;
    // The input first: a mistake in its name must not leave an empty store behind.
    try (EntryReader reader = open();
        Store store = storeArguments.openOrCreate(directory)) {
      counts = load(reader, store, options);
    }
    report(counts, System.nanoTime() - start);
    return ExitStatus.OK;
  }

  private EntryReader open() throws IOException {
    return file.equals("-")
        ? input.open("standard input", streams.in())
        : input.open(Path.of(file));
  }

  private long inputBytes() throws IOException {
    return file.equals("-") || !Files.isRegularFile(Path.of(file)) ? 0 : Files.size(Path.of(file));
  }

  private Counts load(EntryReader reader, Store store, StoreOptions options) throws IOException {
    Durability durability = synced ? Durability.SYNCED : Durability.NONE;
    try (FamilyLoad load =
        new FamilyLoad(store, options, familyArguments, durability, threads, sorted)) {
      try (Progress progress = Progress.start(streams, "loading", inputBytes(), Units::bytes)) {
        long records = 0;
        long bytes = 0;
        long consumed = 0;
        for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
          load.add(reader.familyOrNull(), entry);
          records++;
          bytes += entry.sizeBytes();
          progress.add(reader.consumedBytes() - consumed);
          consumed = reader.consumedBytes();
        }
        load.finish(reader.families());
        return new Counts(records, bytes);
      } catch (IOException | RuntimeException e) {
        if (load.writtenCount() > 0) {
          streams.note("records stored before the failure: " + Units.count(load.writtenCount()));
        }
        throw e;
      }
    }
  }

  private void report(Counts counts, long nanos) {
    if (json) {
      new JsonOutput(streams)
          .line(
              line ->
                  line.number("records", counts.records)
                      .number("bytes", counts.bytes)
                      .number("seconds", Units.inSeconds(nanos)));
      return;
    }
    streams.out(
        "loaded %s, %s, in %s: %s records/s%n"
            .formatted(
                Units.count(counts.records, "record"),
                Units.bytes(counts.bytes),
                Units.seconds(nanos),
                Units.count(Units.perSecond(counts.records, nanos))));
  }

  private record Counts(long records, long bytes) {}
}
