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
import java.util.Map;
import java.util.function.IntPredicate;

/**
 * The newest records of a store, outside of the heap: every version of a key is an entry of its own
 * ({@link EntryFormat}), in order by an {@link EntryTree}, and the newest of each key to be had at
 * once from a {@link KeyTable}. Range deletes are beside both ({@link MemtableRanges}): records
 * stay that they hide. Nothing is removed or changed, so readers need no lock. A memtable has a
 * fixed capacity and dies as a whole.
 *
 * <p>It has the records of all families, each in a tree of its own, which is made when a family is
 * first written to: so the memory is one, and what is flushed is what the log has up to one place.
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

  /** The number of the family that a store has from the beginning. */
  public static final int DEFAULT_FAMILY = 0;

  /** What the first record of a family other than that one takes besides, in bytes. */
  public static final int FAMILY_BYTES = EntryTree.OVERHEAD_BYTES;

  private static final RangeDeletes[] NO_RANGES = {};

  public final References references = new References();
  private final MemtableSpace space;
  private final Region region;
  private final MemorySegment readOnly;
  private final EntrySpace memory;
  private final KeyTable keys;
  private final FamilyEntries main;
  private final Room room;

  /** Those of other families. Written by one at a time. Partner of the write in open: entriesOf. */
  private volatile FamilyEntries[] others = FamilyEntries.NONE;

  private volatile long lastSequence;
  private volatile long endLsn;

  /**
   * The tables with the same records by family, once they are written and named by the manifest;
   * each retained for this memtable. Cursors move over to them when the memory is needed.
   */
  private volatile Map<Integer, List<Table>> flushed;

  Memtable(MemtableSpace space, Region region) {
    this.space = space;
    this.region = region;
    this.readOnly = region.segment().asReadOnly();
    long bytes = region.segment().byteSize();
    this.memory = new EntrySpace(region);
    this.keys = new KeyTable(memory, KeyTable.bytes(bytes));
    this.main = new FamilyEntries(DEFAULT_FAMILY, memory);
    this.room = new Room(bytes, overheadBytes(bytes));
  }

  /** Returns what a memtable of this size takes of it besides its records, in bytes. */
  public static long overheadBytes(long memtableBytes) {
    return EntrySpace.UNUSED_BYTES + KeyTable.bytes(memtableBytes) + EntryTree.OVERHEAD_BYTES;
  }

  // ---- writing

  /**
   * Lets a writer in, if operations that count {@code bytes} in {@link BatchFormat#memtableBytes}
   * still fit and the memtable is not closed to writers.
   */
  public boolean tryEnter(long bytes) {
    return room.tryEnter(bytes);
  }

  /** The same for operations of one family, for which there is a place then. */
  public boolean tryEnter(long bytes, int family) {
    if (!room.tryEnter(bytes)) {
      return false;
    }
    if (tryOpen(family)) {
      return true;
    }
    room.leaveUnused(bytes);
    return false;
  }

  /**
   * The same for the operations of a batch, but for those of families that are not wanted, which
   * {@link #insert} passes over.
   */
  public boolean tryEnter(long bytes, MemorySegment record, IntPredicate wanted) {
    if (!room.tryEnter(bytes)) {
      return false;
    }
    int operations = BatchFormat.count(record);
    long offset = BatchFormat.HEADER_BYTES;
    for (int i = 0; i < operations; i++) {
      if (BatchFormat.isFamilyMark(record, offset)) {
        int family = BatchFormat.family(record, offset);
        if (wanted.test(family) && !tryOpen(family)) {
          room.leaveUnused(bytes);
          return false;
        }
      }
      offset += BatchFormat.operationBytes(record, offset);
    }
    return true;
  }

  /** Makes a place for a family, if there is none yet. By somebody inside. */
  private boolean tryOpen(int family) {
    return entriesOf(family) != null || open(family);
  }

  private synchronized boolean open(int family) {
    if (entriesOf(family) != null) {
      return true;
    }
    if (!room.tryTakeOverhead(FAMILY_BYTES)) {
      return false;
    }
    others = FamilyEntries.with(others, new FamilyEntries(family, memory));
    return true;
  }

  /** Null if nothing of the family was written. */
  private FamilyEntries entriesOf(int family) {
    return family == DEFAULT_FAMILY ? main : FamilyEntries.find(others, family);
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
    FamilyEntries into = main;
    for (int i = 0; i < operations; i++) {
      int kind = BatchFormat.kind(record, offset);
      if (kind == BatchFormat.KIND_FAMILY) {
        into = entriesOf(BatchFormat.family(record, offset));
        offset += BatchFormat.OPERATION_HEADER_BYTES;
        continue;
      }
      int keyBytes = BatchFormat.keyBytes(record, offset);
      int valueBytes = BatchFormat.valueBytes(record, offset);
      offset += BatchFormat.OPERATION_HEADER_BYTES;
      if (into != null) {
        long entry = newEntry(RecordKind.stamp(firstSequence + i, kind), keyBytes, valueBytes);
        // Key and value lie side by side in the record too.
        Memory.copyFrom(
            record, offset, EntryFormat.keyAddress(entry), (long) keyBytes + valueBytes);
        add(into, entry);
      }
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

  /** Adds what was copied, to a family for which somebody came in. */
  public void add(int family, long entry) {
    add(entriesOf(family), entry);
  }

  private void add(FamilyEntries to, long entry) {
    if (RecordKind.kind(EntryFormat.stamp(entry)) == RecordKind.RANGE_DELETE) {
      to.rangesForWriters().add(entry);
      return;
    }
    to.setWritten(); // before a sequence number is published that covers it
    long hash = KeyTable.hash(entry, to.salt);
    keys.fetch(hash);
    to.tree.insert(entry);
    keys.put(entry, hash);
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

  /**
   * Returns the newest entry of a key in a family that is not newer than a sequence number, or
   * NONE.
   */
  public long find(int family, SearchKey key, long sequence) {
    FamilyEntries of = entriesOf(family);
    if (of == null || !of.isWritten()) {
      return NONE;
    }
    long entry = keys.find(key, of.salt);
    if (entry == KeyTable.NONE
        || (entry != KeyTable.UNKNOWN
            && RecordKind.sequence(EntryFormat.stamp(entry)) <= sequence)) {
      return entry;
    }
    long older =
        of.tree.find(
            SearchKey.head(key.address(), key.lengthBytes()),
            key.address(),
            key.lengthBytes(),
            RecordKind.searchStamp(sequence));
    return older != NONE && EntryFormat.hasKey(older, key) ? older : NONE;
  }

  /**
   * Shows the versions of a key in a family that are not newer than a sequence number, newest
   * first, until the consumer has what it wants.
   *
   * @return whether older ones are still wanted
   */
  public boolean versions(int family, SearchKey key, long sequence, VersionConsumer to) {
    long entry = find(family, key, sequence);
    EntryCursor cursor = null;
    while (entry != NONE && EntryFormat.hasKey(entry, key)) {
      long stamp = EntryFormat.stamp(entry);
      if (!to.accept(stamp, EntryFormat.valueAddress(entry), EntryFormat.valueBytes(entry))) {
        return false;
      }
      if (cursor == null) {
        cursor = entries(family);
        entry = cursor.seek(key, stamp - 1); // stamps of a key fall
      } else {
        entry = cursor.next();
      }
    }
    return true;
  }

  /** Whether a family has range deletes. */
  public boolean hasRangeDeletes(int family) {
    return rangesOf(family) != null;
  }

  private MemtableRanges rangesOf(int family) {
    FamilyEntries of = entriesOf(family);
    return of == null ? null : of.rangesOrNull();
  }

  /**
   * Returns sets of all range deletes of a family, which stay when the memtable is gone. They are
   * not to be changed.
   */
  public RangeDeletes[] rangeDeletes(int family) {
    MemtableRanges found = rangesOf(family);
    return found == null ? NO_RANGES : found.sets();
  }

  /** Returns all range deletes of a family, in no order. */
  public List<RangeDelete> allRangeDeletes(int family) {
    MemtableRanges found = rangesOf(family);
    return found == null ? List.of() : found.all();
  }

  /**
   * Returns the sequence number of the newest range delete of a family that covers a key and is not
   * newer than {@code sequence}, 0 if there is none.
   */
  public long newestRangeDelete(int family, SearchKey key, long sequence) {
    long newest = 0;
    for (RangeDeletes set : rangeDeletes(family)) {
      newest = Math.max(newest, set.newest(key, sequence));
    }
    return newest;
  }

  /**
   * Returns a place among all entries of single keys in a family, on none yet; null if nothing was
   * written to it.
   */
  public EntryCursor entries(int family) {
    FamilyEntries of = entriesOf(family);
    return of == null ? null : new EntryCursor(of.tree);
  }

  /**
   * Returns bytes of this memtable for the user: read-only; once it is released they may be those
   * of another one, until the store closes.
   */
  public MemorySegment segment(long address, long lengthBytes) {
    return readOnly.asSlice(offset(address), lengthBytes);
  }

  /** Whether the value of an entry is a key behind its own, as that of a range delete is. */
  public boolean isRange(long entry) {
    long stamp = EntryFormat.stamp(entry);
    return EntryFormat.compare(
            entry, EntryFormat.valueAddress(entry), EntryFormat.valueBytes(entry), stamp)
        < 0;
  }

  /** Returns where an address lies in the whole memory. */
  public long offset(long address) {
    return address - readOnly.address();
  }

  /** Returns the whole memory, under the same rules. */
  public MemorySegment readOnly() {
    return readOnly;
  }

  // ---- life

  /**
   * The tables that hold the same records of a family; null as long as there are none, which for a
   * family that was dropped is for ever.
   */
  public List<Table> flushed(int family) {
    Map<Integer, List<Table>> tables = flushed;
    if (tables == null) {
      return null;
    }
    return entriesOf(family) == null ? List.of() : tables.get(family);
  }

  /**
   * Tells that these tables, by family and in order of their keys, hold the same records. Families
   * that were dropped are not among them.
   */
  public void setFlushed(Map<Integer, List<Table>> tables) {
    tables.values().forEach(of -> of.forEach(table -> table.references.retain()));
    flushed = Map.copyOf(tables);
  }

  /** Leaves the memtable. */
  public void release() {
    if (references.release()) {
      Map<Integer, List<Table>> tables = flushed;
      if (tables != null) {
        tables.values().forEach(of -> of.forEach(Table::release));
      }
      space.free(region);
    }
  }
}
