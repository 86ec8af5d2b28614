package io.ewok.gds.buffers;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Finds the frame of a page or block by its file and number. A hash table with chains through the
 * frames, so that it never allocates.
 *
 * <p>Threads: written with the partition's lock. Read with it, or without: then a frame may have
 * been put elsewhere while somebody looks, who sees it so only with the frame's latch, and goes on
 * in another chain. Such a reader may miss what is there, never loop.
 */
final class FrameIndex {
  /** No chain is so long, unless a reader without the lock has lost its way. */
  private static final int STEPS_MAX = 64;

  /** Acquires and releases, so that whoever finds a frame sees what was bound to it. */
  private static final VarHandle BUCKET = MethodHandles.arrayElementVarHandle(Frame[].class);

  private final Frame[] buckets;

  /** A table for so many frames. */
  FrameIndex(int frames) {
    buckets = new Frame[Integer.highestOneBit(frames) * 2];
  }

  /** The frame, loading or ready, or null. With the partition's lock. */
  Frame get(CachedFile file, long key) {
    Frame frame = buckets[bucket(file, key)];
    while (frame != null && !frame.holds(file, key)) {
      frame = frame.next;
    }
    return frame;
  }

  /** A frame that held it a moment ago, or null, which says nothing. Without the lock. */
  Frame peek(CachedFile file, long key) {
    Frame frame = (Frame) BUCKET.getAcquire(buckets, bucket(file, key));
    for (int steps = 0; frame != null && steps < STEPS_MAX; steps++) {
      if (frame.holds(file, key)) {
        return frame;
      }
      frame = frame.next;
    }
    return null;
  }

  void put(Frame frame) {
    int bucket = bucket(frame.file, frame.key);
    frame.next = buckets[bucket];
    BUCKET.setRelease(buckets, bucket, frame);
  }

  void remove(Frame frame) {
    int bucket = bucket(frame.file, frame.key);
    if (buckets[bucket] == frame) {
      BUCKET.setRelease(buckets, bucket, frame.next);
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
    return (int) (file.hash(key) >>> 32) & buckets.length - 1;
  }
}
