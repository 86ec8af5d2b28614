package io.ewok.gds.buffers;

import io.ewok.gds.allocator.FramePool;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;

/**
 * What is in the pool and who uses it: finds pages and blocks, reads what is missing, and latches.
 *
 * <p>Threads: any.
 */
final class PageTable {
  /*
   * Who holds what:
   *
   *   a hit                 no lock. Finds the frame (FrameIndex.peek), then latches it if it still holds what was
   *                         looked for (Frame.tryLatch), then looks whether the file may be used: one who closes it
   *                         says so first and then looks for latches.
   *   whatever else         the pool's lock (PoolWaits), never during a read, a write, a sync or a checksum: a frame
   *                         is loading, latched exclusively, or writing, latched shared, meanwhile, and others find
   *                         it so.
   *   unfix                 no lock, but to wake somebody.
   *   evict, drop           the lock and the exclusive latch: no hit finds the page from then on.
   *
   * With the lock, latches are tried and waited for (which gives it up), so a thread may have any number of latches
   * when it takes the lock.
   */

  /** How a page or block is wanted. */
  enum Access {
    SHARED,
    EXCLUSIVE,
    /** Exclusive, and known to be zeros only: not read. */
    FRESH
  }

  private final int frameBytes;
  private final WriteAheadLog log;
  private final PoolWaits waits;
  private final FrameIndex index;
  private final WriteBack writeBack;
  private final FrameSupply supply;
  private final HitCounter hits = new HitCounter();

  /** Written with the lock. */
  private volatile boolean closed;

  // Guarded by the lock.
  private long misses;
  private long bytesRead;

  /** A table of empty frames, as many as fit into the region, which is borrowed. */
  PageTable(Region region, BufferOptions options) {
    this.frameBytes = options.frameBytes();
    this.log = options.logOrNull();
    this.waits = new PoolWaits(options.waitMax().toNanos());
    this.index = new FrameIndex(options.frameCount());
    this.writeBack = new WriteBack(waits, index, log);
    this.supply = new FrameSupply(region, options, waits, index, writeBack);
  }

  int frameBytes() {
    return frameBytes;
  }

  /** All frames, for whoever writes them back. */
  Frame[] frames() {
    return supply.frames();
  }

  /** Fixes a page or block, reading it if nobody has. */
  void fix(CachedFile file, long key, int lengthBytes, Access access, Fix into) throws IOException {
    into.requireEmpty();
    boolean exclusive = access != Access.SHARED;
    Frame frame = index.peek(file, key);
    if (frame == null || !tryHit(frame, file, key, lengthBytes, exclusive)) {
      frame = fixSlowly(file, key, lengthBytes, access);
    }
    if (exclusive) {
      frame.latchedLsn = log == null ? 0 : log.endLsn();
    }
    into.hold(this, frame, key, exclusive, Latch.NO_STAMP);
  }

  /** Finds a page without latching it, or reads it and lets go again. */
  void fixOptimistic(CachedFile file, long key, int lengthBytes, Fix into) throws IOException {
    into.requireEmpty();
    Frame frame = index.peek(file, key);
    long stamp = frame == null ? Latch.NO_STAMP : frame.stamp();
    if (stamp != Latch.NO_STAMP && frame.holds(file, key) && mayUse(file)) {
      hit(frame);
    } else {
      frame = fixSlowly(file, key, lengthBytes, Access.SHARED);
      stamp = frame.stamp();
      waits.release(frame, false);
    }
    into.hold(this, frame, key, false, stamp);
  }

  private boolean tryHit(
      Frame frame, CachedFile file, long key, int lengthBytes, boolean exclusive) {
    if (!frame.tryLatch(file, key, exclusive)) {
      return false;
    }
    if (frame.lengthBytes != lengthBytes || !mayUse(file)) {
      waits.release(frame, exclusive);
      return false;
    }
    hit(frame);
    return true;
  }

  private boolean mayUse(CachedFile file) {
    return file.mayBeUsed() && !closed;
  }

  private void hit(Frame frame) {
    supply.hit(frame);
    hits.increment();
  }

  private Frame fixSlowly(CachedFile file, long key, int lengthBytes, Access access)
      throws IOException {
    int wanted = (lengthBytes - 1) / frameBytes + 1;
    if (wanted > frames().length) {
      throw new IllegalArgumentException(
          "longer than the pool: lengthBytes=%d poolBytes=%d"
              .formatted(lengthBytes, (long) frames().length * frameBytes));
    }
    boolean exclusive = access != Access.SHARED;
    long deadline = 0;
    waits.lock.lock();
    try {
      while (true) {
        checkOpen();
        file.checkUsable();
        Frame found = index.get(file, key);
        if (found != null && found.load != null) {
          awaitLoad(found);
          continue;
        }
        if (found != null) {
          requireSameLength(found, lengthBytes);
          if (found.tryLatch(exclusive)) {
            hit(found);
            return found;
          }
        } else {
          long handle = supply.allocate(wanted);
          if (handle != FramePool.NONE) {
            Frame bound = supply.bind(handle, file, key, wanted, lengthBytes);
            load(bound, access);
            return bound;
          }
        }
        deadline = deadline == 0 ? waits.deadline() : deadline;
        if (found == null) {
          supply.makeRoom(wanted, deadline);
        } else if (!waits.awaitLatch(found, exclusive, deadline)) {
          throw new LatchTimeoutException(file.path(), key);
        }
      }
    } finally {
      waits.lock.unlock();
    }
  }

  void unfix(Frame frame, boolean exclusive) {
    waits.release(frame, exclusive);
  }

  /** With the exclusive latch. */
  void markDirty(Frame frame, long lsn) {
    if (lsn < 0 || (log != null && lsn > log.endLsn())) {
      throw new IllegalArgumentException("the log has no record that ends there: lsn=" + lsn);
    }
    if (lsn > 0) {
      PageFormat.setLsn(frame.segment, Math.max(lsn, PageFormat.lsn(frame.segment)));
    }
    if (!frame.dirty) {
      frame.recLsn = frame.latchedLsn;
      frame.dirty = true;
    }
    frame.lsn = Math.max(frame.lsn, lsn);
  }

  /** Writes the pages of a file that are dirty, or being written, when this is called. */
  void writeDirty(CachedFile file) throws IOException {
    writeBack.writeAll(file, frames());
  }

  /**
   * From where the log is needed to redo what is in the pool and was not yet written. What was
   * written needs a sync, after this call, before the log may forget what lies before.
   */
  long redoLsn() {
    long oldest = log.endLsn(); // before the frames, see Frame.redoLsn
    for (Frame frame : frames()) {
      oldest = Math.min(oldest, frame.redoLsn());
    }
    return oldest;
  }

  /** Takes a frame out of the pool for the caller's own use. Given back by {@link #release}. */
  Frame reserve() throws IOException {
    waits.lock.lock();
    try {
      return supply.reserve();
    } finally {
      waits.lock.unlock();
    }
  }

  void release(Frame frame) {
    waits.lock.lock();
    try {
      supply.release(frame);
    } finally {
      waits.lock.unlock();
    }
  }

  /**
   * Lets nobody fix anything in a file any more.
   *
   * @return whether it was open
   * @throws IllegalStateException if something in it is fixed; nothing changes
   */
  boolean close(CachedFile file) {
    waits.lock.lock();
    try {
      if (!file.markClosed()) {
        return false;
      }
      int pins = pins(file);
      if (pins > 0) {
        file.markOpen();
        throw stillFixed(pins);
      }
      return true;
    } finally {
      waits.lock.unlock();
    }
  }

  /** The same for all files. */
  boolean close() {
    waits.lock.lock();
    try {
      if (closed) {
        return false;
      }
      closed = true;
      int pins = pins(null);
      if (pins > 0) {
        closed = false;
        throw stillFixed(pins);
      }
      return true;
    } finally {
      waits.lock.unlock();
    }
  }

  /** Gives the pool of frames up, once all files are closed and nothing is cached any more. */
  void end() {
    waits.lock.lock();
    try {
      supply.close();
    } finally {
      waits.lock.unlock();
    }
  }

  /**
   * Makes a file fail from now on: what was written to it may be lost, and what was evicted be old.
   */
  void poison(CachedFile file, Throwable cause) {
    waits.lock.lock();
    try {
      file.markPoisoned(cause);
    } finally {
      waits.lock.unlock();
    }
  }

  /** Empties the frames of a closed file, written or not. */
  void drop(CachedFile file) {
    waits.lock.lock();
    try {
      supply.drop(file);
    } finally {
      waits.lock.unlock();
    }
  }

  BufferStats stats() {
    waits.lock.lock();
    try {
      int pinned = 0;
      int dirty = 0;
      for (Frame frame : frames()) {
        pinned += frame.isHead() && !frame.isIdle() ? 1 : 0;
        dirty += frame.isHead() && frame.dirty ? 1 : 0;
      }
      return new BufferStats(
          hits.sum(),
          misses,
          bytesRead,
          supply.evictions(),
          writeBack.writes(),
          frames().length,
          supply.freeCount(),
          pinned,
          dirty);
    } finally {
      waits.lock.unlock();
    }
  }

  // What follows is called with the lock; what gives it up meanwhile says so.

  /**
   * Reads into a bound frame and latches it; gives the lock up meanwhile. After a failure the frame
   * is free.
   */
  private void load(Frame frame, Access access) throws IOException {
    Frame.Load load = new Frame.Load(waits.lock.newLine());
    frame.load = load;
    misses++;
    waits.lock.unlock();
    try {
      frame.segment =
          frame
              .region
              .segment()
              .asSlice(frame.regionOffset + frame.file.offsetInFrame(frame.key), frame.lengthBytes);
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
      waits.lock.lock();
      frame.load = null;
      load.done = true;
      load.ended.wakeAll();
      if (load.failure != null) {
        supply.unbind(frame);
      } else {
        bytesRead += access == Access.FRESH ? 0 : frame.lengthBytes;
        supply.admitted(frame);
        if (access == Access.SHARED) {
          frame.share();
        }
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

  private int pins(CachedFile file) {
    int pins = 0;
    for (Frame frame : frames()) {
      boolean concerned = frame.isHead() && frame.file != null;
      pins += concerned && (file == null || frame.file == file) ? frame.pins() : 0;
    }
    return pins;
  }

  private static IllegalStateException stillFixed(int pins) {
    return new IllegalStateException("pages or blocks are still fixed: pins=" + pins);
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
}
