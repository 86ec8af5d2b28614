package io.ewok.gds.buffers;

import io.ewok.gds.allocator.FramePool;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.reactor.Monitor;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.util.Arrays;

/**
 * The frames of a pool, what is in them, who uses it, and what goes when there is no room.
 *
 * <p>Threads: any. One lock guards all of the state here and in {@link Frame}. It is never held
 * during a read, a write, a sync or a checksum: whoever does one of these has made the frame {@link
 * Frame#load loading} or {@link Frame#writing}, and others find it so. What waits for something
 * looks at everything anew afterwards.
 */
final class PageTable {
  /** How a page or block is wanted. */
  enum Access {
    SHARED,
    EXCLUSIVE,
    /** Exclusive, and known to be zeros only: not read. */
    FRESH
  }

  /** How long it is before the pool is asked again for frames that the kernel has. */
  private static final long DEVICE_LOOK_NANOS = 1_000_000;

  private final Region region;
  private final int frameBytes;
  private final WriteAheadLog log;
  private final long waitNanos;
  private final Monitor lock = new Monitor();

  // Guarded by lock.
  private final Monitor.Line roomMade = lock.newLine();
  private final FramePool pool;
  private final Frame[] frames;
  private final FrameIndex index;
  private final ClockHand clock;
  private boolean closed;
  private long hits;
  private long misses;
  private long bytesRead;
  private long evictions;
  private long writeBacks;

  /** A table of empty frames, as many as fit into the region, which is borrowed. */
  PageTable(Region region, BufferOptions options) {
    this.region = region;
    this.frameBytes = options.frameBytes();
    this.log = options.logOrNull();
    this.waitNanos = options.waitMax().toNanos();
    this.pool = new FramePool(region, frameBytes);
    this.frames = new Frame[pool.frameCount()];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = new Frame(i);
    }
    this.index = new FrameIndex(frames.length);
    this.clock = new ClockHand(frames);
  }

  Region region() {
    return region;
  }

  int frameBytes() {
    return frameBytes;
  }

  long regionOffset(Frame frame) {
    return (long) frame.index * frameBytes;
  }

  /** Fixes a page or block, reading it if nobody has. */
  void fix(CachedFile file, long key, int lengthBytes, Access access, Fix into) throws IOException {
    into.requireEmpty();
    boolean exclusive = access != Access.SHARED;
    int wanted = (lengthBytes - 1) / frameBytes + 1;
    if (wanted > frames.length) {
      throw new IllegalArgumentException(
          "longer than the pool: lengthBytes=%d poolBytes=%d"
              .formatted(lengthBytes, (long) frames.length * frameBytes));
    }
    long deadline = 0;
    lock.lock();
    try {
      Frame frame = null;
      while (frame == null) {
        checkOpen();
        file.checkUsable();
        Frame found = index.get(file, key);
        if (found == null) {
          long handle = wanted == 1 ? pool.allocate() : pool.allocateRun(wanted, 0);
          if (handle == FramePool.NONE) {
            deadline = deadline == 0 ? System.nanoTime() + waitNanos : deadline;
            makeRoom(wanted, deadline);
          } else {
            frame = bind(handle, file, key, wanted, lengthBytes);
            load(frame, access);
          }
        } else if (found.load != null) {
          awaitLoad(found);
        } else {
          requireSameLength(found, lengthBytes);
          found.pins++;
          latch(found, exclusive);
          hits++;
          frame = found;
        }
      }
      frame.referenced = true;
      into.hold(this, frame, exclusive);
    } finally {
      lock.unlock();
    }
  }

  void unfix(Frame frame, boolean exclusive) {
    lock.lock();
    try {
      unlatch(frame, exclusive);
      unpin(frame);
    } finally {
      lock.unlock();
    }
  }

  void markDirty(Frame frame, long lsn) {
    if (lsn < 0 || (log != null && lsn > log.endLsn())) {
      throw new IllegalArgumentException("the log has no record that ends there: lsn=" + lsn);
    }
    if (lsn > 0) {
      PageFormat.setLsn(frame.segment, Math.max(lsn, PageFormat.lsn(frame.segment)));
    }
    lock.lock();
    try {
      frame.dirty = true;
      frame.lsn = Math.max(frame.lsn, lsn);
    } finally {
      lock.unlock();
    }
  }

  /** Writes the pages of a file that are dirty, or being written, when this is called. */
  void writeDirty(CachedFile file) throws IOException {
    for (long key : dirtyKeys(file)) {
      lock.lock();
      try {
        Frame frame = index.get(file, key);
        if (frame != null && frame.load == null) {
          writeBack(frame, System.nanoTime() + waitNanos);
        }
      } finally {
        lock.unlock();
      }
    }
  }

  /**
   * Takes a frame out of the pool for the caller's own use, at its offset in the region. Given back
   * by {@link #release}.
   */
  long reserve() throws IOException {
    long deadline = System.nanoTime() + waitNanos;
    lock.lock();
    try {
      long handle = pool.allocate();
      while (handle == FramePool.NONE) {
        makeRoom(1, deadline);
        handle = pool.allocate();
      }
      Frame frame = frames[pool.frame(handle)];
      frame.head = frame;
      frame.handle = handle;
      frame.count = 1;
      frame.pins = 1; // no file, no key: nobody finds it
      return regionOffset(frame);
    } finally {
      lock.unlock();
    }
  }

  void release(long regionOffset) {
    lock.lock();
    try {
      Frame frame = frames[(int) (regionOffset / frameBytes)];
      frame.head = null;
      frame.pins = 0;
      pool.free(frame.handle);
      roomMade.wakeAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Lets nobody fix anything in a file any more.
   *
   * @return whether it was open
   * @throws IllegalStateException if something in it is fixed; nothing changes
   */
  boolean close(CachedFile file) {
    lock.lock();
    try {
      requireUnpinned(file);
      return file.markClosed();
    } finally {
      lock.unlock();
    }
  }

  /** The same for all files. */
  boolean close() {
    lock.lock();
    try {
      requireUnpinned(null);
      boolean wasOpen = !closed;
      closed = true;
      return wasOpen;
    } finally {
      lock.unlock();
    }
  }

  /** Gives the pool of frames up, once all files are closed and nothing is cached any more. */
  void end() {
    lock.lock();
    try {
      pool.close();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Makes a file fail from now on: what was written to it may be lost, and what was evicted be old.
   */
  void poison(CachedFile file, Throwable cause) {
    lock.lock();
    try {
      file.markPoisoned(cause);
    } finally {
      lock.unlock();
    }
  }

  /** Empties the frames of a closed file, written or not. */
  void drop(CachedFile file) {
    lock.lock();
    try {
      for (Frame frame : frames) {
        while (frame.isHead() && frame.file == file) {
          if (frame.writing) {
            awaitWritten(frame);
          } else {
            unbind(frame);
          }
        }
      }
      roomMade.wakeAll();
    } finally {
      lock.unlock();
    }
  }

  BufferStats stats() {
    lock.lock();
    try {
      int pinned = 0;
      int dirty = 0;
      for (Frame frame : frames) {
        pinned += frame.isHead() && !frame.isIdle() ? 1 : 0;
        dirty += frame.isHead() && frame.dirty ? 1 : 0;
      }
      return new BufferStats(
          hits,
          misses,
          bytesRead,
          evictions,
          writeBacks,
          frames.length,
          pool.freeCount(),
          pinned,
          dirty);
    } finally {
      lock.unlock();
    }
  }

  private long[] dirtyKeys(CachedFile file) {
    lock.lock();
    try {
      long[] keys = new long[frames.length];
      int count = 0;
      for (Frame frame : frames) {
        if (frame.isHead() && frame.file == file && (frame.dirty || frame.writing)) {
          keys[count++] = frame.key;
        }
      }
      Arrays.sort(keys, 0, count);
      return Arrays.copyOf(keys, count);
    } finally {
      lock.unlock();
    }
  }

  // What follows is called with the lock; what gives it up meanwhile says so.

  private Frame bind(long handle, CachedFile file, long key, int count, int lengthBytes) {
    Frame head = frames[pool.frame(handle)];
    for (int i = 0; i < count; i++) {
      frames[head.index + i].head = head;
    }
    head.file = file;
    head.key = key;
    head.handle = handle;
    head.count = count;
    head.lengthBytes = lengthBytes;
    head.pins = 1;
    head.lsn = 0;
    index.put(head);
    return head;
  }

  private void unbind(Frame head) {
    index.remove(head);
    pool.free(head.handle);
    for (int i = head.count - 1; i >= 0; i--) {
      frames[head.index + i].head = null;
    }
    head.file = null;
    head.segment = null;
    head.readOnly = null;
    head.dirty = false;
    head.pins = 0;
  }

  /**
   * Reads into a bound frame and latches it; gives the lock up meanwhile. After a failure the frame
   * is free.
   */
  private void load(Frame frame, Access access) throws IOException {
    Frame.Load load = new Frame.Load(lock.newLine());
    frame.load = load;
    misses++;
    lock.unlock();
    try {
      frame.segment =
          region
              .segment()
              .asSlice(
                  regionOffset(frame) + frame.file.offsetInFrame(frame.key), frame.lengthBytes);
      frame.readOnly = frame.segment.asReadOnly();
      if (access == Access.FRESH) {
        frame.segment.fill((byte) 0);
      } else {
        frame.file.read(frame);
      }
    } catch (Throwable e) {
      load.failure = e;
      throw e;
    } finally {
      lock.lock();
      frame.load = null;
      load.done = true;
      load.ended.wakeAll();
      if (load.failure != null) {
        unbind(frame);
        roomMade.wakeAll();
      } else {
        bytesRead += access == Access.FRESH ? 0 : frame.lengthBytes;
        frame.exclusive = access != Access.SHARED;
        frame.shared = frame.exclusive ? 0 : 1;
      }
    }
  }

  /** Waits for another thread's read; gives the lock up meanwhile. */
  private void awaitLoad(Frame frame) throws IOException {
    Frame.Load load = frame.load;
    if (load.reader == Thread.currentThread()) {
      throw new IllegalStateException(
          "this thread reads the same already, further down its stack: path=%s offset=%d"
              .formatted(frame.file.path(), frame.key));
    }
    while (!load.done) {
      load.ended.await();
    }
    if (load.failure instanceof IOException failure) {
      throw failure;
    }
    if (load.failure != null) {
      throw new IllegalStateException("the thread that read it failed", load.failure);
    }
  }

  /** Latches a pinned page; gives the lock up meanwhile. After a failure it is unpinned. */
  private void latch(Frame frame, boolean exclusive) {
    long deadline = 0;
    boolean latched = false;
    try {
      while (frame.isLatched(exclusive)) {
        deadline = deadline == 0 ? System.nanoTime() + waitNanos : deadline;
        if (!awaitLatch(frame, deadline)) {
          throw new LatchTimeoutException(frame.file.path(), frame.key);
        }
      }
      frame.exclusive = exclusive;
      frame.shared += exclusive ? 0 : 1;
      latched = true;
    } finally {
      if (!latched) {
        unpin(frame);
      }
    }
  }

  private boolean awaitLatch(Frame frame, long deadline) {
    frame.latchWaiters++;
    try {
      return await(latchFreed(frame), deadline);
    } finally {
      frame.latchWaiters--;
    }
  }

  /**
   * Waits until a frame is not being written, however long the device takes: a write always ends,
   * and the wait must give the lock up for that.
   */
  private void awaitWritten(Frame frame) {
    frame.latchWaiters++;
    try {
      while (frame.writing) {
        latchFreed(frame).await();
      }
    } finally {
      frame.latchWaiters--;
    }
  }

  private Monitor.Line latchFreed(Frame frame) {
    if (frame.latchFreed == null) {
      frame.latchFreed = lock.newLine();
    }
    return frame.latchFreed;
  }

  private void unlatch(Frame frame, boolean exclusive) {
    if (exclusive) {
      frame.exclusive = false;
    } else {
      frame.shared--;
    }
    if (frame.latchWaiters > 0) {
      frame.latchFreed.wakeAll();
    }
  }

  private void unpin(Frame frame) {
    frame.pins--;
    roomMade.wakeAll(); // it may be idle now
  }

  /**
   * Makes progress towards neighbouring free frames, or waits; gives the lock up meanwhile, unless
   * it frees them.
   */
  private void makeRoom(int wanted, long deadline) throws IOException {
    int start = clock.find(wanted, false);
    if (start < 0) {
      if (!await(roomMade, deadline)) {
        throw new PoolExhaustedException(wanted, frames.length, framesPinned());
      }
      return;
    }
    Frame dirty = firstDirty(start, wanted);
    if (dirty == null) {
      evictOrWait(start, wanted, deadline);
      return;
    }
    try {
      writeBack(dirty, deadline);
      clock.moveTo(start); // it is clean now, and nothing better will be found
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
   * Empties frames. If they are empty, the kernel still has one of them, after a read that failed;
   * it gives it back to the pool, without telling us. Then this waits a moment.
   */
  private void evictOrWait(int start, int wanted, long deadline) {
    if (evict(start, wanted)) {
      return;
    }
    long now = System.nanoTime();
    if (deadline - now <= 0) {
      throw new PoolExhaustedException(wanted, frames.length, framesPinned());
    }
    boolean unused = await(roomMade, Math.min(deadline, now + DEVICE_LOOK_NANOS));
  }

  private Frame firstDirty(int start, int count) {
    for (int i = start; i < start + count; i++) {
      if (frames[i].isHead() && frames[i].dirty) {
        return frames[i];
      }
    }
    return null;
  }

  /** Returns whether there was anything. */
  private boolean evict(int start, int count) {
    long before = evictions;
    for (int i = start; i < start + count; i++) {
      if (frames[i].isHead()) {
        unbind(frames[i]);
        evictions++;
      }
    }
    return evictions > before;
  }

  /**
   * Writes a page if it is dirty; gives the lock up meanwhile, and waits for a thread that changes
   * or writes it.
   */
  private void writeBack(Frame frame, long deadline) throws IOException {
    CachedFile file = frame.file;
    long key = frame.key;
    while (frame.exclusive || frame.writing) {
      boolean inTime = awaitLatch(frame, deadline);
      if (frame.file != file || frame.key != key) {
        return; // its file was closed meanwhile, which wrote it or told why not
      }
      if (!inTime) {
        throw new LatchTimeoutException(file.path(), key);
      }
    }
    frame.shared++;
    boolean written = false;
    try {
      written = frame.dirty && writeLatched(frame);
    } finally {
      if (written) {
        frame.dirty = false;
        writeBacks++;
      }
      unlatch(frame, false);
      roomMade.wakeAll();
    }
  }

  private boolean writeLatched(Frame frame) throws IOException {
    long lsn = frame.lsn;
    frame.writing = true;
    lock.unlock();
    try {
      if (log != null) {
        log.sync(lsn);
      }
      frame.file.write(frame);
      return true;
    } finally {
      lock.lock();
      frame.writing = false;
    }
  }

  private int framesPinned() {
    int pinned = 0;
    for (Frame frame : frames) {
      pinned += frame.head != null && !frame.head.isIdle() ? 1 : 0;
    }
    return pinned;
  }

  private void requireUnpinned(CachedFile file) {
    int pins = 0;
    for (Frame frame : frames) {
      boolean concerned = frame.isHead() && frame.file != null;
      pins += concerned && (file == null || frame.file == file) ? frame.pins : 0;
    }
    if (pins > 0) {
      throw new IllegalStateException("pages or blocks are still fixed: pins=" + pins);
    }
  }

  private static void requireSameLength(Frame frame, int lengthBytes) {
    if (frame.lengthBytes != lengthBytes) {
      throw new IllegalArgumentException(
          "a block has one length: offset=%d lengthBytes=%d cachedBytes=%d"
              .formatted(frame.key, lengthBytes, frame.lengthBytes));
    }
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the buffer manager is closed");
    }
  }

  /** Waits for a change; false when time is up. */
  private static boolean await(Monitor.Line line, long deadline) {
    long left = deadline - System.nanoTime();
    return left > 0 && line.await(left);
  }
}
