package io.ewok.gds.buffers.eviction;

import java.util.Arrays;

/**
 * Counts the hits that a trace has in a cache of a given size: without data, without threads, and
 * exactly. What is missing is always admitted, as in a buffer pool.
 *
 * <p>Threads: any; each call works on its own.
 */
public final class Simulation {
  private Simulation() {}

  /** The hits with a policy of the pool. */
  public static long hits(EvictionKind kind, ReferenceTrace trace, int slotCount) {
    int slots = usable(trace, slotCount);
    ReferenceMarks marks = new ReferenceMarks(slots);
    return hits(kind.create(marks), marks, trace, slots);
  }

  static long hits(EvictionPolicy policy, ReferenceMarks marks, ReferenceTrace trace, int slots) {
    int[] slotOf = new int[trace.distinct()];
    Arrays.fill(slotOf, -1);
    int[] idAt = new int[slots];
    int used = 0;
    long hits = 0;
    for (int i = 0; i < trace.length(); i++) {
      int id = trace.id(i);
      int slot = slotOf[id];
      if (slot >= 0) {
        marks.count(slot);
        hits++;
        continue;
      }
      if (used < slots) {
        slot = used++;
      } else {
        slot = policy.victim(_ -> true);
        policy.removed(slot, true);
        slotOf[idAt[slot]] = -1;
      }
      policy.admitted(slot, id, Priority.NORMAL);
      slotOf[id] = slot;
      idAt[slot] = id;
    }
    return hits;
  }

  /** The hits if what was asked for the longest time ago goes. */
  public static long lruHits(ReferenceTrace trace, int slotCount) {
    int slots = usable(trace, slotCount);
    SlotList recent = new SlotList(trace.distinct());
    SlotList.Ends order = new SlotList.Ends();
    long hits = 0;
    for (int i = 0; i < trace.length(); i++) {
      int id = trace.id(i);
      if (recent.contains(id)) {
        recent.remove(order, id);
        hits++;
      } else if (order.size() == slots) {
        recent.remove(order, order.first());
      }
      recent.addLast(order, id);
    }
    return hits;
  }

  /** The hits if what came the longest time ago goes, whether it was asked for since or not. */
  public static long fifoHits(ReferenceTrace trace, int slotCount) {
    int[] queue = new int[usable(trace, slotCount)];
    boolean[] resident = new boolean[trace.distinct()];
    long hits = 0;
    int at = 0;
    int used = 0;
    for (int i = 0; i < trace.length(); i++) {
      int id = trace.id(i);
      if (resident[id]) {
        hits++;
        continue;
      }
      if (used == queue.length) {
        resident[queue[at]] = false;
      } else {
        used++;
      }
      resident[id] = true;
      queue[at] = id;
      at = at + 1 == queue.length ? 0 : at + 1;
    }
    return hits;
  }

  /**
   * The most hits that any policy can have: what is asked for again in the farthest future goes (L.
   * A. Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems
   * Journal 5(2), 1966).
   */
  public static long optimalHits(ReferenceTrace trace, int slotCount) {
    int slots = usable(trace, slotCount);
    int[] next = nextReferences(trace);
    boolean[] resident = new boolean[trace.distinct()];
    // A resident key is known by the position where it is asked for next; those that never are
    // again only have to be counted.
    PositionSet upcoming = new PositionSet(trace.length());
    int useless = 0;
    int used = 0;
    long hits = 0;
    for (int i = 0; i < trace.length(); i++) {
      int id = trace.id(i);
      if (resident[id]) {
        hits++;
        upcoming.remove(i);
      } else if (used < slots) {
        used++;
      } else if (useless > 0) {
        useless--;
      } else {
        int farthest = upcoming.last();
        upcoming.remove(farthest);
        resident[trace.id(farthest)] = false;
      }
      resident[id] = next[i] < trace.length();
      if (resident[id]) {
        upcoming.add(next[i]);
      } else {
        useless++;
      }
    }
    return hits;
  }

  /** For each position where the same key is asked for next; the length of the trace if never. */
  private static int[] nextReferences(ReferenceTrace trace) {
    int[] next = new int[trace.length()];
    int[] seen = new int[trace.distinct()];
    Arrays.fill(seen, trace.length());
    for (int i = trace.length() - 1; i >= 0; i--) {
      next[i] = seen[trace.id(i)];
      seen[trace.id(i)] = i;
    }
    return next;
  }

  /** Slots beyond the number of keys would stay empty. */
  private static int usable(ReferenceTrace trace, int slotCount) {
    if (slotCount < 1) {
      throw new IllegalArgumentException("a cache has at least one slot: slotCount=" + slotCount);
    }
    return Math.max(1, Math.min(slotCount, trace.distinct()));
  }
}
