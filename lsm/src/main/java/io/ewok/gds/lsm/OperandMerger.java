package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.record.VersionConsumer;
import java.lang.foreign.MemorySegment;

/**
 * Collects the operands of one key and what they stand on, and has them merged.
 *
 * <p>Ownership: its memory is freed by the collector and not charged to the budget, since it may be
 * as large as what users write. Reused. Threads: confined to one at a time.
 */
final class OperandMerger implements VersionConsumer {
  private final Merging merging;
  private final Operands operands = new Operands();
  private final ResultBytes result = new ResultBytes();
  private long floor;

  OperandMerger(Merging merging) {
    this.merging = merging;
  }

  /** How it merges. */
  Merging merging() {
    return merging;
  }

  /** Forgets what was collected. */
  void begin() {
    begin(0);
  }

  /**
   * The same for somebody for whom records have expired, or are hidden by range deletes.
   *
   * @param below those below this sequence number
   */
  void begin(long below) {
    operands.clear();
    floor = below;
  }

  /** Takes the next older version of the key, and says whether it needs those before that. */
  @Override
  public boolean accept(long stamp, long valueAddress, int valueBytes) {
    if (RecordKind.sequence(stamp) < floor) {
      return false;
    }
    switch (RecordKind.kind(stamp)) {
      case RecordKind.OPERAND -> {
        operands.addOlder(stamp, valueAddress, valueBytes);
        return true;
      }
      case RecordKind.PUT -> operands.setBase(valueAddress, valueBytes);
      default -> {}
    }
    return false;
  }

  /** What was collected. */
  Operands operands() {
    return operands;
  }

  /** The sequence number of the operand that was collected last; there must be one. */
  long sequenceOfOldest() {
    return RecordKind.sequence(operands.stampOfNewest(operands.count() - 1));
  }

  /** Makes the value. */
  void merge(SearchKey key) throws MergeFailedException {
    String reason;
    Throwable cause = null;
    try {
      begin(key);
      merging.operator().merge(readOnly(key), operands, result);
      if (result.isGiven()) {
        return;
      }
      reason = "the operator gives no result";
    } catch (Throwable e) { // the operator is the user's
      reason = e.toString();
      cause = e;
    }
    throw new MergeFailedException(reason, key, merging.store(), cause);
  }

  /** Makes one operand of several; returns false if that cannot be. */
  boolean combine(SearchKey key) {
    try {
      begin(key);
      return merging.operator().combine(readOnly(key), operands, result) && result.isGiven();
    } catch (Throwable e) {
      return false; // nothing is lost: a read says what is wrong, if that needs them
    }
  }

  private void begin(SearchKey key) {
    result.clear(merging.valueBytesMax() - key.lengthBytes());
  }

  private static MemorySegment readOnly(SearchKey key) {
    return key.segment().asReadOnly();
  }

  /** What was made, until the next is. */
  ResultBytes result() {
    return result;
  }
}
