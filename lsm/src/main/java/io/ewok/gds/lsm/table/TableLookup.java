package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.Fix;
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

  /** Stamp of what was found. */
  public long stamp() {
    return BlockView.stamp(entry);
  }

  public long valueAddress() {
    return BlockView.valueAddress(entry);
  }

  public int valueBytes() {
    return BlockView.valueBytes(entry);
  }

  /** Bytes of what was found, for the user: read-only, and unusable once they are freed. */
  public MemorySegment segment(long address, long lengthBytes) {
    return data.segment().asSlice(address - view.address(), lengthBytes);
  }

  /** Says whether blocks that are not in the pool end a search, see {@link Fix#onlyCached}. */
  public void onlyCached(boolean only) {
    index.onlyCached(only);
    data.onlyCached(only);
  }

  /** How many blocks had to be read, or waited for, since this was made. */
  public long misses() {
    return index.misses() + data.misses();
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
