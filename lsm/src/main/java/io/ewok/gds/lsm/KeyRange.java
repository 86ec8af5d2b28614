package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.SearchKey;
import java.lang.foreign.MemorySegment;

/**
 * Keys of a family that a transaction has looked at, as they were at a sequence number.
 *
 * @param firstOrNull where they begin, itself included; null for all before the rest
 * @param lastOrNull where they end; null for all behind the rest
 * @param withLast whether that key is one of them
 */
record KeyRange(
    FamilyState family, SearchKey firstOrNull, SearchKey lastOrNull, boolean withLast, long since) {

  /** Whether a key is not behind them. */
  boolean endsBehind(MemorySegment key) {
    if (lastOrNull == null) {
      return true;
    }
    int order = lastOrNull.compareTo(key);
    return order > 0 || (order == 0 && withLast);
  }

  /** Whether some may be between two keys, the latter of which does not count. */
  boolean meets(MemorySegment first, MemorySegment end) {
    return endsBehind(first) && (firstOrNull == null || firstOrNull.compareTo(end) < 0);
  }

  /** Whether a range delete hides some that may be there. */
  boolean meets(RangeDelete delete) {
    return meets(delete.first(), delete.end());
  }

  /** Whether some may be among the keys from one to another, both inclusive. */
  boolean meetsTable(MemorySegment first, MemorySegment last) {
    return endsBehind(first) && (firstOrNull == null || firstOrNull.compareTo(last) <= 0);
  }

  /** The key as it is named in errors. */
  static byte[] bytes(MemorySegment key) {
    return Keys.copy(key).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
  }
}
