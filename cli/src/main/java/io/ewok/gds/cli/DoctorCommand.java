package io.ewok.gds.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds doctor}: prints what this machine allows. */
@Command(
    name = "doctor",
    description = {
      "Print what this machine allows, which I/O engine a store gets, and why.",
      "Nothing is changed; a probe file is made in DIR and deleted."
    },
    footer = {
      "%nExamples:",
      "  gds doctor",
      "  gds doctor /var/lib/mydata",
      "  gds doctor --json | jq -r 'select(.name == \"engine\").found'"
    })
final class DoctorCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private EngineArguments engine;

  @Parameters(
      index = "0",
      paramLabel = "DIR",
      arity = "0..1",
      description = "Where a store would be. Default: the directory for temporary files.")
  private Path directory;

  @Option(names = "--json", description = "Print a JSON object per line: name, found, meaning.")
  private boolean json;

  DoctorCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() {
    Path place = directory == null ? Path.of(System.getProperty("java.io.tmpdir")) : directory;
    if (!Files.isDirectory(place)) {
      throw CommandFailure.failed("this is not a directory: path=" + place);
    }
    List<Finding> findings =
        new Doctor(new Machine(Path.of("/")), place.toAbsolutePath().normalize(), engine.options())
            .examine();
    if (json) {
      JsonOutput output = new JsonOutput(streams);
      for (Finding finding : findings) {
        output.line(
            line ->
                line.text("name", finding.name())
                    .text("found", finding.found())
                    .text("meaning", finding.meaning()));
      }
      return ExitStatus.OK;
    }
    Table table = new Table();
    for (Finding finding : findings) {
      table.row(finding.name(), finding.found(), finding.meaning());
    }
    streams.out(table.toString());
    return ExitStatus.OK;
  }
}
