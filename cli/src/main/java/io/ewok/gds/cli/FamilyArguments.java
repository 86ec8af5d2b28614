package io.ewok.gds.cli;

import io.ewok.gds.lsm.Family;
import io.ewok.gds.lsm.ReadView;
import io.ewok.gds.lsm.Store;
import java.io.IOException;
import java.util.List;
import java.util.Map;
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
   * Checks that there is such a family, if one was named.
   *
   * @param families all that there are
   * @throws CommandFailure that says which name is the nearest, if it is none of them
   */
  void requireAmong(List<String> families) {
    if (name != null && !families.contains(name)) {
      throw absent("--family", name, families);
    }
  }

  /**
   * Finds the family.
   *
   * @throws CommandFailure if the store has no such
   */
  Family of(Store store) {
    return name == null ? store : find(store, "--family", name);
  }

  /**
   * The same in a store that is only read.
   *
   * @throws CommandFailure if the store has no such
   */
  ReadView of(ReadableStore store) {
    Map<String, ReadView> views = store.views();
    String wanted = name == null ? Family.DEFAULT_NAME : name;
    if (!views.containsKey(wanted)) {
      throw absent("--family", wanted, List.copyOf(views.keySet()));
    }
    return views.get(wanted);
  }

  /**
   * Finds a family by its name.
   *
   * @param argument what the name was typed as
   * @throws CommandFailure that says which name is the nearest, if the store has no such family
   */
  static Family find(Store store, String argument, String name) {
    return store
        .family(name)
        .orElseThrow(
            () -> absent(argument, name, store.families().stream().map(Family::name).toList()));
  }

  private static CommandFailure absent(String argument, String name, List<String> families) {
    return CommandFailure.failed(
        "the store has no such family, the nearest is %s: %s=%s"
            .formatted(NearestName.of(name, families).orElseThrow(), argument, name));
  }

  /** Finds the family, or creates it. */
  Family orCreate(Store store) throws IOException {
    return name == null || store.family(name).isPresent() ? of(store) : create(store, name);
  }

  /** Finds a family by its name, or creates it. */
  static Family orCreate(Store store, String name) throws IOException {
    return store.family(name).isPresent() ? store.family(name).orElseThrow() : create(store, name);
  }

  /** Creates a family. */
  static Family create(Store store, String name) throws IOException {
    try {
      return store.createFamily(name);
    } catch (IllegalArgumentException e) {
      throw CommandFailure.usage(e.getMessage());
    }
  }
}
