package io.ewok.gds.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code gds config check}: says all that is wrong with a configuration. */
@Command(
    name = "check",
    description = {
      "Check a configuration file, and what options say beside it. Each mistake is a line with file, "
          + "line and what to write instead.",
      "Ends with status 1 if there are any, and with 2 if it is not a configuration file at all."
    },
    footer = {
      "%nExamples:",
      "  gds config check gds.conf",
      "  gds config check gds.conf --set store.pool=128M"
    })
final class ConfigCheckCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private StoreArguments store;

  @Parameters(
      index = "0",
      paramLabel = "FILE",
      arity = "0..1",
      description = "The configuration file. Default: that of --config.")
  private Path file;

  ConfigCheckCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() {
    Path checked = file == null ? store.configOrNull() : file;
    List<ConfigMistake> mistakes = store.configuration(checked).mistakes();
    for (ConfigMistake mistake : mistakes) {
      streams.out(mistake + "\n");
    }
    if (!mistakes.isEmpty()) {
      return ExitStatus.FAILED;
    }
    streams.out((checked == null ? "the options are" : checked + " is") + " good\n");
    return ExitStatus.OK;
  }
}
