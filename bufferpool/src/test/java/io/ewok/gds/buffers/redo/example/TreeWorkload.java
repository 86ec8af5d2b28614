package io.ewok.gds.buffers.redo.example;

import io.ewok.gds.buffers.redo.Change;
import io.ewok.gds.wal.LogFullException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Random changes of a store, beside its model. */
final class TreeWorkload {
  /** Enough for trees of three levels of the smallest pages; some keys are hit often. */
  private static final int KEYS = 2000;

  private static final int EDITS_MAX = 4;

  private final TreeStore store;
  private final TreeModel model;
  private final SplittableRandom random;

  TreeWorkload(TreeStore store, TreeModel model, SplittableRandom random) {
    this.store = store;
    this.model = model;
    this.random = random;
  }

  void run(int steps) throws IOException {
    try (Change change = store.newChange()) {
      for (int i = 0; i < steps; i++) {
        step(change);
      }
    }
  }

  private void step(Change change) throws IOException {
    switch (random.nextInt(24)) {
      case 0, 1, 2 -> sync();
      case 3 -> store.flush();
      case 4 -> checkpoint();
      case 5, 6 -> {
        apply(store, change, edits(random));
        change.rollBack();
      }
      default -> commit(change, edits(random));
    }
  }

  private void commit(Change change, List<TreeModel.Edit> edits) throws IOException {
    apply(store, change, edits);
    model.attempt(edits);
    try {
      long unused = change.commit();
    } catch (LogFullException e) {
      model.forgetLast();
      change.rollBack();
      checkpoint();
    }
  }

  private void sync() throws IOException {
    store.sync();
    model.acknowledge();
  }

  private void checkpoint() throws IOException {
    store.checkpoint();
    model.acknowledge();
  }

  static void apply(TreeStore store, Change change, List<TreeModel.Edit> edits) throws IOException {
    for (TreeModel.Edit edit : edits) {
      BTree tree = edit.tree() == 0 ? store.first() : store.second();
      if (edit.value() == null) {
        boolean unused = tree.remove(change, edit.key());
      } else {
        tree.put(change, edit.key(), edit.value());
      }
    }
  }

  /** Some scattered, or a run of neighbours, which empties or fills whole pages. */
  static List<TreeModel.Edit> edits(SplittableRandom random) {
    List<TreeModel.Edit> edits = new ArrayList<>();
    boolean neighbours = random.nextInt(3) == 0;
    boolean remove = random.nextInt(3) == 0;
    int tree = random.nextInt(2);
    long key = random.nextInt(KEYS);
    int count = 1 + random.nextInt(EDITS_MAX);
    for (int i = 0; i < count; i++) {
      if (neighbours) {
        key = (key + 1) % KEYS;
      } else {
        key = random.nextInt(KEYS);
        tree = random.nextInt(2);
        remove = random.nextInt(3) == 0;
      }
      edits.add(new TreeModel.Edit(tree, key, remove ? null : random.nextLong()));
    }
    return edits;
  }
}
