package io.ewok.gds.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds doctor}: prints what this machine allows, and what would be better. */
@Command(
    name = "doctor",
    description = {
      "Print what this machine allows, what would be better and why, which I/O engine a store gets, "
          + "and what else GDS decides because of it.",
      "Nothing is changed; a probe file is made in DIR and deleted.",
      "Ends with status 1 if something is FATAL: no store can be there, or it may lose what it has "
          + "acknowledged."
    },
    footer = {
      "%nExamples:",
      "  gds doctor",
      "  gds doctor /var/lib/mydata --probe",
      "  gds doctor /var/lib/mydata --script > tune.sh",
      "  gds doctor --json | jq -r 'select(.severity == \"WARN\").name'"
    })
final class DoctorCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private StoreArguments store;

  @Parameters(
      index = "0",
      paramLabel = "DIR",
      arity = "0..1",
      description = "Where a store would be. Default: the directory for temporary files.")
  private Path directory;

  @Option(
      names = "--probe",
      description =
          "Measure what a sync costs and how many random reads the device does, too: with a file of "
              + "64 MiB, in about "
              + DeviceProbe.SECONDS
              + " seconds.")
  private boolean probe;

  /** In what form it is printed. */
  static final class Form {
    @Option(
        names = "--json",
        description =
            "Print a JSON object per line: name, severity, found, wanted, meaning, decision, "
                + "commands.")
    private boolean json;

    @Option(
        names = "--script",
        description = "Print the commands that change what is not as wanted, and run none.")
    private boolean script;
  }

  @ArgGroup private Form form = new Form();

  DoctorCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    Path place = directory == null ? Path.of(System.getProperty("java.io.tmpdir")) : directory;
    if (!Files.isDirectory(place)) {
      throw CommandFailure.failed("this is not a directory: path=" + place);
    }
    List<Finding> findings =
        new Doctor(new Machine(Path.of("/")), place.toRealPath(), store.options()).examine(probe);
    if (form.json) {
      printJson(findings);
    } else {
      streams.out(form.script ? DoctorScript.of(findings) : table(findings));
    }
    boolean fatal =
        findings.stream().anyMatch(finding -> finding.severity() == Finding.Severity.FATAL);
    return fatal ? ExitStatus.FAILED : ExitStatus.OK;
  }

  private void printJson(List<Finding> findings) {
    JsonOutput output = new JsonOutput(streams);
    for (Finding finding : findings) {
      output.line(
          line ->
              line.text("name", finding.name())
                  .text("severity", finding.severity().name())
                  .text("found", finding.found())
                  .text("wanted", finding.wanted())
                  .text("meaning", finding.meaning())
                  .text("decision", finding.decision())
                  .texts("commands", finding.commands()));
    }
  }

  private static String table(List<Finding> findings) {
    Table table = new Table();
    for (Finding finding : findings) {
      table.row(finding.name(), finding.found(), mark(finding), text(finding));
    }
    return table.toString();
  }

  private static String mark(Finding finding) {
    return finding.severity() == Finding.Severity.OK ? "ok" : finding.severity().name();
  }

  private static String text(Finding finding) {
    StringBuilder text = new StringBuilder();
    if (finding.severity() != Finding.Severity.OK && !finding.wanted().isEmpty()) {
      text.append("wanted ").append(finding.wanted()).append(": ");
    }
    text.append(finding.meaning());
    if (!finding.decision().isEmpty()) {
      text.append("; so: ").append(finding.decision());
    }
    return text.toString();
  }
}
