package io.ewok.gds.cli;

import io.ewok.gds.lsm.BackupInfo;
import io.ewok.gds.lsm.Backups;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds backup}: adds a backup of a store to a directory of them. */
@Command(
    name = "backup",
    description = {
      "Make a backup of a store, in a directory of backups.",
      "All tables are read, and those copied that no older backup there has. What was "
          + "written is read again. A backup that is cut off leaves the older ones good.",
      "If the log is archived (store.archive), the archive gets what was written so far. With --keep, "
          + "one that is called log in BACKUPS loses what none of these backups needs any more; one "
          + "that lies elsewhere may be needed by other backups, and stays as it is without "
          + "--prune-archive."
    },
    footer = {
      "%nExamples:",
      "  gds backup /data/store /mnt/backups",
      "  gds backup /data/store /mnt/backups --keep 7",
      "  gds backup /data/store /mnt/backups --set store.archive=/mnt/backups/log",
      "  gds restore /mnt/backups /data/store-again"
    })
final class BackupCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private StoreArguments store;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Parameters(
      index = "1",
      paramLabel = "BACKUPS",
      description = "The directory of backups; created if it is missing.")
  private Path target;

  @Option(
      names = "--keep",
      paramLabel = "N",
      description = "Delete the oldest when this one is made, until there are N.")
  private Integer keep;

  @Option(
      names = "--prune-archive",
      description =
          "With --keep: delete what these backups do not need of the archive, also of one that lies "
              + "elsewhere. No other directory of backups needs it.")
  private boolean pruneArchive;

  @Option(names = "--json", description = "Print one JSON object for the new backup.")
  private boolean json;

  BackupCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    if (keep != null && keep < 1) {
      throw CommandFailure.usage("at least the new backup is kept: --keep=" + keep);
    }
    if (pruneArchive && keep == null) {
      throw CommandFailure.usage("--prune-archive goes with --keep, which says what is needed");
    }
    try (IoEngine engine = IoEngines.open(store.options().engine());
        Store opened = Store.open(directory, store.options().withCreateIfMissing(false), engine);
        Backups backups = open(opened, engine)) {
      opened.flush();
      long bytes = TableSums.of(opened.stats()).bytes();
      BackupInfo made;
      try (Progress progress = Progress.start(streams, "backing up", bytes, Units::bytes)) {
        made = backups.create(opened, progress::add);
      }
      new BackupPrinter(streams, json).print(made);
      String failure = opened.stats().archive().failure();
      if (!failure.isEmpty()) {
        throw CommandFailure.failed(
            "the backup is made, but the log cannot be archived: reason=" + failure);
      }
      if (keep != null) {
        List<BackupInfo> all = backups.list();
        for (BackupInfo old : all.subList(0, Math.max(0, all.size() - keep))) {
          backups.delete(old.number());
        }
        if (pruneArchive || hasArchiveOfItsOwn(opened)) {
          int unused = backups.removeArchived();
        }
      }
    }
    return ExitStatus.OK;
  }

  /** Whether the archive lies with these backups, and no others need it. */
  private boolean hasArchiveOfItsOwn(Store opened) throws IOException {
    Path own = Backups.archive(StoreArguments.target(target)).toAbsolutePath().normalize();
    return own.toString().equals(opened.stats().archive().directory());
  }

  private Backups open(Store opened, IoEngine engine) throws IOException {
    Path backups = StoreArguments.target(target);
    String archive = opened.stats().archive().directory();
    return archive.isEmpty()
        ? Backups.open(backups, engine)
        : Backups.open(backups, Path.of(archive), engine);
  }
}
