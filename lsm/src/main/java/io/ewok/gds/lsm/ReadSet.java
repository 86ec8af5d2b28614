package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.SearchKey;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What the commit of a transaction stands on: keys and ranges, each with the sequence number after
 * which nobody may have written them. Keys lie outside of the heap, one after the other; a table of
 * their hashes keeps each from being there twice.
 *
 * <p>Ownership: its memory is freed by the garbage collector and not charged to a budget. Threads:
 * confined to one at a time.
 */
final class ReadSet {
  private static final int INITIAL_BYTES = 256;
  private static final int INITIAL_SLOTS = 16;

  // A key in the buffer, from a multiple of 8 on.
  private static final int SINCE = 0;
  private static final int HASH = SINCE + Long.BYTES;
  private static final int FAMILY = HASH + Long.BYTES;
  private static final int KEY_BYTES = FAMILY + Integer.BYTES;
  private static final int KEY = KEY_BYTES + Integer.BYTES;

  private MemorySegment buffer = MemorySegment.NULL;
  private long endOffset;
  private int count;

  /** Offsets of keys, and 1; 0 in a slot that is free. The number of slots is a power of two. */
  private long[] slots = new long[INITIAL_SLOTS];

  private final List<KeyRange> ranges = new ArrayList<>();
  private final List<FamilyState> families = new ArrayList<>();
  private long oldest = Long.MAX_VALUE;

  /** Whether nothing is in it. */
  boolean isEmpty() {
    return count == 0 && ranges.isEmpty();
  }

  /** How many keys there are. */
  int keyCount() {
    return count;
  }

  /** The oldest sequence number of all keys and ranges. */
  long oldest() {
    return oldest;
  }

  /** Adds a key, unless it is there: what was read first counts. */
  void add(FamilyState family, SearchKey key, long since) {
    long hash = key.hash() * 31 + family.id();
    int slot = slot(hash);
    while (slots[slot] != 0) {
      if (isKey(slots[slot] - 1, hash, family.id(), key)) {
        return;
      }
      slot = (slot + 1) & (slots.length - 1);
    }
    int keyBytes = key.lengthBytes();
    long end = (endOffset + KEY + keyBytes + Long.BYTES - 1) & -Long.BYTES;
    ensureCapacity(end + Long.BYTES);
    long at = buffer.address() + endOffset;
    Memory.putLong(at + SINCE, since);
    Memory.putLong(at + HASH, hash);
    Memory.putInt(at + FAMILY, family.id());
    Memory.putInt(at + KEY_BYTES, keyBytes);
    Memory.copy(key.address(), at + KEY, keyBytes);
    slots[slot] = endOffset + 1;
    endOffset = end;
    count++;
    oldest = Math.min(oldest, since);
    addFamily(family);
    if (2 * count > slots.length) {
      grow();
    }
  }

  private void addFamily(FamilyState family) {
    if (!families.contains(family)) { // mostly the first one
      families.add(family);
    }
  }

  private boolean isKey(long offset, long hash, int family, SearchKey key) {
    long at = buffer.address() + offset;
    return Memory.getLong(at + HASH) == hash
        && Memory.getInt(at + FAMILY) == family
        && Memory.compareUnsigned(
                at + KEY, Memory.getInt(at + KEY_BYTES), key.address(), key.lengthBytes())
            == 0;
  }

  private int slot(long hash) {
    return (int) (hash ^ hash >>> Integer.SIZE) & (slots.length - 1);
  }

  private void ensureCapacity(long bytes) {
    if (bytes > buffer.byteSize()) {
      long capacity = Math.max(INITIAL_BYTES, Math.max(bytes, 2 * buffer.byteSize()));
      MemorySegment larger = Arena.ofAuto().allocate(capacity, Long.BYTES);
      MemorySegment.copy(buffer, 0, larger, 0, endOffset);
      buffer = larger;
    }
  }

  private void grow() {
    slots = new long[2 * slots.length];
    for (long offset = 0; offset < endOffset; offset = next(offset)) {
      int slot = slot(Memory.getLong(buffer.address() + offset + HASH));
      while (slots[slot] != 0) {
        slot = (slot + 1) & (slots.length - 1);
      }
      slots[slot] = offset + 1;
    }
  }

  /** Adds a range. */
  void add(KeyRange range) {
    ranges.add(range);
    oldest = Math.min(oldest, range.since());
    addFamily(range.family());
  }

  List<KeyRange> ranges() {
    return ranges;
  }

  /** The families that there is something of. */
  List<FamilyState> families() {
    return families;
  }

  // ---- the keys, each by its offset

  /** The offset of the first key, which is there if it is before {@link #endOffset}. */
  long firstOffset() {
    return 0;
  }

  long endOffset() {
    return endOffset;
  }

  long next(long offset) {
    int keyBytes = Memory.getInt(buffer.address() + offset + KEY_BYTES);
    return (offset + KEY + keyBytes + Long.BYTES - 1) & -Long.BYTES;
  }

  long since(long offset) {
    return Memory.getLong(buffer.address() + offset + SINCE);
  }

  FamilyState family(long offset) {
    int id = Memory.getInt(buffer.address() + offset + FAMILY);
    for (int i = 0; i < families.size(); i++) { // an iterator would be garbage
      if (families.get(i).id() == id) {
        return families.get(i);
      }
    }
    throw new AssertionError("a family that was never added: id=" + id);
  }

  /** Copies a key. */
  SearchKey key(long offset, SearchKey into) {
    long at = buffer.address() + offset;
    return into.set(at + KEY, Memory.getInt(at + KEY_BYTES));
  }

  /** What it takes outside of the heap. */
  long capacityBytes() {
    return buffer.byteSize();
  }

  /** Forgets everything. */
  void clear() {
    endOffset = 0;
    count = 0;
    if (slots.length > INITIAL_SLOTS) {
      slots = new long[INITIAL_SLOTS];
    } else {
      Arrays.fill(slots, 0);
    }
    ranges.clear();
    families.clear();
    oldest = Long.MAX_VALUE;
  }
}
