package io.ewok.gds.cli;

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
    description =
        "List the families of a store, the default one first, and what their tables hold; what was "
            + "written last may be in no table yet. A store that is open elsewhere is locked.",
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
    Table table = new Table().row("family", "number", "tables", "size", "records");
    try (ReadableStore opened = store.openToRead(directory, streams)) {
      List<StoreStats.OfFamily> families = opened.tables();
      List<Integer> numbers = opened.numbers();
      for (int i = 0; i < families.size(); i++) {
        add(table, families.get(i), numbers.get(i));
      }
    }
    if (!json) {
      streams.out(table.toString());
    }
    return ExitStatus.OK;
  }

  private void add(Table table, StoreStats.OfFamily family, int number) {
    TableSums sums = TableSums.sum(family.levels());
    table.row(
        family.name(),
        Units.count(number),
        Units.count(sums.tables()),
        Units.bytes(sums.bytes()),
        Units.count(sums.entries()));
    if (json) {
      new JsonOutput(streams)
          .line(
              line ->
                  line.text("family", family.name())
                      .number("number", number)
                      .number("tables", sums.tables())
                      .number("table_bytes", sums.bytes())
                      .number("records", sums.entries()));
    }
  }
}
