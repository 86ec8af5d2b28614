package io.ewok.gds.buffers;

/**
 * The page table: finds the frame of a page or block by its file and number. A hash table with
 * chains through the frames, so that it never allocates. Guarded by the manager's lock.
 */
final class FrameIndex {
  private final Frame[] buckets;

  /** A table for so many frames. */
  FrameIndex(int frames) {
    buckets = new Frame[Integer.highestOneBit(frames) * 2];
  }

  /** The frame, loading or ready, or null. */
  Frame get(CachedFile file, long key) {
    Frame frame = buckets[bucket(file, key)];
    while (frame != null && (frame.file != file || frame.key != key)) {
      frame = frame.next;
    }
    return frame;
  }

  void put(Frame frame) {
    int bucket = bucket(frame.file, frame.key);
    frame.next = buckets[bucket];
    buckets[bucket] = frame;
  }

  void remove(Frame frame) {
    int bucket = bucket(frame.file, frame.key);
    if (buckets[bucket] == frame) {
      buckets[bucket] = frame.next;
    } else {
      Frame before = buckets[bucket];
      while (before.next != frame) {
        before = before.next;
      }
      before.next = frame.next;
    }
    frame.next = null;
  }

  private int bucket(CachedFile file, long key) {
    // Keys of blocks are multiples of a power of two, so the high bits of the product choose.
    long hash = (key + file.hashSeed) * 0x9E37_79B9_7F4A_7C15L;
    return (int) (hash >>> 32) & buckets.length - 1;
  }
}
