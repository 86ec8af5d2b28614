package io.ewok.gds.buffers;

import io.ewok.gds.allocator.FramePool;
import io.ewok.gds.allocator.Region;
import java.io.IOException;

/**
 * The frames of a pool: hands out those that are free, and empties others when none is.
 *
 * <p>Threads: everything is called with the pool's lock; what gives it up meanwhile says so.
 */
final class FrameSupply {
  /** How long it is before the pool is asked again for frames that the kernel has. */
  private static final long DEVICE_LOOK_NANOS = 1_000_000;

  private final PoolWaits waits;
  private final FrameIndex index;
  private final WriteBack writeBack;
  private final FramePool pool;
  private final Frame[] frames;
  private final ClockHand clock;
  private long evictions;

  /** As many empty frames as fit into a region, which is borrowed. */
  FrameSupply(
      Region region, int frameBytes, PoolWaits waits, FrameIndex index, WriteBack writeBack) {
    this.waits = waits;
    this.index = index;
    this.writeBack = writeBack;
    this.pool = new FramePool(region, frameBytes);
    this.frames = new Frame[pool.frameCount()];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = new Frame(i);
    }
    this.clock = new ClockHand(frames);
  }

  /** All frames; the array may be read without the lock. */
  Frame[] frames() {
    return frames;
  }

  int freeCount() {
    return pool.freeCount();
  }

  long evictions() {
    return evictions;
  }

  /** Takes neighbouring frames that are free. Returns a handle for bind, or FramePool.NONE. */
  long allocate(int count) {
    return count == 1 ? pool.allocate() : pool.allocateRun(count, 0);
  }

  /** Makes frames those of a page or block that is to be read. */
  Frame bind(long handle, CachedFile file, long key, int count, int lengthBytes) {
    Frame head = frames[pool.frame(handle)];
    for (int i = 0; i < count; i++) {
      frames[head.index + i].head = head;
    }
    head.file = file;
    head.key = key;
    head.handle = handle;
    head.count = count;
    head.lengthBytes = lengthBytes;
    head.lsn = 0;
    index.put(head);
    return head;
  }

  /** Frees frames that the caller has latched exclusively, which the latch stays. */
  void unbind(Frame head) {
    index.remove(head);
    pool.free(head.handle);
    for (int i = head.count - 1; i >= 0; i--) {
      frames[head.index + i].head = null;
    }
    head.file = null; // the segments stay: somebody may look at them in vain
    head.dirty = false;
    head.latchedLsn = Frame.NOTHING;
    waits.wakeForRoom();
  }

  /**
   * Takes a frame out of the pool for the caller's own use; gives the lock up meanwhile. Given back
   * by {@link #release}.
   */
  Frame reserve() throws IOException {
    long deadline = waits.deadline();
    long handle = pool.allocate();
    while (handle == FramePool.NONE) {
      makeRoom(1, deadline);
      handle = pool.allocate();
    }
    Frame frame = frames[pool.frame(handle)];
    frame.head = frame; // and no file: nobody finds it
    frame.handle = handle;
    frame.count = 1;
    return frame;
  }

  void release(Frame frame) {
    frame.head = null;
    pool.free(frame.handle);
    waits.wakeForRoom();
  }

  /**
   * Empties the frames of a closed file, written or not; gives the lock up to wait for those who
   * write.
   */
  void drop(CachedFile file) {
    for (Frame frame : frames) {
      while (frame.isHead() && frame.file == file) {
        if (frame.tryLatch(true)) {
          unbind(frame);
        } else {
          waits.awaitLatch(frame);
        }
      }
    }
  }

  /** Nobody has anything any more. */
  void close() {
    pool.close();
  }

  int pinned() {
    int pinned = 0;
    for (Frame frame : frames) {
      pinned += frame.head != null && !frame.head.isIdle() ? 1 : 0;
    }
    return pinned;
  }

  /**
   * Makes progress towards neighbouring free frames, or waits; may give the lock up meanwhile. The
   * caller looks at everything anew.
   */
  void makeRoom(int wanted, long deadline) throws IOException {
    int start = clock.find(wanted, false);
    if (start < 0) {
      waits.wantRoom();
      start = clock.find(wanted, false);
    }
    if (start < 0) {
      if (!waits.awaitRoom(deadline)) {
        throw exhausted(wanted);
      }
      return;
    }
    Frame dirty = firstDirty(start, wanted);
    if (dirty == null) {
      evictOrWait(start, wanted, deadline);
      return;
    }
    try {
      if (writeBack.tryWrite(dirty)) {
        clock.moveTo(start); // it is clean now, and nothing better will be found
      }
    } catch (IOException e) {
      // A file that cannot be written must not stop those who read another.
      int clean = clock.find(wanted, true);
      if (clean < 0) {
        throw e;
      }
      evictOrWait(clean, wanted, deadline);
    }
  }

  /**
   * Empties frames, unless somebody uses one by now. If they are empty, the kernel still has one of
   * them, after a read that failed; it gives it back to the pool, without telling us. Then this
   * waits a moment.
   */
  private void evictOrWait(int start, int wanted, long deadline) {
    boolean empty = true;
    for (int i = start; i < start + wanted; i++) {
      if (frames[i].isHead()) {
        empty = false;
        evict(frames[i]);
      }
    }
    if (!empty) {
      return;
    }
    long now = System.nanoTime();
    if (deadline - now <= 0) {
      throw exhausted(wanted);
    }
    boolean unused = waits.awaitRoom(Math.min(deadline, now + DEVICE_LOOK_NANOS));
  }

  private void evict(Frame frame) {
    if (!frame.tryClaim()) {
      return;
    }
    if (frame.dirty) {
      waits.release(frame, true);
      return;
    }
    unbind(frame);
    evictions++;
  }

  private Frame firstDirty(int start, int count) {
    for (int i = start; i < start + count; i++) {
      if (frames[i].isHead() && frames[i].dirty) {
        return frames[i];
      }
    }
    return null;
  }

  private PoolExhaustedException exhausted(int wanted) {
    return new PoolExhaustedException(wanted, frames.length, pinned());
  }
}
