package io.ewok.gds.buffers;

import io.ewok.gds.allocator.FramePool;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.buffers.eviction.EvictionPolicy;
import io.ewok.gds.buffers.eviction.Priority;
import java.io.IOException;

/**
 * The frames of a partition: hands out those that are free, and empties others when none is.
 *
 * <p>Threads: everything is called with the partition's lock; what gives it up meanwhile says so.
 */
final class FrameSupply {
  /** How long it is before the pool is asked again for frames that the kernel has. */
  private static final long DEVICE_LOOK_NANOS = 1_000_000;

  private final PoolWaits waits;
  private final FrameLines lines;
  private final FrameIndex index;
  private final WriteBack writeBack;
  private final FramePool pool;
  private final Frame[] frames;
  private final EvictionPolicy policy;
  private long evictions;

  /** As many empty frames as fit into a region, which is borrowed. */
  FrameSupply(
      PageTable table, Region region, BufferOptions options, Partition partition, int firstFrame) {
    this.lines = table.lines();
    this.waits = partition.waits;
    this.index = partition.index;
    this.writeBack = partition.writeBack;
    this.pool = new FramePool(region, options.frameBytes());
    this.frames = new Frame[pool.frameCount()];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = new Frame(lines, firstFrame + i, i, partition, region, options.frameBytes());
    }
    this.policy = options.eviction().create(lines.marks(firstFrame, frames.length));
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

  /** The same, or such as can be emptied without a write. Does not give the lock up. */
  long allocateAtOnce(int count) {
    long handle = allocate(count);
    if (handle == FramePool.NONE) {
      int victim = victim(count, true);
      int start = victim < 0 ? -1 : startOfStretch(victim, count, true);
      int end = start < 0 ? start : start + count;
      for (int i = start; i < end; i++) {
        if (frames[i].isHead()) {
          evictClean(frames[i]);
        }
      }
      handle = allocate(count);
    }
    return handle;
  }

  /** Makes frames those of a page or block that is to be read. */
  Frame bind(long handle, CachedFile file, long key, int count, int lengthBytes) {
    Frame head = occupy(handle, count);
    head.file = file;
    head.key = key;
    head.lengthBytes = lengthBytes;
    head.lsn = 0;
    lines.bind(head.line, file, key, lengthBytes);
    index.put(head);
    return head;
  }

  /** Says that what is in a frame was read. */
  void admitted(Frame head, Priority priority) {
    policy.admitted(head.index, head.file.hash(head.key), priority);
  }

  /** Frees frames that the caller has latched exclusively, which the latch stays. */
  void unbind(Frame head) {
    index.remove(head);
    pool.free(head.handle);
    for (int i = head.count - 1; i >= 0; i--) {
      frames[head.index + i].head = null;
    }
    lines.unbind(head.line);
    head.file = null; // the segments stay: somebody may look at them in vain
    head.dirty = false;
    head.latchedLsn = Frame.NOTHING;
    waits.wake(head);
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
    return occupy(handle, 1);
  }

  /** Makes allocated frames the caller's own: there is no file, so nobody finds them. */
  Frame occupy(long handle, int count) {
    Frame head = frames[pool.frame(handle)];
    for (int i = 0; i < count; i++) {
      frames[head.index + i].head = head;
    }
    head.handle = handle;
    head.count = count;
    return head;
  }

  void release(Frame head) {
    for (int i = head.count - 1; i >= 0; i--) {
      frames[head.index + i].head = null;
    }
    pool.free(head.handle);
    waits.wakeForRoom();
  }

  /** Undoes allocate, without giving the lock up between. So nobody needs to be told. */
  void free(long handle) {
    pool.free(handle);
  }

  /**
   * Empties the frames of a closed file, written or not; gives the lock up to wait for those who
   * write.
   */
  void drop(CachedFile file) {
    for (Frame frame : frames) {
      while (frame.isHead() && frame.file == file) {
        if (frame.tryLatch(true)) {
          policy.removed(frame.index, false);
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
    int victim = victim(wanted, false);
    if (victim < 0) {
      waits.wantRoom();
      victim = victim(wanted, false);
    }
    if (victim < 0) {
      awaitRoom(wanted, deadline);
      return;
    }
    try {
      evictAround(victim, wanted, false);
    } catch (IOException e) {
      // A file that cannot be written must not stop those who read another.
      victim = victim(wanted, true);
      if (victim < 0) {
        throw e;
      }
      evictAround(victim, wanted, true);
    }
  }

  private void evictAround(int victim, int wanted, boolean clean) throws IOException {
    int start = startOfStretch(victim, wanted, clean);
    // Somebody may use one of them by now.
    int end = start < 0 ? start : start + wanted;
    for (int i = start; i < end; i++) {
      evict(frames[i]);
    }
  }

  /** The first frame of what should go so that there is room, or -1. */
  private int victim(int wanted, boolean clean) {
    return policy.victim(slot -> startOfStretch(slot, wanted, clean) >= 0);
  }

  /**
   * Where neighbouring frames begin that are free or may go, and have one among them.
   *
   * @param slot the first frame of a page or block
   * @param wanted how many there must be
   * @param clean whether they must not be dirty
   * @return -1 if there are not as many
   */
  private int startOfStretch(int slot, int wanted, boolean clean) {
    if (!mayGo(slot, clean)) {
      return -1;
    }
    int end = slot + frames[slot].count;
    while (end - slot < wanted && end < frames.length && mayGo(end, clean)) {
      end += frames[end].head == null ? 1 : frames[end].count;
    }
    int start = slot;
    while (end - start < wanted && start > 0 && mayGo(first(start - 1), clean)) {
      start = first(start - 1);
    }
    return end - start < wanted ? -1 : start;
  }

  private boolean mayGo(int slot, boolean clean) {
    Frame frame = frames[slot];
    return frame.head == null || (frame.isIdle() && !(clean && frame.dirty));
  }

  private int first(int index) {
    Frame head = frames[index].head;
    return head == null ? index : head.index;
  }

  /**
   * Waits for room; gives the lock up meanwhile. Frames that the kernel still has, after a read
   * that failed, it gives back to the pool without telling us: for them this waits but a moment.
   */
  private void awaitRoom(int wanted, long deadline) {
    long until = deadline;
    if (pool.deferredCount() > 0) {
      until = Math.min(deadline, System.nanoTime() + DEVICE_LOOK_NANOS);
    }
    if (!waits.awaitRoom(until) && deadline - System.nanoTime() <= 0) {
      throw new PoolExhaustedException(wanted, frames.length, pinned());
    }
  }

  /**
   * Frees a frame if it holds something, writing that first if it is dirty; gives the lock up for
   * that. Does nothing if somebody uses it by now.
   */
  private void evict(Frame frame) throws IOException {
    if (frame.isHead() && (!frame.dirty || writeBack.tryWrite(frame)) && frame.isHead()) {
      evictClean(frame);
    }
  }

  private void evictClean(Frame frame) {
    if (frame.tryClaim()) {
      if (frame.dirty) {
        waits.release(frame, true);
      } else {
        policy.removed(frame.index, true);
        unbind(frame);
        evictions++;
      }
    }
  }
}
