package io.ewok.gds.lsm.lock;

/** Somebody who waits for a lock. Guarded by the stripe of the lock, but for what is final. */
final class LockRequest {
  final LockOwner owner;
  final KeyLock lock;
  final boolean exclusive;

  /** What it is about, for errors. */
  final Object what;

  /** Whether he has it. */
  boolean granted;

  /** Those in front of him in line have a lower one. */
  long place;

  /** The neighbours in line. */
  LockRequest before;

  LockRequest after;

  LockRequest(LockOwner owner, KeyLock lock, boolean exclusive, Object what) {
    this.owner = owner;
    this.lock = lock;
    this.exclusive = exclusive;
    this.what = what;
  }

  LockResult.Wait asWait() {
    return new LockResult.Wait(owner.number(), what);
  }
}
