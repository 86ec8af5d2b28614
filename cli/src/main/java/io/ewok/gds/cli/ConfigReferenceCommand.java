package io.ewok.gds.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code gds config reference}: prints a configuration file with all settings. */
@Command(
    name = "reference",
    description =
        "Print a configuration file that has every setting with its default and what there is to "
            + "know of it, and changes none.",
    footer = {"%nExamples:", "  gds config reference > gds.conf"})
final class ConfigReferenceCommand implements Callable<Integer> {
  private final Streams streams;

  ConfigReferenceCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() {
    streams.out(ConfigReference.text());
    return ExitStatus.OK;
  }
}
