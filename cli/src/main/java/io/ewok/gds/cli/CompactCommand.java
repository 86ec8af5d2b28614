package io.ewok.gds.cli;

import io.ewok.gds.lsm.Family;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreCursor;
import io.ewok.gds.lsm.StoreStats;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds compact}: merges all tables of a store. */
@Command(
    name = "compact",
    description = {
      "Merge the tables of a store, or of one of its families, without what was overwritten or "
          + "deleted.",
      "It needs as much room on the disk as these tables, until it is done."
    },
    footer = {
      "%nExamples:",
      "  gds compact /tmp/store",
      "  gds compact /tmp/store --from user/ --to user/z"
    })
final class CompactCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private StoreArguments store;

  @Mixin private FamilyArguments family;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Option(
      names = "--from",
      paramLabel = "KEY",
      description = "Only tables with keys from this one on.")
  private String from;

  @Option(
      names = "--to",
      paramLabel = "KEY",
      description = "Only tables with keys up to this one, itself included.")
  private String to;

  @Option(names = "--hex", description = "Keys are hexadecimal digits, two a byte.")
  private boolean hex;

  @Option(names = "--json", description = "Print one JSON object; sizes in bytes.")
  private boolean json;

  CompactCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    StoreStats before;
    StoreStats after;
    long start = System.nanoTime();
    try (Store opened = store.openExisting(directory)) {
      before = opened.stats();
      try (Progress progress =
          Progress.start(streams, "compacting", tables(opened, before).bytes(), Units::bytes)) {
        long mergedBytes = before.written().mergeBytes();
        // More than there is, if it goes through several levels.
        progress.countBy(() -> opened.stats().written().mergeBytes() - mergedBytes);
        for (Family wanted : family.isNamed() ? List.of(family.of(opened)) : opened.families()) {
          compact(wanted);
        }
      }
      after = opened.stats();
    }
    long nanos = System.nanoTime() - start;
    if (json) {
      new JsonOutput(streams)
          .line(
              line ->
                  line.number("tables_before", TableSums.of(before).tables())
                      .number("table_bytes_before", TableSums.of(before).bytes())
                      .number("records_before", TableSums.of(before).entries())
                      .number("tables", TableSums.of(after).tables())
                      .number("table_bytes", TableSums.of(after).bytes())
                      .number("records", TableSums.of(after).entries())
                      .number("seconds", Units.inSeconds(nanos)));
    } else {
      streams.out(
          "%s, before %s; in %s\n"
              .formatted(
                  TableSums.of(after).text(), TableSums.of(before).text(), Units.seconds(nanos)));
    }
    return ExitStatus.OK;
  }

  private TableSums tables(Store opened, StoreStats stats) {
    return family.isNamed() ? TableSums.of(stats, family.of(opened).name()) : TableSums.of(stats);
  }

  private void compact(Family opened) throws IOException {
    if (from == null && to == null) {
      opened.compact();
      return;
    }
    byte[] first = from == null ? new byte[0] : ByteText.parse("--from", from, hex);
    byte[] last = to == null ? lastKey(opened) : ByteText.parse("--to", to, hex);
    if (Arrays.compareUnsigned(first, last) <= 0) {
      opened.compact(MemorySegment.ofArray(first), MemorySegment.ofArray(last));
    }
  }

  /** The greatest key, or none; what is deleted beyond it stays. */
  private static byte[] lastKey(Family opened) throws IOException {
    try (StoreCursor cursor = opened.cursor()) {
      cursor.last();
      return cursor.isValid() ? cursor.key().toArray(ValueLayout.JAVA_BYTE) : new byte[0];
    }
  }
}
