package io.ewok.gds.lsm.table;

import io.ewok.gds.ffm.unchecked.Memory;
import java.util.Arrays;

/**
 * Builds one block of entries in place. See {@link TableFormat}.
 *
 * <p>Ownership: the memory is the caller's. Threads: confined to one.
 */
final class BlockBuilder {
  private long address;
  private long capacityBytes;
  private int bodyBytes;
  private int count;
  private int[] offsets = new int[64];

  /** Starts an empty block at an address. */
  void start(long address, long capacityBytes) {
    this.address = address;
    this.capacityBytes = capacityBytes;
    bodyBytes = 0;
    count = 0;
  }

  int count() {
    return count;
  }

  /** Size of the block as it is, not padded, in bytes. */
  long sizeBytes() {
    return bodyBytes + (long) count * Integer.BYTES + TableFormat.TRAILER_BYTES;
  }

  /** Size of the block with one more such entry, not padded, in bytes. */
  long sizeBytesWith(long keyBytes, long valueBytes) {
    return sizeBytes() + TableFormat.ENTRY_OVERHEAD_BYTES + keyBytes + valueBytes;
  }

  /** Whether one more such entry fits into the memory. */
  boolean hasRoom(long keyBytes, long valueBytes) {
    return TableFormat.padded(sizeBytesWith(keyBytes, valueBytes)) <= capacityBytes;
  }

  /** Appends an entry; there must be room, and it must follow the last one in order. */
  void add(long stamp, long keyAddress, int keyBytes, long valueAddress, int valueBytes) {
    long entry = append(stamp, keyAddress, keyBytes, valueBytes);
    Memory.copy(valueAddress, entry + TableFormat.ENTRY_HEADER_BYTES + keyBytes, valueBytes);
  }

  /** Appends an entry of an index. */
  void addIndex(long stamp, long keyAddress, int keyBytes, long blockOffset, int blockBytes) {
    long entry = append(stamp, keyAddress, keyBytes, TableFormat.INDEX_VALUE_BYTES);
    long value = entry + TableFormat.ENTRY_HEADER_BYTES + keyBytes;
    Memory.putLong(value, blockOffset);
    Memory.putInt(value + Long.BYTES, blockBytes);
  }

  private long append(long stamp, long keyAddress, int keyBytes, int valueBytes) {
    if (!hasRoom(keyBytes, valueBytes)) {
      throw new IllegalStateException(
          "the entry does not fit: capacityBytes=%d sizeBytes=%d keyBytes=%d valueBytes=%d"
              .formatted(capacityBytes, sizeBytes(), keyBytes, valueBytes));
    }
    if (count == offsets.length) {
      offsets = Arrays.copyOf(offsets, 2 * count);
    }
    offsets[count++] = bodyBytes;
    long entry = address + bodyBytes;
    Memory.putLong(entry + TableFormat.STAMP_OFFSET, stamp);
    Memory.putInt(entry + TableFormat.VALUE_LENGTH_OFFSET, valueBytes);
    Memory.putShort(entry + TableFormat.KEY_LENGTH_OFFSET, (short) keyBytes);
    Memory.copy(keyAddress, entry + TableFormat.ENTRY_HEADER_BYTES, keyBytes);
    bodyBytes += TableFormat.ENTRY_HEADER_BYTES + keyBytes + valueBytes;
    return entry;
  }

  /** Address of the last entry; there must be one. */
  long lastEntry() {
    return address + offsets[count - 1];
  }

  /**
   * Completes the block.
   *
   * @param number the table's number
   * @param offset where the block will be in the file
   * @return its length in bytes, padded
   */
  int finish(int type, long number, long offset) {
    int lengthBytes = (int) TableFormat.padded(sizeBytes());
    for (int i = 0; i < count; i++) {
      Memory.putInt(address + bodyBytes + (long) i * Integer.BYTES, offsets[i]);
    }
    long used = bodyBytes + (long) count * Integer.BYTES;
    Memory.fill(address + used, lengthBytes - used, (byte) 0);
    TableFormat.putTrailer(address, lengthBytes, type, count, bodyBytes, number, offset);
    return lengthBytes;
  }
}
