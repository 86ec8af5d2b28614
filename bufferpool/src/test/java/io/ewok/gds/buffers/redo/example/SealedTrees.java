package io.ewok.gds.buffers.redo.example;

import io.ewok.gds.buffers.PageSize;
import io.ewok.gds.buffers.TornPages;
import io.ewok.gds.buffers.redo.Change;
import io.ewok.gds.pagestore.IoEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Trees in which one value is everywhere, for whoever looks for it in the files. */
public final class SealedTrees {
  private static final Path DIRECTORY = Path.of("/trees");

  private SealedTrees() {}

  /** Writes it into both trees, has pages written, and leaves it in the log, too. */
  public static void putEverywhere(IoEngine engine, TornPages mode, long value) throws IOException {
    TreeStore.Options options =
        TreeStore.Options.small(PageSize.BYTES_1024, PageSize.BYTES_4096, mode);
    TreeStore.create(engine, DIRECTORY, options);
    for (int life = 0; life < 2; life++) {
      try (TreeStore store = TreeStore.open(engine, DIRECTORY, options);
          Change change = store.newChange()) {
        for (long key = 0; key < 200; key++) {
          store.first().put(change, key, value);
          store.second().put(change, key, value);
          long unused = change.commit();
          if (key % 20 == 0) {
            store.checkpoint();
          }
        }
      }
    }
  }

  /** All files there are. */
  public static List<Path> files(IoEngine engine) throws IOException {
    return TreeStore.filesOf(engine, DIRECTORY);
  }
}
