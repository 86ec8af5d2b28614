package io.ewok.gds.cli;

import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreStats;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds compact}: merges all tables of a store. */
@Command(
    name = "compact",
    description = {
      "Merge all tables of a store, without what was overwritten or deleted.",
      "It needs as much room on the disk as the store, until it is done."
    },
    footer = {"%nExamples:", "  gds compact /tmp/store", "  gds compact /tmp/store --memory 512M"})
final class CompactCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private StoreArguments store;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Option(names = "--json", description = "Print one JSON object; sizes in bytes.")
  private boolean json;

  CompactCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    StoreStats before;
    StoreStats after;
    long start = System.nanoTime();
    try (Store opened = store.openExisting(directory)) {
      before = opened.stats();
      opened.compact();
      after = opened.stats();
    }
    long nanos = System.nanoTime() - start;
    if (json) {
      new JsonOutput(streams)
          .line(
              line ->
                  line.number("tables_before", TableSums.tables(before))
                      .number("table_bytes_before", TableSums.bytes(before))
                      .number("records_before", TableSums.entries(before))
                      .number("tables", TableSums.tables(after))
                      .number("table_bytes", TableSums.bytes(after))
                      .number("records", TableSums.entries(after))
                      .number("seconds", Units.inSeconds(nanos)));
    } else {
      streams.out(
          "%s, before %s; in %s\n"
              .formatted(TableSums.text(after), TableSums.text(before), Units.seconds(nanos)));
    }
    return ExitStatus.OK;
  }
}
