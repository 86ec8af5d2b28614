package io.ewok.gds.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code gds family}: the families of a store. */
@Command(
    name = "family",
    description = "List, create, clone and drop the families of a store.",
    synopsisSubcommandLabel = "COMMAND",
    commandListHeading = "%nCommands:%n",
    footer = {
      "%nExamples:",
      "  gds family list /tmp/store",
      "  gds family create /tmp/store users",
      "  gds family clone /tmp/store users users-before-the-migration",
      "  gds family drop /tmp/store users --yes"
    })
final class FamilyCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "which command? 'gds family --help' lists them");
  }
}
