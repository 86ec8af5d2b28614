package io.ewok.gds.cli;

import io.ewok.gds.lsm.ReadView;
import io.ewok.gds.lsm.StoreInspection;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds verify}: reads a whole store, or a table file of it. */
@Command(
    name = "verify",
    description = {
      "Read a whole store: manifest, every block and record of every table, every value file, and "
          + "the log.",
      "If its tables are good it is opened, to read its log; that ends as after any crash.",
      "Of a table file, which may be a copy, every block and record is read."
    },
    footer = {
      "%nExamples:",
      "  gds verify /tmp/store",
      "  gds verify /tmp/store --json | jq 'select(.problem)'",
      "  gds verify /tmp/store/0000000000000007.table",
      "%nExit status: 0 all of it is good, 1 some is not or cannot be read."
    })
final class VerifyCommand implements Callable<Integer> {
  private final Streams streams;
  private final JsonOutput output;

  @Mixin private StoreArguments store;

  @Mixin private FamilyArguments family;

  @Parameters(
      index = "0",
      paramLabel = "DIR|FILE",
      description = "The store, or a table file of one.")
  private Path path;

  @Option(
      names = "--json",
      description = "Print a JSON object for each problem, then one with the counts.")
  private boolean json;

  private int tables;
  private int valueFiles;
  private long valueBytes;
  private long bytes;
  private long records;
  private int problems;

  /** By the number of the key, how many files are encrypted with it; 0 for those that are not. */
  private final SortedMap<Integer, Long> keys = new TreeMap<>();

  VerifyCommand(Streams streams) {
    this.streams = streams;
    this.output = new JsonOutput(streams);
  }

  @Override
  public Integer call() throws IOException {
    long start = System.nanoTime();
    boolean whole = !Files.isRegularFile(path);
    try (IoEngine engine = IoEngines.open(store.options().engine());
        StoreInspection inspection = store.inspect(engine, path)) {
      verify(inspection);
    }
    if (whole && problems == 0) {
      try (ReadableStore opened = store.openToRead(path, streams)) {
        ReadView unused = family.of(opened);
      }
    }
    print(System.nanoTime() - start);
    if (problems > 0) {
      throw CommandFailure.failed("this is damaged: path=" + path);
    }
    return ExitStatus.OK;
  }

  private void verify(StoreInspection inspection) {
    List<StoreInspection.TableFile> wanted =
        inspection.tables().stream()
            .filter(table -> table.family().map(family::isMeant).orElse(true))
            .toList();
    List<StoreInspection.ValuesFile> wantedValues =
        inspection.valueFiles().stream().filter(file -> family.isMeant(file.family())).toList();
    long total =
        wanted.stream().mapToLong(StoreInspection.TableFile::sizeBytes).sum()
            + wantedValues.stream().mapToLong(StoreInspection.ValuesFile::sizeBytes).sum();
    try (Progress progress = Progress.start(streams, "verifying", total, Units::bytes)) {
      for (StoreInspection.TableFile table : wanted) {
        tables++;
        bytes += table.sizeBytes();
        for (String problem : problems(inspection, table)) {
          problems++;
          print(table.path(), problem);
        }
        progress.add(table.sizeBytes());
      }
      for (StoreInspection.ValuesFile file : wantedValues) {
        valueFiles++;
        valueBytes += file.sizeBytes();
        for (String problem : problems(inspection, file)) {
          problems++;
          print(file.path(), problem);
        }
        progress.add(file.sizeBytes());
      }
    }
  }

  private List<String> problems(StoreInspection inspection, StoreInspection.TableFile table) {
    try {
      StoreInspection.Findings findings = inspection.verify(table);
      records += findings.entries();
      keys.merge(inspection.keyId(table), 1L, Long::sum);
      return findings.problems();
    } catch (IOException e) {
      return List.of(Failures.message(e));
    }
  }

  private List<String> problems(StoreInspection inspection, StoreInspection.ValuesFile file) {
    try {
      List<String> found = inspection.verify(file).problems();
      keys.merge(inspection.keyId(file), 1L, Long::sum);
      return found;
    } catch (IOException e) {
      return List.of(Failures.message(e));
    }
  }

  private void print(Path file, String problem) {
    if (json) {
      output.line(line -> line.text("file", file.toString()).text("problem", problem));
    } else {
      streams.out("%s: %s\n".formatted(file.getFileName(), problem));
    }
  }

  private void print(long nanos) {
    if (json) {
      output.line(
          line ->
              line.text("path", path.toString())
                  .number("tables", tables)
                  .number("table_bytes", bytes)
                  .number("value_files", valueFiles)
                  .number("value_file_bytes", valueBytes)
                  .number("records", records)
                  .numbers("key_ids", FilesByKey.ids(keys))
                  .numbers("key_files", List.copyOf(keys.values()))
                  .number("problems", problems)
                  .number("seconds", Units.inSeconds(nanos)));
    } else {
      streams.out(
          "%s in %s of %s%s: %s; in %s\n"
              .formatted(
                  Units.count(records, "record"),
                  Units.count(tables, "table"),
                  Units.bytes(bytes),
                  values(),
                  Units.count(problems, "problem"),
                  Units.seconds(nanos)));
      if (FilesByKey.isTold(keys)) {
        keys.forEach(
            (id, files) ->
                streams.out("%s: %s\n".formatted(FilesByKey.name(id), Units.count(files, "file"))));
      }
    }
  }

  private String values() {
    return valueFiles == 0
        ? ""
        : " and %s of %s".formatted(Units.count(valueFiles, "value file"), Units.bytes(valueBytes));
  }
}
