package io.ewok.gds.cli;

import io.ewok.gds.lsm.BackupInfo;
import io.ewok.gds.lsm.Backups;
import io.ewok.gds.lsm.PointInTime;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds restore}: makes a store of a backup, and of what an archive has behind it. */
@Command(
    name = "restore",
    description = {
      "Make a store of a backup, the newest one if none is named, in a new directory.",
      "With --to-sequence or --to-time as it was then: of the newest backup that is not later, and "
          + "the archive of the log (store.archive) behind it. Nothing is there that was written "
          + "later; of a time, what was written in the second before it may not be. What cannot be "
          + "reached exactly is refused, and it is said how far backups and archive lead.",
      "The directory appears when everything in it was checked."
    },
    footer = {
      "%nExamples:",
      "  gds restore /mnt/backups /data/store-again",
      "  gds restore /mnt/backups /data/store-again --number 12",
      "  gds restore /mnt/backups /data/store-again --to-sequence 73400320",
      "  gds restore /mnt/backups /data/store-again --to-time 2026-11-22T09:30:00Z"
    })
final class RestoreCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private StoreArguments store;

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

  @Option(
      names = "--to-sequence",
      paramLabel = "N",
      description = "Restore what was written up to this sequence number.")
  private Long sequence;

  @Option(
      names = "--to-time",
      paramLabel = "T",
      converter = TimeConverter.class,
      description =
          "Restore what was written up to this time, such as 2026-11-22T09:30:00Z, or without the Z "
              + "in the time zone of this machine.")
  private Instant time;

  @Option(
      names = "--archive",
      paramLabel = "DIR",
      description = "The archive of the log. Default: log in BACKUPS.")
  private Path archive;

  @Option(names = "--json", description = "Print one JSON object for the backup.")
  private boolean json;

  RestoreCommand(Streams streams) {
    this.streams = streams;
  }

  /** Opens a directory of backups that is there; the caller closes it. */
  static Backups openExisting(Path source, Path archiveOrNull, IoEngine engine) throws IOException {
    if (!Files.isDirectory(source)) {
      throw CommandFailure.failed("there is no such directory: path=" + source);
    }
    if (archiveOrNull != null && !Files.isDirectory(archiveOrNull)) {
      throw CommandFailure.failed("there is no such directory: path=" + archiveOrNull);
    }
    Path backups = StoreArguments.target(source);
    Path archive = archiveOrNull == null ? Backups.archive(backups) : archiveOrNull;
    return Backups.open(backups, StoreArguments.target(archive), engine);
  }

  @Override
  public Integer call() throws IOException {
    if (sequence != null && time != null) {
      throw CommandFailure.usage(
          "either a sequence number or a time: --to-sequence=%d --to-time=%s"
              .formatted(sequence, time));
    }
    if (sequence != null && sequence < 0) {
      throw CommandFailure.usage("sequence numbers are not negative: --to-sequence=" + sequence);
    }
    StoreOptions options = store.options();
    try (IoEngine opened = IoEngines.open(options.engine());
        Backups backups = openExisting(source, archive, opened)) {
      if (sequence != null || time != null) {
        restoreTo(backups, options);
        return ExitStatus.OK;
      }
      BackupInfo wanted = wanted(backups.list());
      try (Progress progress =
          Progress.start(streams, "restoring", wanted.tableBytes(), Units::bytes)) {
        backups.restore(wanted.number(), directory, progress::add);
      }
      new BackupPrinter(streams, json).print(wanted);
    }
    return ExitStatus.OK;
  }

  private void restoreTo(Backups backups, StoreOptions options) throws IOException {
    PointInTime point =
        sequence == null ? PointInTime.ofTime(time) : PointInTime.ofSequence(sequence);
    Backups.Restored restored;
    try (Bars bars = new Bars(streams)) {
      restored =
          backups.restore(
              number == null ? point : point.from(number),
              directory,
              options,
              bars::planned,
              bars::read);
    }
    new BackupPrinter(streams, json).print(restored);
  }

  /** One while the way is looked for, whose length nobody knows, and one while it is gone. */
  private static final class Bars implements AutoCloseable {
    private final Streams streams;
    private Progress bar;

    Bars(Streams streams) {
      this.streams = streams;
      this.bar = Progress.start(streams, "reading archive", 0, Units::bytes);
    }

    void planned(long bytes) {
      bar.close();
      bar = Progress.start(streams, "restoring", bytes, Units::bytes);
    }

    void read(long bytes) {
      bar.add(bytes);
    }

    @Override
    public void close() {
      bar.close();
    }
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
