package io.ewok.gds.cli;

import io.ewok.gds.lsm.Family;
import io.ewok.gds.lsm.Store;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gds family drop}: removes a family with all that is in it, durably. */
@Command(
    name = "drop",
    description = {
      "Drop a family of a store with all its records; returns when that is durable.",
      "Nothing brings them back. The default family stays."
    },
    footer = {"%nExample:", "  gds family drop /tmp/store users --yes"})
final class FamilyDropCommand implements Callable<Integer> {
  @Mixin private StoreArguments store;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Parameters(index = "1", paramLabel = "NAME", description = "The family.")
  private String name;

  @Option(names = "--yes", description = "Really drop it; else nothing is done.")
  private boolean yes;

  @Override
  public Integer call() throws IOException {
    if (name.equals(Family.DEFAULT_NAME)) {
      throw CommandFailure.usage("the default family cannot be dropped: NAME=" + name);
    }
    try (Store opened = store.openExisting(directory)) {
      Family family = FamilyArguments.find(opened, "NAME", name);
      if (!yes) {
        TableSums sums = TableSums.of(opened.stats(), name);
        throw CommandFailure.usage(
            "all records of the family would be gone, %s in tables of %s; --yes drops it: NAME=%s"
                .formatted(Units.count(sums.entries()), Units.bytes(sums.bytes()), name));
      }
      opened.dropFamily(family);
    }
    return ExitStatus.OK;
  }
}
