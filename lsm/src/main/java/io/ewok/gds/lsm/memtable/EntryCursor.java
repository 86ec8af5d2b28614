package io.ewok.gds.lsm.memtable;

import static io.ewok.gds.lsm.memtable.EntryTree.NONE;

import io.ewok.gds.ffm.unchecked.Memory;
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
  private static final long FETCHED_BYTES_MAX = 1024;

  private final EntryTree tree;
  private boolean fetches;
  private long leaf;
  private long splits;
  private long order;
  private int rank;
  private long entry = NONE;

  EntryCursor(EntryTree tree) {
    this.tree = tree;
  }

  /**
   * Has the processor bring the entries of a leaf together, and the next leaf, when it goes there:
   * for who wants key and value of all of them. They lie anywhere in the memtable, and one after
   * the other would be waited for.
   */
  public EntryCursor fetching() {
    fetches = true;
    return this;
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
      fetchEntries();
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
      long next = EntryTree.nextIfBeyond(at, head, key, bytes, stamp);
      if (next != NONE) {
        at = next;
        continue;
      }
      rank = tree.rank(at, order, head, key, bytes, stamp);
      boolean here = rank < NodeFormat.count(order);
      entry = here ? tree.item(at, order, rank) : NONE;
      long following = here ? NONE : EntryTree.next(at);
      if (isUnsplit()) {
        if (here || following == NONE) {
          fetchEntries();
          return entry;
        }
        at = following;
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
      long next = EntryTree.nextIfBefore(at, head, key, bytes, stamp);
      if (next != NONE) {
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

  /**
   * Has the processor bring, each from where the step before has left off: of the leaf the rest of
   * its entries, of the next one where they begin, and the one behind that.
   */
  private void fetchEntries() {
    if (!fetches) {
      return;
    }
    for (int i = 0; i < NodeFormat.count(order); i++) {
      fetchRest(tree.item(leaf, order, i));
    }
    long next = EntryTree.next(leaf);
    if (next == NONE) {
      return;
    }
    long nextOrder = EntryTree.order(next);
    for (int i = 0; i < NodeFormat.count(nextOrder); i++) {
      Memory.fetch(tree.item(next, nextOrder, i));
    }
    long last = EntryTree.next(next);
    if (last != NONE) {
      EntryTree.fetch(last);
    }
  }

  private static void fetchRest(long entry) {
    long end = entry + Math.min(EntryFormat.sizeBytes(entry), FETCHED_BYTES_MAX);
    for (long at = entry + Memory.CACHE_LINE_BYTES; at < end; at += Memory.CACHE_LINE_BYTES) {
      Memory.fetch(at);
    }
    Memory.fetch(end - Long.BYTES); // the last line, wherever in one the entry begins
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
