package io.ewok.gds.lsm.lock;

import java.util.List;

/** How the wait for a lock has ended. */
public sealed interface LockResult {
  /** It is his. */
  LockResult GRANTED = new Granted();

  /** The time was over. */
  LockResult TIME_OVER = new TimeOver();

  /** There are as many locks as there may be. */
  LockResult FULL = new Full();

  /** See {@link #GRANTED}. */
  record Granted() implements LockResult {}

  /** See {@link #TIME_OVER}. */
  record TimeOver() implements LockResult {}

  /** See {@link #FULL}. */
  record Full() implements LockResult {}

  /**
   * He would have waited for himself.
   *
   * @param cycle who waits for what, from him on; who has that comes next, and he again last
   */
  record Deadlock(List<Wait> cycle) implements LockResult {
    /** Copies the list. */
    public Deadlock {
      cycle = List.copyOf(cycle);
    }
  }

  /**
   * One who waits.
   *
   * @param owner his number
   * @param what the lock is about
   */
  record Wait(long owner, Object what) {}
}
