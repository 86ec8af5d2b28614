package io.ewok.gds.allocator;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What was freed and is not to be allocated again yet, first in, first out, bounded by bytes and by
 * count.
 *
 * <p>Threads: any. There is one only with {@link DebugLetters} on, so a lock is no harm.
 */
final class Quarantine {
  static final long BYTES_MAX = 1L << 20;
  static final int COUNT_MAX = 1024;

  /** What {@link #takeExcess} and {@link #takeOldest} return if there is nothing. */
  static final long NONE = 0;

  private record Entry(long handle, long bytes) {}

  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by lock.
  private final Queue<Entry> entries = new ArrayDeque<>();
  private long bytes;

  /** Adds what was freed. Whoever does takes the excess next. */
  void add(long handle, long bytes) {
    lock.lock();
    try {
      entries.add(new Entry(handle, bytes));
      this.bytes += bytes;
    } finally {
      lock.unlock();
    }
  }

  /** Removes and returns the oldest handle, if there is more than may be. */
  long takeExcess() {
    lock.lock();
    try {
      return bytes > BYTES_MAX || entries.size() > COUNT_MAX ? takeOldest() : NONE;
    } finally {
      lock.unlock();
    }
  }

  /** Removes and returns the oldest handle. */
  long takeOldest() {
    lock.lock();
    try {
      Entry oldest = entries.poll();
      if (oldest == null) {
        return NONE;
      }
      bytes -= oldest.bytes;
      return oldest.handle;
    } finally {
      lock.unlock();
    }
  }

  /** Returns how many bytes wait. */
  long bytes() {
    lock.lock();
    try {
      return bytes;
    } finally {
      lock.unlock();
    }
  }

  /** Returns how many handles wait. */
  int count() {
    lock.lock();
    try {
      return entries.size();
    } finally {
      lock.unlock();
    }
  }
}
