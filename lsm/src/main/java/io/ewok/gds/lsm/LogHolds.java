package io.ewok.gds.lsm;

import io.ewok.gds.reactor.LongLock;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The readers of changes that hold the log back, the archive among them, and how far it can be
 * truncated for them. The background thread truncates; a reader that lets go of a part tells it, if
 * it may be waited for.
 *
 * <p>Threads: any; one truncates.
 */
final class LogHolds {
  /*
   * A reader writes where it is and then asks whether the log is held back. Who truncates says that it is and then looks
   * again where the readers are, before he waits. Both are volatile: one of them sees the other.
   */
  private final WriteAheadLog log;
  private final Runnable signal;
  private final List<Hold> holds = new CopyOnWriteArrayList<>();

  /**
   * Held while the log is truncated, and while a reader comes: so either the truncation knows of
   * it, or it finds out that it comes too late.
   */
  private final LongLock truncating = new LongLock();

  /** What was before this when the store was opened was in tables. */
  private final long flushedLsn;

  /** What was held when the store was closed, until somebody needs the room. */
  private final Hold left;

  /** Whether the log could be truncated further but for readers, as of the last time. */
  private volatile boolean isHeldBack;

  /**
   * Starts with what the log has kept.
   *
   * @param flushedLsn what is before this is needed by readers only
   */
  LogHolds(WriteAheadLog log, long flushedLsn, Runnable signal) {
    this.log = log;
    this.flushedLsn = flushedLsn;
    this.signal = signal;
    this.left = new Hold(log.horizonLsn(), Long.MAX_VALUE, StallReason.CHANGES);
    this.isHeldBack = segment(log.horizonLsn()) < segment(flushedLsn);
    holds.add(left);
  }

  /** What one reader holds. Threads: one at a time reads; any closes. */
  final class Hold implements AutoCloseable {
    private final long bytesMax;
    private final StallReason reason;
    private volatile long position;

    /** Who read last, to be compared with. */
    private volatile Thread reader;

    private Hold(long position, long bytesMax, StallReason reason) {
      this.position = position;
      this.bytesMax = bytesMax;
      this.reason = reason;
    }

    /** Whether it holds anything, with the log's end where it is. */
    private boolean isInForce(long endLsn) {
      return endLsn - position <= bytesMax;
    }

    /** Everything up to a position was read, by this thread. */
    void advance(long toLsn) {
      Thread self = Thread.currentThread();
      if (reader != self) {
        reader = self;
      }
      release(toLsn);
    }

    /** Everything up to a position was read, by whomever: a writer on its thread may wait. */
    void release(long toLsn) {
      if (toLsn != position) {
        boolean crosses = segment(toLsn) != segment(position);
        position = toLsn; // partner: mayTruncate, after isHeldBack
        if (crosses && isHeldBack) {
          signal.run();
        }
      }
    }

    /** Lets go of everything. */
    @Override
    public void close() {
      holds.remove(this);
      signal.run();
    }
  }

  /** What was not in tables when the store was opened begins here. */
  long flushedLsn() {
    return flushedLsn;
  }

  private long segment(long lsn) {
    return lsn / log.options().segmentBytes();
  }

  /** Holds the log from a position on. Whether that is still there is found out afterwards. */
  Hold open(long position, long bytesMax) {
    return open(position, bytesMax, StallReason.CHANGES);
  }

  /** The same for somebody else than a reader of changes, as those are told who wait for it. */
  Hold open(long position, long bytesMax, StallReason reason) {
    Hold hold = new Hold(position, bytesMax, reason);
    truncating.lock();
    try {
      holds.add(hold);
    } finally {
      truncating.unlock();
    }
    return hold;
  }

  /** What is before this is not held. */
  private long oldest() {
    long end = log.endLsn();
    long oldest = Long.MAX_VALUE;
    for (Hold hold : holds) {
      if (hold.isInForce(end)) {
        oldest = Math.min(oldest, hold.position);
      }
    }
    return oldest;
  }

  /** Truncates the log up to a position, or as far as readers allow. */
  void truncate(long wantedLsn) throws IOException {
    truncating.lock();
    try {
      holds.remove(left);
      long before = log.horizonLsn();
      long to = Math.max(before, Math.min(wantedLsn, oldest()));
      if (to > before) {
        log.truncate(to);
      }
      isHeldBack = segment(to) < segment(wantedLsn);
    } finally {
      truncating.unlock();
    }
  }

  /** A writer needs room: readers that were there before the store was opened come too late. */
  void wantRoom() {
    if (holds.remove(left)) {
      signal.run();
    }
  }

  /** Whether readers have let go of a part of the log since it was truncated. */
  boolean mayTruncate(long wantedLsn) {
    return isHeldBack && segment(log.horizonLsn()) < segment(Math.min(wantedLsn, oldest()));
  }

  /** Whether the log has less room than it would have without readers. */
  boolean isHeldBack() {
    return isHeldBack;
  }

  /** Who holds back most of it. */
  StallReason reason() {
    long end = log.endLsn();
    long oldest = Long.MAX_VALUE;
    StallReason reason = StallReason.CHANGES;
    for (Hold hold : holds) {
      if (hold.isInForce(end) && hold.position < oldest) {
        oldest = hold.position;
        reason = hold.reason;
      }
    }
    return reason;
  }

  /** Whether a thread would wait for itself if it waited for the log to be read. */
  boolean isHeldBackBy(Thread thread) {
    long end = log.endLsn();
    long first = segment(log.horizonLsn());
    return isHeldBack
        && holds.stream()
            .anyMatch(
                hold ->
                    hold.reader == thread
                        && hold.isInForce(end)
                        && segment(hold.position) <= first);
  }
}
