package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.memtable.NodeFormat;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableLookup;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * What one get needs besides its stack, and what it found: reused, so that gets make no garbage.
 *
 * <p>Threads: confined to one at a time, see {@link ReadContexts}.
 */
final class ReadContext {
  /** What is read; retained while not null. */
  Version version;

  /** The thread that is in a user's callback now, or null. Of use to that thread alone. */
  Thread consumerThread;

  final SearchKey key = new SearchKey();
  private final TableLookup lookup = new TableLookup();

  // What was found.
  /** In which it was; null if it was in a table. */
  private Memtable memtable;

  private int kind;
  private long valueAddress;
  private int valueBytes;

  /**
   * Looks for the value of {@link #key} as of a sequence number. What was found stays where it is
   * until {@link #letGo}.
   *
   * @return false if the key has no value
   */
  boolean find(long sequence) throws IOException {
    long stamp = RecordKind.searchStamp(sequence);
    Memtable frozen = version.frozen();
    return (findIn(version.active(), stamp)
            || (frozen != null && findIn(frozen, stamp))
            || findInTables(stamp))
        && kind == RecordKind.PUT;
  }

  private boolean findIn(Memtable looked, long stamp) {
    long node = looked.findAtOrAfter(key, stamp);
    if (node == Memtable.NONE || Memtable.compareKey(node, key) != 0) {
      return false;
    }
    memtable = looked;
    kind = RecordKind.kind(NodeFormat.stamp(node));
    valueAddress = NodeFormat.valueAddress(node);
    valueBytes = NodeFormat.valueBytes(node);
    return true;
  }

  private boolean findInTables(long stamp) throws IOException {
    memtable = null;
    for (Table table : version.level0()) {
      if (table.meta().mayContain(key) && table.find(key, stamp, lookup)) {
        return take();
      }
    }
    Table table = version.tableOfRun(key);
    return table != null && table.find(key, stamp, lookup) && take();
  }

  private boolean take() {
    kind = RecordKind.kind(lookup.stamp());
    valueAddress = lookup.valueAddress();
    valueBytes = lookup.valueBytes();
    return true;
  }

  /** Length of the value that was found, in bytes. */
  int valueBytes() {
    return valueBytes;
  }

  /** Returns the value that was found, where it lies: read-only, and unusable once it is freed. */
  MemorySegment value() {
    return memtable != null
        ? memtable.segment(valueAddress, valueBytes)
        : lookup.segment(valueAddress, valueBytes);
  }

  /** Copies the value that was found to the beginning of a segment. */
  void copyValue(MemorySegment into) {
    Memory.copyTo(valueAddress, into, 0, valueBytes);
  }

  /** Lets go of what was found. */
  void letGo() {
    memtable = null;
    lookup.unfix();
  }
}
