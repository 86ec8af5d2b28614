package io.ewok.gds.buffers.redo;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** Bytes that are gathered one after another, in memory that is kept for the next time. */
final class RedoBuffer {
  private static final int START_BYTES = 256;

  private byte[] bytes = new byte[START_BYTES];
  private MemorySegment segment = MemorySegment.ofArray(bytes);
  private int length;

  void clear() {
    length = 0;
  }

  int length() {
    return length;
  }

  /**
   * Makes room at the end.
   *
   * @return the offset of the room
   */
  int extend(long count) {
    int offset = length;
    int end = Math.toIntExact(offset + count);
    if (end > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(end, (int) Math.min(2L * bytes.length, 1 << 30)));
      segment = MemorySegment.ofArray(bytes);
    }
    length = end;
    return offset;
  }

  void append(MemorySegment content) {
    int offset = extend(content.byteSize());
    MemorySegment.copy(content, 0, segment, offset, content.byteSize());
  }

  /** All of the memory, of which the first {@link #length} bytes count. */
  MemorySegment segment() {
    return segment;
  }

  MemorySegment content() {
    return segment.asSlice(0, length);
  }
}
