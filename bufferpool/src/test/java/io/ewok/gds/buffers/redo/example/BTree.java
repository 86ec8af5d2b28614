package io.ewok.gds.buffers.redo.example;

import io.ewok.gds.buffers.CachedPageFile;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.redo.Change;
import io.ewok.gds.buffers.redo.ChangedPage;
import io.ewok.gds.buffers.redo.LoggedFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A worked example on the public interface alone: a B-tree of longs in a page file. An entry, the
 * splits that make room for it and the pages that they take are one change, perhaps with more of
 * the caller's; so the tree is whole whenever somebody looks, and after any crash.
 *
 * <p>Threads: any. Readers go down with a shared latch on a node and its child. Writers keep every
 * page from the root down until the change is committed, so there is one at a time.
 */
final class BTree {
  /** Refers to the root. Its one entry is for all keys. */
  private static final long ANCHOR = 1;

  private static final long SMALLEST = Long.MIN_VALUE;

  private final LoggedFile file;

  private BTree(LoggedFile file) {
    this.file = file;
  }

  /** Opens the tree in a file, which may be new, after redo. */
  static BTree open(LoggedFile file, Change change) throws IOException {
    CachedPageFile pages = file.pages();
    int unused = pages.reclaimFreePages();
    if (pages.pageCount() == 1 || isNeverWritten(pages)) {
      ChangedPage anchor = change.create(file); // the first free page there is
      ChangedPage root = change.create(file);
      BTreeNode.apply(root, BTreeNode.MAKE, 0);
      BTreeNode.apply(anchor, BTreeNode.MAKE, 1);
      BTreeNode.apply(anchor, BTreeNode.PUT, SMALLEST, root.number());
      long unusedLsn = change.commit();
    }
    return new BTree(file);
  }

  private static boolean isNeverWritten(CachedPageFile pages) throws IOException {
    try (Fix fix = new Fix()) {
      pages.fixShared(ANCHOR, fix);
      return BTreeNode.count(fix.segment()) == 0;
    }
  }

  OptionalLong get(long key) throws IOException {
    Fix node = new Fix();
    Fix child = new Fix();
    try (Fix _ = node;
        Fix _ = child) {
      file.pages().fixShared(ANCHOR, node);
      while (BTreeNode.level(node.segment()) > 0) {
        int index = BTreeNode.floor(node.segment(), key);
        file.pages().fixShared(BTreeNode.value(node.segment(), index), child);
        node.unfix();
        Fix swapped = node;
        node = child;
        child = swapped;
      }
      int index = BTreeNode.floor(node.segment(), key);
      boolean found = index >= 0 && BTreeNode.key(node.segment(), index) == key;
      return found ? OptionalLong.of(BTreeNode.value(node.segment(), index)) : OptionalLong.empty();
    }
  }

  /** Adds an entry or replaces its value. */
  void put(Change change, long key, long value) throws IOException {
    ChangedPage node = change.fix(file, ANCHOR);
    while (BTreeNode.level(node.segment()) > 0) {
      ChangedPage child = child(change, node, BTreeNode.floor(node.segment(), key));
      if (BTreeNode.isFull(child.segment())) {
        if (node.number() == ANCHOR) {
          node = addLevel(change, node, child);
        }
        split(change, node, child);
        child = child(change, node, BTreeNode.floor(node.segment(), key));
      }
      node = child;
    }
    BTreeNode.apply(node, BTreeNode.PUT, key, value);
  }

  /** Removes an entry, and the page that it was the last one of. */
  boolean remove(Change change, long key) throws IOException {
    ChangedPage parent = null;
    ChangedPage node = change.fix(file, ANCHOR);
    while (BTreeNode.level(node.segment()) > 0) {
      parent = node;
      node = child(change, node, BTreeNode.floor(node.segment(), key));
    }
    int index = BTreeNode.floor(node.segment(), key);
    if (index < 0 || BTreeNode.key(node.segment(), index) != key) {
      return false;
    }
    BTreeNode.apply(node, BTreeNode.REMOVE, key);
    if (BTreeNode.count(node.segment()) == 0 && BTreeNode.count(parent.segment()) > 1) {
      removeChild(parent, BTreeNode.floor(parent.segment(), key));
      change.free(node);
    }
    return true;
  }

  /** Reads everything, and checks that it is a tree. No writer at the same time. */
  SortedMap<Long, Long> readAll() throws IOException {
    SortedMap<Long, Long> found = new TreeMap<>();
    readAll(ANCHOR, -1, SMALLEST, Long.MAX_VALUE, found);
    return found;
  }

  private void readAll(long page, int level, long from, long to, Map<Long, Long> into)
      throws IOException {
    try (Fix fix = new Fix()) {
      file.pages().fixShared(page, fix);
      MemorySegment node = fix.segment();
      if (level >= 0 && BTreeNode.level(node) != level) {
        throw new IllegalStateException("no node of its parent's level: page=" + page);
      }
      long last = from;
      for (int i = 0; i < BTreeNode.count(node); i++) {
        long key = BTreeNode.key(node, i);
        if (key < last || key > to) {
          throw new IllegalStateException("a key in the wrong place: page=" + page);
        }
        last = key;
        if (BTreeNode.level(node) == 0) {
          into.put(key, BTreeNode.value(node, i));
        } else {
          long end = i + 1 < BTreeNode.count(node) ? BTreeNode.key(node, i + 1) - 1 : to;
          int levelBelow = page == ANCHOR ? -1 : BTreeNode.level(node) - 1;
          readAll(BTreeNode.value(node, i), levelBelow, key, end, into);
        }
      }
    }
  }

  private ChangedPage child(Change change, ChangedPage node, int index) throws IOException {
    return change.fix(file, BTreeNode.value(node.segment(), index));
  }

  /** Puts a new root between the anchor and the old one. */
  private ChangedPage addLevel(Change change, ChangedPage anchor, ChangedPage root)
      throws IOException {
    ChangedPage above = change.create(file);
    BTreeNode.apply(above, BTreeNode.MAKE, BTreeNode.level(root.segment()) + 1);
    BTreeNode.apply(above, BTreeNode.PUT, SMALLEST, root.number());
    BTreeNode.apply(anchor, BTreeNode.PUT, SMALLEST, above.number());
    return above;
  }

  private void split(Change change, ChangedPage parent, ChangedPage node) throws IOException {
    int middle = BTreeNode.count(node.segment()) / 2;
    ChangedPage right = change.create(file);
    BTreeNode.apply(right, BTreeNode.MAKE, BTreeNode.level(node.segment()));
    right.apply(BTreeNode.APPEND, BTreeNode.entriesFrom(node.segment(), middle));
    BTreeNode.apply(node, BTreeNode.CUT, middle);
    BTreeNode.apply(parent, BTreeNode.PUT, BTreeNode.key(right.segment(), 0), right.number());
  }

  /** The first child of a node keeps the key of the one before it, which bounds the node. */
  private static void removeChild(ChangedPage node, int index) {
    MemorySegment bytes = node.segment();
    long key = BTreeNode.key(bytes, index);
    if (index == 0) {
      long next = BTreeNode.key(bytes, 1);
      BTreeNode.apply(node, BTreeNode.PUT, key, BTreeNode.value(bytes, 1));
      BTreeNode.apply(node, BTreeNode.REMOVE, next);
    } else {
      BTreeNode.apply(node, BTreeNode.REMOVE, key);
    }
  }
}
