package io.ewok.gds.cli;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Store;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds put}: sets the value of one key, durably. */
@Command(
    name = "put",
    description = {
      "Set the value of a key; returns when it is durable.",
      "A family that is named is created if it is missing."
    },
    footer = {
      "%nExamples:",
      "  gds put /tmp/store greeting hello",
      "  gds put /tmp/store --hex 00ff 68656c6c6f",
      "  gds put /tmp/store --family users 17 Ada"
    })
final class PutCommand implements Callable<Integer> {
  @Mixin private StoreArguments store;

  @Mixin private FamilyArguments family;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store; created if missing.")
  private Path directory;

  @Parameters(index = "1", paramLabel = "KEY", description = "The key, as UTF-8 text.")
  private String key;

  @Parameters(index = "2", paramLabel = "VALUE", description = "The value, as UTF-8 text.")
  private String value;

  @Option(names = "--hex", description = "KEY and VALUE are hexadecimal digits, two a byte.")
  private boolean hex;

  @Override
  public Integer call() throws IOException {
    byte[] keyBytes = ByteText.parse("KEY", key, hex);
    byte[] valueBytes = ByteText.parse("VALUE", value, hex);
    try (Store opened = store.openOrCreate(directory)) {
      family.orCreate(opened).put(keyBytes, valueBytes, Durability.SYNCED);
    }
    return ExitStatus.OK;
  }
}
