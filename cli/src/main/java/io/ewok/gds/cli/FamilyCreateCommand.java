package io.ewok.gds.cli;

import io.ewok.gds.lsm.Family;
import io.ewok.gds.lsm.Store;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code gds family create}: makes a family, durably. */
@Command(
    name = "create",
    description = {
      "Create a family in a store that is there; returns when that is durable.",
      "--set store.family.NAME.… says what it has of its own."
    },
    footer = {
      "%nExamples:",
      "  gds family create /tmp/store users",
      "  gds family create /tmp/store journal --set store.family.journal.compression=zstd"
    })
final class FamilyCreateCommand implements Callable<Integer> {
  @Mixin private StoreArguments store;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Parameters(index = "1", paramLabel = "NAME", description = "The new family.")
  private String name;

  @Override
  public Integer call() throws IOException {
    try (Store opened = store.openExisting(directory)) {
      Family unused = FamilyArguments.create(opened, name);
    }
    return ExitStatus.OK;
  }
}
