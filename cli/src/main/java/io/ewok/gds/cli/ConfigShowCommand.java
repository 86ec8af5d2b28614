package io.ewok.gds.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code gds config show}: prints the values that hold, and where each comes from. */
@Command(
    name = "show",
    description = {
      "Print the settings with which a command would open a store, and where each comes from: a line "
          + "of the configuration file, an option, or the default.",
      "What only programs read is printed if the file has it."
    },
    footer = {
      "%nExamples:",
      "  gds config show --config gds.conf",
      "  gds config show --memory 25%% --changed",
      "  gds config show --json | jq -r 'select(.name == \"io.engine\").value'"
    })
final class ConfigShowCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private StoreArguments store;

  @Option(names = "--changed", description = "Leave out what has its default.")
  private boolean changed;

  @Option(names = "--json", description = "Print a JSON object per line: name, value, origin.")
  private boolean json;

  ConfigShowCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() {
    Configuration configuration = store.configuration();
    configuration.options(); // Of mistakes there is nothing to show.
    List<Configured> values =
        configuration.effective().stream()
            .filter(value -> !changed || Configuration.isSaid(value))
            .toList();
    if (json) {
      JsonOutput output = new JsonOutput(streams);
      for (Configured value : values) {
        output.line(
            line ->
                line.text("name", value.name())
                    .text("value", value.value())
                    .text("origin", value.origin()));
      }
      return ExitStatus.OK;
    }
    Table table = new Table();
    for (Configured value : values) {
      table.row(value.name(), value.value().isEmpty() ? "-" : value.value(), value.origin());
    }
    streams.out(table.toString());
    return ExitStatus.OK;
  }
}
