package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.SearchKey;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * What a transaction has written to one family: its keys in their order, and its range deletes.
 *
 * <p>Threads: confined to one at a time, as all of a transaction.
 */
final class OwnFamily {
  private final FamilyState family;
  private final TreeMap<OwnKey, OwnKey> keys = new TreeMap<>();
  private final OwnKey wanted = new OwnKey();

  /** Their sequence numbers are those of the writes, from 1 on. */
  private final List<RangeDelete> ranges = new ArrayList<>();

  /** Of all of them; null if there are none, or they have changed. */
  private RangeDeletes rangeSet;

  OwnFamily(FamilyState family) {
    this.family = family;
  }

  FamilyState family() {
    return family;
  }

  // ---- changing

  /** The key that is equal to one, which is added if there is none. */
  OwnKey added(OwnKey key) {
    OwnKey found = keys.get(key);
    if (found != null) {
      return found;
    }
    key.previous = keys.lowerKey(key);
    key.next = key.previous == null ? firstOrNull() : key.previous.next;
    link(key.previous, key);
    link(key, key.next);
    keys.put(key, key);
    return key;
  }

  private static void link(OwnKey previousOrNull, OwnKey nextOrNull) {
    if (previousOrNull != null) {
      previousOrNull.next = nextOrNull;
    }
    if (nextOrNull != null) {
      nextOrNull.previous = previousOrNull;
    }
  }

  void addRange(RangeDelete range) {
    ranges.add(range);
    rangeSet = null;
  }

  /** Takes the last write away. */
  void undo(OwnWrite write) {
    OwnKey key = write.keyOrNull();
    if (key == null) {
      RangeDelete unused = ranges.removeLast();
      rangeSet = null;
      return;
    }
    key.newest = write.older();
    if (key.newest == null) {
      link(key.previous, key.next);
      OwnKey unused = keys.remove(key);
    }
  }

  // ---- reading

  OwnKey firstOrNull() {
    return keys.isEmpty() ? null : keys.firstKey();
  }

  OwnKey lastOrNull() {
    return keys.isEmpty() ? null : keys.lastKey();
  }

  OwnKey ceilingOrNull(SearchKey key) {
    return keys.ceilingKey(wanted(key));
  }

  OwnKey floorOrNull(SearchKey key) {
    return keys.floorKey(wanted(key));
  }

  OwnKey findOrNull(SearchKey key) {
    return keys.get(wanted(key));
  }

  private OwnKey wanted(SearchKey key) {
    return wanted.set(null, key.address(), key.lengthBytes());
  }

  boolean hasRanges() {
    return !ranges.isEmpty();
  }

  /** All range deletes, or null if there are none. Stays as it is when more are added. */
  RangeDeletes rangesOrNull() {
    if (rangeSet == null) {
      rangeSet = RangeDeletes.ofOrNull(ranges);
    }
    return rangeSet;
  }

  /** The number, from 1 on, of the last range delete that covers a key; 0 if none does. */
  long newestRange(SearchKey key) {
    RangeDeletes set = rangesOrNull();
    return set == null ? 0 : set.newest(key, Long.MAX_VALUE);
  }
}
