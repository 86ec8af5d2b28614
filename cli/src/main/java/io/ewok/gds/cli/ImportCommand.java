package io.ewok.gds.cli;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.lsm.sst.SstImport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds import}: puts what is in tables of RocksDB or LevelDB into a store. */
@Command(
    name = "import",
    description = {
      "Put what is in databases or table files of RocksDB or LevelDB into a store.",
      "Of a database, which must not be open, these are its tables and its logs; of "
          + "table files that are named side by side the newest record of each key holds.",
      "Of several databases the later one holds. Keys that are deleted there are "
          + "deleted in the store."
    },
    footer = {
      "%nExamples:",
      "  gds import /tmp/store /var/lib/rocks",
      "  gds import /tmp/store backup/*.sst --json"
    })
final class ImportCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private StoreArguments storeArguments;

  @Mixin private FamilyArguments familyArguments;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store; created if missing.")
  private Path directory;

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "FILE|DIRECTORY",
      description = "Table files, and directories of databases.")
  private List<Path> paths;

  @Option(names = "--json", description = "Print the result as a JSON object.")
  private boolean json;

  private final List<SstImport> sources = new ArrayList<>();
  private long records;
  private long deletes;
  private long bytes;

  ImportCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    long start = System.nanoTime();
    StoreOptions options = storeArguments.options();
    try {
      // The input first: what cannot be imported must not leave an empty store behind.
      openSources();
      try (Store store = storeArguments.openOrCreate(directory)) {
        write(store, options);
      }
    } finally {
      closeSources();
    }
    report(System.nanoTime() - start);
    return ExitStatus.OK;
  }

  /** Sequence numbers of files named side by side are compared, those of databases are not. */
  private void openSources() throws IOException {
    List<Path> tables = new ArrayList<>();
    for (Path path : paths) {
      if (Files.isDirectory(path)) {
        openTables(tables);
        sources.add(SstImport.ofDatabase(path));
      } else {
        tables.add(path);
      }
    }
    openTables(tables);
  }

  private void openTables(List<Path> tables) throws IOException {
    if (!tables.isEmpty()) {
      sources.add(SstImport.ofTables(tables));
      tables.clear();
    }
  }

  private void closeSources() throws IOException {
    for (SstImport source : sources) {
      source.close();
    }
  }

  private void write(Store store, StoreOptions options) throws IOException {
    long total = sources.stream().mapToLong(SstImport::totalBytes).sum();
    try (RecordWriter writer =
            new RecordWriter(store, familyArguments.orCreate(store), options, Durability.NONE, 1);
        Progress progress = Progress.start(streams, "importing", total, Units::bytes)) {
      try {
        for (SstImport source : sources) {
          write(source, writer, progress);
        }
        writer.finish();
      } catch (IOException | RuntimeException e) {
        if (writer.writtenCount() > 0) {
          streams.note("records stored before the failure: " + Units.count(writer.writtenCount()));
        }
        throw e;
      }
    }
    sources.forEach(source -> source.warnings().forEach(streams::note));
  }

  private void write(SstImport source, RecordWriter writer, Progress progress) throws IOException {
    long done = 0;
    while (source.next()) {
      byte[] key = source.key();
      byte[] value = source.valueOrNull();
      if (value == null) {
        writer.delete(key);
        deletes++;
      } else {
        writer.add(new Entry(key, value));
        records++;
        bytes += key.length + value.length;
      }
      long nowDone = source.doneBytes();
      progress.add(nowDone - done);
      done = nowDone;
    }
  }

  private void report(long nanos) {
    int tables = sources.stream().mapToInt(SstImport::tableCount).sum();
    int logs = sources.stream().mapToInt(SstImport::logCount).sum();
    if (json) {
      new JsonOutput(streams)
          .line(
              line ->
                  line.number("records", records)
                      .number("bytes", bytes)
                      .number("deletes", deletes)
                      .number("tables", tables)
                      .number("logs", logs)
                      .number("seconds", Units.inSeconds(nanos)));
      return;
    }
    streams.out(
        "imported %s, %s, and %s from %s and %s in %s: %s records/s%n"
            .formatted(
                Units.count(records, "record"),
                Units.bytes(bytes),
                Units.count(deletes, "delete"),
                Units.count(tables, "table"),
                Units.count(logs, "log"),
                Units.seconds(nanos),
                Units.count(Units.perSecond(records, nanos))));
  }
}
