package io.ewok.gds.buffers.redo.example;

import io.ewok.gds.buffers.redo.Change;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.wal.LogFullException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A program that is killed, or whose machine loses power, while it writes: changes a {@link
 * TreeStore} for ever, and prints how many changes are durable. It goes on where the last one was
 * stopped. {@link TreeChecker} looks at what is left.
 *
 * <p>What the changes do follows from their numbers. Each puts its own number into the first tree,
 * under {@link #NUMBER_KEY}.
 */
final class TreeWriter {
  static final long NUMBER_KEY = -1;

  private static final int CHANGES_PER_SYNC_MAX = 4;
  private static final int CHANGES_PER_ROLL_BACK = 16;

  private TreeWriter() {}

  /** What change number n does. */
  static List<TreeModel.Edit> edits(long number) {
    List<TreeModel.Edit> edits = TreeWorkload.edits(new SplittableRandom(number));
    edits.add(new TreeModel.Edit(0, NUMBER_KEY, number));
    return edits;
  }

  /** Writes to the store in a folder: folder, torn-page mode. */
  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[0]).toAbsolutePath();
    TreeStore.Options options = TreeChecker.options(arguments[1]);
    try (IoEngine engine = IoEngines.open(EngineOptions.defaults())) {
      TreeStore.create(engine, directory, options);
      try (TreeStore store = TreeStore.open(engine, directory, options);
          Change change = store.newChange()) {
        write(store, change);
      }
    }
  }

  private static void write(TreeStore store, Change change) throws IOException {
    long number = store.first().get(NUMBER_KEY).orElse(0);
    SplittableRandom random = new SplittableRandom(number);
    while (true) {
      int count = 1 + random.nextInt(CHANGES_PER_SYNC_MAX);
      for (int i = 0; i < count; i++) {
        if (random.nextInt(CHANGES_PER_ROLL_BACK) == 0) {
          TreeWorkload.apply(store, change, edits(number + 2));
          change.rollBack();
        }
        number++;
        commit(store, change, edits(number));
      }
      store.sync();
      System.out.println(number);
      System.out.flush();
    }
  }

  private static void commit(TreeStore store, Change change, List<TreeModel.Edit> edits)
      throws IOException {
    while (true) {
      TreeWorkload.apply(store, change, edits);
      try {
        long unused = change.commit();
        return;
      } catch (LogFullException e) {
        change.rollBack();
        store.checkpoint();
      }
    }
  }
}
