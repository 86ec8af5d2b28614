package io.ewok.gds.lsm.lock;

import java.util.ArrayList;
import java.util.List;

/**
 * Somebody who locks, and what he has.
 *
 * <p>Threads: one at a time locks and releases; others look whom he waits for.
 */
public final class LockOwner {
  private final long number;

  /** Of his own thread. */
  final List<KeyLock> held = new ArrayList<>();

  /**
   * What he waits for, or null. Partner of the read in {@code WaitGraph}: the write before that.
   */
  volatile LockRequest waitsFor;

  /**
   * Creates one.
   *
   * @param number by which he is named in errors
   */
  public LockOwner(long number) {
    this.number = number;
  }

  /** Returns the number by which he is named. */
  public long number() {
    return number;
  }

  /** Returns how many locks he has. */
  public int lockCount() {
    return held.size();
  }
}
