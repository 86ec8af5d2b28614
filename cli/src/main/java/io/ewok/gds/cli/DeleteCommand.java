package io.ewok.gds.cli;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Store;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds delete}: removes one key, or all of a range, durably. */
@Command(
    name = "delete",
    description = {
      "Remove a key, which need not be there, or all keys of a range; returns when that is durable.",
      "A range costs as much as one key, however many keys there are in it."
    },
    footer = {
      "%nExamples:",
      "  gds delete /tmp/store greeting",
      "  gds delete /tmp/store --range 2024-01-01 2025-01-01"
    })
final class DeleteCommand implements Callable<Integer> {
  @Mixin private StoreArguments store;

  @Mixin private FamilyArguments family;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Parameters(
      index = "1",
      paramLabel = "KEY",
      description = "The key, as UTF-8 text; with --range the first one.")
  private String key;

  @Parameters(
      index = "2",
      paramLabel = "END",
      arity = "0..1",
      description = "With --range: the first key that stays.")
  private String end;

  @Option(names = "--range", description = "Remove all keys from KEY to before END.")
  private boolean range;

  @Option(names = "--hex", description = "Keys are hexadecimal digits, two a byte.")
  private boolean hex;

  @Override
  public Integer call() throws IOException {
    if (range != (end != null)) {
      throw CommandFailure.usage(
          range ? "a range has an END: KEY=" + key : "an END needs --range: END=" + end);
    }
    byte[] keyBytes = ByteText.parse("KEY", key, hex);
    byte[] endBytes = range ? ByteText.parse("END", end, hex) : null;
    if (range && Arrays.compareUnsigned(keyBytes, endBytes) >= 0) {
      throw CommandFailure.usage("a range ends behind its first key: KEY=" + key + " END=" + end);
    }
    try (Store opened = store.openExisting(directory)) {
      if (range) {
        family.of(opened).deleteRange(keyBytes, endBytes, Durability.SYNCED);
      } else {
        family.of(opened).delete(keyBytes, Durability.SYNCED);
      }
    }
    return ExitStatus.OK;
  }
}
