package io.ewok.gds.lsm.table;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.SearchKey;
import java.util.Arrays;

/**
 * Builds one block of entries after the other. See {@link TableFormat}.
 *
 * <p>Ownership: the memory is the caller's. Threads: confined to one.
 */
public final class BlockBuilder {
  /*
   * The memory: keys as they came, whole; room for the columns; values. A block's columns are made when all its keys
   * are known, and end where the values start, so that these never move.
   */
  private static final int KEYS_PER_BLOCK_BYTES = 4;

  /** Larger blocks have room for as many bytes of keys as they have. */
  private static final int KEYS_BYTES = 64 << 10;

  private static final long WIDTH_4_MAX = (1L << Integer.SIZE) - 1;

  private final long keysAddress;
  private final long keysCapacityBytes;
  private final long valuesAddress;

  private int count;
  private long[] stamps = new long[64];
  private int[] keyEnds = new int[64];
  private int[] valueEnds = new int[64];
  private int prefixBytes;
  private int longestKeyBytes;
  private int shortestKeyBytes;

  /** What the tails would take if keys had no prefix in common. */
  private long wholeTailBytes;

  private long stampMin;
  private long stampMax;

  private long blockAddress;

  /**
   * A builder in memory of {@link #memoryBytes}.
   *
   * @param blockBytes as there
   */
  public BlockBuilder(long address, int blockBytes) {
    keysAddress = address;
    keysCapacityBytes = keysBytes(blockBytes);
    valuesAddress = address + keysCapacityBytes + columnsBytes(blockBytes);
    start();
  }

  /**
   * The memory that a builder needs, in bytes.
   *
   * @param blockBytes what a block of more than one entry has at most
   * @param valueBytesMax the longest value
   */
  public static long memoryBytes(int blockBytes, long valueBytesMax) {
    return keysBytes(blockBytes)
        + columnsBytes(blockBytes)
        + TableFormat.blockBytes(0, Math.max(blockBytes, valueBytesMax));
  }

  /** The longest block that is built with so much memory, in bytes. */
  static long blockBytesMax(int blockBytes, long valueBytesMax) {
    return columnsBytes(blockBytes)
        + TableFormat.blockBytes(0, Math.max(blockBytes, valueBytesMax));
  }

  /**
   * Whether the memory has room for an entry: for its key, and for the columns in front of values.
   */
  boolean hasRoomFor(long stamp, long keyAddress, int keyBytes) {
    int prefix = count == 0 ? keyBytes : commonBytes(keyAddress, keyBytes);
    return hasRoomFor(keyBytes)
        && TableFormat.columnsBytes(
                count + 1, widthWith(stamp), prefix, tailBytesWith(prefix, keyBytes))
            <= valuesAddress - keysAddress - keysCapacityBytes;
  }

  private static long keysBytes(int blockBytes) {
    // What keys have in common takes room here, and none in the block.
    long keys =
        Math.max(blockBytes, Math.min(KEYS_PER_BLOCK_BYTES * (long) blockBytes, KEYS_BYTES));
    return keys + Keys.BYTES_MAX + TableFormat.SLACK_BYTES + 1;
  }

  private static long columnsBytes(int blockBytes) {
    return blockBytes + TableFormat.columnsBytes(1, Long.BYTES, Keys.BYTES_MAX, 0) + 1;
  }

  /** Starts an empty block. */
  void start() {
    count = 0;
    prefixBytes = 0;
    longestKeyBytes = 0;
    shortestKeyBytes = Integer.MAX_VALUE;
    wholeTailBytes = 0;
    stampMin = -1;
    stampMax = 0;
  }

  int count() {
    return count;
  }

  /** Size of the block in bytes; there must be an entry. */
  long sizeBytes() {
    long tails =
        shortestKeyBytes >= prefixBytes + TableFormat.HEAD_BYTES
            ? keysBytes() - (long) count * (prefixBytes + TableFormat.HEAD_BYTES)
            : wholeTailBytes;
    return TableFormat.blockBytes(
        TableFormat.columnsBytes(count, width(stampMin, stampMax), prefixBytes, tails),
        valueBytes());
  }

  /** Size of the block with one more such entry, in bytes. */
  public long sizeBytesWith(long stamp, long keyAddress, int keyBytes, long valueBytes) {
    int prefix = count == 0 ? keyBytes : commonBytes(keyAddress, keyBytes);
    long columns =
        TableFormat.columnsBytes(
            count + 1, widthWith(stamp), prefix, tailBytesWith(prefix, keyBytes));
    return TableFormat.blockBytes(columns, valueBytes() + valueBytes);
  }

  /** Whether the memory has room for a key; if not, the block is as full as it can be. */
  boolean hasRoomFor(int keyBytes) {
    return keysBytes() + (long) keyBytes + TableFormat.SLACK_BYTES <= keysCapacityBytes;
  }

  /** At most what the tails take; exactly that unless keys end within their heads. */
  private long tailBytesWith(int prefix, int keyBytes) {
    int beforeTail = prefix + TableFormat.HEAD_BYTES;
    return Math.min(shortestKeyBytes, keyBytes) >= beforeTail
        ? keysBytes() + keyBytes - (count + 1L) * beforeTail
        : wholeTailBytes + Math.max(0, keyBytes - TableFormat.HEAD_BYTES);
  }

  private int widthWith(long stamp) {
    return width(
        Long.compareUnsigned(stamp, stampMin) < 0 ? stamp : stampMin,
        Long.compareUnsigned(stamp, stampMax) > 0 ? stamp : stampMax);
  }

  private static int width(long min, long max) {
    long span = max - min;
    return span == 0
        ? 0
        : Long.compareUnsigned(span, WIDTH_4_MAX) <= 0 ? Integer.BYTES : Long.BYTES;
  }

  /** How many bytes a key has in common with all of the block. */
  private int commonBytes(long keyAddress, int keyBytes) {
    int limit = Math.min(prefixBytes, keyBytes);
    for (int at = 0; at < limit; at += Long.BYTES) { // 8 bytes more can be read
      long difference = Memory.getLong(keysAddress + at) ^ Memory.getLong(keyAddress + at);
      if (difference != 0) {
        return Math.min(limit, at + Long.numberOfTrailingZeros(difference) / Byte.SIZE);
      }
    }
    return limit;
  }

  /**
   * Appends an entry, which must follow the last one in order; there must be room for its key. As
   * of any key, 8 bytes more of it can be read.
   */
  public void add(long stamp, long keyAddress, int keyBytes, long valueAddress, int valueBytes) {
    if (count == stamps.length) {
      stamps = Arrays.copyOf(stamps, 2 * count);
      keyEnds = Arrays.copyOf(keyEnds, 2 * count);
      valueEnds = Arrays.copyOf(valueEnds, 2 * count);
    }
    int keysBefore = keysBytes();
    int valuesBefore = valueBytes();
    prefixBytes = count == 0 ? keyBytes : commonBytes(keyAddress, keyBytes);
    Memory.copy(keyAddress, keysAddress + keysBefore, keyBytes);
    Memory.copy(valueAddress, valuesAddress + valuesBefore, valueBytes);
    stamps[count] = stamp;
    keyEnds[count] = keysBefore + keyBytes;
    valueEnds[count] = valuesBefore + valueBytes;
    longestKeyBytes = Math.max(longestKeyBytes, keyBytes);
    shortestKeyBytes = Math.min(shortestKeyBytes, keyBytes);
    wholeTailBytes += Math.max(0, keyBytes - TableFormat.HEAD_BYTES);
    stampMin = Long.compareUnsigned(stamp, stampMin) < 0 ? stamp : stampMin;
    stampMax = Long.compareUnsigned(stamp, stampMax) > 0 ? stamp : stampMax;
    count++;
  }

  private int keysBytes() {
    return count == 0 ? 0 : keyEnds[count - 1];
  }

  private int valueBytes() {
    return count == 0 ? 0 : valueEnds[count - 1];
  }

  long lastStamp() {
    return stamps[count - 1];
  }

  /** Where the last key lies, until the next block is started; 8 bytes more can be read. */
  long lastKeyAddress() {
    return keysAddress + lastKeyStart();
  }

  int lastKeyBytes() {
    return keysBytes() - lastKeyStart();
  }

  private int lastKeyStart() {
    return count == 1 ? 0 : keyEnds[count - 2];
  }

  /**
   * Completes the block, which has an entry; it lies at {@link #address} until the next is started.
   *
   * @return its length in bytes
   */
  public int finish(int type) {
    int prefix = prefixBytes;
    int width = width(stampMin, stampMax);
    long base = width == Long.BYTES ? 0 : stampMin;
    long tailBytes = 0;
    for (int i = 0, start = 0; i < count; start = keyEnds[i++]) {
      tailBytes += Math.max(0, keyEnds[i] - start - prefix - TableFormat.HEAD_BYTES);
    }
    long columns = TableFormat.columnsBytes(count, width, prefix, tailBytes);
    blockAddress = valuesAddress - columns;
    Memory.putInt(blockAddress + TableFormat.TYPE_OFFSET, type | (width << Byte.SIZE));
    Memory.putInt(blockAddress + TableFormat.COUNT_OFFSET, count);
    Memory.putInt(blockAddress + TableFormat.PREFIX_LENGTH_OFFSET, prefix);
    Memory.putInt(blockAddress + TableFormat.LONGEST_KEY_OFFSET, longestKeyBytes);
    Memory.putLong(blockAddress + TableFormat.STAMP_BASE_OFFSET, base);
    long stampsAt = blockAddress + TableFormat.HEADS_OFFSET + (long) count * TableFormat.HEAD_BYTES;
    putStamps(stampsAt, width, base);
    putKeys(stampsAt + (long) count * width, prefix, columns);
    long end = columns + valueBytes();
    int lengthBytes = (int) TableFormat.blockBytes(columns, valueBytes());
    Memory.fill(blockAddress + end, lengthBytes - end, (byte) 0);
    return lengthBytes;
  }

  private void putStamps(long stampsAt, int width, long base) {
    for (int i = 0; i < count && width > 0; i++) {
      if (width == Integer.BYTES) {
        Memory.putInt(stampsAt + (long) i * width, (int) (stamps[i] - base));
      } else {
        Memory.putLong(stampsAt + (long) i * width, stamps[i]);
      }
    }
  }

  private void putKeys(long tailsAt, int prefix, long valuesStart) {
    long valuesAt = tailsAt + (count + 1L) * Integer.BYTES;
    long tail = valuesAt + (count + 1L) * Integer.BYTES;
    Memory.copy(keysAddress, tail, prefix);
    tail += prefix;
    int start = 0;
    for (int i = 0; i < count; i++) {
      long rest = keysAddress + start + prefix;
      int restBytes = keyEnds[i] - start - prefix;
      int headBytes = Math.min(restBytes, TableFormat.HEAD_BYTES);
      Memory.putLong(
          blockAddress + TableFormat.HEADS_OFFSET + (long) i * TableFormat.HEAD_BYTES,
          SearchKey.head(rest, restBytes));
      putOffset(tailsAt, i, ((tail - blockAddress) << TableFormat.TAIL_SHIFT) | headBytes);
      putOffset(valuesAt, i, valuesStart + (i == 0 ? 0 : valueEnds[i - 1]));
      Memory.copy(rest + headBytes, tail, restBytes - headBytes);
      tail += restBytes - headBytes;
      start = keyEnds[i];
    }
    putOffset(tailsAt, count, (tail - blockAddress) << TableFormat.TAIL_SHIFT);
    putOffset(valuesAt, count, valuesStart + valueBytes());
  }

  private static void putOffset(long column, int ordinal, long word) {
    Memory.putInt(column + (long) ordinal * Integer.BYTES, (int) word);
  }

  /** Where the block lies that was finished last. */
  public long address() {
    return blockAddress;
  }
}
