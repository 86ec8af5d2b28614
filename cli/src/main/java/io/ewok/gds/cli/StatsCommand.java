package io.ewok.gds.cli;

import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreStats;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
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
      streams.out(table(stats) + "\n" + levels(stats.levels()));
    }
    return ExitStatus.OK;
  }

  private Table table(StoreStats stats) {
    Table table = new Table();
    table.row("store", directory.toAbsolutePath().normalize().toString());
    table.row("engine", stats.engineReason());
    table.row("sequence", Units.count(stats.sequence()));
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
    table.row("tables", TableSums.text(stats));
    table.row(
        "space", "%s times the deepest level".formatted(Units.ratio(stats.spaceAmplification())));
    return table;
  }

  /** A line for each level down to the deepest with tables. */
  private static Table levels(List<StoreStats.Level> levels) {
    Table table = new Table().row("level", "tables", "size", "records", "deletes", "score");
    int deepest = levels.size() - 1;
    while (deepest > 0 && levels.get(deepest).tables() == 0) {
      deepest--;
    }
    for (int number = 0; number <= deepest; number++) {
      StoreStats.Level level = levels.get(number);
      table.row(
          Integer.toString(number),
          Units.count(level.tables()),
          Units.bytes(level.bytes()),
          Units.count(level.entries()),
          Units.count(level.deletes()),
          Units.ratio(level.score()));
    }
    return table;
  }

  private static void write(JsonOutput.Fields line, StoreStats stats) {
    line.text("engine", stats.engine())
        .text("engine_reason", stats.engineReason())
        .number("sequence", stats.sequence())
        .numbers("level_tables", stats.levels().stream().map(StoreStats.Level::tables).toList())
        .numbers("level_bytes", stats.levels().stream().map(StoreStats.Level::bytes).toList())
        .numbers("level_records", stats.levels().stream().map(StoreStats.Level::entries).toList())
        .numbers("level_deletes", stats.levels().stream().map(StoreStats.Level::deletes).toList())
        .number("table_bytes", TableSums.bytes(stats))
        .number("space_amplification", stats.spaceAmplification())
        .number("memory_used_bytes", stats.memory().usedBytes())
        .number("memory_peak_bytes", stats.memory().peakBytes())
        .number("memory_limit_bytes", stats.memory().limitBytes())
        .number("device_reads", stats.read().deviceReads())
        .number("device_read_bytes", stats.read().deviceBytes());
  }
}
