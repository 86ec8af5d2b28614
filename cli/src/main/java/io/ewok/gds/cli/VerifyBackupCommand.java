package io.ewok.gds.cli;

import io.ewok.gds.lsm.Backups;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds verify-backup}: lists and reads all backups in a directory. */
@Command(
    name = "verify-backup",
    description = {
      "List the backups in a directory, and read every byte of them and of the log's archive.",
      "A table that several of them share is read once."
    },
    footer = {
      "%nExamples:",
      "  gds verify-backup /mnt/backups",
      "  gds verify-backup /mnt/backups --json | jq 'select(.problem)'",
      "%nExit status: 0 all of it is good, 1 some is not or cannot be read."
    })
final class VerifyBackupCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private EngineArguments engine;

  @Parameters(index = "0", paramLabel = "BACKUPS", description = "The directory of backups.")
  private Path source;

  @Option(
      names = "--archive",
      paramLabel = "DIR",
      description = "The archive of the log. Default: log in BACKUPS.")
  private Path archive;

  @Option(
      names = "--json",
      description = "Print a JSON object for each backup and problem, then one with the counts.")
  private boolean json;

  VerifyBackupCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    long start = System.nanoTime();
    Backups.Findings found;
    try (IoEngine opened = IoEngines.open(engine.options());
        Backups backups = RestoreCommand.openExisting(source, archive, opened)) {
      try {
        BackupPrinter printer = new BackupPrinter(streams, json);
        backups.list().forEach(printer::print);
      } catch (CorruptFileException e) {
        // It is among the problems.
      }
      long bytes = bytesBelow(source) + (archive == null ? 0 : bytesBelow(archive));
      try (Progress progress = Progress.start(streams, "verifying", bytes, Units::bytes)) {
        found = backups.verify(progress::add);
      }
    }
    print(found, System.nanoTime() - start);
    if (!found.problems().isEmpty()) {
      throw CommandFailure.failed("this is damaged: path=" + source);
    }
    return ExitStatus.OK;
  }

  /** What there is to read, more or less: for the progress alone, so that no file is missed. */
  private static long bytesBelow(Path directory) {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    } catch (IOException | UncheckedIOException e) {
      return 0; // whoever reads them tells what is wrong
    }
  }

  private void print(Backups.Findings found, long nanos) {
    if (json) {
      JsonOutput output = new JsonOutput(streams);
      found.problems().forEach(problem -> output.line(line -> line.text("problem", problem)));
      output.line(
          line ->
              line.text("path", source.toString())
                  .number("backups", found.backups())
                  .number("tables", found.tables())
                  .number("table_bytes", found.tableBytes())
                  .number("archived", found.archived())
                  .number("archived_bytes", found.archivedBytes())
                  .number("problems", found.problems().size())
                  .number("seconds", Units.inSeconds(nanos)));
      return;
    }
    found.problems().forEach(problem -> streams.out(problem + "\n"));
    streams.out(
        "%s in %s of %s%s: %s; in %s\n"
            .formatted(
                Units.count(found.backups(), "backup"),
                Units.count(found.tables(), "table"),
                Units.bytes(found.tableBytes()),
                found.archived() == 0
                    ? ""
                    : ", %s of the log of %s"
                        .formatted(
                            Units.count(found.archived(), "file"),
                            Units.bytes(found.archivedBytes())),
                Units.count(found.problems().size(), "problem"),
                Units.seconds(nanos)));
  }
}
