package io.ewok.gds.buffers;

import io.ewok.gds.reactor.Monitor;
import java.lang.foreign.MemorySegment;

/**
 * What is known about one frame of the pool. The first frame of a run speaks for the page or block
 * in it; the others only know their first. Everything is guarded by the manager's lock, except that
 * whoever has a page fixed may read what was bound with it.
 *
 * <pre>
 *   FREE --bind--> LOADING --loaded--> READY --unbind--> FREE      (evicted, or its file closed)
 *                     '-------unbind (read failed)------^
 * </pre>
 */
final class Frame {
  /** The place in the pool. */
  final int index;

  /** The first frame of the run that this one belongs to; null while free. */
  Frame head;

  // Of the first frame of a run, from bind to unbind.
  CachedFile file;
  long key;
  long handle;
  int count;
  int lengthBytes;

  /** The page or block, and a view of it that cannot be written; null before it is loaded. */
  MemorySegment segment;

  MemorySegment readOnly;

  /** While it is being read: where others wait. */
  Load load;

  /** How many have it fixed, wait for its latch, or read it. */
  int pins;

  /** Shared latches: those who have it fixed so, and the thread that writes it. */
  int shared;

  boolean exclusive;

  /** While a thread writes it to its file. */
  boolean writing;

  boolean dirty;

  /** The log must be durable up to here before this is written. */
  long lsn;

  /** Asked for since the clock's hand last passed. */
  boolean referenced;

  /** Made when somebody first waits, kept after that. */
  Monitor.Line latchFreed;

  int latchWaiters;

  /** The next in the index's bucket. */
  Frame next;

  Frame(int index) {
    this.index = index;
  }

  /** One read that several threads wait for. */
  static final class Load {
    final Monitor.Line ended;

    /** Who reads, and would wait for ever if it waited for itself. */
    final Thread reader = Thread.currentThread();

    Throwable failure;
    boolean done;

    Load(Monitor.Line ended) {
      this.ended = ended;
    }
  }

  boolean isHead() {
    return head == this;
  }

  /** Whether nobody would notice if it went, apart from changes that must be written before. */
  boolean isIdle() {
    return pins == 0 && shared == 0 && latchWaiters == 0;
  }

  boolean isLatched(boolean forExclusive) {
    return exclusive || (forExclusive && shared > 0);
  }
}
