package io.ewok.gds.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code gds page}: looks at page files. */
@Command(
    name = "page",
    description = "Look at the pages of a page file.",
    synopsisSubcommandLabel = "COMMAND",
    commandListHeading = "%nCommands:%n",
    footer = {"%nExamples:", "  gds page verify data.pages", "  gds page dump data.pages --page 3"})
final class PageCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "which command? 'gds page --help' lists them");
  }
}
