package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.Fix;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;

/**
 * Reads a block of entries where it lies. The block has passed {@link BlockCheck}, so that offsets
 * and lengths in it stay inside it, and it is fixed in the pool for as long as the view is used.
 *
 * <p>If it is fixed optimistically, it may be another block by now, and any answer wrong, until the
 * fix has been validated. Searches end all the same and do not leave the block. Whoever follows an
 * offset that the view has returned validates first.
 *
 * <p>Threads: confined to one at a time, but searches may run beside each other.
 */
public final class BlockView {
  /** The columns of a block of 4 KiB with values of 100 bytes. */
  private static final int FETCHED_BYTES_MAX = 1024;

  private long address;
  private int count;
  private int stampWidth;
  private long stampBase;
  private int prefixBytes;

  /** The head of the prefix, if it is kept. */
  private long prefixHead;

  private boolean isPrefixKept;
  private long heads;
  private long stamps;
  private long tails;
  private long values;

  /** Knows whether the block is still there; null if it is latched. */
  private Fix optimistic;

  /** Looks at the block at an address. */
  public void attach(long block) {
    address = block;
    count = count(block);
    stampWidth = Memory.getByte(block + TableFormat.WIDTH_OFFSET);
    stampBase = Memory.getLong(block + TableFormat.STAMP_BASE_OFFSET);
    prefixBytes = Memory.getInt(block + TableFormat.PREFIX_LENGTH_OFFSET);
    heads = block + TableFormat.HEADS_OFFSET;
    stamps = heads + (long) count * TableFormat.HEAD_BYTES;
    tails = stamps + (long) count * stampWidth;
    values = tails + (count + 1L) * Integer.BYTES;
  }

  /**
   * The same with a block that is not latched.
   *
   * @param fix to be validated afterwards: the view is of no use if it is not valid
   */
  void attach(long block, Fix fix) {
    optimistic = fix;
    attach(block);
  }

  /**
   * Looks at the block of this length that is likely not in the processor's caches. What searches
   * look at comes first in it: its lines are asked for all at once, not each when a search gets
   * there.
   */
  void attach(long block, long lengthBytes) {
    long end = block + Math.min(lengthBytes, FETCHED_BYTES_MAX) - Long.BYTES;
    for (long at = block; at < end; at += Memory.CACHE_LINE_BYTES) {
      Memory.fetch(at);
    }
    attach(block);
  }

  /**
   * Has searches look at the prefix here and not in the block, of a sound one that is attached for
   * long.
   */
  void keepPrefix() {
    if (prefixBytes <= Long.BYTES) {
      prefixHead = SearchKey.head(prefixAddress(), prefixBytes);
      isPrefixKept = true;
    }
  }

  /** How many entries the block at an address has. */
  static int count(long block) {
    return Memory.getInt(block + TableFormat.COUNT_OFFSET);
  }

  int count() {
    return count;
  }

  /** Address of the block. */
  long address() {
    return address;
  }

  /** Length in bytes of the longest key. */
  int longestKeyBytes() {
    return Memory.getInt(address + TableFormat.LONGEST_KEY_OFFSET);
  }

  /** How many bytes all keys begin with. */
  int prefixBytes() {
    return prefixBytes;
  }

  /** Where the bytes lie that all keys begin with. */
  long prefixAddress() {
    return values + (count + 1L) * Integer.BYTES;
  }

  long stamp(int ordinal) {
    if (stampWidth == 0) {
      return stampBase;
    }
    long at = stamps + (long) ordinal * stampWidth;
    return stampWidth == Integer.BYTES
        ? stampBase + Integer.toUnsignedLong(Memory.getInt(at))
        : Memory.getLong(at);
  }

  /** The bytes of a key after the prefix, as {@link SearchKey#head} has them. */
  long head(int ordinal) {
    return Memory.getLong(heads + (long) ordinal * TableFormat.HEAD_BYTES);
  }

  /** Offset in the block of the bytes of a key after its head; of the count, where they end. */
  int tailOffset(int ordinal) {
    return offset(tailWord(ordinal));
  }

  int headBytes(int ordinal) {
    return headBytesOf(tailWord(ordinal));
  }

  /** Offset in the block of a value; of the count, where they end. */
  int valueOffset(int ordinal) {
    return Memory.getInt(values + (long) ordinal * Integer.BYTES);
  }

  private int tailWord(int ordinal) {
    return Memory.getInt(tails + (long) ordinal * Integer.BYTES);
  }

  private static int offset(int tailWord) {
    return tailWord >>> TableFormat.TAIL_SHIFT;
  }

  private static int headBytesOf(int tailWord) {
    return tailWord & TableFormat.TAIL_MASK;
  }

  int keyBytes(int ordinal) {
    int word = tailWord(ordinal);
    return prefixBytes + headBytesOf(word) + offset(tailWord(ordinal + 1)) - offset(word);
  }

  long valueAddress(int ordinal) {
    return address + valueOffset(ordinal);
  }

  int valueBytes(int ordinal) {
    return valueOffset(ordinal + 1) - valueOffset(ordinal);
  }

  /**
   * Completes a key of which the prefix is there already.
   *
   * @param key memory for the longest key and 8 bytes more
   * @return the length of the key in bytes
   */
  int copyKey(int ordinal, long key) {
    int word = tailWord(ordinal);
    int tail = offset(word);
    int tailBytes = offset(tailWord(ordinal + 1)) - tail;
    long to = key + prefixBytes;
    Memory.putLong(to, Long.reverseBytes(head(ordinal)));
    to += headBytesOf(word);
    if (tailBytes <= Long.BYTES) {
      Memory.putLong(to, Memory.getLong(address + tail));
    } else {
      Memory.copy(address + tail, to, tailBytes);
    }
    return prefixBytes + headBytesOf(word) + tailBytes;
  }

  /** Whether two entries have the same key. */
  boolean isSameKey(int a, int b) {
    return head(a) == head(b) && compareKeys(a, b) == 0;
  }

  /** Orders two entries by key and stamp. */
  int compareEntries(int a, int b) {
    int order = compareKeys(a, b);
    return order != 0 ? order : RecordKind.compareStamps(stamp(a), stamp(b));
  }

  private int compareKeys(int a, int b) {
    int order = Long.compareUnsigned(head(a), head(b));
    if (order != 0) {
      return order;
    }
    if (headBytes(a) < TableFormat.HEAD_BYTES || headBytes(b) < TableFormat.HEAD_BYTES) {
      // One of them has no tail: the shorter is the prefix of the other.
      return Integer.compare(keyBytes(a), keyBytes(b));
    }
    int tailA = tailOffset(a);
    int tailB = tailOffset(b);
    return Memory.compareUnsigned(
        address + tailA, tailOffset(a + 1) - tailA, address + tailB, tailOffset(b + 1) - tailB);
  }

  /** Whether an entry has this key. */
  boolean hasKey(int ordinal, long key, int keyBytes) {
    return keyBytes(ordinal) == keyBytes
        && comparePrefix(key, keyBytes) == 0
        && compareRest(ordinal, key, keyBytes) == 0;
  }

  /** Whether the key of an entry begins with these bytes, after which 8 more can be read. */
  boolean hasPrefix(int ordinal, long bytes, int lengthBytes) {
    int inPrefix = Math.min(lengthBytes, prefixBytes);
    int inHead = Math.min(lengthBytes - inPrefix, TableFormat.HEAD_BYTES);
    int inTail = lengthBytes - inPrefix - inHead;
    long headMask = inHead == 0 ? 0 : -1L << (Long.SIZE - Byte.SIZE * inHead);
    return keyBytes(ordinal) >= lengthBytes
        && Memory.compareUnsigned(bytes, inPrefix, prefixAddress(), inPrefix) == 0
        && (head(ordinal) & headMask) == SearchKey.head(bytes + inPrefix, inHead)
        && Memory.compareUnsigned(
                bytes + inPrefix + inHead, inTail, address + tailOffset(ordinal), inTail)
            == 0;
  }

  /** Ordinal of the first entry that is not before the key and stamp; the count if all are. */
  public int findAtOrAfter(SearchKey key, long stamp) {
    return findAtOrAfter(key.address(), key.lengthBytes(), stamp);
  }

  /**
   * The same.
   *
   * @param key at an address after which 8 bytes more can be read
   */
  int findAtOrAfter(long key, int keyBytes, long stamp) {
    int order = comparePrefix(key, keyBytes);
    if (order != 0) {
      return order < 0 ? 0 : count;
    }
    long head = SearchKey.head(key + prefixBytes, keyBytes - prefixBytes);
    int low = firstHeadNotBelow(head);
    if (low == count || head(low) != head) {
      return low;
    }
    if (compare(low, key, keyBytes, stamp) >= 0) {
      return low;
    }
    // Entries with the same head, of which there is seldom more than one.
    int high = low + 1;
    int step = 1;
    while (high < count && head(high) == head && compare(high, key, keyBytes, stamp) < 0) {
      low = high;
      high = Math.min(count, high + step);
      step *= 2;
    }
    // The one at low is before; the one at high is not, or not of this head.
    while (high - low > 1) {
      int middle = (low + high) >>> 1;
      if (head(middle) == head && compare(middle, key, keyBytes, stamp) < 0) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return high;
  }

  /** Compares the beginning of a key with the prefix: 0 only if the key begins with it. */
  private int comparePrefix(long key, int keyBytes) {
    if (prefixBytes == 0) {
      return 0;
    }
    int bytes = Math.min(keyBytes, prefixBytes);
    if (prefixBytes > Long.BYTES) {
      return Memory.compareUnsigned(key, bytes, prefixAddress(), prefixBytes);
    }
    long head = isPrefixKept ? prefixHead : SearchKey.head(prefixAddress(), prefixBytes);
    int order = Long.compareUnsigned(SearchKey.head(key, bytes), head);
    return order != 0 ? order : bytes - prefixBytes;
  }

  /** Without a branch that depends on a comparison: nobody could foresee it. */
  private int firstHeadNotBelow(long head) {
    long wanted = head + Long.MIN_VALUE;
    long base = heads;
    int left = count;
    while (left > 1) {
      int half = left >>> 1;
      long middle = base + (long) half * TableFormat.HEAD_BYTES;
      base =
          Memory.getLong(middle - TableFormat.HEAD_BYTES) + Long.MIN_VALUE < wanted ? middle : base;
      left -= half;
    }
    int found = (int) ((base - heads) / TableFormat.HEAD_BYTES);
    return Memory.getLong(base) + Long.MIN_VALUE < wanted ? found + 1 : found;
  }

  private int compare(int ordinal, long key, int keyBytes, long stamp) {
    int order = compareRest(ordinal, key, keyBytes);
    return order != 0 ? order : RecordKind.compareStamps(stamp(ordinal), stamp);
  }

  /** Compares an entry with a key that has the same prefix. */
  private int compareRest(int ordinal, long key, int keyBytes) {
    int restBytes = keyBytes - prefixBytes;
    int order = Long.compareUnsigned(head(ordinal), SearchKey.head(key + prefixBytes, restBytes));
    if (order != 0) {
      return order;
    }
    int word = tailWord(ordinal);
    int ownHead = headBytesOf(word);
    if (ownHead < TableFormat.HEAD_BYTES || restBytes <= TableFormat.HEAD_BYTES) {
      // One of them has no tail: the shorter is the prefix of the other.
      return Integer.compare(keyBytes(ordinal), keyBytes);
    }
    int tail = offset(word);
    int end = offset(tailWord(ordinal + 1));
    if (optimistic != null && !optimistic.validate()) {
      return 0; // as good as any
    }
    return Memory.compareUnsigned(
        address + tail,
        end - tail,
        key + prefixBytes + TableFormat.HEAD_BYTES,
        restBytes - TableFormat.HEAD_BYTES);
  }
}
