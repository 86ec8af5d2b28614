package io.ewok.gds.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code gds trace}: what is done with recorded traces. */
@Command(
    name = "trace",
    description = "Replay recorded traces through the policies of the buffer pool.",
    synopsisSubcommandLabel = "COMMAND",
    commandListHeading = "%nCommands:%n",
    footer = {"%nExample:", "  gds trace replay p3.gz --format arc --sizes 1%%,10%%"})
final class TraceCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "which command? 'gds trace --help' lists them");
  }
}
