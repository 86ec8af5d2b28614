package io.ewok.gds.lsm.lock;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Locks by the hashes of what they are about: two things of one hash share a lock, which is right
 * if it happens, and hardly ever does with 64 bits. Each lock is there only while somebody has it
 * or wants it, and there are only so many at a time.
 *
 * <p>Who comes first is served first. Threads: any; an owner is one at a time.
 */
public final class LockTable {
  private static final int STRIPES = 64;

  private final LockStripe[] stripes = new LockStripe[STRIPES];
  private final int locksMax;
  private final AtomicInteger count = new AtomicInteger();
  private final WaitGraph graph = new WaitGraph();

  /** A table of so many locks at most, each about 200 bytes of the heap while it is in use. */
  public LockTable(int locksMax) {
    this.locksMax = locksMax;
    for (int i = 0; i < STRIPES; i++) {
      stripes[i] = new LockStripe();
    }
  }

  /** Returns how many locks somebody has. */
  public int count() {
    return count.get();
  }

  private LockStripe stripe(long hash) {
    return stripes[(int) (hash >>> Integer.SIZE) & (STRIPES - 1)];
  }

  /**
   * Locks; what is locked stays so until {@link #releaseAll}. A shared lock that he has alone
   * becomes exclusive if wanted, at once if nobody shares it.
   *
   * @param nanosMax how long he waits at most; 0: not at all
   * @param what the lock is about, for errors; asked for if he has to wait
   */
  public LockResult lock(
      LockOwner owner, long hash, boolean exclusive, long nanosMax, Supplier<?> what) {
    LockStripe stripe = stripe(hash);
    LockRequest request;
    stripe.monitor.lock();
    try {
      KeyLock lock = stripe.locks.get(hash);
      if (lock == null) {
        if (count.incrementAndGet() > locksMax) {
          int unused = count.decrementAndGet();
          return LockResult.FULL;
        }
        lock = new KeyLock(stripe, hash);
        stripe.locks.put(hash, lock);
      }
      if (lock.isHeldAloneBy(owner)
          || (!exclusive && lock.isHeldBy(owner))
          || lock.tryGrant(owner, exclusive)) {
        return LockResult.GRANTED;
      }
      if (nanosMax <= 0) {
        return LockResult.TIME_OVER;
      }
      request = lock.enqueue(owner, exclusive, what.get());
      owner.waitsFor = request; // partner: WaitGraph
    } finally {
      stripe.monitor.unlock();
    }
    long start = System.nanoTime();
    List<LockResult.Wait> cycle = graph.cycle(request);
    return await(request, cycle, start, nanosMax);
  }

  private LockResult await(
      LockRequest request, List<LockResult.Wait> cycle, long start, long nanosMax) {
    LockStripe stripe = request.lock.stripe;
    stripe.monitor.lock();
    try {
      long left = nanosMax;
      while (!request.granted && cycle.isEmpty() && left > 0) {
        request.lock.await(left);
        left = nanosMax - (System.nanoTime() - start);
      }
      request.owner.waitsFor = null;
      if (request.granted) {
        return LockResult.GRANTED;
      }
      request.lock.cancel(request);
      removeIfUnused(request.lock);
      return cycle.isEmpty() ? LockResult.TIME_OVER : new LockResult.Deadlock(cycle);
    } finally {
      stripe.monitor.unlock();
    }
  }

  private void removeIfUnused(KeyLock lock) {
    if (lock.isUnused()) {
      lock.stripe.locks.remove(lock.hash);
      int unused = count.decrementAndGet();
    }
  }

  /** Whether somebody else has a lock that excludes such a use now. */
  public boolean isHeldAgainst(LockOwner owner, long hash, boolean exclusive) {
    LockStripe stripe = stripe(hash);
    stripe.monitor.lock();
    try {
      KeyLock lock = stripe.locks.get(hash);
      return lock != null && lock.isHeldAgainst(owner, exclusive);
    } finally {
      stripe.monitor.unlock();
    }
  }

  /** Gives up all that somebody has. */
  public void releaseAll(LockOwner owner) {
    for (KeyLock lock : owner.held) {
      lock.stripe.monitor.lock();
      try {
        lock.release(owner);
        removeIfUnused(lock);
      } finally {
        lock.stripe.monitor.unlock();
      }
    }
    owner.held.clear();
  }
}
