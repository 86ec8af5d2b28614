package io.ewok.gds.lsm.record;

import io.ewok.gds.ffm.unchecked.Memory;
import java.lang.foreign.MemorySegment;

/**
 * Ordered keys, of which the last one that is not behind another key is looked for. What all of
 * them begin with is compared once; the 8 bytes after that are their heads. The leading bits of a
 * head, in which they differ, lead to the few keys that have the same ones: as long as the keys are
 * spread evenly, these are one or two, however many there are. Where they are not, a binary search
 * has more to do.
 *
 * <p>Threads: any; immutable.
 */
final class BoundSearch {
  private static final int SLOTS_PER_KEY = 2;

  /** More would not stay in the processor's caches. */
  private static final int SLOT_BITS_MAX = 16;

  private final MemorySegment[] keys;

  // What all keys begin with: the first 8 bytes at most as a head, and the rest.
  private final MemorySegment prefix;
  private final int prefixBytes;
  private final long prefixMask;
  private final long prefixHead;
  private final MemorySegment prefixRest;

  /** {@link SearchKey#head} of what is behind the prefix. */
  private final long[] heads;

  private final long firstHead;
  private final long lastHead;

  /** What lies above the first head, shifted so far, is a slot. */
  private final int shift;

  /** How many heads lie in slots before each; of one slot more than there are, how many in all. */
  private final int[] slots;

  /**
   * A search in keys that ascend.
   *
   * @param keys at least one; they stay as they are
   */
  BoundSearch(MemorySegment[] keys) {
    this.keys = keys;
    MemorySegment first = keys[0];
    MemorySegment last = keys[keys.length - 1];
    long mismatch = first.mismatch(last);
    prefixBytes = (int) (mismatch < 0 ? first.byteSize() : mismatch);
    prefix = first.asSlice(0, prefixBytes);
    prefixHead = Keys.head(prefix);
    int inHead = Math.min(prefixBytes, Long.BYTES);
    prefixMask = inHead == 0 ? 0 : -1L << (Long.SIZE - Byte.SIZE * inHead);
    prefixRest = prefix.asSlice(inHead);
    heads = new long[keys.length];
    for (int i = 0; i < heads.length; i++) {
      heads[i] = Keys.head(keys[i].asSlice(prefixBytes));
    }
    firstHead = heads[0];
    lastHead = heads[heads.length - 1];
    int bits = Long.SIZE - Long.numberOfLeadingZeros((long) SLOTS_PER_KEY * keys.length - 1);
    int spreadBits = Long.SIZE - Long.numberOfLeadingZeros(lastHead - firstHead);
    shift = Math.max(0, spreadBits - Math.min(bits, SLOT_BITS_MAX));
    slots = new int[slot(lastHead) + 2];
    for (long head : heads) {
      slots[slot(head) + 1]++;
    }
    for (int i = 1; i < slots.length; i++) {
      slots[i] += slots[i - 1];
    }
  }

  private int slot(long head) {
    return (int) ((head - firstHead) >>> shift);
  }

  /**
   * Returns the number of the last key that is not behind this one; -1 if all are.
   *
   * @param head {@link SearchKey#head} of the key
   * @param address of the key; 8 bytes more than it has can be read
   */
  int find(long head, long address, int keyBytes) {
    long rest = head;
    if (prefixBytes > 0) {
      int order = comparePrefix(head, address, keyBytes);
      if (order != 0) {
        return order < 0 ? -1 : keys.length - 1;
      }
      rest = SearchKey.head(address + prefixBytes, keyBytes - prefixBytes);
    }
    if (Long.compareUnsigned(rest, firstHead) < 0) {
      return -1;
    }
    if (Long.compareUnsigned(rest, lastHead) > 0) {
      return keys.length - 1;
    }
    int slot = slot(rest);
    int low = slots[slot];
    int high = slots[slot + 1];
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (RangeDeletes.compare(rest, address, keyBytes, heads[middle], keys[middle]) < 0) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low - 1;
  }

  /** Compares the beginning of a key with what all begin with. */
  private int comparePrefix(long head, long address, int keyBytes) {
    if (keyBytes < prefixBytes) {
      return Memory.compareUnsigned(address, keyBytes, prefix); // never equal
    }
    long beginning = head & prefixMask;
    if (beginning != prefixHead) {
      return Long.compareUnsigned(beginning, prefixHead);
    }
    return prefixBytes <= Long.BYTES
        ? 0
        : Memory.compareUnsigned(address + Long.BYTES, prefixBytes - Long.BYTES, prefixRest);
  }
}
