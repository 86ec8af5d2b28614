package io.ewok.gds.lsm.record;

import io.ewok.gds.ffm.unchecked.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A key that is looked for: copied once from wherever the user has it, so that everything below
 * compares words at an address; and hashed once for all filters.
 *
 * <p>Ownership: its memory goes with it; it grows with the longest key. Reused, so that searches
 * make no garbage.
 *
 * <p>Threads: confined to one at a time.
 */
public final class SearchKey {
  /** Eight bytes can be read at any byte of a key, and after it. */
  private static final int SLACK_BYTES = Long.BYTES;

  private static final int CAPACITY_BYTES_MIN = 248;

  private MemorySegment memory = MemorySegment.NULL;
  private long address;
  private int lengthBytes;
  private long hash;
  private boolean hashed;

  /** Takes a copy of a key. */
  public SearchKey set(MemorySegment key) {
    int keyBytes = (int) key.byteSize();
    reserve(keyBytes);
    Memory.copyFrom(key, 0, address, keyBytes);
    lengthBytes = keyBytes;
    hashed = false;
    return this;
  }

  /** The same of a key at an address. */
  public SearchKey set(long keyAddress, int keyBytes) {
    reserve(keyBytes);
    Memory.copy(keyAddress, address, keyBytes);
    lengthBytes = keyBytes;
    hashed = false;
    return this;
  }

  private void reserve(int keyBytes) {
    if (keyBytes + SLACK_BYTES > memory.byteSize()) {
      long capacityBytes = Math.max(CAPACITY_BYTES_MIN, Long.highestOneBit(keyBytes) * 2L);
      memory = Arena.ofAuto().allocate(capacityBytes + SLACK_BYTES, Long.BYTES);
      address = memory.address();
    }
  }

  /** Where the key lies until the next one is set; 8 bytes more than its length can be read. */
  public long address() {
    return address;
  }

  public int lengthBytes() {
    return lengthBytes;
  }

  /** The key's {@link KeyHash}. */
  public long hash() {
    if (!hashed) {
      hash = KeyHash.of(address, lengthBytes);
      hashed = true;
    }
    return hash;
  }

  /** Compares this key with another, as {@link Keys#compare} does. */
  public int compareTo(MemorySegment other) {
    return Memory.compareUnsigned(address, lengthBytes, other);
  }

  /** The key until the next one is set. */
  public MemorySegment segment() {
    return memory.asSlice(0, lengthBytes);
  }

  /**
   * The first 8 bytes of a key as a big-endian number, filled up with zeros: ordered as unsigned
   * numbers as keys are, unless two are equal.
   *
   * @param address of a key after which 8 bytes can be read
   */
  public static long head(long address, int lengthBytes) {
    if (lengthBytes <= 0) {
      return 0;
    }
    long head = Long.reverseBytes(Memory.getLong(address));
    return lengthBytes >= Long.BYTES ? head : head & (-1L << (Long.SIZE - Byte.SIZE * lengthBytes));
  }
}
