package io.ewok.gds.cli;

import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreStats;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds stats}: prints what a store holds and what opening it took. */
@Command(
    name = "stats",
    description = {
      "Print what a store holds, and what opening it took.",
      "A store that is open elsewhere is locked and cannot be looked at."
    },
    footer = {
      "%nExamples:",
      "  gds stats /tmp/store",
      "  gds stats /tmp/store --json | jq .table_bytes"
    })
final class StatsCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private StoreArguments store;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Option(names = "--json", description = "Print one JSON object; sizes in bytes.")
  private boolean json;

  StatsCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    StoreStats stats;
    try (Store opened = store.openExisting(directory)) {
      stats = opened.stats();
    }
    if (json) {
      new JsonOutput(streams).line(line -> write(line, stats));
    } else {
      streams.out(table(stats).toString());
    }
    return ExitStatus.OK;
  }

  private Table table(StoreStats stats) {
    Table table = new Table();
    table.row("store", directory.toAbsolutePath().normalize().toString());
    table.row("engine", stats.engineReason());
    table.row("sequence", Units.count(stats.sequence()));
    int number = 0;
    for (StoreStats.Level level : stats.levels()) {
      table.row(
          "level " + number++,
          "%s tables, %s, %s records"
              .formatted(
                  Units.count(level.tables()),
                  Units.bytes(level.bytes()),
                  Units.count(level.entries())));
    }
    StoreStats.Memory memory = stats.memory();
    table.row(
        "memory",
        "%s of %s (peak %s)"
            .formatted(
                Units.bytes(memory.usedBytes()),
                Units.bytes(memory.limitBytes()),
                Units.bytes(memory.peakBytes())));
    table.row(
        "read to open",
        "%s device reads, %s"
            .formatted(
                Units.count(stats.read().deviceReads()), Units.bytes(stats.read().deviceBytes())));
    return table;
  }

  private static void write(JsonOutput.Fields line, StoreStats stats) {
    line.text("engine", stats.engine())
        .text("engine_reason", stats.engineReason())
        .number("sequence", stats.sequence())
        .numbers("level_tables", stats.levels().stream().map(StoreStats.Level::tables).toList())
        .numbers("level_bytes", stats.levels().stream().map(StoreStats.Level::bytes).toList())
        .numbers("level_records", stats.levels().stream().map(StoreStats.Level::entries).toList())
        .number("table_bytes", stats.levels().stream().mapToLong(StoreStats.Level::bytes).sum())
        .number("memory_used_bytes", stats.memory().usedBytes())
        .number("memory_peak_bytes", stats.memory().peakBytes())
        .number("memory_limit_bytes", stats.memory().limitBytes())
        .number("device_reads", stats.read().deviceReads())
        .number("device_read_bytes", stats.read().deviceBytes());
  }
}
