package io.ewok.gds.lsm.memtable;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.References;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.record.VersionConsumer;
import io.ewok.gds.lsm.table.Table;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The newest records of a store, outside of the heap: every version of a key is an entry of its own
 * ({@link EntryFormat}), in order by an {@link EntryTree}, and the newest of each key to be had at
 * once from a {@link KeyTable}. Range deletes are beside both ({@link MemtableRanges}): records
 * stay that they hide. Nothing is removed or changed, so readers need no lock. A memtable has a
 * fixed capacity and dies as a whole.
 *
 * <p>Ownership: counted by {@link #references}. The last user to leave frees the memory, through
 * {@link MemtableSpace}. Every method that takes or returns the address of an entry is called
 * between a retain and its release: addresses are not checked, this is what keeps them right.
 *
 * <p>Threads: any. Writers come in with {@link #tryEnter} and write side by side. A reader finds
 * all that it had learned of: whose insertion had returned before a sequence number that covers it
 * was published.
 */
public final class Memtable {
  public static final long NONE = EntryTree.NONE;

  private static final RangeDeletes[] NO_RANGES = {};

  public final References references = new References();
  private final MemtableSpace space;
  private final Region region;
  private final MemorySegment readOnly;
  private final EntrySpace memory;
  private final EntryTree tree;
  private final KeyTable keys;
  private final Room room;

  /** Null before the first range delete. Written with this as the lock, before one is added. */
  private volatile MemtableRanges ranges;

  private volatile long lastSequence;
  private volatile long endLsn;

  /**
   * The tables with the same records, once they are written and named by the manifest; each
   * retained for this memtable. Cursors move over to them when the memory is needed.
   */
  private volatile List<Table> flushed;

  Memtable(MemtableSpace space, Region region) {
    this.space = space;
    this.region = region;
    this.readOnly = region.segment().asReadOnly();
    long bytes = region.segment().byteSize();
    this.memory = new EntrySpace(region);
    this.keys = new KeyTable(memory, KeyTable.bytes(bytes));
    this.tree = new EntryTree(memory);
    this.room = new Room(bytes, overheadBytes(bytes));
  }

  /** Returns what a memtable of this size takes of it besides its records, in bytes. */
  public static long overheadBytes(long memtableBytes) {
    return EntrySpace.UNUSED_BYTES + KeyTable.bytes(memtableBytes) + EntryTree.OVERHEAD_BYTES;
  }

  // ---- writing

  /**
   * Lets a writer in, if operations that count {@code bytes} in {@link BatchFormat#sizeBytes} still
   * fit and the memtable is not closed to writers.
   */
  public boolean tryEnter(long bytes) {
    return room.tryEnter(bytes);
  }

  /** Leaves after an insertion. */
  public void exit() {
    room.exit();
  }

  /** Leaves without one. */
  public void leaveUnused(long bytes) {
    room.leaveUnused(bytes);
  }

  /** Whether operations that count so much would fit. */
  public boolean hasRoom(long bytes) {
    return room.has(bytes);
  }

  /**
   * Whether it has no operation and was promised none. Looks at nothing in its memory, for it is
   * asked by who has not retained it.
   */
  public boolean isEmpty() {
    return room.takenBytes() == 0;
  }

  /** Returns what the operations count that it has or was promised. */
  public long takenBytes() {
    return room.takenBytes();
  }

  /** Returns which part of it is taken, 0 to 1. */
  public double takenShare() {
    return (double) room.takenBytes() / room.sizeBytes();
  }

  /** Lets no writer in any more. */
  public void closeToWriters() {
    room.close();
  }

  /** Whether no writer is inside: then, if it is closed to them, it does not change any more. */
  public boolean hasNoWriter() {
    return room.isEmpty();
  }

  /**
   * Adds the operations of a batch, by who has come in for it.
   *
   * @param record a sound record, see {@link BatchFormat#defect}
   */
  public void insert(MemorySegment record, long firstSequence) {
    int operations = BatchFormat.count(record);
    long offset = BatchFormat.HEADER_BYTES;
    for (int i = 0; i < operations; i++) {
      int keyBytes = BatchFormat.keyBytes(record, offset);
      int valueBytes = BatchFormat.valueBytes(record, offset);
      long stamp = RecordKind.stamp(firstSequence + i, BatchFormat.kind(record, offset));
      offset += BatchFormat.OPERATION_HEADER_BYTES;
      long entry = newEntry(stamp, keyBytes, valueBytes);
      // Key and value lie side by side in the record too.
      Memory.copyFrom(record, offset, EntryFormat.keyAddress(entry), (long) keyBytes + valueBytes);
      add(entry);
      offset += (long) keyBytes + valueBytes;
    }
  }

  /**
   * Copies one operation, by who has come in for it. After an exception nothing was copied.
   *
   * @return the entry, which nobody sees before {@link #add}
   */
  public long copy(long stamp, MemorySegment key, MemorySegment value) {
    int keyBytes = (int) key.byteSize();
    int valueBytes = (int) value.byteSize();
    long entry = newEntry(stamp, keyBytes, valueBytes);
    Memory.copyFrom(key, 0, EntryFormat.keyAddress(entry), keyBytes);
    Memory.copyFrom(value, 0, EntryFormat.valueAddress(entry), valueBytes);
    return entry;
  }

  private long newEntry(long stamp, int keyBytes, int valueBytes) {
    long bytes = EntryFormat.sizeBytes(keyBytes, valueBytes);
    boolean isRange = RecordKind.kind(stamp) == RecordKind.RANGE_DELETE;
    long entry = memory.allocateEntry(isRange ? bytes + MemtableRanges.LINK_BYTES : bytes);
    EntryFormat.putHeader(entry, stamp, keyBytes, valueBytes);
    return entry;
  }

  /** Adds what was copied. */
  public void add(long entry) {
    if (RecordKind.kind(EntryFormat.stamp(entry)) == RecordKind.RANGE_DELETE) {
      rangesForWriters().add(entry);
      return;
    }
    tree.insert(entry);
    keys.put(entry);
  }

  private MemtableRanges rangesForWriters() {
    MemtableRanges found = ranges;
    if (found != null) {
      return found;
    }
    synchronized (this) {
      if (ranges == null) {
        ranges = new MemtableRanges(memory);
      }
      return ranges;
    }
  }

  /** Says what its newest record is, and where in the log it ends. */
  public void setEnd(long lastSequence, long endLsn) {
    this.lastSequence = lastSequence;
    this.endLsn = endLsn;
  }

  public long lastSequence() {
    return lastSequence;
  }

  /** The end in the log of the newest record. */
  public long endLsn() {
    return endLsn;
  }

  // ---- reading, any thread that has retained the memtable

  /** Returns the newest entry of a key that is not newer than a sequence number, or NONE. */
  public long find(SearchKey key, long sequence) {
    long entry = keys.find(key);
    if (entry == KeyTable.NONE
        || (entry != KeyTable.UNKNOWN
            && RecordKind.sequence(EntryFormat.stamp(entry)) <= sequence)) {
      return entry;
    }
    long older =
        tree.find(
            SearchKey.head(key.address(), key.lengthBytes()),
            key.address(),
            key.lengthBytes(),
            RecordKind.searchStamp(sequence));
    return older != NONE && EntryFormat.hasKey(older, key) ? older : NONE;
  }

  /**
   * Shows the versions of a key that are not newer than a sequence number, newest first, until the
   * consumer has what it wants.
   *
   * @return whether older ones are still wanted
   */
  public boolean versions(SearchKey key, long sequence, VersionConsumer to) {
    long entry = find(key, sequence);
    EntryCursor cursor = null;
    while (entry != NONE && EntryFormat.hasKey(entry, key)) {
      long stamp = EntryFormat.stamp(entry);
      if (!to.accept(stamp, EntryFormat.valueAddress(entry), EntryFormat.valueBytes(entry))) {
        return false;
      }
      if (cursor == null) {
        cursor = entries();
        entry = cursor.seek(key, stamp - 1); // stamps of a key fall
      } else {
        entry = cursor.next();
      }
    }
    return true;
  }

  /** Whether there are range deletes. */
  public boolean hasRangeDeletes() {
    return ranges != null;
  }

  /**
   * Returns sets of all range deletes, which stay when the memtable is gone. They are not to be
   * changed.
   */
  public RangeDeletes[] rangeDeletes() {
    MemtableRanges found = ranges;
    return found == null ? NO_RANGES : found.sets();
  }

  /** Returns all range deletes, in no order. */
  public List<RangeDelete> allRangeDeletes() {
    MemtableRanges found = ranges;
    return found == null ? List.of() : found.all();
  }

  /**
   * Returns the sequence number of the newest range delete that covers a key and is not newer than
   * {@code sequence}, 0 if there is none.
   */
  public long newestRangeDelete(SearchKey key, long sequence) {
    long newest = 0;
    for (RangeDeletes set : rangeDeletes()) {
      newest = Math.max(newest, set.newest(key, sequence));
    }
    return newest;
  }

  /** Returns a place among all entries of single keys, on none yet. */
  public EntryCursor entries() {
    return new EntryCursor(tree);
  }

  /**
   * Returns bytes of this memtable for the user: read-only; once it is released they may be those
   * of another one, until the store closes.
   */
  public MemorySegment segment(long address, long lengthBytes) {
    return readOnly.asSlice(address - readOnly.address(), lengthBytes);
  }

  /** Returns the whole memory, under the same rules. */
  MemorySegment readOnly() {
    return readOnly;
  }

  // ---- life

  public List<Table> flushed() {
    return flushed;
  }

  /** Tells that these tables, in order of their keys, hold the same records. */
  public void setFlushed(List<Table> tables) {
    for (Table table : tables) {
      table.references.retain();
    }
    flushed = List.copyOf(tables);
  }

  /** Leaves the memtable. */
  public void release() {
    if (references.release()) {
      List<Table> tables = flushed;
      if (tables != null) {
        tables.forEach(Table::release);
      }
      space.free(region);
    }
  }
}
