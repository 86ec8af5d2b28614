package io.ewok.gds.cli;

import io.ewok.gds.lsm.StoreCursor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds scan}: prints records in the order of their keys. */
@Command(
    name = "scan",
    description = {
      "Print records in the order of their keys: key, tab, value, newline, bytes as they are.",
      "Where keys or values may hold tabs or newlines, --json or --hex tells them apart."
    },
    footer = {
      "%nExamples:",
      "  gds scan /tmp/store --prefix /usr/bin/",
      "  gds scan /tmp/store --from a --to b --reverse --limit 10",
      "  gds scan /tmp/store --json | jq -r .key"
    })
final class ScanCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private StoreArguments store;

  @Mixin private FamilyArguments family;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Option(names = "--from", paramLabel = "KEY", description = "Smallest key to print.")
  private String from;

  @Option(
      names = "--to",
      paramLabel = "KEY",
      description = "Keys from this one on are not printed.")
  private String to;

  @Option(names = "--prefix", paramLabel = "TEXT", description = "Only keys that start with it.")
  private String prefix;

  @Option(names = "--reverse", description = "Greatest key first.")
  private boolean reverse;

  @Option(names = "--limit", paramLabel = "N", description = "Stop after so many records.")
  private Long limit;

  @Option(
      names = "--hex",
      description = "Keys, given and printed, and values are hexadecimal digits, two a byte.")
  private boolean hex;

  @Option(
      names = "--json",
      description =
          "Print a JSON object per line: key and value as text, or in base64 as key_base64 and"
              + " value_base64 when they are not UTF-8.")
  private boolean json;

  ScanCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    if (limit != null && limit < 0) {
      throw CommandFailure.usage("a limit is zero or more: --limit=" + limit);
    }
    KeyRange range =
        KeyRange.of(bytes("--from", from), bytes("--to", to), bytes("--prefix", prefix));
    long left = limit == null ? Long.MAX_VALUE : limit;
    JsonOutput jsonOutput = new JsonOutput(streams);
    try (ReadableStore opened = store.openToRead(directory, streams);
        StoreCursor cursor = family.of(opened).cursor()) {
      for (start(cursor, range); left > 0 && cursor.isValid(); move(cursor), left--) {
        byte[] key = bytes(cursor.key());
        if (reverse ? range.startsAfter(key) : range.endsBefore(key)) {
          break;
        }
        print(jsonOutput, key, bytes(cursor.value()));
      }
    }
    return ExitStatus.OK;
  }

  private void start(StoreCursor cursor, KeyRange range) throws IOException {
    if (!reverse) {
      cursor.seek(range.from());
    } else if (range.to() == null) {
      cursor.last();
    } else {
      cursor.seekForPrev(range.to());
      // The upper bound itself is not part of the range.
      if (cursor.isValid() && range.endsBefore(bytes(cursor.key()))) {
        cursor.previous();
      }
    }
  }

  private void move(StoreCursor cursor) throws IOException {
    if (reverse) {
      cursor.previous();
    } else {
      cursor.next();
    }
  }

  private void print(JsonOutput jsonOutput, byte[] key, byte[] value) {
    if (json) {
      jsonOutput.line(line -> line.bytes("key", key).bytes("value", value));
    } else if (hex) {
      streams.out(ByteText.hex(key) + '\t' + ByteText.hex(value) + '\n');
    } else {
      streams.out(key);
      streams.out('\t');
      streams.out(value);
      streams.out('\n');
    }
  }

  private byte[] bytes(String option, String text) {
    return text == null ? null : ByteText.parse(option, text, hex);
  }

  private static byte[] bytes(MemorySegment segment) {
    return segment.toArray(ValueLayout.JAVA_BYTE);
  }
}
