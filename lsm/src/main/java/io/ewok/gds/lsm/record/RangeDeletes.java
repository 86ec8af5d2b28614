package io.ewok.gds.lsm.record;

import io.ewok.gds.ffm.unchecked.Memory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.NavigableSet;

/**
 * A set of range deletes that is asked which of them hides a key. They are cut where one of them
 * begins or ends, so that the parts do not overlap and a key lies in one of them.
 *
 * <p>Of each part only the newest few deletes are at hand: many nested ranges would take the square
 * of their number. A reader at an older sequence number than these goes through all.
 *
 * <p>Ownership: copies of its own, on the heap: made when deletes are added or tables opened, never
 * by a search. Threads: any; immutable.
 */
public final class RangeDeletes {
  /** Deletes of a part that are at hand. */
  static final int AT_HAND_MAX = 8;

  private final List<RangeDelete> all;

  /** Where parts begin, and where the last one ends. */
  private final MemorySegment[] bounds;

  /** {@link SearchKey#head} of each. */
  private final long[] heads;

  private final BoundSearch search;

  /** For each part its newest sequence number, which is all that most readers want; 0 if none. */
  private final long[] newests;

  /** Likewise where its sequence numbers begin, newest first. */
  private final int[] starts;

  private final long[] sequences;

  /** Whether a part has more than are at hand. */
  private final boolean[] hasMore;

  private RangeDeletes(Collection<RangeDelete> deletes) {
    all = List.copyOf(deletes);
    List<MemorySegment> keys = new ArrayList<>();
    List<Long> newest = new ArrayList<>();
    List<Integer> ends = new ArrayList<>(List.of(0));
    List<Boolean> more = new ArrayList<>();
    RangeSweep.run(
        all,
        (first, end, inForce) -> {
          if (keys.isEmpty()) {
            keys.add(first);
          }
          keys.add(end);
          addNewest(inForce, newest);
          ends.add(newest.size());
          more.add(inForce.size() > AT_HAND_MAX);
        });
    bounds = keys.toArray(MemorySegment[]::new);
    heads = keys.stream().mapToLong(Keys::head).toArray();
    starts = ends.stream().mapToInt(Integer::intValue).toArray();
    sequences = newest.stream().mapToLong(Long::longValue).toArray();
    search = new BoundSearch(bounds);
    hasMore = new boolean[more.size()];
    newests = new long[more.size()];
    for (int i = 0; i < hasMore.length; i++) {
      hasMore[i] = more.get(i);
      newests[i] = starts[i] < starts[i + 1] ? sequences[starts[i]] : 0;
    }
  }

  private static void addNewest(NavigableSet<Long> inForce, List<Long> to) {
    Iterator<Long> newestFirst = inForce.descendingIterator();
    for (int i = 0; i < AT_HAND_MAX && newestFirst.hasNext(); i++) {
      to.add(newestFirst.next());
    }
  }

  /** The set of these, or null if there are none. */
  public static RangeDeletes ofOrNull(Collection<RangeDelete> deletes) {
    return deletes.isEmpty() ? null : new RangeDeletes(deletes);
  }

  /** The set of all in these sets, or null if there are none. */
  public static RangeDeletes union(Collection<RangeDeletes> sets) {
    if (sets.size() == 1) {
      return sets.iterator().next();
    }
    List<RangeDelete> deletes = new ArrayList<>();
    sets.forEach(set -> deletes.addAll(set.all));
    return ofOrNull(deletes);
  }

  /** All of them, as they came. */
  public List<RangeDelete> all() {
    return all;
  }

  /**
   * Returns the sequence number of the newest delete that covers a key and is not newer than {@code
   * sequence}: records of the key with smaller numbers are hidden. 0 if there is none.
   */
  public long newest(SearchKey key, long sequence) {
    return newest(key.head(), key.address(), key.lengthBytes(), sequence);
  }

  /**
   * The same of a key at an address.
   *
   * @param head {@link SearchKey#head} of the key
   */
  public long newest(long head, long address, int keyBytes, long sequence) {
    return newest(find(head, address, keyBytes), sequence);
  }

  /** The part that a key lies in: from -1, what is before all of them, on. */
  public int find(long head, long address, int keyBytes) {
    return search.find(head, address, keyBytes);
  }

  /**
   * The same, if the key probably lies in a part beside another one.
   *
   * @param part the other one, as {@link #find} has them
   * @param forward whether behind it, or else before
   */
  public int findBeside(int part, boolean forward, long head, long address, int keyBytes) {
    int beside = forward ? part + 1 : part - 1;
    boolean isThere =
        beside >= 0
            && beside < newests.length
            && compare(head, address, keyBytes, heads[beside], bounds[beside]) >= 0
            && compare(head, address, keyBytes, heads[beside + 1], bounds[beside + 1]) < 0;
    return isThere ? beside : find(head, address, keyBytes);
  }

  /** Compares a key with another one, of both of which the head is known. */
  public static int compare(
      long head, long address, int keyBytes, long otherHead, MemorySegment other) {
    return head != otherHead
        ? Long.compareUnsigned(head, otherHead)
        : Memory.compareUnsigned(address, keyBytes, other);
  }

  /** As {@link #newest(SearchKey, long)}, of all keys of a part. */
  public long newest(int part, long sequence) {
    if (part < 0 || part >= newests.length) {
      return 0;
    }
    long newest = newests[part];
    return newest <= sequence ? newest : newestBelow(part, sequence);
  }

  private long newestBelow(int part, long sequence) {
    for (int i = starts[part] + 1; i < starts[part + 1]; i++) {
      if (sequences[i] <= sequence) {
        return sequences[i];
      }
    }
    return hasMore[part] ? newestOfAll(bounds[part], sequence) : 0;
  }

  private long newestOfAll(MemorySegment key, long sequence) {
    long newest = 0;
    for (RangeDelete delete : all) {
      if (delete.sequence() <= sequence
          && delete.sequence() > newest
          && Keys.compare(delete.first(), key) <= 0
          && Keys.compare(key, delete.end()) < 0) {
        newest = delete.sequence();
      }
    }
    return newest;
  }

  /** How many parts there are between the first key and the last end. */
  public int partCount() {
    return newests.length;
  }

  /** Where a part begins; null for what is before all of them. */
  public MemorySegment firstOrNull(int part) {
    return part < 0 ? null : bounds[part];
  }

  /** Where a part ends; null for what is behind all of them. */
  public MemorySegment endOrNull(int part) {
    return part + 1 < bounds.length ? bounds[part + 1] : null;
  }

  /** {@link SearchKey#head} of where a part begins, and where the one before it ends. */
  public long head(int part) {
    return heads[part];
  }

  /**
   * Whether all keys from one to another, both inclusive, are covered by deletes that are newer
   * than one sequence number and not newer than another.
   */
  public boolean coverAll(MemorySegment first, MemorySegment last, long newerThan, long sequence) {
    int found = Arrays.binarySearch(bounds, first, Keys::compare);
    for (int part = found >= 0 ? found : -found - 2; part >= 0 && part < hasMore.length; part++) {
      if (newest(part, sequence) <= newerThan) {
        return false;
      }
      if (Keys.compare(last, bounds[part + 1]) < 0) {
        return true;
      }
    }
    return false;
  }

  @Override
  public String toString() {
    return "RangeDeletes[count=%d parts=%d]".formatted(all.size(), hasMore.length);
  }
}
