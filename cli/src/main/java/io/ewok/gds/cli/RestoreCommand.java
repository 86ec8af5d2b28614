package io.ewok.gds.cli;

import io.ewok.gds.lsm.BackupInfo;
import io.ewok.gds.lsm.Backups;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds restore}: makes a store of a backup. */
@Command(
    name = "restore",
    description = {
      "Make a store of a backup, the newest one if none is named, in a new directory.",
      "The directory appears when everything in it was checked."
    },
    footer = {
      "%nExamples:",
      "  gds restore /mnt/backups /data/store-again",
      "  gds restore /mnt/backups /data/store-again --number 12"
    })
final class RestoreCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private EngineArguments engine;

  @Parameters(index = "0", paramLabel = "BACKUPS", description = "The directory of backups.")
  private Path source;

  @Parameters(
      index = "1",
      paramLabel = "DIR",
      description = "The new store, a directory that does not exist.")
  private Path directory;

  @Option(
      names = "--number",
      paramLabel = "N",
      description = "Which backup; gds verify-backup lists them.")
  private Long number;

  @Option(names = "--json", description = "Print one JSON object for the backup.")
  private boolean json;

  RestoreCommand(Streams streams) {
    this.streams = streams;
  }

  /** Opens a directory of backups that is there; the caller closes it. */
  static Backups openExisting(Path source, IoEngine engine) throws IOException {
    if (!Files.isDirectory(source)) {
      throw CommandFailure.failed("there is no such directory: path=" + source);
    }
    return Backups.open(StoreArguments.target(source), engine);
  }

  @Override
  public Integer call() throws IOException {
    try (IoEngine opened = IoEngines.open(engine.options());
        Backups backups = openExisting(source, opened)) {
      BackupInfo wanted = wanted(backups.list());
      try (Progress progress =
          Progress.start(streams, "restoring", wanted.tableBytes(), Units::bytes)) {
        backups.restore(wanted.number(), directory, progress::add);
      }
      new BackupPrinter(streams, json).print(wanted);
    }
    return ExitStatus.OK;
  }

  private BackupInfo wanted(List<BackupInfo> all) {
    return all.stream()
        .filter(backup -> number == null || backup.number() == number)
        .reduce((_, later) -> later)
        .orElseThrow(
            () ->
                CommandFailure.failed(
                    "there is no such backup: path=%s%s"
                        .formatted(source, number == null ? "" : " number=" + number)));
  }
}
