package io.ewok.gds.allocator;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/**
 * A live allocation of a burn test, filled with a pattern of its own.
 *
 * <p>Threads: whoever has it; it is passed on in order.
 */
final class BurnBlock {
  private static final long SPREAD = 0x9E37_79B9_7F4A_7C15L;

  final long handle;
  private final long stamp;
  private final long address;
  private final MemorySegment segment;

  /** Null if the shadow does not know the block. */
  private final LiveCells shadow;

  /**
   * Takes hold of a cell that was just allocated.
   *
   * @param stamp not that of another block
   */
  BurnBlock(SlabAllocator allocator, long handle, int bytes, long stamp, LiveCells shadow) {
    this.handle = handle;
    this.stamp = stamp * SPREAD;
    this.address = allocator.address(handle);
    this.segment = allocator.segment(handle);
    // A shadow of all would hide a missing fence.
    this.shadow = (stamp & 1) == 0 ? shadow : null;
    if (segment.byteSize() < bytes || segment.address() != address) {
      throw new AssertionError("bytes=%d segment=%s".formatted(bytes, segment));
    }
    if (this.shadow != null) {
      shadow.add(address, segment.byteSize());
    }
    for (long i = 0; i < words(); i++) {
      segment.setAtIndex(JAVA_LONG, i, word(i));
    }
  }

  /** Fails if somebody else has written into the cell. */
  void verify() {
    for (long i = 0; i < words(); i++) {
      long found = segment.getAtIndex(JAVA_LONG, i);
      if (found != word(i)) {
        throw new AssertionError(
            "somebody wrote to a live cell: handle=0x%x cellBytes=%d offset=%d expected=0x%x actual=0x%x"
                .formatted(handle, segment.byteSize(), i * Long.BYTES, word(i), found));
      }
    }
  }

  /** Verifies, and lets go: the cell is about to be freed. */
  void release() {
    verify();
    if (shadow != null) {
      shadow.remove(address, segment.byteSize());
    }
  }

  private long words() {
    return segment.byteSize() / Long.BYTES;
  }

  private long word(long index) {
    return stamp + index * SPREAD;
  }
}
