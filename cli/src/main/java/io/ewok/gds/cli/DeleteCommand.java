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

/** {@code gds delete}: removes one key, durably. */
@Command(
    name = "delete",
    description = "Remove a key, which need not be there; returns when that is durable.",
    footer = {"%nExample:", "  gds delete /tmp/store greeting"})
final class DeleteCommand implements Callable<Integer> {
  @Mixin private StoreArguments store;

  @Mixin private FamilyArguments family;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Parameters(index = "1", paramLabel = "KEY", description = "The key, as UTF-8 text.")
  private String key;

  @Option(names = "--hex", description = "KEY is hexadecimal digits, two a byte.")
  private boolean hex;

  @Override
  public Integer call() throws IOException {
    byte[] keyBytes = ByteText.parse("KEY", key, hex);
    try (Store opened = store.openExisting(directory)) {
      family.of(opened).delete(keyBytes, Durability.SYNCED);
    }
    return ExitStatus.OK;
  }
}
