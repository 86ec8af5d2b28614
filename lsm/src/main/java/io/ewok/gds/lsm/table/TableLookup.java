package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.eviction.Priority;
import java.lang.foreign.MemorySegment;

/**
 * What looking for one key in tables needs, and what it found. Reused, so that gets make no
 * garbage.
 *
 * <p>Ownership: what was found stays fixed until {@link #unfix}. Threads: confined to one at a
 * time.
 */
public final class TableLookup {
  /** How looking into one table ended. */
  public enum Outcome {
    /** The filter says that the key is not there. */
    FILTERED,
    /** The filter, if there is one, let it pass; it is not there. */
    ABSENT,
    /** It is there. */
    FOUND
  }

  final Fix root = new Fix().withPriority(Priority.HIGH);
  final Fix filter = new Fix().withPriority(Priority.HIGH);
  final Fix index = new Fix().withPriority(Priority.HIGH);
  final Fix data = new Fix();
  final BlockView view = new BlockView();

  // For what is latched, see BlockHint.lend.
  final BlockHint filterHint = BlockHint.ofReader();
  final BlockHint indexHint = BlockHint.ofReader();

  /** How many hints there were not. */
  int hintsMissed;

  /** Holds the value that a record refers to. */
  final Fix value = new Fix();

  // Of that.
  long readAddress;
  int readBytes;

  /** Whether index and filters are latched while they are read. */
  boolean latched;

  // The handle that was read last.
  long offset;
  int storedBytes;
  int lengthBytes;

  // Of a data block: where to keep what frame it is in.
  private BlockPlaces places;
  private int placeOrdinal;

  /** Ordinal of the record that was found. */
  int ordinal;

  Outcome outcome = Outcome.ABSENT;

  /** For a prefix. */
  int filtersAsked;

  /** How looking into the last table ended. */
  public Outcome outcome() {
    return outcome;
  }

  /** How many filters were asked for a prefix since this was made. */
  public int filtersAsked() {
    return filtersAsked;
  }

  /**
   * Reads a handle in the value of an entry.
   *
   * @param start where it is in the value
   * @param fix of the entry's block
   * @return false if there is another block by now: the handle may be anything
   */
  boolean readHandle(BlockView view, int ordinal, int start, Fix fix) {
    long handle = view.valueAddress(ordinal) + start;
    if (!fix.validate()) {
      return false;
    }
    offset = TableFormat.handleOffset(handle);
    storedBytes = TableFormat.handleStoredBytes(handle);
    lengthBytes = TableFormat.handleLengthBytes(handle);
    return fix.validate();
  }

  /** The same of the handle of a data block in an index partition. */
  boolean readHandle(BlockView view, int ordinal, int start, Fix fix, BlockPlaces into) {
    places = into;
    placeOrdinal = ordinal;
    return readHandle(view, ordinal, start, fix);
  }

  /** Says that the data block of the handle is fixed. */
  void keepPlace() {
    places.put(placeOrdinal, offset, data.frame());
  }

  /** Stamp of the record that was found. */
  public long stamp() {
    return view.stamp(ordinal);
  }

  /** Address of the value of the record that was found. */
  public long valueAddress() {
    return view.valueAddress(ordinal);
  }

  /** Length of that in bytes. */
  public int valueBytes() {
    return view.valueBytes(ordinal);
  }

  /** Address of the value that was read, see {@link Table#readValue}. */
  public long readValueAddress() {
    return readAddress;
  }

  /** Length of that in bytes. */
  public int readValueBytes() {
    return readBytes;
  }

  /** Bytes of what was found, for the user: read-only, and unusable once they are freed. */
  public MemorySegment segment(long address, long lengthBytes) {
    MemorySegment memory = value.isFixed() ? value.memory() : data.memory();
    return memory.asSlice(address - memory.address(), lengthBytes);
  }

  /** Says whether blocks that are not in the pool end a search, see {@link Fix#onlyCached}. */
  public void onlyCached(boolean only) {
    root.onlyCached(only);
    filter.onlyCached(only);
    index.onlyCached(only);
    data.onlyCached(only);
    value.onlyCached(only);
  }

  /** How many blocks had to be read, or waited for, since this was made. */
  public long misses() {
    return root.misses() + filter.misses() + index.misses() + data.misses() + value.misses();
  }

  /** Lets go of what was found, if anything was. */
  public void unfix() {
    data.unfix();
    value.unfix();
  }
}
