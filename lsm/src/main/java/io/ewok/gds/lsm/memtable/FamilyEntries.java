package io.ewok.gds.lsm.memtable;

import java.util.Arrays;

/**
 * The entries of one family in a memtable, and beside them its range deletes.
 *
 * <p>Threads: any.
 */
final class FamilyEntries {
  /** In the order of their numbers; a further one makes a new array. */
  static final FamilyEntries[] NONE = {};

  final int family;
  final EntryTree tree;

  /** See {@link KeyTable#salt}. */
  final long salt;

  /**
   * Whether there may be any. Partner of the read in Memtable.find: the write before an entry is
   * added.
   */
  private volatile boolean written;

  private final EntrySpace space;

  /** Null before the first range delete. Written with this as the lock, before one is added. */
  private volatile MemtableRanges ranges;

  /** Those of a family, none yet. */
  FamilyEntries(int family, EntrySpace space) {
    this.family = family;
    this.space = space;
    this.tree = new EntryTree(space);
    this.salt = KeyTable.salt(family);
  }

  /** Whether an entry was added, or is going to be. */
  boolean isWritten() {
    return written;
  }

  /** Says that an entry is going to be added. */
  void setWritten() {
    if (!written) {
      written = true;
    }
  }

  MemtableRanges rangesOrNull() {
    return ranges;
  }

  MemtableRanges rangesForWriters() {
    MemtableRanges found = ranges;
    if (found != null) {
      return found;
    }
    synchronized (this) {
      if (ranges == null) {
        ranges = new MemtableRanges(space);
      }
      return ranges;
    }
  }

  /** Those of a family among several, or null. */
  static FamilyEntries find(FamilyEntries[] sorted, int family) {
    int low = 0;
    int high = sorted.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      int found = sorted[middle].family;
      if (found == family) {
        return sorted[middle];
      }
      if (found < family) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return null;
  }

  /** Several and one more. */
  static FamilyEntries[] with(FamilyEntries[] sorted, FamilyEntries added) {
    FamilyEntries[] more = Arrays.copyOf(sorted, sorted.length + 1);
    int at = sorted.length;
    while (at > 0 && more[at - 1].family > added.family) {
      more[at] = more[at - 1];
      at--;
    }
    more[at] = added;
    return more;
  }
}
