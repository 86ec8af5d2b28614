package io.ewok.gds.pagestore;

/**
 * The requests of one class of work that wait, reads and writes apart: a capped write does not hold
 * back the reads behind it. Linked through the requests themselves.
 *
 * <p>Threads: guarded by the {@link WorkQueue}, save where said.
 */
final class ClassQueue {
  /** A first in, first out list. */
  static final class Line {
    private IoRequest first;
    private IoRequest last;

    IoRequest first() {
      return first;
    }

    private void add(IoRequest request) {
      request.nextQueued = null;
      if (first == null) {
        first = request;
      } else {
        last.nextQueued = request;
      }
      last = request;
    }

    private boolean remove(IoRequest request) {
      IoRequest before = null;
      for (IoRequest at = first; at != null; before = at, at = at.nextQueued) {
        if (at == request) {
          if (before == null) {
            first = at.nextQueued;
          } else {
            before.nextQueued = at.nextQueued;
          }
          if (last == at) {
            last = before;
          }
          at.nextQueued = null;
          return true;
        }
      }
      return false;
    }
  }

  private final Line reads = new Line();
  private final Line writes = new Line();
  private int share;
  private int depth;

  private volatile boolean readsLimited;
  private volatile boolean writesLimited;

  private int waiting;
  private int inFlight;

  /** Since when there is a free place of this class. */
  private long freeNanos;

  /** Where the next request of this class stands in the order by shares. */
  private double tag;

  private long operations;
  private long bytes;
  private long throttledOperations;
  private long throttledNanos;

  void change(ThrottleOptions whole, ClassLimits own) {
    share = own.share();
    depth = own.depth();
    boolean deep = depth == ClassLimits.DEPTH_UNLIMITED;
    readsLimited = !deep || !whole.read().isUnlimited() || !own.read().isUnlimited();
    writesLimited = !deep || !whole.write().isUnlimited() || !own.write().isUnlimited();
  }

  /** Whether anything but shares holds for reads, or writes. Any thread. */
  boolean isLimited(boolean write) {
    return write ? writesLimited : readsLimited;
  }

  Line line(boolean write) {
    return write ? writes : reads;
  }

  void add(IoRequest request) {
    line(request.isWrite()).add(request);
    waiting++;
  }

  /** Takes a request out; false if it does not wait here. */
  boolean remove(IoRequest request) {
    boolean removed = line(request.isWrite()).remove(request);
    if (removed) {
      waiting--;
    }
    return removed;
  }

  /** Whether requests wait and the class's own depth admits one. */
  boolean hasCandidate() {
    return waiting > 0 && inFlight < depth;
  }

  int waiting() {
    return waiting;
  }

  long freeNanos() {
    return freeNanos;
  }

  double tag() {
    return tag;
  }

  /** Moves the class behind others that compete with it, by what it takes. */
  void charge(double fromTag, int bytes) {
    tag = fromTag + (double) bytes / share;
  }

  /** Counts a request that has left for the device. */
  void started(int lengthBytes, long waitedForCapNanos) {
    inFlight++;
    operations++;
    bytes += lengthBytes;
    if (waitedForCapNanos > 0) {
      throttledOperations++;
      throttledNanos += waitedForCapNanos;
    }
  }

  void finished(long now) {
    if (inFlight == depth) {
      freeNanos = now;
    }
    inFlight--;
  }

  ClassStats stats() {
    return new ClassStats(
        operations, bytes, throttledOperations, throttledNanos, waiting, inFlight);
  }
}
