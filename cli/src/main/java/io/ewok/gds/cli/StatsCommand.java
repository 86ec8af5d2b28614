package io.ewok.gds.cli;

import io.ewok.gds.lsm.ReadView;
import io.ewok.gds.lsm.StoreInspection;
import io.ewok.gds.lsm.StoreStats;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.KeySource;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.concurrent.Callable;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds stats}: prints what a store holds and what opening it took. */
@Command(
    name = "stats",
    description = {
      "Print what a store holds, and what opening it took; or what a table file says of itself.",
      "Of a store that is open elsewhere it is what its tables are."
    },
    footer = {
      "%nExamples:",
      "  gds stats /tmp/store",
      "  gds stats /tmp/store --json | jq .table_bytes",
      "  gds stats /tmp/store/0000000000000007.table"
    })
final class StatsCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private StoreArguments store;

  @Mixin private FamilyArguments family;

  @Parameters(
      index = "0",
      paramLabel = "DIR|FILE",
      description = "The store, or a table file of one.")
  private Path path;

  @Option(names = "--json", description = "Print one JSON object; sizes in bytes.")
  private boolean json;

  StatsCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    if (Files.isRegularFile(path)) {
      printTable();
      return ExitStatus.OK;
    }
    try (ReadableStore opened = store.openToRead(path, streams)) {
      ReadView unused = family.of(opened);
      List<StoreStats.OfFamily> families =
          opened.tables().stream().filter(each -> family.isMeant(each.name())).toList();
      if (json) {
        new JsonOutput(streams).line(line -> write(line, opened, families));
      } else {
        streams.out(table(opened, FilesByKey.sum(families)).toString());
        for (StoreStats.OfFamily each : families) {
          String title = opened.numbers().size() == 1 ? "" : "family " + each.name() + "\n";
          streams.out("\n" + title + levels(each.levels()));
          List<StoreStats.ValueFile> files = valueFiles(opened, each.name());
          if (!files.isEmpty()) {
            streams.out("\n" + table(files));
          }
        }
      }
    }
    return ExitStatus.OK;
  }

  private Table table(ReadableStore opened, SortedMap<Integer, Long> keys) {
    Table table = new Table();
    table.row("store", path.toAbsolutePath().normalize().toString());
    table.row("engine", opened.engineReason());
    table.row("sequence", Units.count(opened.sequence()));
    Optional<StoreStats> stats = opened.stats();
    stats.ifPresent(
        all -> {
          StoreStats.Memory memory = all.memory();
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
                      Units.count(all.read().deviceReads()),
                      Units.bytes(all.read().deviceBytes())));
        });
    table.row("tables", TableSums.of(opened.tables()).text());
    stats
        .filter(all -> all.sharedBytes() > 0)
        .ifPresent(
            all ->
                table.row(
                    "shared",
                    "%s of that is counted more than once, for families that were cloned"
                        .formatted(Units.bytes(all.sharedBytes()))));
    stats
        .map(StoreStats::archive)
        .filter(archive -> !archive.directory().isEmpty())
        .ifPresent(
            archive ->
                table.row(
                    "archive",
                    "%s, up to sequence %s%s"
                        .formatted(
                            archive.directory(),
                            Units.count(archive.sequence()),
                            archive.failure().isEmpty() ? "" : "; " + archive.failure())));
    List<StoreStats.ValueFile> values = stats.map(StoreStats::valueFiles).orElse(List.of());
    if (!values.isEmpty()) {
      table.row("value files", sum(values));
    }
    if (FilesByKey.isTold(keys)) {
      table.row("files", FilesByKey.text(keys));
    }
    stats.ifPresent(
        all ->
            table.row(
                "space",
                "%s times the deepest level".formatted(Units.ratio(all.spaceAmplification()))));
    return table;
  }

  private static String sum(List<StoreStats.ValueFile> ofFamilies) {
    Collection<StoreStats.ValueFile> files = StoreStats.ValueFile.eachOnce(ofFamilies);
    return "%s, %s, %s of that garbage"
        .formatted(
            Units.count(files.size()),
            Units.bytes(files.stream().mapToLong(StoreStats.ValueFile::bytes).sum()),
            Units.bytes(files.stream().mapToLong(StoreStats.ValueFile::garbageBytes).sum()));
  }

  /** Of a store that is only read there is nothing known of them. */
  private static List<StoreStats.ValueFile> valueFiles(ReadableStore opened, String family) {
    return opened.stats().map(StoreStats::valueFiles).orElse(List.of()).stream()
        .filter(file -> file.family().equals(family))
        .toList();
  }

  /** A line for each value file. */
  private static Table table(List<StoreStats.ValueFile> files) {
    Table table = new Table().row("value file", "size", "values", "live", "garbage");
    for (StoreStats.ValueFile file : files) {
      table.row(
          String.format(Locale.ROOT, "%016x", file.number()),
          Units.bytes(file.bytes()),
          Units.count(file.entries()),
          Units.bytes(file.liveBytes()),
          Units.bytes(file.garbageBytes()));
    }
    return table;
  }

  /** A line for each level down to the deepest with tables. */
  private static Table levels(List<StoreStats.Level> levels) {
    Table table =
        new Table().row("level", "tables", "size", "records", "deletes", "range deletes", "score");
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
          Units.count(level.rangeDeletes()),
          Units.ratio(level.score()));
    }
    return table;
  }

  private static void write(
      JsonOutput.Fields line, ReadableStore opened, List<StoreStats.OfFamily> families) {
    List<TableSums> sums = families.stream().map(each -> TableSums.sum(each.levels())).toList();
    Optional<StoreStats> stats = opened.stats();
    stats.ifPresent(all -> line.text("engine", all.engine()));
    line.text("engine_reason", opened.engineReason()).number("sequence", opened.sequence());
    write(line, opened.tables());
    line.texts("families", families.stream().map(StoreStats.OfFamily::name).toList())
        .numbers("family_tables", sums.stream().map(TableSums::tables).toList())
        .numbers("family_bytes", sums.stream().map(TableSums::bytes).toList())
        .number("table_bytes", TableSums.of(opened.tables()).bytes());
    SortedMap<Integer, Long> keys = FilesByKey.sum(families);
    line.numbers("key_ids", FilesByKey.ids(keys)).numbers("key_files", List.copyOf(keys.values()));
    List<StoreStats.ValueFile> values =
        families.stream().flatMap(each -> valueFiles(opened, each.name()).stream()).toList();
    line.numbers("value_files", values.stream().map(StoreStats.ValueFile::number).toList())
        .numbers("value_file_bytes", values.stream().map(StoreStats.ValueFile::bytes).toList())
        .numbers(
            "value_file_live_bytes", values.stream().map(StoreStats.ValueFile::liveBytes).toList())
        .numbers(
            "value_file_garbage_bytes",
            values.stream().map(StoreStats.ValueFile::garbageBytes).toList());
    stats.ifPresent(
        all ->
            line.number("shared_bytes", all.sharedBytes())
                .number("space_amplification", all.spaceAmplification())
                .number("memory_used_bytes", all.memory().usedBytes())
                .number("memory_peak_bytes", all.memory().peakBytes())
                .number("memory_limit_bytes", all.memory().limitBytes())
                .number("device_reads", all.read().deviceReads())
                .number("device_read_bytes", all.read().deviceBytes()));
  }

  /** The levels of all families together. */
  private static void write(JsonOutput.Fields line, List<StoreStats.OfFamily> families) {
    line.numbers("level_tables", perLevel(families, StoreStats.Level::tables))
        .numbers("level_bytes", perLevel(families, StoreStats.Level::bytes))
        .numbers("level_records", perLevel(families, StoreStats.Level::entries))
        .numbers("level_deletes", perLevel(families, StoreStats.Level::deletes))
        .numbers("level_range_deletes", perLevel(families, StoreStats.Level::rangeDeletes));
  }

  private static List<Long> perLevel(
      List<StoreStats.OfFamily> families, ToLongFunction<StoreStats.Level> what) {
    return IntStream.range(0, families.getFirst().levels().size())
        .mapToObj(
            level ->
                families.stream()
                    .mapToLong(family -> what.applyAsLong(family.levels().get(level)))
                    .sum())
        .toList();
  }

  private void printTable() throws IOException {
    try (IoEngine engine = IoEngines.open(store.options().engine());
        StoreInspection inspection = store.inspect(engine, path)) {
      StoreInspection.TableFile table = inspection.tables().getFirst();
      StoreInspection.Properties properties = inspection.properties(table);
      int key = inspection.keyId(table);
      if (json) {
        new JsonOutput(streams)
            .line(
                line -> {
                  write(line, table, properties);
                  line.number("key_id", key);
                });
      } else {
        Table shown = table(table, properties);
        if (key != KeySource.NOT_ENCRYPTED) {
          shown.row("key", FilesByKey.name(key));
        }
        streams.out(shown.toString());
      }
    }
  }

  private static Table table(
      StoreInspection.TableFile table, StoreInspection.Properties properties) {
    return new Table()
        .row("table", table.path().toString())
        .row("size", Units.bytes(table.sizeBytes()))
        .row(
            "records",
            "%s, %s of them deletes; sequence %s to %s"
                .formatted(
                    Units.count(table.entries()),
                    Units.count(table.deletes()),
                    Units.count(properties.firstSequence()),
                    Units.count(properties.lastSequence())))
        .row("keys", Units.bytes(properties.keyBytes()))
        .row("values", Units.bytes(properties.valueBytes()))
        .row(
            "data",
            "%s blocks, %s, stored in %s; compression %s"
                .formatted(
                    Units.count(properties.dataBlocks()),
                    Units.bytes(properties.dataBytes()),
                    Units.bytes(properties.dataStoredBytes()),
                    properties.compression()))
        .row("index", Units.bytes(properties.indexBytes()))
        .row(
            "filters",
            "%s, %d bits a key"
                .formatted(Units.bytes(properties.filterBytes()), properties.filterBitsPerKey()))
        .row("first key", ByteText.show(table.firstKey().toArray(ValueLayout.JAVA_BYTE)))
        .row("last key", ByteText.show(table.lastKey().toArray(ValueLayout.JAVA_BYTE)));
  }

  private static void write(
      JsonOutput.Fields line,
      StoreInspection.TableFile table,
      StoreInspection.Properties properties) {
    line.text("table", table.path().toString())
        .number("number", properties.number())
        .number("bytes", table.sizeBytes())
        .number("records", table.entries())
        .number("deletes", table.deletes())
        .number("first_sequence", properties.firstSequence())
        .number("last_sequence", properties.lastSequence())
        .number("key_bytes", properties.keyBytes())
        .number("value_bytes", properties.valueBytes())
        .number("data_blocks", properties.dataBlocks())
        .number("data_bytes", properties.dataBytes())
        .number("data_stored_bytes", properties.dataStoredBytes())
        .number("index_bytes", properties.indexBytes())
        .number("filter_bytes", properties.filterBytes())
        .text("compression", properties.compression().name())
        .number("filter_bits_per_key", properties.filterBitsPerKey())
        .bytes("first_key", table.firstKey().toArray(ValueLayout.JAVA_BYTE))
        .bytes("last_key", table.lastKey().toArray(ValueLayout.JAVA_BYTE));
  }
}
