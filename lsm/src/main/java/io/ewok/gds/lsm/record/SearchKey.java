package io.ewok.gds.lsm.record;

import io.ewok.gds.ffm.unchecked.Memory;
import java.lang.foreign.MemorySegment;

/**
 * A key that is looked for: copied once from wherever the user has it, so that everything below
 * compares words at an address; and hashed once for all filters.
 *
 * <p>Ownership: see {@link KeyBuffer}. Reused, so that searches make no garbage.
 *
 * <p>Threads: confined to one at a time.
 */
public final class SearchKey {
  private final KeyBuffer buffer = new KeyBuffer();
  private int lengthBytes;
  private long head;
  private long hash;
  private boolean hashed;

  /** Takes a copy of a key. */
  public SearchKey set(MemorySegment key) {
    return set(key, 0, (int) key.byteSize());
  }

  /** The same of a key that is a part of a segment. */
  public SearchKey set(MemorySegment from, long offset, int keyBytes) {
    Memory.copyFrom(from, offset, buffer.reserve(keyBytes), keyBytes);
    return setLength(keyBytes);
  }

  /** The same of a key at an address. */
  public SearchKey set(long keyAddress, int keyBytes) {
    Memory.copy(keyAddress, buffer.reserve(keyBytes), keyBytes);
    return setLength(keyBytes);
  }

  private SearchKey setLength(int keyBytes) {
    lengthBytes = keyBytes;
    head = head(buffer.address(), keyBytes);
    hashed = false;
    return this;
  }

  /** Where the key lies until the next one is set; 8 bytes more than its length can be read. */
  public long address() {
    return buffer.address();
  }

  public int lengthBytes() {
    return lengthBytes;
  }

  /** Its {@link #head(long, int)}. */
  public long head() {
    return head;
  }

  /** The key's {@link KeyHash}. */
  public long hash() {
    if (!hashed) {
      hash = KeyHash.of(buffer.address(), lengthBytes);
      hashed = true;
    }
    return hash;
  }

  /** Compares this key with another, as {@link Keys#compare} does. */
  public int compareTo(MemorySegment other) {
    return Memory.compareUnsigned(address(), lengthBytes, other);
  }

  /** The key until the next one is set. */
  public MemorySegment segment() {
    return buffer.segment(lengthBytes);
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
