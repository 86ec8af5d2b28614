package io.ewok.gds.cli;

import io.ewok.gds.lsm.Store;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds checkpoint}: a copy of a store that shares its tables. */
@Command(
    name = "checkpoint",
    description = {
      "Copy a store into a new directory, to be opened as a store of its own.",
      "In the same file system tables are linked, not copied: that is done at once, and "
          + "both share their blocks on the device. For a backup, see gds backup."
    },
    footer = {
      "%nExamples:",
      "  gds checkpoint /data/store /data/store-monday",
      "  gds checkpoint /data/store /mnt/other/store && gds verify /mnt/other/store"
    })
final class CheckpointCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private StoreArguments store;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Parameters(
      index = "1",
      paramLabel = "COPY",
      description = "The copy, a directory that does not exist.")
  private Path copy;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  CheckpointCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    long start = System.nanoTime();
    long sequence;
    long bytes;
    try (Store opened = store.openExisting(directory)) {
      opened.flush();
      bytes = TableSums.of(opened.stats()).bytes();
      try (Progress progress = Progress.start(streams, "copying", bytes, Units::bytes)) {
        sequence = opened.checkpoint(copy, progress::add);
      }
    }
    long nanos = System.nanoTime() - start;
    if (json) {
      new JsonOutput(streams)
          .line(
              line ->
                  line.text("path", copy.toString())
                      .number("sequence", sequence)
                      .number("table_bytes", bytes)
                      .number("seconds", Units.inSeconds(nanos)));
    } else {
      streams.out(
          "%s in tables, up to sequence number %d; in %s\n"
              .formatted(Units.bytes(bytes), sequence, Units.seconds(nanos)));
    }
    return ExitStatus.OK;
  }
}
