package io.ewok.gds.buffers;

import io.ewok.gds.allocator.FramePool;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.buffers.eviction.Priority;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * A part of the pool: the frames of one region, with a lock and a policy of their own. A page or
 * block belongs to one of them, by its hash, so that everybody looks for it in one place.
 *
 * <p>Threads: any.
 */
final class Partition {
  final int number;
  final PoolWaits waits;
  final FrameIndex index;
  final FrameSupply supply;
  final WriteBack writeBack;
  private final PageTable table;
  private final int frameBytes;

  // Guarded by the lock.
  private long misses;
  private long bytesRead;

  /** A part of empty frames, as many as fit into the region, which is borrowed. */
  Partition(PageTable table, int number, Region region, BufferOptions options, int firstFrame) {
    this.table = table;
    this.number = number;
    this.frameBytes = options.frameBytes();
    this.waits = new PoolWaits(options.waitMax().toNanos(), table.roomWanted());
    this.index = table.index();
    this.writeBack = new WriteBack(waits, index, options.logOrNull());
    this.supply = new FrameSupply(table, region, options, this, firstFrame);
  }

  Frame[] frames() {
    return supply.frames();
  }

  /**
   * Latches a page or block, reading it if nobody has.
   *
   * @param storedBytes what is read to make it, if that is not it itself; else zero
   * @return null if the file may not be used, for sure or perhaps
   */
  Frame fix(
      CachedFile file,
      long key,
      int lengthBytes,
      int storedBytes,
      PageTable.Access access,
      Priority priority)
      throws IOException {
    int wanted = framesFor(lengthBytes);
    int staged = framesFor(storedBytes);
    boolean exclusive = access != PageTable.Access.SHARED;
    long deadline = 0;
    waits.lock.lock();
    try {
      while (table.mayUse(file)) {
        int missing = 0;
        Frame found = index.get(file, key);
        if (found != null && found.load != null) {
          awaitLoad(found);
          continue;
        }
        if (found != null) {
          requireSameLength(found, lengthBytes);
          if (found.tryLatch(exclusive)) {
            table.hit(found.line, priority, HitCounter.place(Thread.currentThread()));
            return found;
          }
        } else {
          // Both or none: who waits for the second with the first may wait for one who does the
          // same.
          long handle = supply.allocate(wanted);
          long staging =
              handle == FramePool.NONE || staged == 0 ? FramePool.NONE : supply.allocate(staged);
          if (handle == FramePool.NONE) {
            missing = wanted;
          } else if (staged > 0 && staging == FramePool.NONE) {
            supply.free(handle);
            missing = staged;
          } else {
            misses++;
            Frame bound = supply.bind(handle, file, key, wanted, lengthBytes);
            beginLoad(bound, Thread.currentThread(), priority);
            if (staged > 0) {
              stage(bound, staging, staged, storedBytes);
            }
            load(bound, access);
            return bound;
          }
        }
        deadline = deadline == 0 ? waits.deadline() : deadline;
        if (found == null) {
          supply.makeRoom(missing, deadline);
        } else if (!waits.awaitLatch(found, exclusive, deadline)) {
          throw new LatchTimeoutException(file.path(), key);
        }
      }
      return null;
    } finally {
      waits.lock.unlock();
    }
  }

  /**
   * Takes frames for a page or block that is read with others, if there are some without waiting.
   * They are loading then, until {@link #endBatchRead}.
   *
   * @param storedBytes as for {@link #fix}
   * @param readerOrNull who verifies it; null if that is whoever is told of the end of the read
   * @return null if there are none, or it is there already
   */
  Frame bindAtOnce(
      CachedFile file,
      long key,
      int lengthBytes,
      int storedBytes,
      Thread readerOrNull,
      Priority priority) {
    waits.lock.lock();
    try {
      Frame frame = tryBind(file, key, lengthBytes, storedBytes, readerOrNull, priority);
      misses += frame == null ? 0 : 1;
      return frame;
    } finally {
      waits.lock.unlock();
    }
  }

  void endBatchRead(Frame frame, Throwable failureOrNull) {
    endAtOnce(frame, failureOrNull, true);
  }

  private void endAtOnce(Frame frame, Throwable failureOrNull, boolean wasRead) {
    waits.lock.lock();
    try {
      endLoad(frame, failureOrNull, wasRead);
      if (failureOrNull == null) {
        waits.release(frame, true);
      }
    } finally {
      waits.lock.unlock();
    }
  }

  /** Puts a block there, if there is room without waiting and it is not there already. */
  void put(CachedFile file, long key, MemorySegment block, Priority priority) {
    Frame frame;
    waits.lock.lock();
    try {
      frame = tryBind(file, key, (int) block.byteSize(), 0, Thread.currentThread(), priority);
    } finally {
      waits.lock.unlock();
    }
    if (frame == null) {
      return;
    }
    try {
      frame.segment.copyFrom(block);
    } catch (Throwable e) {
      endAtOnce(frame, e, false);
      throw e;
    }
    endAtOnce(frame, null, false);
  }

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

  void drop(CachedFile file) {
    waits.lock.lock();
    try {
      supply.drop(file);
    } finally {
      waits.lock.unlock();
    }
  }

  void end() {
    waits.lock.lock();
    try {
      supply.close();
    } finally {
      waits.lock.unlock();
    }
  }

  /** What it can say for itself; the hits are counted elsewhere. */
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
          0,
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

  /** How often something in a file is fixed, or in any file if that is null. */
  int pins(CachedFile file) {
    waits.lock.lock();
    try {
      int pins = 0;
      for (Frame frame : frames()) {
        boolean concerned = frame.isHead() && frame.file != null;
        pins += concerned && (file == null || frame.file == file) ? frame.pins() : 0;
      }
      return pins;
    } finally {
      waits.lock.unlock();
    }
  }

  // What follows is called with the lock; what gives it up meanwhile says so.

  /**
   * Reads into a bound frame and latches it; gives the lock up meanwhile. After a failure the frame
   * is free.
   */
  private void load(Frame frame, PageTable.Access access) throws IOException {
    Throwable failure = null;
    waits.lock.unlock();
    try {
      frame.view();
      if (access == PageTable.Access.FRESH) {
        frame.segment.fill((byte) 0);
      } else {
        frame.file.read(frame);
      }
    } catch (Throwable e) {
      failure = e;
      throw e;
    } finally {
      waits.lock.lock();
      endLoad(frame, failure, access != PageTable.Access.FRESH);
      if (failure == null && access == PageTable.Access.SHARED) {
        frame.share();
      }
    }
  }

  /** As {@link #bindAtOnce}. */
  private Frame tryBind(
      CachedFile file,
      long key,
      int lengthBytes,
      int storedBytes,
      Thread readerOrNull,
      Priority priority) {
    if (!table.mayUse(file)
        || index.get(file, key) != null
        || !isLargeEnough(lengthBytes, storedBytes)) {
      return null;
    }
    int wanted = framesFor(lengthBytes);
    long handle = supply.allocateAtOnce(wanted);
    if (handle == FramePool.NONE) {
      return null;
    }
    Frame frame = supply.bind(handle, file, key, wanted, lengthBytes);
    int staged = framesFor(storedBytes);
    long staging = staged == 0 ? FramePool.NONE : supply.allocateAtOnce(staged);
    if (staged > 0 && staging == FramePool.NONE) {
      supply.unbind(frame);
      return null;
    }
    beginLoad(frame, readerOrNull, priority);
    if (staged > 0) {
      stage(frame, staging, staged, storedBytes);
    }
    frame.view();
    return frame;
  }

  boolean isLargeEnough(int lengthBytes, int storedBytes) {
    return (long) framesFor(lengthBytes) + framesFor(storedBytes) <= frames().length;
  }

  private int framesFor(int bytes) {
    return (int) (((long) bytes + frameBytes - 1) / frameBytes);
  }

  private void beginLoad(Frame frame, Thread readerOrNull, Priority priority) {
    frame.load = new Frame.Load(waits.lock.newLine(), readerOrNull, priority);
  }

  private void stage(Frame frame, long handle, int count, int storedBytes) {
    frame.load.staging = supply.occupy(handle, count);
    frame.load.storedBytes = storedBytes;
  }

  private void endLoad(Frame frame, Throwable failure, boolean wasRead) {
    Frame.Load load = frame.load;
    frame.load = null;
    load.failure = failure;
    load.done = true;
    load.ended.wakeAll();
    if (load.staging != null) {
      supply.release(load.staging);
    }
    if (failure != null) {
      supply.unbind(frame);
    } else {
      bytesRead += !wasRead ? 0 : load.staging == null ? frame.lengthBytes : load.storedBytes;
      supply.admitted(frame, load.priority);
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

  private static void requireSameLength(Frame frame, int lengthBytes) {
    if (frame.lengthBytes != lengthBytes) {
      throw new IllegalArgumentException(
          "a block has one length: offset=%d lengthBytes=%d cachedBytes=%d"
              .formatted(frame.key, lengthBytes, frame.lengthBytes));
    }
  }
}
