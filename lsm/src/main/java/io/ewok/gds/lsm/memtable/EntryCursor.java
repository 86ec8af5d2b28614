package io.ewok.gds.lsm.memtable;

import static io.ewok.gds.lsm.memtable.EntryTree.NONE;

import io.ewok.gds.lsm.record.SearchKey;

/**
 * A place among all entries of a memtable, every version of each key. Every entry that the reader
 * had learned of when it moved is met; those that are added meanwhile may be.
 *
 * <p>Addresses of entries are right as long as the memtable is retained. Threads: confined to one
 * at a time, beside writers.
 */
public final class EntryCursor {
  /*
   * The leaf as it was read last: an entry that has moved to the right since is still found here while the leaf has
   * not been split (EntryTree). After that it is looked for anew, to the right.
   */
  private final EntryTree tree;
  private long leaf;
  private long splits;
  private long order;
  private int rank;
  private long entry = NONE;

  EntryCursor(EntryTree tree) {
    this.tree = tree;
  }

  /** The entry it is on, or {@link Memtable#NONE} beyond both ends. */
  public long entry() {
    return entry;
  }

  /** Goes to the first entry. Returns it, as all moves do. */
  public long first() {
    read(tree.firstLeaf());
    rank = 0;
    // The first leaf is empty only before the first split.
    entry = NodeFormat.count(order) == 0 ? NONE : tree.item(leaf, order, rank);
    if (isUnsplit()) {
      return entry;
    }
    return first();
  }

  /** Goes to the last entry. */
  public long last() {
    long at = tree.lastLeaf();
    while (true) {
      read(at);
      long next = EntryTree.next(at);
      if (next != NONE) {
        at = next;
        continue;
      }
      rank = NodeFormat.count(order) - 1;
      entry = rank < 0 ? NONE : tree.item(leaf, order, rank);
      if (isUnsplit()) {
        return entry;
      }
    }
  }

  /** Goes to the first entry that is not before a key and stamp. */
  public long seek(SearchKey key, long stamp) {
    return seek(key.address(), key.lengthBytes(), stamp);
  }

  /** Goes on; it is on an entry. */
  public long next() {
    if (rank + 1 < NodeFormat.count(order)) {
      long following = tree.item(leaf, order, rank + 1);
      if (isUnsplit()) {
        rank++;
        entry = following;
        return following;
      }
    }
    // Stamps of a key fall: the next lower one comes first behind this entry.
    long key = EntryFormat.keyAddress(entry);
    int bytes = EntryFormat.keyBytes(entry);
    return toAtOrAfter(leaf, SearchKey.head(key, bytes), key, bytes, EntryFormat.stamp(entry) - 1);
  }

  /** Goes back; it is on an entry. */
  public long previous() {
    if (rank > 0) {
      long preceding = tree.item(leaf, order, rank - 1);
      if (isUnsplit()) {
        rank--;
        entry = preceding;
        return preceding;
      }
    }
    return toBefore(leaf, entry);
  }

  /** Goes to the first entry with a key behind that of an entry. */
  long seekBehind(long keyEntry) {
    return seekSame(keyEntry, 0); // the stamp that no record has comes behind all
  }

  /** Goes to the first entry that is not before an entry's key and a stamp. */
  long seekSame(long keyEntry, long stamp) {
    return seek(EntryFormat.keyAddress(keyEntry), EntryFormat.keyBytes(keyEntry), stamp);
  }

  private long seek(long key, int bytes, long stamp) {
    long head = SearchKey.head(key, bytes);
    return toAtOrAfter(tree.descend(0, head, key, bytes, stamp), head, key, bytes, stamp);
  }

  private long toAtOrAfter(long from, long head, long key, int bytes, long stamp) {
    long at = from;
    while (true) {
      read(at);
      long next = EntryTree.next(at);
      if (next != NONE && EntryTree.isAtOrBefore(next, key, bytes, stamp)) {
        at = next;
        continue;
      }
      rank = tree.rank(at, order, head, key, bytes, stamp);
      boolean here = rank < NodeFormat.count(order);
      entry = here ? tree.item(at, order, rank) : NONE;
      if (isUnsplit()) {
        if (here || next == NONE) {
          return entry;
        }
        at = next;
      }
    }
  }

  /** Goes to the last entry before one. */
  private long toBefore(long from, long target) {
    long key = EntryFormat.keyAddress(target);
    int bytes = EntryFormat.keyBytes(target);
    long stamp = EntryFormat.stamp(target);
    long head = SearchKey.head(key, bytes);
    long at = from;
    while (true) {
      read(at);
      long next = EntryTree.next(at);
      if (next != NONE && EntryFormat.compare(NodeFormat.low(next), key, bytes, stamp) < 0) {
        at = next;
        continue;
      }
      rank = tree.rank(at, order, head, key, bytes, stamp) - 1;
      entry = rank < 0 ? NONE : tree.item(at, order, rank);
      if (isUnsplit()) {
        long previous = EntryTree.previous(at);
        if (rank >= 0 || previous == NONE) {
          return entry;
        }
        at = previous;
      }
    }
  }

  private void read(long node) {
    leaf = node;
    splits = EntryTree.splits(node);
    order = EntryTree.order(node);
  }

  private boolean isUnsplit() {
    return EntryTree.isUnsplit(leaf, splits);
  }
}
