package io.ewok.gds.allocator;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Frames of one size in one region, allocated singly or in contiguous runs, named by 64-bit
 * handles. A handle carries the generation of its frame, which freeing raises: use after free, a
 * second free and a handle of another pool are exceptions that name the pool, in production too.
 *
 * <p>Memory is not cleared on allocation.
 *
 * <p>Ownership: the region belongs to the caller and outlives the pool. The pool itself has nothing
 * to close.
 *
 * <p>Threads: confined to one thread at a time, the owner or whoever holds the owner's lock.
 */
public final class FramePool {
  /** No frame: what an allocation returns when there is no room. */
  public static final long NONE = 0;

  /*
   * A handle: generation in the high 32 bits, then 11 bits of the pool's number, then the index of
   * the first frame in 21 bits, which is 1 GiB in frames of 512 bytes. The generation of a frame is
   * never zero, so no handle is NONE. Pools whose 11 bits agree start from different generations.
   */
  private static final int INDEX_BITS = 21;
  private static final int POOL_BITS = 11;
  private static final long INDEX_MASK = (1L << INDEX_BITS) - 1;
  private static final long POOL_MASK = (1L << POOL_BITS) - 1;
  private static final int FRAME_BYTES_MIN = 512;

  /** Spreads pool numbers over the generations (2^32 divided by the golden ratio). */
  private static final int GENERATION_SPREAD = 0x9E37_79B9;

  private static final AtomicInteger POOLS = new AtomicInteger();

  private final Region region;
  private final int frameBytes;
  private final int frameCount;
  private final int pool = POOLS.incrementAndGet();

  /** Bit set: the frame is free. */
  private final BitSet free;

  private final int[] generations;

  /** Length of the run that starts at a frame, in frames; zero for free and inner frames. */
  private final int[] runFrames;

  private int freeCount;

  /** Where a search for a single frame starts: no free frame has a smaller index. */
  private int lowestFree;

  /**
   * Cuts a region into frames. What is left at its end, less than a frame, stays unused.
   *
   * @param region holds the frames; must stay open
   * @param frameBytes size of a frame in bytes, a power of two, at least 512; frames lie at
   *     multiples of it in the region
   */
  public FramePool(Region region, int frameBytes) {
    this.region = Objects.requireNonNull(region, "region");
    if (frameBytes < FRAME_BYTES_MIN || Integer.bitCount(frameBytes) != 1) {
      throw new IllegalArgumentException(
          "a frame is a power of two of at least 512 bytes: frameBytes=" + frameBytes);
    }
    this.frameBytes = frameBytes;
    this.frameCount = (int) (region.sizeBytes() / frameBytes);
    this.free = new BitSet(frameCount);
    free.set(0, frameCount);
    this.freeCount = frameCount;
    this.generations = new int[frameCount];
    Arrays.fill(generations, nextGeneration(pool * GENERATION_SPREAD));
    this.runFrames = new int[frameCount];
  }

  /** Allocates one frame. Returns its handle, or {@link #NONE} if all are in use. */
  public long allocate() {
    int index = free.nextSetBit(lowestFree);
    if (index < 0) {
      return NONE;
    }
    lowestFree = index + 1;
    return take(index, 1);
  }

  /**
   * Allocates neighbouring frames.
   *
   * @param frames how many, at least 1
   * @param startHint index of the frame where the search starts; it goes on from the first frame
   * @return the handle of the run, or {@link #NONE} if no run is long enough
   */
  public long allocateRun(int frames, int startHint) {
    if (frames < 1) {
      throw new IllegalArgumentException("a run has at least one frame: frames=" + frames);
    }
    Objects.checkIndex(startHint, frameCount);
    int index = findRun(frames, startHint);
    if (index < 0) {
      index = findRun(frames, lowestFree);
    }
    return index < 0 ? NONE : take(index, frames);
  }

  private int findRun(int frames, int from) {
    int start = free.nextSetBit(from);
    while (start >= 0) {
      int end = free.nextClearBit(start);
      if (end - start >= frames) {
        return start;
      }
      start = free.nextSetBit(end);
    }
    return -1;
  }

  private long take(int index, int frames) {
    free.clear(index, index + frames);
    freeCount -= frames;
    runFrames[index] = frames;
    return (long) generations[index] << 32 | (pool & POOL_MASK) << INDEX_BITS | index;
  }

  /**
   * Frees a frame or a whole run. Its handle is stale from now on.
   *
   * @throws StaleHandleException if the handle is not live in this pool
   */
  public void free(long handle) {
    int index = frame(handle);
    int frames = runFrames[index];
    runFrames[index] = 0;
    generations[index] = nextGeneration(generations[index]);
    free.set(index, index + frames);
    freeCount += frames;
    lowestFree = Math.min(lowestFree, index);
  }

  /** Zero is skipped when the generation wraps: it would allow a handle equal to NONE. */
  private static int nextGeneration(int generation) {
    return generation == -1 ? 1 : generation + 1;
  }

  /**
   * Returns the index of the frame, the first of a run.
   *
   * @throws StaleHandleException if the handle is not live in this pool
   */
  public int frame(long handle) {
    int index = (int) (handle & INDEX_MASK);
    if ((handle >>> INDEX_BITS & POOL_MASK) != (pool & POOL_MASK) || index >= frameCount) {
      throw new StaleHandleException("not a handle of " + this + ": handle=" + hex(handle));
    }
    if (runFrames[index] == 0 || generations[index] != (int) (handle >>> 32)) {
      throw new StaleHandleException(
          "freed already, or never allocated, in " + this + ": handle=" + hex(handle));
    }
    return index;
  }

  /**
   * Returns the offset of the frame in the region, in bytes.
   *
   * @throws StaleHandleException if the handle is not live in this pool
   */
  public long offset(long handle) {
    return (long) frame(handle) * frameBytes;
  }

  /**
   * Returns the frame, or the whole run, as a segment with the scope of the region.
   *
   * @throws StaleHandleException if the handle is not live in this pool
   */
  public MemorySegment segment(long handle) {
    int index = frame(handle);
    return region
        .segment()
        .asSlice((long) index * frameBytes, (long) runFrames[index] * frameBytes);
  }

  /** Returns the region that holds the frames. */
  public Region region() {
    return region;
  }

  /** Returns the size of a frame in bytes. */
  public int frameBytes() {
    return frameBytes;
  }

  /** Returns how many frames there are, free or not. */
  public int frameCount() {
    return frameCount;
  }

  /** Returns how many frames are free. */
  public int freeCount() {
    return freeCount;
  }

  /** Returns number, size and use of the pool in one line. */
  @Override
  public String toString() {
    return "pool %d (%d of %d frames of %d bytes free)"
        .formatted(pool, freeCount, frameCount, frameBytes);
  }

  private static String hex(long handle) {
    return "0x" + Long.toHexString(handle);
  }
}
