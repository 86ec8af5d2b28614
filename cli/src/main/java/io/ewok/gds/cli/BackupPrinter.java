package io.ewok.gds.cli;

import io.ewok.gds.lsm.BackupInfo;

/** Prints a backup, for people or as JSON. */
final class BackupPrinter {
  private final Streams streams;
  private final boolean json;

  BackupPrinter(Streams streams, boolean json) {
    this.streams = streams;
    this.json = json;
  }

  void print(BackupInfo backup) {
    if (json) {
      new JsonOutput(streams)
          .line(
              line ->
                  line.number("backup", backup.number())
                      .text("time", backup.time().toString())
                      .number("sequence", backup.sequence())
                      .number("tables", backup.tables())
                      .number("table_bytes", backup.tableBytes())
                      .number("new_bytes", backup.newBytes()));
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
