package io.ewok.gds.buffers.redo.example;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a {@link TreeStore} may hold: the states after each change since it was opened, and which of
 * them is acknowledged.
 */
final class TreeModel {
  /** One entry that a change puts, or removes if the value is null. */
  record Edit(int tree, long key, Long value) {}

  private List<SortedMap<Long, Long>> opened;
  private final List<List<Edit>> changes = new ArrayList<>();
  private int acknowledged;

  TreeModel() {
    this(List.of(new TreeMap<>(), new TreeMap<>()));
  }

  private TreeModel(List<SortedMap<Long, Long>> opened) {
    this.opened = opened;
  }

  /** A copy that goes another way from here. */
  TreeModel fork() {
    TreeModel fork = new TreeModel(opened);
    fork.changes.addAll(changes);
    fork.acknowledged = acknowledged;
    return fork;
  }

  /** From now on the change may survive, whether its commit returns or not. */
  void attempt(List<Edit> change) {
    changes.add(change);
  }

  /** The last change was refused. */
  void forgetLast() {
    changes.removeLast();
  }

  /** Everything so far must survive. */
  void acknowledge() {
    acknowledged = changes.size();
  }

  int attempted() {
    return changes.size();
  }

  /**
   * Finds the state in which the store is, and goes on from there.
   *
   * @return how many changes have survived
   */
  int recovered(TreeStore store) throws IOException {
    return recovered(store, acknowledged);
  }

  /** The same, for a store that may have lost what was acknowledged. */
  int recoveredToAny(TreeStore store) throws IOException {
    return recovered(store, 0);
  }

  private int recovered(TreeStore store, int least) throws IOException {
    List<SortedMap<Long, Long>> found = List.of(store.first().readAll(), store.second().readAll());
    long wanted = fingerprint(found);
    List<SortedMap<Long, Long>> state =
        List.of(new TreeMap<>(opened.get(0)), new TreeMap<>(opened.get(1)));
    long print = fingerprint(state);
    for (int i = 0; ; i++) {
      if (i >= least && print == wanted && state.equals(found)) {
        opened = found;
        changes.clear();
        acknowledged = 0;
        return i;
      }
      if (i == changes.size()) {
        throw new AssertionError(
            "the store is in no state that it may be in: least=%d attempted=%d"
                .formatted(least, changes.size()));
      }
      for (Edit edit : changes.get(i)) {
        print += apply(state.get(edit.tree()), edit);
      }
    }
  }

  /** Returns by how much the fingerprint changes. */
  private static long apply(SortedMap<Long, Long> tree, Edit edit) {
    Long old = edit.value() == null ? tree.remove(edit.key()) : tree.put(edit.key(), edit.value());
    long left = old == null ? 0 : fingerprint(edit.tree(), edit.key(), old);
    long come = edit.value() == null ? 0 : fingerprint(edit.tree(), edit.key(), edit.value());
    return come - left;
  }

  private static long fingerprint(List<SortedMap<Long, Long>> trees) {
    long[] sum = {0};
    for (int tree = 0; tree < trees.size(); tree++) {
      int number = tree;
      trees.get(tree).forEach((key, value) -> sum[0] += fingerprint(number, key, value));
    }
    return sum[0];
  }

  private static long fingerprint(int tree, long key, long value) {
    long mixed = (key * 31 + tree) * 0x9E3779B97F4A7C15L ^ value;
    return (mixed ^ mixed >>> 29) * 0xBF58476D1CE4E5B9L;
  }
}
