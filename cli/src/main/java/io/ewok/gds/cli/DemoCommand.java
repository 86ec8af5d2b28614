package io.ewok.gds.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code gds demo}: the main job, end to end. */
@Command(
    name = "demo",
    description = {
      "Load real data into a store with a quarter of it in memory, kill a second process in the middle of a synced"
          + " load and check what it had been promised, then read everything back and check it.",
      "The data are the files of this Debian system: path as key, package and version as value; or --input.",
      "Any difference between store and data ends it with status 1 and the first wrong key."
    },
    footer = {
      "%nExamples:",
      "  gds demo",
      "  gds demo --dir /mnt/fast/demo --keep",
      "  gds demo --input people.csv --key-column id --seed 7 --json"
    })
final class DemoCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private EngineArguments engine;
  @Mixin private InputArguments inputArguments;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "Where the stores are made: absent or empty. Default: a temporary directory.")
  private Path directory;

  @Option(
      names = "--input",
      paramLabel = "FILE",
      description = "Lines, CSV or TSV instead of the system's own records.")
  private Path input;

  @Option(names = "--keep", description = "Leave the stores behind and say where.")
  private boolean keep;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Repeats the orders and the moment of the kill. Default: another each time.")
  private Long seed;

  @Option(names = "--json", description = "Print the result as a JSON object.")
  private boolean json;

  DemoCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    if (input == null && inputArguments.isGiven()) {
      throw CommandFailure.usage("columns and delimiters belong to a file: --input is missing");
    }
    long start = System.nanoTime();
    DataSet data;
    try (EntryReader reader =
        input == null ? new DpkgReader(DpkgReader.DIRECTORY) : inputArguments.open(input)) {
      data = DataSet.read(reader);
    }
    String source = input == null ? DpkgReader.DIRECTORY.toString() : input.toString();
    long usedSeed = seed == null ? System.nanoTime() & 0xFFFF_FFFFL : seed;
    DemoPlan plan = DemoPlan.of(source, data, usedSeed, engine.options());
    long readNanos = System.nanoTime() - start;
    DemoReport report;
    try (DemoWorkspace workspace = DemoWorkspace.open(directory, keep)) {
      streams.note("seed %d, directory %s".formatted(usedSeed, workspace.root()));
      LoadPhase.Result load = LoadPhase.run(plan, workspace, streams);
      CrashPhase.Result crash = new CrashPhase(plan, workspace, streams).run();
      ReadPhase.Result read = new ReadPhase(plan, workspace, streams).run();
      long total = System.nanoTime() - start;
      Path kept = workspace.isKept() ? workspace.store() : null;
      report = new DemoReport(plan, readNanos, load, crash, read, total, kept);
    }
    if (json) {
      new JsonOutput(streams).line(report::write);
    } else {
      streams.out(report.table().toString());
    }
    return ExitStatus.OK;
  }
}
