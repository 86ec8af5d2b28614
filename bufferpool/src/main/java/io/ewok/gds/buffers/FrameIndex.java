package io.ewok.gds.buffers;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

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
  private final int partitions;

  /** The line of the first frame of the chain. */
  private final int[] buckets;

  /** By which a hash is shifted to be a bucket. The highest bits: keys of blocks end in zeros. */
  private final int shift;

  /**
   * An empty index.
   *
   * @param frames those of the first partition, then those of the next; may be filled later
   * @param bucketCount a power of two, more than one
   */
  FrameIndex(FrameLines lines, Frame[] frames, int partitions, int bucketCount) {
    this.lines = lines;
    this.frames = frames;
    this.partitions = partitions;
    this.buckets = new int[bucketCount];
    Arrays.fill(buckets, FrameLines.NONE);
    this.shift = Long.numberOfLeadingZeros(bucketCount) + 1;
  }

  /** The partition whose frames may hold it. */
  int partition(CachedFile file, long key) {
    return (int) ((long) bucket(file, key) * partitions / buckets.length);
  }

  /** The frame, loading or ready, or null. With the partition's lock. */
  Frame get(CachedFile file, long key) {
    int line = find(file, key, Integer.MAX_VALUE);
    return line == FrameLines.NONE ? null : frames[FrameLines.frame(line)];
  }

  /**
   * The line of a frame that held it a moment ago, or {@link FrameLines#NONE}, which says nothing.
   * Without the lock.
   */
  int peek(CachedFile file, long key) {
    return find(file, key, STEPS_MAX);
  }

  /**
   * The line that is to be looked at first, mostly the right one. Without the lock; a plain read,
   * since the latch's word is read next, with acquire, and tells what can be believed.
   */
  static int first(int[] buckets, int shift, CachedFile file, long key) {
    return buckets[bucket(shift, file, key)];
  }

  /** For {@link #first}. */
  int[] buckets() {
    return buckets;
  }

  /** For {@link #first}. */
  int shift() {
    return shift;
  }

  private int find(CachedFile file, long key, int stepsMax) {
    int line = (int) BUCKET.getAcquire(buckets, bucket(file, key));
    for (int steps = 0; line != FrameLines.NONE && steps < stepsMax; steps++) {
      if (lines.holds(line, file, key)) {
        return line;
      }
      line = lines.next(line);
    }
    return FrameLines.NONE;
  }

  void put(Frame frame) {
    int bucket = bucket(frame.file, frame.key);
    lines.setNext(frame.line, buckets[bucket]);
    BUCKET.setRelease(buckets, bucket, frame.line);
  }

  void remove(Frame frame) {
    int bucket = bucket(frame.file, frame.key);
    int next = lines.next(frame.line);
    int before = buckets[bucket];
    if (before == frame.line) {
      BUCKET.setRelease(buckets, bucket, next);
    } else {
      while (lines.next(before) != frame.line) {
        before = lines.next(before);
      }
      lines.setNext(before, next);
    }
    lines.setNext(frame.line, FrameLines.NONE);
  }

  private int bucket(CachedFile file, long key) {
    return bucket(shift, file, key);
  }

  private static int bucket(int shift, CachedFile file, long key) {
    return (int) (file.hash(key) >>> shift);
  }
}
