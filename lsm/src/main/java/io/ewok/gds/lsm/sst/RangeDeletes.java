package io.ewok.gds.lsm.sst;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Deleted ranges of keys, asked for keys in ascending order: what the newest delete of each is.
 *
 * <p>Ranges are added first, then keys are asked for. Confined to one thread.
 */
final class RangeDeletes {
  /** Of the keys from the first one on, up to but without the end. */
  @SuppressWarnings("ArrayRecordComponent") // Never compared or hashed.
  record Range(byte[] first, byte[] end, long sequence) {
    private boolean isEmpty() {
      return Arrays.compareUnsigned(first, end) >= 0;
    }

    /**
     * The part of it within a table. A compaction that cuts a range into tables may leave the whole
     * of it in each, and set the sequence numbers of newer records beside it to zero.
     */
    private Range within(TableFile.Bounds bounds) {
      return new Range(
          Arrays.compareUnsigned(first, bounds.first()) > 0 ? first : bounds.first(),
          Arrays.compareUnsigned(end, bounds.end()) < 0 ? end : bounds.end(),
          sequence);
    }
  }

  private final List<Range> ranges = new ArrayList<>();

  /** Those that have begun, the newest first; who has ended goes when it is the first. */
  private final PriorityQueue<Range> begun =
      new PriorityQueue<>(Comparator.comparingLong(Range::sequence).reversed());

  private int beginning;

  void add(Range range, TableFile.Bounds boundsOrNull) {
    Range part = boundsOrNull == null ? range : range.within(boundsOrNull);
    if (!part.isEmpty()) {
      ranges.add(part);
    }
  }

  /** To be called before keys are asked for. */
  void sort() {
    ranges.sort((a, b) -> Arrays.compareUnsigned(a.first(), b.first()));
  }

  /** Whether a delete of a range with this key is newer than a sequence number. */
  boolean isNewer(byte[] key, long sequence) {
    while (beginning < ranges.size()
        && Arrays.compareUnsigned(ranges.get(beginning).first(), key) <= 0) {
      begun.add(ranges.get(beginning++));
    }
    while (!begun.isEmpty() && Arrays.compareUnsigned(begun.element().end(), key) <= 0) {
      begun.remove();
    }
    return !begun.isEmpty() && begun.element().sequence() > sequence;
  }
}
