package io.ewok.gds.lsm;

import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.SearchKey;
import java.lang.foreign.MemorySegment;

/**
 * What range deletes hide around the key that a cursor is on: between two keys, all records below a
 * sequence number, perhaps 0. As long as the cursor moves between these keys, all that there is to
 * do is to compare with the one ahead, mostly only its head.
 *
 * <p>Ownership: needs neither memtables nor tables any more once it has begun. Threads: confined to
 * one at a time.
 */
final class HiddenRange {
  private static final RangeDeletes[] NO_SETS = {};

  // What there is; null if the tables have none.
  private TableRanges ofTables;
  private RangeDeletes[] ofActive = NO_SETS;
  private RangeDeletes[] ofFrozen = NO_SETS;

  /** Those of the reader's own transaction, numbered from 1 on behind the sequence; or null. */
  private RangeDeletes own;

  private long sequence;

  /** Whether the rest is known. */
  private boolean known;

  /** That of the tables. */
  private int part;

  // The range; null where it has no end. What has no end has the last head there, or the first.
  private MemorySegment first;
  private MemorySegment end;
  private long firstHead;
  private long endHead;
  private long floor;

  /** One of the two ends, if one was asked for. */
  private final SearchKey target = new SearchKey();

  private boolean hasTarget;
  private boolean isTargetEnd;

  /**
   * Begins with the range deletes of a family in a version, which is alive during the call.
   *
   * @return whether there are any
   */
  boolean begin(Version version, FamilyState family, long atSequence) {
    Memtable frozen = version.frozen();
    ofTables = version.levels(family).rangesOrNull();
    ofActive = version.active().rangeDeletes(family.id());
    ofFrozen = frozen == null ? NO_SETS : frozen.rangeDeletes(family.id());
    sequence = atSequence;
    jump();
    return ofTables != null || ofActive.length > 0 || ofFrozen.length > 0;
  }

  /** Adds those of the reader's own transaction, numbered from 1 on, or none. */
  void setOwn(RangeDeletes ownOrNull) {
    own = ownOrNull;
    jump();
  }

  /** Says that the next key may lie anywhere. */
  void jump() {
    known = false;
    endHead = 0; // so that no head is before the end,
    firstHead = -1; // or behind the beginning
  }

  /**
   * Finds the range that a key lies in.
   *
   * @param forward whether the key is not before the last one that was looked for, or else not
   *     behind it, unless there was a jump
   * @param head {@link SearchKey#head} of the key
   * @return records of the key below this sequence number are hidden
   */
  long find(boolean forward, long head, long address, int keyBytes) {
    if (!isInside(forward, head, address, keyBytes)) {
      findAnew(forward, head, address, keyBytes);
    }
    return floor;
  }

  /** Records below this sequence number are hidden in the range. */
  long floor() {
    return floor;
  }

  /**
   * {@link SearchKey#head} of the key that the range begins with: heads that are greater are not
   * before it. The last head after a jump.
   */
  long firstHead() {
    return firstHead;
  }

  /** The same of where it ends: heads that are less are before it. The first head after a jump. */
  long endHead() {
    return endHead;
  }

  private boolean isInside(boolean forward, long head, long address, int keyBytes) {
    if (!known) {
      return false;
    }
    return forward
        ? end == null || RangeDeletes.compare(head, address, keyBytes, endHead, end) < 0
        : first == null || RangeDeletes.compare(head, address, keyBytes, firstHead, first) >= 0;
  }

  private void findAnew(boolean forward, long head, long address, int keyBytes) {
    first = null;
    end = null;
    firstHead = 0;
    endHead = -1;
    floor = 0;
    hasTarget = false;
    if (ofTables != null) {
      RangeDeletes set = ofTables.union();
      part =
          known
              ? set.findBeside(part, forward, head, address, keyBytes)
              : set.find(head, address, keyBytes);
      narrow(set, part);
    }
    for (RangeDeletes set : ofFrozen) {
      narrow(set, set.find(head, address, keyBytes));
    }
    for (RangeDeletes set : ofActive) {
      narrow(set, set.find(head, address, keyBytes));
    }
    if (own != null) {
      narrow(own, own.find(head, address, keyBytes));
    }
    known = true;
  }

  private void narrow(RangeDeletes set, int to) {
    long newest = set == own ? behind(set.newest(to, Long.MAX_VALUE)) : set.newest(to, sequence);
    floor = Math.max(floor, newest);
    MemorySegment partFirst = set.firstOrNull(to);
    MemorySegment partEnd = set.endOrNull(to);
    if (partFirst != null && (first == null || Keys.compare(partFirst, first) > 0)) {
      first = partFirst;
      firstHead = set.head(to);
    }
    if (partEnd != null && (end == null || Keys.compare(partEnd, end) < 0)) {
      end = partEnd;
      endHead = set.head(to + 1);
    }
  }

  private long behind(long number) {
    return number == 0 ? 0 : sequence + number;
  }

  /** Where a range that hides something ends, or begins, as what to skip to. */
  SearchKey target(boolean forward) {
    if (!hasTarget || isTargetEnd != forward) {
      hasTarget = true;
      isTargetEnd = forward;
      target.set(forward ? end : first);
    }
    return target;
  }
}
