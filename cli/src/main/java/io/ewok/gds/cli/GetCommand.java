package io.ewok.gds.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds get}: prints the value of one key. */
@Command(
    name = "get",
    description = {
      "Print the value of a key: its bytes as they are, and a newline.",
      "Ends with status 1 when the store has no such key."
    },
    footer = {
      "%nExamples:",
      "  gds get /tmp/store greeting",
      "  gds get /tmp/store --hex 00ff",
      "  gds get /tmp/store greeting --json | jq -r .value"
    })
final class GetCommand implements Callable<Integer> {
  private final Streams streams;

  @Mixin private StoreArguments store;

  @Mixin private FamilyArguments family;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Parameters(index = "1", paramLabel = "KEY", description = "The key, as UTF-8 text.")
  private String key;

  @Option(
      names = "--hex",
      description = "KEY is hexadecimal digits, two a byte, and so is what is printed.")
  private boolean hex;

  @Option(
      names = "--json",
      description =
          "Print a JSON object: key and value as text, or in base64 as key_base64 and value_base64"
              + " when they are not UTF-8.")
  private boolean json;

  GetCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    byte[] keyBytes = ByteText.parse("KEY", key, hex);
    byte[] value;
    try (ReadableStore opened = store.openToRead(directory, streams)) {
      value = family.of(opened).get(keyBytes);
    }
    if (value == null) {
      throw CommandFailure.failed("the store has no such key: key=" + ByteText.show(keyBytes));
    }
    if (json) {
      new JsonOutput(streams).line(line -> line.bytes("key", keyBytes).bytes("value", value));
    } else if (hex) {
      streams.out(ByteText.hex(value) + '\n');
    } else {
      streams.out(value);
      streams.out('\n');
    }
    return ExitStatus.OK;
  }
}
