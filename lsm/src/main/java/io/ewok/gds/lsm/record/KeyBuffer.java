package io.ewok.gds.lsm.record;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Memory for one key at a time, which grows with the longest.
 *
 * <p>Ownership: the memory is that of an arena. Threads: confined to one at a time.
 */
public final class KeyBuffer {
  /** Words can be read and written at the end of a key. */
  private static final int SLACK_BYTES = 2 * Long.BYTES;

  private static final int CAPACITY_BYTES_MIN = 256;

  private final Arena arena;
  private MemorySegment memory = MemorySegment.NULL;
  private MemorySegment readOnly = MemorySegment.NULL;
  private long address;

  /** In memory that goes when nobody knows it any more. */
  public KeyBuffer() {
    this(Arena.ofAuto());
  }

  /** In memory of an arena, which the caller closes. */
  public KeyBuffer(Arena arena) {
    this.arena = arena;
  }

  /**
   * Makes room for a key; what was there may be lost.
   *
   * @return the address, at which 16 bytes more can be used
   */
  public long reserve(int keyBytes) {
    if (keyBytes + SLACK_BYTES > memory.byteSize()) {
      long capacityBytes = CAPACITY_BYTES_MIN;
      while (capacityBytes < keyBytes + SLACK_BYTES) {
        capacityBytes *= 2;
      }
      memory = arena.allocate(capacityBytes, Long.BYTES);
      readOnly = memory.asReadOnly();
      address = memory.address();
    }
    return address;
  }

  /** Where the key lies. */
  public long address() {
    return address;
  }

  /** The whole buffer, read-only; another one when it has grown. */
  public MemorySegment readOnly() {
    return readOnly;
  }

  /** The first bytes, which change with the next key. */
  public MemorySegment segment(long lengthBytes) {
    return memory.asSlice(0, lengthBytes);
  }
}
