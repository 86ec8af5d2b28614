package io.ewok.gds.cli;

import io.ewok.gds.lsm.RepairReport;
import io.ewok.gds.lsm.StoreRepair;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds repair}: makes a damaged store good again. */
@Command(
    name = "repair",
    description = {
      "Make a damaged store good again, with all that can be read of it.",
      "Every block is read. Damaged tables and a lost manifest are written anew; what "
          + "was there is set aside, with .damaged behind its name. A sound store stays as "
          + "it is."
    },
    footer = {
      "%nExamples:",
      "  gds verify /tmp/store || gds repair /tmp/store",
      "  gds repair /tmp/store --json | jq 'select(.gap)'",
      "%nExit status: 0 nothing is lost, 1 something is, or the store could not be repaired."
    })
final class RepairCommand implements Callable<Integer> {
  private final Streams streams;
  private final JsonOutput output;

  @Mixin private StoreArguments store;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Option(
      names = "--json",
      description = "Print a JSON object for each range of lost records, then one with the rest.")
  private boolean json;

  RepairCommand(Streams streams) {
    this.streams = streams;
    this.output = new JsonOutput(streams);
  }

  @Override
  public Integer call() throws IOException {
    Path target = StoreArguments.target(directory);
    RepairReport report;
    try (IoEngine engine = IoEngines.open(store.options().engine());
        Progress progress = Progress.start(streams, "reading", tableBytes(target), Units::bytes)) {
      report = StoreRepair.run(target, store.options(), engine, progress::add);
    }
    if (json) {
      printJson(report);
    } else {
      print(report);
    }
    if (!report.isComplete()) {
      throw CommandFailure.failed("the store is good again, but not complete: path=" + directory);
    }
    return ExitStatus.OK;
  }

  private static long tableBytes(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return 0;
    }
    long bytes = 0;
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(file -> file.toString().endsWith(".table")).toList()) {
        bytes += Files.size(file);
      }
    }
    return bytes;
  }

  private void print(RepairReport report) {
    report
        .manifestProblem()
        .ifPresent(
            problem ->
                streams.out(
                    "manifest: made anew from %s; %s\n"
                        .formatted(Units.count(report.tables(), "table"), problem)));
    report
        .logProblem()
        .ifPresent(
            problem ->
                streams.out(
                    "log: %s; %s\n"
                        .formatted(report.logIsLost() ? "lost" : "partly read", problem)));
    report
        .archiveProblem()
        .ifPresent(
            problem ->
                streams.out(
                    "archive: begins anew when the store is opened with store.archive; %s\n"
                        .formatted(problem)));
    for (RepairReport.DamagedTable table : report.damagedTables()) {
      streams.out(
          "%s: %s of %s records kept\n"
              .formatted(
                  table.file().getFileName(),
                  Units.count(table.kept()),
                  table.entries() < 0 ? "unknown many" : Units.count(table.entries())));
      table.gaps().forEach(gap -> streams.out("  lost: %s\n".formatted(text(gap))));
      table.problems().forEach(problem -> streams.out("  %s\n".formatted(problem)));
    }
    report.setAside().forEach(path -> streams.out("set aside: %s\n".formatted(path)));
    streams.out(
        "%s: %s\n"
            .formatted(
                Units.count(report.tables(), "table"),
                report.isSound() ? "nothing to repair" : "the store is good again"));
  }

  private static String text(RepairReport.Gap gap) {
    if (gap.first().isEmpty() || gap.last().isEmpty()) {
      return "records of any keys";
    }
    return "records from %s to %s"
        .formatted(
            ByteText.show(array(gap.first().orElseThrow())),
            ByteText.show(array(gap.last().orElseThrow())));
  }

  private void printJson(RepairReport report) {
    for (RepairReport.DamagedTable table : report.damagedTables()) {
      for (RepairReport.Gap gap : table.gaps()) {
        output.line(
            line -> {
              line.text("file", table.file().toString()).flag("gap", true);
              addKey(line, "first_key", gap.first());
              addKey(line, "last_key", gap.last());
            });
      }
    }
    List<String> setAside = report.setAside().stream().map(Path::toString).toList();
    output.line(
        line -> {
          line.text("path", directory.toString())
              .number("tables", report.tables())
              .number("damaged_tables", report.damagedTables().size())
              .flag("log_lost", report.logIsLost())
              .flag("sound", report.isSound())
              .flag("complete", report.isComplete())
              .texts("set_aside", setAside);
          report.manifestProblem().ifPresent(problem -> line.text("manifest_problem", problem));
          report.logProblem().ifPresent(problem -> line.text("log_problem", problem));
          report.archiveProblem().ifPresent(problem -> line.text("archive_problem", problem));
        });
  }

  private static void addKey(JsonOutput.Fields line, String name, Optional<MemorySegment> key) {
    key.ifPresent(bytes -> line.bytes(name, array(bytes)));
  }

  private static byte[] array(MemorySegment key) {
    return key.toArray(ValueLayout.JAVA_BYTE);
  }
}
