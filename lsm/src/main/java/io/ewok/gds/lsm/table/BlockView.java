package io.ewok.gds.lsm.table;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import java.lang.foreign.MemorySegment;

/**
 * Reads a block of entries where it lies. The block has passed {@link TableVerifier}, so that
 * offsets and lengths in it stay inside it, and it is fixed in the pool for as long as the view is
 * used.
 *
 * <p>Threads: confined to one at a time.
 */
public final class BlockView {
  private long address;
  private long offsets;
  private int count;

  /** Looks at another block. */
  public void attach(MemorySegment block) {
    address = block.address();
    long end = address + block.byteSize();
    count = Memory.getInt(end - TableFormat.COUNT_BACK);
    offsets = address + Memory.getInt(end - TableFormat.BODY_END_BACK);
  }

  public int count() {
    return count;
  }

  /** Address of the block. */
  public long address() {
    return address;
  }

  /** Address of an entry. */
  public long entry(int ordinal) {
    return address + Memory.getInt(offsets + (long) ordinal * Integer.BYTES);
  }

  /** Ordinal of the first entry that is not before the key and stamp; the count if all are. */
  public int findAtOrAfter(SearchKey key, long stamp) {
    int low = 0;
    int high = count;
    while (low < high) {
      int middle = (low + high) >>> 1;
      long entry = entry(middle);
      int order = compareKey(entry, key);
      if (order < 0 || (order == 0 && RecordKind.compareStamps(stamp(entry), stamp) < 0)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  static int compareKey(long entry, SearchKey key) {
    return Memory.compareUnsigned(
        keyAddress(entry), keyBytes(entry), key.address(), key.lengthBytes());
  }

  public static int compareKeys(long entryA, long entryB) {
    return Memory.compareUnsigned(
        keyAddress(entryA), keyBytes(entryA), keyAddress(entryB), keyBytes(entryB));
  }

  public static long stamp(long entry) {
    return Memory.getLong(entry + TableFormat.STAMP_OFFSET);
  }

  public static int keyBytes(long entry) {
    return Short.toUnsignedInt(Memory.getShort(entry + TableFormat.KEY_LENGTH_OFFSET));
  }

  public static int valueBytes(long entry) {
    return Memory.getInt(entry + TableFormat.VALUE_LENGTH_OFFSET);
  }

  public static long keyAddress(long entry) {
    return entry + TableFormat.ENTRY_HEADER_BYTES;
  }

  public static long valueAddress(long entry) {
    return keyAddress(entry) + keyBytes(entry);
  }

  /** Offset in the file of the data block that an entry of an index leads to. */
  public static long indexedOffset(long entry) {
    return Memory.getLong(valueAddress(entry));
  }

  /** Length in bytes of the data block that an entry of an index leads to. */
  public static int indexedBytes(long entry) {
    return Memory.getInt(valueAddress(entry) + Long.BYTES);
  }
}
