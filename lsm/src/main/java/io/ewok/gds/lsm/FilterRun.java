package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.KeyBuffer;
import io.ewok.gds.lsm.record.SearchKey;

/**
 * Has a {@link CompactionFilter} decide about records, and contains what it throws.
 *
 * <p>Threads: confined to one. For one compaction, or a family in one flush.
 */
final class FilterRun {
  private static final System.Logger LOGGER = System.getLogger(FilterRun.class.getName());

  private final CompactionFilter filter;
  private final long newestSnapshot;
  private final long newestSequence;
  private final long valueBytesMax;
  private final KeyBuffer value = new KeyBuffer();
  private final ResultBytes result = new ResultBytes();
  private boolean hasActed;
  private boolean hasFailed;

  /**
   * A run.
   *
   * @param newestSnapshot newest sequence number that a snapshot sees, or a cursor that is not to
   *     stay on what is written again
   * @param newestSequence newest one that anybody sees
   * @param valueBytesMax what a value and its key have together at most, in bytes
   */
  FilterRun(CompactionFilter filter, long newestSnapshot, long newestSequence, long valueBytesMax) {
    this.filter = filter;
    this.newestSnapshot = newestSnapshot;
    this.newestSequence = newestSequence;
    this.valueBytesMax = valueBytesMax;
  }

  /** Decides about the newest record of a key; the value of a change is in {@link #result}. */
  CompactionFilter.Decision decide(
      SearchKey key, long sequence, long valueAddress, int valueBytes) {
    if (!isAsked(sequence)) {
      return CompactionFilter.Decision.KEEP;
    }
    CompactionFilter.Decision decision = CompactionFilter.Decision.KEEP;
    try {
      // A copy, since what the user keeps against the rules must not be memory that is unmapped.
      Memory.copy(valueAddress, value.reserve(valueBytes), valueBytes);
      result.clear(valueBytesMax - key.lengthBytes());
      CompactionFilter.Decision decided =
          filter.decide(key.segment().asReadOnly(), value.segment(valueBytes).asReadOnly(), result);
      if (decided == null || (decided == CompactionFilter.Decision.CHANGE && !result.isGiven())) {
        throw new IllegalStateException("a compaction filter decides nothing: decision=" + decided);
      }
      decision = decided;
    } catch (Throwable e) { // the filter is the user's
      if (!hasFailed) {
        hasFailed = true;
        LOGGER.log(System.Logger.Level.WARNING, "a compaction filter fails, values stay", e);
      }
    }
    hasActed |= decision != CompactionFilter.Decision.KEEP;
    return decision;
  }

  /** Whether the filter is asked about a record with this sequence number. */
  boolean isAsked(long sequence) {
    return sequence > newestSnapshot && sequence <= newestSequence;
  }

  ResultBytes result() {
    return result;
  }

  /** Whether anything is not as it was. */
  boolean hasActed() {
    return hasActed;
  }

  /** Newest sequence number that such a reader saw at the start. */
  long newestSnapshot() {
    return newestSnapshot;
  }
}
