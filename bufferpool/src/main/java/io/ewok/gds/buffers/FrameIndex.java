package io.ewok.gds.buffers;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Finds the frame of a page or block by its file and number. A hash table with chains through the
 * frames' lines, so that it never allocates. Each partition has a stretch of the buckets, and only
 * frames of its own in them.
 *
 * <p>Threads: written with the partition's lock. Read with it, or without: then a frame may have
 * been put elsewhere while somebody looks, who goes on in another chain. Such a reader may miss
 * what is there, never loop.
 */
final class FrameIndex {
  /** No chain is so long, unless a reader without the lock has lost its way. */
  private static final int STEPS_MAX = 64;

  /** Acquires and releases, so that whoever finds a frame sees what was bound to it. */
  private static final VarHandle BUCKET = MethodHandles.arrayElementVarHandle(int[].class);

  private final FrameLines lines;
  private final Frame[] frames;
  private final int bucketsPerPartition;

  /** The first frame of the chain, plus one. */
  private final int[] buckets;

  /**
   * An empty index.
   *
   * @param frames those of the first partition, then those of the next; may be filled later
   * @param bucketsPerPartition a power of two
   */
  FrameIndex(FrameLines lines, Frame[] frames, int partitions, int bucketsPerPartition) {
    this.lines = lines;
    this.frames = frames;
    this.bucketsPerPartition = bucketsPerPartition;
    this.buckets = new int[partitions * bucketsPerPartition];
  }

  /** The partition whose frames may hold it. */
  int partition(CachedFile file, long key) {
    return bucket(file, key) / bucketsPerPartition;
  }

  /** The frame, loading or ready, or null. With the partition's lock. */
  Frame get(CachedFile file, long key) {
    int frame = find(file, key, Integer.MAX_VALUE);
    return frame < 0 ? null : frames[frame];
  }

  /** A frame that held it a moment ago, or -1, which says nothing. Without the lock. */
  int peek(CachedFile file, long key) {
    return find(file, key, STEPS_MAX);
  }

  /**
   * The frame that is to be looked at first, mostly the right one, or -1. Without the lock; a plain
   * read, since the latch's word is read next, with acquire, and tells what can be believed.
   */
  static int first(int[] buckets, CachedFile file, long key) {
    return buckets[bucket(buckets, file, key)] - 1;
  }

  /** For {@link #first}. */
  int[] buckets() {
    return buckets;
  }

  private int find(CachedFile file, long key, int stepsMax) {
    int frame = (int) BUCKET.getAcquire(buckets, bucket(file, key)) - 1;
    for (int steps = 0; frame >= 0 && steps < stepsMax; steps++) {
      if (lines.holds(frame, file, key)) {
        return frame;
      }
      frame = lines.next(frame);
    }
    return -1;
  }

  void put(Frame frame) {
    int bucket = bucket(frame.file, frame.key);
    lines.setNext(frame.number, buckets[bucket] - 1);
    BUCKET.setRelease(buckets, bucket, frame.number + 1);
  }

  void remove(Frame frame) {
    int bucket = bucket(frame.file, frame.key);
    int next = lines.next(frame.number);
    int before = buckets[bucket] - 1;
    if (before == frame.number) {
      BUCKET.setRelease(buckets, bucket, next + 1);
    } else {
      while (lines.next(before) != frame.number) {
        before = lines.next(before);
      }
      lines.setNext(before, next);
    }
    lines.setNext(frame.number, -1);
  }

  private int bucket(CachedFile file, long key) {
    return bucket(buckets, file, key);
  }

  private static int bucket(int[] buckets, CachedFile file, long key) {
    // The highest bits: keys of blocks are multiples of a power of two.
    return (int) (((file.hash(key) >>> 32) * buckets.length) >>> 32);
  }
}
