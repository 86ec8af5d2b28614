package io.ewok.gds.allocator;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Frames of one size in one region, allocated singly or in contiguous runs, named by 64-bit
 * handles. A handle carries a stamp that no other allocation has, in this pool or another: use
 * after free, a second free and a handle of another pool are exceptions that name the pool, in
 * production too.
 *
 * <p>Memory is not cleared on allocation.
 *
 * <p>Frames under I/O: an operation in flight leases the frames that it reads or writes. Freeing
 * them makes their handle stale at once, but they are not allocated again before the last operation
 * on them has ended, on whatever thread that is.
 *
 * <p>Ownership: the region belongs to the caller and outlives the pool, which is the only one in
 * it. Closing the pool gives nothing back, it only reports what has not been freed.
 *
 * <p>{@link DebugLetters}: P, Q, T and F. There are no red zones, because a frame lies at a
 * multiple of its size and frames of a run are neighbours.
 *
 * <p>Threads: confined to one thread at a time, the owner or whoever holds the owner's lock.
 *
 * {@snippet :
 * FramePool frames = new FramePool(region, 4096);
 * long frame = frames.allocate();
 * if (frame != FramePool.NONE) {
 *   frames.segment(frame).fill((byte) 0);
 *   frames.free(frame);
 * }
 * }
 */
public final class FramePool implements AutoCloseable {
  /** No frame: what an allocation returns when there is no room. */
  public static final long NONE = 0;

  /*
   * A handle: a stamp in the high 43 bits, then the index of the first frame in 21 bits, which is 1 GiB in frames of
   * 512 bytes. Pools draw stamps in lumps from one counter, so a stamp comes again only after 2^43 allocations in this
   * process: at a million a second, after a hundred days. No stamp is zero, so no handle is NONE.
   */
  private static final int INDEX_BITS = 21;
  private static final long INDEX_MASK = (1L << INDEX_BITS) - 1;
  private static final int LUMP_BITS = 12;
  private static final long LUMP_MASK = (1L << (Long.SIZE - INDEX_BITS - LUMP_BITS)) - 1;
  private static final int FRAME_BYTES_MIN = 512;

  private static final AtomicLong LUMPS = new AtomicLong();
  private static final AtomicInteger POOLS = new AtomicInteger();

  private final Region region;
  private final int frameBytes;
  private final int pool = POOLS.incrementAndGet();
  private final FreeFrames free;
  private final LeasedFrames leased;

  /** Of each frame that starts a live run, the handle; {@link #NONE} for the others. */
  private final long[] live;

  /** Of each frame that starts a live run, its length in frames. */
  private final int[] runFrames;

  /** Frames that were freed while under I/O, and have not come back yet. */
  private int deferredCount;

  private long nextStamp;
  private long endStamp;
  private boolean closed;

  /** Null if no letter is on. */
  private final FrameDebug debug;

  /**
   * Cuts a region into frames. What is left at its end, less than a frame, stays unused.
   *
   * @param region holds the frames; must stay open, and all of it memory: mapped, or committed from
   *     end to end
   * @param frameBytes size of a frame in bytes, a power of two, at least 512; frames lie at
   *     multiples of it in the region
   * @throws IllegalStateException if something else cuts up the region already, or not all of it is
   *     committed
   */
  public FramePool(Region region, int frameBytes) {
    this(region, frameBytes, DebugLetters.fromProperty());
  }

  /**
   * As {@link #FramePool(Region, int)}, with letters other than those of the system property.
   *
   * @throws IllegalStateException if something else cuts up the region already, or not all of it is
   *     committed
   */
  public FramePool(Region region, int frameBytes, DebugLetters letters) {
    this.region = Objects.requireNonNull(region, "region");
    if (frameBytes < FRAME_BYTES_MIN || Integer.bitCount(frameBytes) != 1) {
      throw new IllegalArgumentException(
          "a frame is a power of two of at least 512 bytes: frameBytes=" + frameBytes);
    }
    if (region.committedBytes() != region.sizeBytes()) {
      throw new IllegalStateException(
          "frames lie in a region that is memory from end to end: committedBytes=%d sizeBytes=%d"
              .formatted(region.committedBytes(), region.sizeBytes()));
    }
    this.frameBytes = frameBytes;
    int frameCount = (int) (region.sizeBytes() / frameBytes);
    this.live = new long[frameCount];
    this.runFrames = new int[frameCount];
    this.free = new FreeFrames(frameCount);
    this.leased = new LeasedFrames(frameCount, frameBytes);
    this.debug = letters.isNone() ? null : new FrameDebug(this, letters, free, frameCount);
    region.attach(leased);
  }

  /**
   * Allocates one frame. Returns its handle, or {@link #NONE} if all are in use.
   *
   * @throws IllegalStateException if the pool is closed
   */
  public long allocate() {
    if (debug != null && debug.fails()) {
      return NONE;
    }
    int index = free.takeFirst();
    if (index < 0) {
      requireOpen();
      takeReturned();
      index = free.takeFirst();
      if (index < 0 && endQuarantine()) {
        index = free.takeFirst();
      }
    }
    return index < 0 ? NONE : issue(index, 1);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("closed: " + this);
    }
  }

  private boolean endQuarantine() {
    if (debug == null || debug.quarantined() == 0) {
      return false;
    }
    debug.endQuarantine();
    return true;
  }

  /**
   * Allocates frames one by one, not neighbours.
   *
   * @param handles receives the handles
   * @param from index in {@code handles} of the first
   * @param count how many are wanted
   * @return how many there were, which is less than wanted only if no frame is left
   */
  public int allocateBatch(long[] handles, int from, int count) {
    Objects.checkFromIndexSize(from, count, handles.length);
    for (int i = 0; i < count; i++) {
      long handle = allocate();
      if (handle == NONE) {
        return i;
      }
      handles[from + i] = handle;
    }
    return count;
  }

  /**
   * Allocates neighbouring frames.
   *
   * @param frames how many, at least 1
   * @param startHint index of the frame where the search starts, 0 where there are no frames; it
   *     goes on from the first frame
   * @return the handle of the run, or {@link #NONE} if no run is long enough
   * @throws IllegalStateException if the pool is closed
   */
  public long allocateRun(int frames, int startHint) {
    if (frames < 1) {
      throw new IllegalArgumentException("a run has at least one frame: frames=" + frames);
    }
    // Zero is right for every pool, one without frames too.
    Objects.checkIndex(startHint, Math.max(1, live.length));
    if (debug != null && debug.fails()) {
      return NONE;
    }
    requireOpen();
    takeReturned();
    int index = takeRun(frames, startHint);
    if (index < 0 && endQuarantine()) {
      index = takeRun(frames, startHint);
    }
    return index < 0 ? NONE : issue(index, frames);
  }

  private int takeRun(int frames, int startHint) {
    int index = free.takeRun(frames, startHint);
    return index < 0 ? free.takeRun(frames, 0) : index;
  }

  private long issue(int index, int frames) {
    if (debug != null && !debug.verify(index, frames)) {
      free.add(index, frames);
      debug.raise();
    }
    if (nextStamp == endStamp) {
      drawStamps();
    }
    long handle = nextStamp++ << INDEX_BITS | index;
    live[index] = handle;
    runFrames[index] = frames;
    if (debug != null) {
      debug.allocated(index, frames, handle);
    }
    return handle;
  }

  private void drawStamps() {
    long lump;
    do {
      lump = LUMPS.incrementAndGet() & LUMP_MASK;
    } while (lump == 0);
    nextStamp = lump << LUMP_BITS;
    endStamp = nextStamp + (1L << LUMP_BITS);
  }

  /**
   * Frees a frame or a whole run. Its handle is stale from now on; frames under I/O become free
   * when that has ended.
   *
   * @throws StaleHandleException if the handle is not live in this pool
   */
  public void free(long handle) {
    int index = frame(handle);
    live[index] = NONE;
    int end = index + runFrames[index];
    if (debug != null) {
      debug.freed(index, runFrames[index]);
    }
    for (int frame = index; frame < end; frame++) {
      if (leased.defer(frame)) {
        deferredCount++;
      } else {
        release(frame);
      }
    }
    if (debug != null) {
      debug.raise();
    }
  }

  private void release(int frame) {
    if (debug == null) {
      free.add(frame);
    } else {
      debug.release(frame);
    }
  }

  /**
   * Frees frames and runs.
   *
   * @param handles contains the handles
   * @param from index in {@code handles} of the first
   * @param count how many
   * @throws StaleHandleException if a handle is not live in this pool; those before it are free
   *     then, those after it are not
   */
  public void freeBatch(long[] handles, int from, int count) {
    Objects.checkFromIndexSize(from, count, handles.length);
    for (int i = from; i < from + count; i++) {
      free(handles[i]);
    }
  }

  /** Makes free what was freed under I/O that has ended. */
  private void takeReturned() {
    int frame = leased.takeReturned();
    while (frame >= 0) {
      int next = leased.nextReturned(frame);
      // Somebody may have started an operation on it although it was freed.
      if (!leased.defer(frame)) {
        deferredCount--;
        release(frame);
      }
      frame = next;
    }
  }

  /**
   * Returns the index of the frame, the first of a run.
   *
   * @throws StaleHandleException if the handle is not live in this pool
   */
  public int frame(long handle) {
    int index = (int) (handle & INDEX_MASK);
    if (index >= live.length || live[index] != handle || handle == NONE) {
      throw new StaleHandleException(
          "freed already, or never allocated, in %s%s: handle=0x%x"
              .formatted(this, debug == null ? "" : debug.toldOf(handle, index), handle));
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
    return live.length;
  }

  /** Returns how many frames can be allocated now. */
  public int freeCount() {
    takeReturned();
    return availableCount();
  }

  private int availableCount() {
    return free.count() + (debug == null ? 0 : debug.quarantined());
  }

  /** Returns how many frames have been freed but are still under I/O. */
  public int deferredCount() {
    takeReturned();
    return deferredCount;
  }

  /** Returns what is allocated. */
  public LeakReport leaks() {
    LeakReport.Builder leaks = new LeakReport.Builder();
    for (int index = 0; index < live.length; index++) {
      if (live[index] != NONE) {
        leaks.add(
            (long) runFrames[index] * frameBytes, debug == null ? null : debug.allocatedAt(index));
      }
    }
    return leaks.build(toString());
  }

  /**
   * Reports what has not been freed, and makes all handles stale. Nothing can be allocated any
   * more. Closing twice does nothing.
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    LeakEvent.tell(leaks());
    if (debug != null) {
      debug.endQuarantine();
    }
    Arrays.fill(live, NONE);
    closed = true;
    free.takeAll();
    if (debug != null) {
      debug.raise();
    }
  }

  /** Returns number, size and use of the pool in one line. */
  @Override
  public String toString() {
    return "pool %d (%d of %d frames of %d bytes free, %d freed under I/O)"
        .formatted(pool, availableCount(), live.length, frameBytes, deferredCount);
  }
}
