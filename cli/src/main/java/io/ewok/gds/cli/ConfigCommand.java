package io.ewok.gds.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code gds config}: what settings there are, and what a configuration file makes of them. */
@Command(
    name = "config",
    description = "Look at settings, and at the file they come from.",
    synopsisSubcommandLabel = "COMMAND",
    commandListHeading = "%nCommands:%n",
    footer = {
      "%nExamples:",
      "  gds config reference > gds.conf",
      "  gds config check gds.conf",
      "  gds config show --config gds.conf --changed",
      "  gds config explain store.pool",
      "  gds config jfc > gds.jfc"
    })
final class ConfigCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "which command? 'gds config --help' lists them");
  }
}
