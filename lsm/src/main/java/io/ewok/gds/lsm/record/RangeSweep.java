package io.ewok.gds.lsm.record;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Goes through range deletes, which may overlap, from one key at which one of them begins or ends
 * to the next: between two such keys the same ones are in force.
 *
 * <p>Threads: confined to one.
 */
public final class RangeSweep {
  private RangeSweep() {}

  /** Takes the parts. */
  @FunctionalInterface
  public interface Consumer {
    /**
     * Takes the next part.
     *
     * @param first its smallest key; where the part before it has ended
     * @param end where it ends
     * @param sequences of the deletes in force, ascending, perhaps none; until this returns
     */
    void accept(MemorySegment first, MemorySegment end, NavigableSet<Long> sequences);
  }

  /** Shows all parts, in order. */
  public static void run(Collection<RangeDelete> deletes, Consumer to) {
    List<RangeDelete> begins = sorted(deletes, RangeDelete::first);
    List<RangeDelete> ends = sorted(deletes, RangeDelete::end);
    // How many there are of each, since the parts of one delete may come from several tables.
    TreeMap<Long, Integer> inForce = new TreeMap<>();
    int begun = 0;
    int ended = 0;
    MemorySegment at = null;
    while (ended < ends.size()) {
      MemorySegment next = ends.get(ended).end();
      if (begun < begins.size() && Keys.compare(begins.get(begun).first(), next) < 0) {
        next = begins.get(begun).first();
      }
      if (at != null) {
        to.accept(at, next, inForce.navigableKeySet());
      }
      at = next;
      for (; ended < ends.size() && isAt(at, ends.get(ended).end()); ended++) {
        inForce.computeIfPresent(
            ends.get(ended).sequence(), (_, count) -> count == 1 ? null : count - 1);
      }
      for (; begun < begins.size() && isAt(at, begins.get(begun).first()); begun++) {
        inForce.merge(begins.get(begun).sequence(), 1, Integer::sum);
      }
    }
  }

  private static boolean isAt(MemorySegment at, MemorySegment key) {
    return Keys.compare(at, key) == 0;
  }

  private static List<RangeDelete> sorted(
      Collection<RangeDelete> deletes, Function<RangeDelete, MemorySegment> by) {
    List<RangeDelete> sorted = new ArrayList<>(deletes);
    sorted.sort(Comparator.comparing(by, Keys::compare));
    return sorted;
  }
}
