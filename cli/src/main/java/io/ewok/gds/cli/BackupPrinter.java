package io.ewok.gds.cli;

import io.ewok.gds.lsm.BackupInfo;
import io.ewok.gds.lsm.Backups;

/** Prints a backup, for people or as JSON. */
final class BackupPrinter {
  private final Streams streams;
  private final boolean json;

  BackupPrinter(Streams streams, boolean json) {
    this.streams = streams;
    this.json = json;
  }

  /** Prints what was made of a backup and an archive. */
  void print(Backups.Restored restored) {
    if (json) {
      new JsonOutput(streams)
          .line(
              line -> {
                fill(line, restored.backup());
                line.number("restored_sequence", restored.sequence());
                restored.time().ifPresent(time -> line.text("restored_time", time.toString()));
              });
      return;
    }
    print(restored.backup());
    streams.out(
        "restored to sequence %d%s\n"
            .formatted(
                restored.sequence(),
                restored.time().map(time -> ", of " + time + " or shortly after").orElse("")));
  }

  private static JsonOutput.Fields fill(JsonOutput.Fields line, BackupInfo backup) {
    return line.number("backup", backup.number())
        .text("time", backup.time().toString())
        .number("sequence", backup.sequence())
        .number("tables", backup.tables())
        .number("table_bytes", backup.tableBytes())
        .number("new_bytes", backup.newBytes());
  }

  void print(BackupInfo backup) {
    if (json) {
      new JsonOutput(streams).line(line -> fill(line, backup));
    } else {
      streams.out(
          "backup %d of %s: %s, %s, of that new: %s\n"
              .formatted(
                  backup.number(),
                  backup.time(),
                  Units.count(backup.tables(), "table"),
                  Units.bytes(backup.tableBytes()),
                  Units.bytes(backup.newBytes())));
    }
  }
}
