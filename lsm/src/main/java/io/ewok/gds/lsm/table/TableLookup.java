package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.Fix;
import io.ewok.gds.lsm.record.RecordKind;
import java.lang.foreign.MemorySegment;

/**
 * What looking for one key in tables needs, and what it found. Reused, so that gets make no
 * garbage.
 *
 * <p>Ownership: what was found stays fixed until {@link #unfix}. Threads: confined to one at a
 * time.
 */
public final class TableLookup {
  final Fix index = new Fix();
  final Fix data = new Fix();
  final BlockView view = new BlockView();

  /** Address of the entry that was found. */
  long entry;

  /** The value of the entry that was found, where it lies; null if it is a delete. */
  public MemorySegment value() {
    if (RecordKind.kind(BlockView.stamp(entry)) == RecordKind.DELETE) {
      return null;
    }
    return data.segment()
        .asSlice(BlockView.valueAddress(entry) - view.address(), BlockView.valueBytes(entry));
  }

  /** Lets go of what was found, if anything was. */
  public void unfix() {
    if (index.isFixed()) {
      index.close();
    }
    if (data.isFixed()) {
      data.close();
    }
  }
}
