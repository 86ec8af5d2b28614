package io.ewok.gds.cli;

import io.ewok.gds.lsm.Family;
import io.ewok.gds.lsm.Store;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code gds family clone}: makes a family that begins with all that another one has, durably. */
@Command(
    name = "clone",
    description = {
      "Create a family with all that another one has; returns when that is durable.",
      "No record is copied: the two share files until merges replace them. What is written to the "
          + "one is not seen in the other. --set store.family.TO.… says what it has of its own; "
          + "else it has the settings of FROM, this once."
    },
    footer = {"%nExample:", "  gds family clone /tmp/store users users-before-the-migration"})
final class FamilyCloneCommand implements Callable<Integer> {
  @Mixin private StoreArguments store;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Parameters(index = "1", paramLabel = "FROM", description = "The family that is cloned.")
  private String from;

  @Parameters(index = "2", paramLabel = "TO", description = "The new family.")
  private String to;

  @Override
  public Integer call() throws IOException {
    try (Store opened = store.openExisting(directory)) {
      Family source = FamilyArguments.find(opened, "FROM", from);
      try {
        Family unused =
            opened.options().families().containsKey(to)
                ? opened.cloneFamily(source, to, opened.options().tree(to))
                : opened.cloneFamily(source, to);
      } catch (IllegalArgumentException e) {
        throw CommandFailure.usage(e.getMessage());
      }
    }
    return ExitStatus.OK;
  }
}
