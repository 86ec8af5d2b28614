package io.ewok.gds.cli;

import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreCursor;
import io.ewok.gds.lsm.StoreStats;
import io.ewok.gds.pagestore.CorruptFileException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds verify}: reads a whole store. */
@Command(
    name = "verify",
    description = {
      "Read a whole store: manifest, log, and every record of every table, with their checksums.",
      "It is opened for that, so what is in its log may become a table. Where records cannot be",
      "read, the damage nearest to the first key and the one nearest to the last are told."
    },
    footer = {
      "%nExamples:",
      "  gds verify /tmp/store",
      "  gds verify /tmp/store --json | jq 'select(.file)'",
      "%nExit status: 0 all of it is good, 1 some is not or cannot be read."
    })
final class VerifyCommand implements Callable<Integer> {
  private static final int COUNT_EVERY = 1024;

  private final Streams streams;

  @Mixin private StoreArguments store;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Option(
      names = "--json",
      description = "Print a JSON object for each damage, then one with the counts.")
  private boolean json;

  /** Where the records were read to, or null. */
  private byte[] lastKey;

  VerifyCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    long start = System.nanoTime();
    List<CorruptFileException> damages = new ArrayList<>();
    try (Store opened = store.openExisting(directory);
        StoreCursor cursor = opened.cursor()) {
      StoreStats stats = opened.stats();
      long records;
      try (Progress progress =
          Progress.start(streams, "verifying", TableSums.entries(stats), Units::count)) {
        records = read(cursor, false, progress, damages);
        if (!damages.isEmpty()) {
          records += read(cursor, true, progress, damages);
        }
      }
      print(stats, records, damages, System.nanoTime() - start);
    }
    if (!damages.isEmpty()) {
      throw CommandFailure.failed("the store is damaged: path=" + directory);
    }
    return ExitStatus.OK;
  }

  /** Reads from one end to the other, or to the first damage; returns how many records. */
  private long read(
      StoreCursor cursor, boolean backward, Progress progress, List<CorruptFileException> damages)
      throws IOException {
    long records = 0;
    lastKey = null;
    try {
      if (backward) {
        cursor.last();
      } else {
        cursor.first();
      }
      while (cursor.isValid()) {
        requireOrder(cursor.key(), backward);
        if (++records % COUNT_EVERY == 0) {
          progress.add(COUNT_EVERY);
        }
        if (backward) {
          cursor.previous();
        } else {
          cursor.next();
        }
      }
    } catch (CorruptFileException e) {
      if (damages.isEmpty() || !e.getMessage().equals(damages.getFirst().getMessage())) {
        damages.add(e);
      }
    }
    return records;
  }

  private void requireOrder(MemorySegment key, boolean backward) throws IOException {
    byte[] bytes = key.toArray(ValueLayout.JAVA_BYTE);
    int wanted = backward ? 1 : -1;
    if (lastKey != null && Integer.signum(Arrays.compareUnsigned(lastKey, bytes)) != wanted) {
      throw new CorruptFileException(directory, 0, "keys in order", "another order");
    }
    lastKey = bytes;
  }

  private void print(
      StoreStats stats, long records, List<CorruptFileException> damages, long nanos) {
    JsonOutput output = new JsonOutput(streams);
    for (CorruptFileException damage : damages) {
      if (json) {
        output.line(
            line ->
                line.text("file", String.valueOf(damage.path()))
                    .number("offset", damage.offset())
                    .text("reason", damage.getMessage()));
      } else {
        streams.out(damage.getMessage() + '\n');
      }
    }
    if (json) {
      output.line(
          line ->
              line.text("store", directory.toString())
                  .number("tables", TableSums.tables(stats))
                  .number("table_bytes", TableSums.bytes(stats))
                  .number("records", records)
                  .number("damages", damages.size())
                  .number("seconds", Units.inSeconds(nanos)));
    } else {
      streams.out(
          "%s records read, of %s; in %s\n"
              .formatted(Units.count(records), TableSums.text(stats), Units.seconds(nanos)));
    }
  }
}
