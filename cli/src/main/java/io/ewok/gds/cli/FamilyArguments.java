package io.ewok.gds.cli;

import io.ewok.gds.lsm.Family;
import io.ewok.gds.lsm.Store;
import java.io.IOException;
import picocli.CommandLine.Option;

/** Which family of a store a command is about. */
final class FamilyArguments {
  @Option(
      names = "--family",
      paramLabel = "NAME",
      description = "The family of keys that is meant, if not the default one.")
  private String name;

  /** Whether one was named. */
  boolean isNamed() {
    return name != null;
  }

  /** Whether a family of this name is meant. */
  boolean isMeant(String family) {
    return name == null || name.equals(family);
  }

  /**
   * Finds the family.
   *
   * @throws CommandFailure if the store has no such
   */
  Family of(Store store) {
    return name == null
        ? store
        : store
            .family(name)
            .orElseThrow(
                () -> CommandFailure.failed("the store has no such family: --family=" + name));
  }

  /** Finds the family, or creates it. */
  Family orCreate(Store store) throws IOException {
    if (name == null || store.family(name).isPresent()) {
      return of(store);
    }
    try {
      return store.createFamily(name);
    } catch (IllegalArgumentException e) {
      throw CommandFailure.usage(e.getMessage());
    }
  }
}
