package io.ewok.gds.cli;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.ewok.gds.lsm.StoreInspection;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds dump}: what files a store has, and what is in one of them. */
@Command(
    name = "dump",
    description = {
      "List the tables of a store, or print the records of a table file.",
      "Of a table file that is all versions and deletes, with their sequence numbers. What is still "
          + "in the log is in no table.",
      "With --format, print all records of a store as readers see them, for gds load."
    },
    footer = {
      "%nExamples:",
      "  gds dump /tmp/store",
      "  gds dump /tmp/store/0000000000000007.table --hex",
      "  gds dump /tmp/store --json | jq -r .file",
      "  gds dump /tmp/store --format export > /tmp/store.export",
      "%nExit status: 0 what was printed is good, 1 some of it cannot be read."
    })
final class DumpCommand implements Callable<Integer> {
  private final Streams streams;
  private final JsonOutput output;

  @Mixin private StoreArguments store;

  @Mixin private FamilyArguments family;

  @Parameters(
      index = "0",
      paramLabel = "DIR|FILE",
      description = "The store, or a table file of one.")
  private Path path;

  @Option(names = "--hex", description = "Print keys and values as hexadecimal digits.")
  private boolean hex;

  @Option(
      names = "--json",
      description = "Print a JSON object for each table or record; keys and values as scan does.")
  private boolean json;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description =
          "export: a stream of all families with checksums; tsv: of one family, with \\t, \\n, \\r and "
              + "\\\\ for tabs, newlines, carriage returns and backslashes; jsonl: JSON objects.")
  private RecordFormat format;

  DumpCommand(Streams streams) {
    this.streams = streams;
    this.output = new JsonOutput(streams);
  }

  @Override
  public Integer call() throws IOException {
    if (format != null) {
      if (hex || json) {
        throw CommandFailure.usage("a format says how records are printed: --format=" + format);
      }
      try (ReadableStore opened = store.openToRead(path, streams)) {
        new RecordDump(streams, opened, family).print(format);
      }
      return ExitStatus.OK;
    }
    try (IoEngine engine = IoEngines.open(store.options().engine());
        StoreInspection inspection = store.inspectToRead(engine, path, streams)) {
      if (!Files.isRegularFile(path)) {
        list(inspection);
        return ExitStatus.OK;
      }
      StoreInspection.Findings findings =
          inspection.dump(inspection.tables().getFirst(), this::print);
      if (!findings.problems().isEmpty()) {
        throw CommandFailure.failed(findings.problems().getFirst());
      }
      return ExitStatus.OK;
    }
  }

  private void list(StoreInspection inspection) {
    family.requireAmong(inspection.families());
    Table text =
        new Table()
            .row("family", "level", "file", "size", "records", "deletes", "first key", "last key");
    for (StoreInspection.TableFile table : inspection.tables()) {
      String name = table.family().orElseThrow();
      if (!family.isMeant(name)) {
        continue;
      }
      byte[] first = bytes(table.firstKey());
      byte[] last = bytes(table.lastKey());
      if (json) {
        output.line(
            line ->
                line.text("family", name)
                    .number("level", table.level())
                    .text("file", table.path().toString())
                    .number("bytes", table.sizeBytes())
                    .number("records", table.entries())
                    .number("deletes", table.deletes())
                    .bytes("first_key", first)
                    .bytes("last_key", last));
      } else {
        text.row(
            name,
            Integer.toString(table.level()),
            table.path().getFileName().toString(),
            Units.bytes(table.sizeBytes()),
            Units.count(table.entries()),
            Units.count(table.deletes()),
            hex ? ByteText.hex(first) : ByteText.show(first),
            hex ? ByteText.hex(last) : ByteText.show(last));
      }
    }
    if (!json) {
      streams.out(text.toString());
    }
  }

  private void print(
      long sequence, StoreInspection.Kind recordKind, MemorySegment key, MemorySegment value) {
    byte[] keyBytes = bytes(key);
    byte[] valueBytes = bytes(value);
    String kind = recordKind.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    if (json) {
      output.line(
          line ->
              line.number("sequence", sequence)
                  .text("kind", kind)
                  .bytes("key", keyBytes)
                  .bytes("value", valueBytes));
      return;
    }
    streams.out("%d\t%s\t".formatted(sequence, kind));
    streams.out(hex ? ByteText.hex(keyBytes).getBytes(US_ASCII) : keyBytes);
    streams.out('\t');
    streams.out(hex ? ByteText.hex(valueBytes).getBytes(US_ASCII) : valueBytes);
    streams.out('\n');
  }

  private static byte[] bytes(MemorySegment segment) {
    return segment.toArray(ValueLayout.JAVA_BYTE);
  }
}
