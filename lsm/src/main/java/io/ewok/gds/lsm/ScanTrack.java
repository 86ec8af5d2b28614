package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.SearchKey;

/**
 * Notes which keys a cursor of a transaction has looked at, so that its commit finds out about
 * those that came meanwhile: from where it was positioned to as far as it was moved.
 *
 * <p>Threads: confined to one at a time, as all of a transaction.
 */
final class ScanTrack {
  private final ReadSet reads;
  private final FamilyState family;

  // The bounds of the cursor, each perhaps null.
  private SearchKey lower;
  private SearchKey upper;

  // What was looked at since the cursor was positioned, both inclusive; or from the first, or to
  // the last.
  private final SearchKey low = new SearchKey();
  private final SearchKey high = new SearchKey();
  private boolean hasLow;
  private boolean hasHigh;
  private boolean fromFirst;
  private boolean toLast;
  private boolean positioned;
  private long since;

  ScanTrack(ReadSet reads, FamilyState family, SearchKey lowerOrNull, SearchKey upperOrNull) {
    this.reads = reads;
    this.family = family;
    this.lower = lowerOrNull;
    this.upper = upperOrNull;
  }

  /**
   * The cursor has other bounds from now on, each perhaps null; what was looked at within those
   * before was {@linkplain #end added}.
   */
  void setBounds(SearchKey lowerOrNull, SearchKey upperOrNull) {
    lower = lowerOrNull;
    upper = upperOrNull;
  }

  /**
   * The cursor is about to be positioned at a key, or if it is null, at the end that the direction
   * leads away from.
   */
  void begin(boolean forward, SearchKey keyOrNull, long sequence) {
    end();
    positioned = true;
    since = sequence;
    fromFirst = keyOrNull == null && forward;
    toLast = keyOrNull == null && !forward;
    hasLow = keyOrNull != null;
    hasHigh = keyOrNull != null;
    if (keyOrNull != null) {
      low.set(keyOrNull.address(), keyOrNull.lengthBytes());
      high.set(keyOrNull.address(), keyOrNull.lengthBytes());
    }
  }

  /** The cursor has moved. */
  void moved(MergeCursor to) {
    boolean forward = to.isForward();
    if (!to.isValid()) {
      toLast |= forward;
      fromFirst |= !forward;
    } else if (forward) {
      if (!hasHigh || to.compareKey(high) > 0) {
        high.set(to.keyAddress(), to.keyBytes());
        hasHigh = true;
      }
    } else if (!hasLow || to.compareKey(low) < 0) {
      low.set(to.keyAddress(), to.keyBytes());
      hasLow = true;
    }
  }

  /** A move has failed: nobody knows what it has looked at. */
  void failed() {
    fromFirst = true;
    toLast = true;
  }

  /** Adds what was looked at. */
  void end() {
    if (!positioned) {
      return;
    }
    positioned = false;
    SearchKey first = fromFirst || isBefore(low, lower) ? lower : low;
    boolean toUpper = toLast || (upper != null && !isBefore(high, upper));
    SearchKey last = toUpper ? upper : high;
    reads.add(new KeyRange(family, copy(first), copy(last), !toUpper, since));
  }

  private static boolean isBefore(SearchKey key, SearchKey otherOrNull) {
    return otherOrNull != null && Keys.compare(key.segment(), otherOrNull.segment()) < 0;
  }

  private static SearchKey copy(SearchKey keyOrNull) {
    return keyOrNull == null
        ? null
        : new SearchKey().set(keyOrNull.address(), keyOrNull.lengthBytes());
  }
}
