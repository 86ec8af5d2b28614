package io.ewok.gds.buffers;

import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/**
 * Writes pages to their files, never before the log is durable up to their last change.
 *
 * <p>Threads: any.
 */
final class WriteBack {
  private final PoolWaits waits;
  private final FrameIndex index;
  private final WriteAheadLog log;

  /** Guarded by the partition's lock. */
  private long writes;

  WriteBack(PoolWaits waits, FrameIndex index, WriteAheadLog logOrNull) {
    this.waits = waits;
    this.index = index;
    this.log = logOrNull;
  }

  /** With the partition's lock. */
  long writes() {
    return writes;
  }

  /**
   * Writes the pages of a file that are dirty, or being written, when this is called.
   *
   * @param frames all there are
   */
  void writeAll(CachedFile file, Frame[] frames) throws IOException {
    for (long key : dirtyKeys(file, frames)) {
      waits.lock.lock();
      try {
        write(file, key);
      } finally {
        waits.lock.unlock();
      }
    }
  }

  /** Adds the dirty pages of a file with changes from before a position of the log. */
  void addDirty(CachedFile file, Frame[] frames, long beforeLsn, List<BatchWriter.Dirty> dirty) {
    waits.lock.lock();
    try {
      for (Frame frame : frames) {
        boolean concerned = frame.isHead() && frame.file == file;
        if (concerned && frame.dirty && frame.recLsn < beforeLsn) {
          dirty.add(new BatchWriter.Dirty(frame, frame.key));
        }
      }
    } finally {
      waits.lock.unlock();
    }
  }

  /**
   * Marks a page clean of which a copy was written, if it is still as it was.
   *
   * @param stamp of when it was copied
   * @param endLsn where the log ended then
   */
  void markWritten(Frame frame, CachedFile file, long key, long stamp, long endLsn) {
    waits.lock.lock();
    try {
      if (!frame.tryLatch(file, key, false)) {
        return;
      }
      if (frame.dirty && !frame.writing) { // whoever writes it will mark it
        if (frame.validate(stamp)) {
          frame.dirty = false;
          writes++;
        } else {
          frame.recLsn = Math.max(frame.recLsn, endLsn); // what was logged before is in the copy
        }
      }
      frame.release(false);
      waits.wake(frame);
    } finally {
      waits.lock.unlock();
    }
  }

  private long[] dirtyKeys(CachedFile file, Frame[] frames) {
    waits.lock.lock();
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
      waits.lock.unlock();
    }
  }

  // With the partition's lock, which is given up meanwhile.

  /** Writes a page if it is dirty, and waits for a thread that changes or writes it. */
  private void write(CachedFile file, long key) throws IOException {
    long deadline = waits.deadline();
    Frame frame = index.get(file, key);
    while (frame != null && frame.load == null && !tryWrite(frame)) {
      if (!waits.awaitLatch(frame, true, deadline)) {
        throw new LatchTimeoutException(file.path(), key);
      }
      frame = index.get(file, key); // not if its file was closed, which wrote it or told why not
    }
  }

  /**
   * Writes a page if it is dirty.
   *
   * @return false if a thread changes or writes it now
   */
  boolean tryWrite(Frame frame) throws IOException {
    if (frame.writing || !frame.tryLatch(false)) {
      return false;
    }
    try {
      if (frame.dirty) {
        writeLatched(frame);
        frame.dirty = false;
        writes++;
      }
    } finally {
      frame.release(false);
      waits.wake(frame);
    }
    return true;
  }

  private void writeLatched(Frame frame) throws IOException {
    long lsn = frame.lsn;
    frame.writing = true;
    waits.lock.unlock();
    try {
      if (log != null) {
        log.sync(lsn);
      }
      frame.file.write(frame);
    } finally {
      waits.lock.lock();
      frame.writing = false;
    }
  }
}
