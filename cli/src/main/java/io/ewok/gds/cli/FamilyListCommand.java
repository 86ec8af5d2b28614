package io.ewok.gds.cli;

import io.ewok.gds.lsm.Family;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreStats;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds family list}: prints which families a store has. */
@Command(
    name = "list",
    description = {
      "List the families of a store, the default one first, and what their tables hold; what was",
      "written last may be in no table yet. A store that is open elsewhere is locked."
    },
    footer = {
      "%nExamples:",
      "  gds family list /tmp/store",
      "  gds family list /tmp/store --json | jq -r .family"
    })
final class FamilyListCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private StoreArguments store;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Option(names = "--json", description = "Print a JSON object for each family; sizes in bytes.")
  private boolean json;

  FamilyListCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    List<Family> families;
    StoreStats stats;
    try (Store opened = store.openExisting(directory)) {
      families = opened.families();
      stats = opened.stats();
    }
    Table table = new Table().row("family", "number", "tables", "size", "records");
    for (Family family : families) {
      TableSums sums = TableSums.of(stats, family.name());
      table.row(
          family.name(),
          Units.count(family.id()),
          Units.count(sums.tables()),
          Units.bytes(sums.bytes()),
          Units.count(sums.entries()));
      if (json) {
        new JsonOutput(streams)
            .line(
                line ->
                    line.text("family", family.name())
                        .number("number", family.id())
                        .number("tables", sums.tables())
                        .number("table_bytes", sums.bytes())
                        .number("records", sums.entries()));
      }
    }
    if (!json) {
      streams.out(table.toString());
    }
    return ExitStatus.OK;
  }
}
