package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.table.TableWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;

/**
 * Deals range deletes out to tables that are written one after the other, so that the keys of the
 * tables do not overlap: a table gets the parts up to its last record. What lies between that and
 * the first record of the next table goes there, or else the last one would end before an unknown
 * key.
 *
 * <p>Threads: confined to one.
 */
final class RangeOutput {
  /** In the order of the first keys. */
  private final Deque<RangeDelete> left;

  /**
   * Begins.
   *
   * @param deletes in the order of their first keys
   */
  RangeOutput(Collection<RangeDelete> deletes) {
    left = new ArrayDeque<>(deletes);
  }

  /** Whether there is nothing left to be dealt out. */
  boolean isEmpty() {
    return left.isEmpty();
  }

  /** Gives a table its part, before it is finished because the next record does not go into it. */
  void endTable(TableWriter writer) throws IOException {
    if (left.isEmpty()) {
      return;
    }
    MemorySegment end = Keys.successorOrNull(writer.lastKey());
    if (end == null) {
      endLastTable(writer);
      return;
    }
    List<RangeDelete> rest = new ArrayList<>();
    while (!left.isEmpty() && Keys.compare(left.getFirst().first(), end) < 0) {
      RangeDelete delete = left.removeFirst();
      writer.addRange(delete.before(end));
      if (Keys.compare(delete.end(), end) > 0) {
        rest.add(new RangeDelete(end, delete.end(), delete.sequence()));
      }
    }
    rest.reversed().forEach(left::addFirst);
  }

  /** Gives a table all that is left. */
  void endLastTable(TableWriter writer) throws IOException {
    while (!left.isEmpty()) {
      writer.addRange(left.removeFirst());
    }
  }
}
