package io.ewok.gds.buffers.redo.example;

import io.ewok.gds.buffers.PageSize;
import io.ewok.gds.buffers.TornPages;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Recovers what {@link TreeWriter} left, and finds out whether it is what the changes up to some
 * number make, and no change that was acknowledged is missing. Ends with an error otherwise.
 */
final class TreeChecker {
  private TreeChecker() {}

  static TreeStore.Options options(String tornPages) {
    return TreeStore.Options.small(
        PageSize.BYTES_1024, PageSize.BYTES_4096, TornPages.valueOf(tornPages));
  }

  /** Checks the store in a folder: folder, torn-page mode, number that was acknowledged last. */
  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[0]).toAbsolutePath();
    long found = check(directory, options(arguments[1]), Long.parseLong(arguments[2]));
    System.out.println("sound, changes=" + found);
  }

  /**
   * Checks a store.
   *
   * @return the number of the last change that is there
   */
  static long check(Path directory, TreeStore.Options options, long acknowledged)
      throws IOException {
    try (IoEngine engine = IoEngines.open(EngineOptions.defaults())) {
      TreeStore.create(engine, directory, options); // the writer may not have come as far as that
      try (TreeStore store = TreeStore.open(engine, directory, options)) {
        long last = store.first().get(TreeWriter.NUMBER_KEY).orElse(0);
        if (last < acknowledged) {
          throw new IllegalStateException(
              "changes are lost: acknowledged=%d last=%d".formatted(acknowledged, last));
        }
        TreeModel model = new TreeModel();
        for (long number = 1; number <= last; number++) {
          model.attempt(TreeWriter.edits(number));
        }
        model.acknowledge();
        int unused = model.recovered(store);
        return last;
      }
    }
  }
}
