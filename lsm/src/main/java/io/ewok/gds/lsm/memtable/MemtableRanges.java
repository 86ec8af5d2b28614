package io.ewok.gds.lsm.memtable;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.RecordKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The range deletes of a family in a memtable: entries that lie in its memory as others do, each
 * followed by the address of the one that was added before it. Readers make sets of those that were
 * added since the last reader looked, each at least twice as large as the next: so a delete comes
 * into few sets, and a search looks into few. That is the logarithmic method of J. L. Bentley and
 * J. B. Saxe, "Decomposable Searching Problems I", Journal of Algorithms 1 (1980).
 *
 * <p>Threads: any. A reader finds all that it had learned of, as {@link Memtable} says.
 */
final class MemtableRanges {
  private static final RangeDeletes[] NO_SETS = {};

  /** What an entry takes besides itself, in bytes. */
  static final int LINK_BYTES = Long.BYTES;

  /** Where the address of the newest entry lies. */
  private final long newest;

  /** What a reader has made of the entries; when several do at once, that of any of them stays. */
  private volatile View view = new View(Memtable.NONE, NO_SETS);

  /** All entries up to one. */
  private static final class View {
    final long newest;
    final RangeDeletes[] sets;

    View(long newest, RangeDeletes[] sets) {
      this.newest = newest;
      this.sets = sets;
    }
  }

  /**
   * An empty one, for who is inside with the promise of room for a range delete: what that takes
   * less than an entry in the tree is more than a word.
   */
  MemtableRanges(EntrySpace space) {
    newest = space.allocateEntry(Long.BYTES);
    Memory.putLong(newest, Memtable.NONE);
  }

  /** Adds an entry that is complete but for what follows it. */
  void add(long entry) {
    long link = link(entry);
    long before;
    do {
      before = Memory.getLongAcquire(newest);
      Memory.putLong(link, before);
    } while (!Memory.compareAndSetLong(newest, before, entry)); // partner: sets
  }

  private static long link(long entry) {
    return entry
        + EntryFormat.sizeBytes(EntryFormat.keyBytes(entry), EntryFormat.valueBytes(entry));
  }

  /** The sets of all that were added; they are not to be changed. */
  RangeDeletes[] sets() {
    // The view first: so what is seen then is what it has, or was added behind that.
    View found = view;
    long seen = Memory.getLongAcquire(newest); // partner: add
    return found.newest == seen ? found.sets : extended(found, seen);
  }

  /** Several readers may do so at a time: each has what it needs, and the last one is kept. */
  private RangeDeletes[] extended(View before, long seen) {
    List<RangeDeletes> sets = new ArrayList<>(Arrays.asList(before.sets));
    RangeDeletes fresh = RangeDeletes.ofOrNull(deletes(seen, before.newest));
    while (!sets.isEmpty() && sets.getLast().all().size() < 2 * fresh.all().size()) {
      fresh = RangeDeletes.union(List.of(sets.removeLast(), fresh));
    }
    sets.add(fresh);
    View made = new View(seen, sets.toArray(RangeDeletes[]::new));
    view = made;
    return made.sets;
  }

  /** Those from one entry back to another one, which was added before; that one not. */
  private static List<RangeDelete> deletes(long from, long until) {
    List<RangeDelete> deletes = new ArrayList<>();
    for (long entry = from; entry != until && entry != Memtable.NONE; ) {
      deletes.add(
          new RangeDelete(
              Keys.copy(EntryFormat.keyAddress(entry), EntryFormat.keyBytes(entry)),
              Keys.copy(EntryFormat.valueAddress(entry), EntryFormat.valueBytes(entry)),
              RecordKind.sequence(EntryFormat.stamp(entry))));
      entry = Memory.getLong(link(entry));
    }
    return deletes;
  }

  /** All of them. */
  List<RangeDelete> all() {
    return deletes(Memory.getLongAcquire(newest), Memtable.NONE);
  }
}
