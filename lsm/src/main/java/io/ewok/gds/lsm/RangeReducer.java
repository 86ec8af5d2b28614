package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RangeSweep;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;

/**
 * What is left of range deletes that are written again, by a flush or a compaction: of those that
 * cover a key the newest that each reader may see, without those that hide nothing, since all
 * readers see them and nothing older is elsewhere.
 *
 * <p>Threads: confined to one. For one flush or compaction.
 */
final class RangeReducer {
  private final long[] liveSequences;
  private final long expiryFloor;
  private final OlderRecords older;
  private final List<RangeDelete> left = new ArrayList<>();

  /** By sequence number, what goes on where the current part begins: where it began. */
  private final Map<Long, MemorySegment> open = new HashMap<>();

  private RangeReducer(long[] liveSequences, long expiryFloor, OlderRecords older) {
    this.liveSequences = liveSequences;
    this.expiryFloor = expiryFloor;
    this.older = older;
  }

  /**
   * Returns what is left, in the order of the first keys.
   *
   * @param liveSequences see {@link VersionSet#liveSequences}
   * @param expiryFloor no reader asks for what is below, see {@link ExpiryBounds#lowest}
   */
  static List<RangeDelete> reduce(
      Collection<RangeDelete> deletes, long[] liveSequences, long expiryFloor, OlderRecords older) {
    RangeReducer reducer = new RangeReducer(liveSequences, expiryFloor, older);
    MemorySegment[] last = new MemorySegment[1];
    RangeSweep.run(
        deletes,
        (first, end, sequences) -> {
          reducer.goOn(first, reducer.needed(first, end, sequences));
          last[0] = end;
        });
    reducer.goOn(last[0], new TreeSet<>());
    reducer.left.sort(Comparator.comparing(RangeDelete::first, Keys::compare));
    return reducer.left;
  }

  private NavigableSet<Long> needed(
      MemorySegment first, MemorySegment end, NavigableSet<Long> sequences) {
    NavigableSet<Long> needed = new TreeSet<>();
    for (long reader : liveSequences) {
      Long seen = sequences.floor(reader);
      if (seen != null && seen >= expiryFloor) { // or else so have all that it hides
        needed.add(seen);
      }
    }
    // Who will see what is newer than all that anybody sees is not known.
    needed.addAll(sequences.tailSet(liveSequences[liveSequences.length - 1], false));
    if (!needed.isEmpty()
        && needed.first() <= liveSequences[0]
        && !older.mayHaveBetween(first, end)) {
      needed.pollFirst();
    }
    return needed;
  }

  /** Ends those that are not needed any more at a key, and begins others there. */
  private void goOn(MemorySegment at, NavigableSet<Long> needed) {
    for (Iterator<Map.Entry<Long, MemorySegment>> i = open.entrySet().iterator(); i.hasNext(); ) {
      Map.Entry<Long, MemorySegment> begun = i.next();
      if (!needed.contains(begun.getKey())) {
        left.add(new RangeDelete(begun.getValue(), at, begun.getKey()));
        i.remove();
      }
    }
    needed.forEach(sequence -> open.putIfAbsent(sequence, at));
  }
}
