package io.ewok.gds.lsm.lock;

import io.ewok.gds.reactor.Monitor;
import java.util.ArrayList;
import java.util.List;

/**
 * One lock: who has it, and who waits for it, in the order of their coming. Who has it shared and
 * wants it alone comes before all others, since they cannot have it before he gives it up.
 *
 * <p>Threads: all guarded by the monitor of its stripe.
 */
final class KeyLock {
  final long hash;
  final LockStripe stripe;

  /** Null until somebody waits. */
  private Monitor.Line line;

  private LockOwner exclusive;
  private final List<LockOwner> shared = new ArrayList<>(2);
  private LockRequest firstWaiting;
  private LockRequest lastWaiting;

  KeyLock(LockStripe stripe, long hash) {
    this.stripe = stripe;
    this.hash = hash;
  }

  boolean isUnused() {
    return exclusive == null && shared.isEmpty() && firstWaiting == null;
  }

  boolean isHeldBy(LockOwner owner) {
    return exclusive == owner || shared.contains(owner);
  }

  boolean isHeldAloneBy(LockOwner owner) {
    return exclusive == owner;
  }

  /** Whether somebody else has what excludes such a use. */
  boolean isHeldAgainst(LockOwner owner, boolean wantsAll) {
    if (exclusive != null && exclusive != owner) {
      return true;
    }
    return wantsAll && (shared.size() > 1 || (shared.size() == 1 && shared.getFirst() != owner));
  }

  /** Gives it to somebody, if that does not keep anybody from his turn. */
  boolean tryGrant(LockOwner owner, boolean wantsAll) {
    if (isHeldAgainst(owner, wantsAll) || (firstWaiting != null && !isHeldBy(owner))) {
      return false;
    }
    grant(owner, wantsAll);
    return true;
  }

  private void grant(LockOwner owner, boolean wantsAll) {
    if (!isHeldBy(owner)) {
      owner.held.add(this);
    }
    if (wantsAll) {
      boolean unused = shared.remove(owner);
      exclusive = owner;
    } else if (exclusive != owner && !shared.contains(owner)) {
      shared.add(owner);
    }
  }

  /** Puts somebody in line. */
  LockRequest enqueue(LockOwner owner, boolean wantsAll, Object what) {
    LockRequest request = new LockRequest(owner, this, wantsAll, what);
    if (isHeldBy(owner)) {
      link(null, request, firstWaiting);
    } else {
      link(lastWaiting, request, null);
    }
    if (line == null) {
      line = stripe.monitor.newLine();
    }
    return request;
  }

  private void link(LockRequest beforeOrNull, LockRequest request, LockRequest afterOrNull) {
    request.before = beforeOrNull;
    request.after = afterOrNull;
    if (beforeOrNull == null) {
      firstWaiting = request;
    } else {
      request.place = beforeOrNull.place + 1;
      beforeOrNull.after = request;
    }
    if (afterOrNull == null) {
      lastWaiting = request;
    } else {
      request.place = afterOrNull.place - 1;
      afterOrNull.before = request;
    }
  }

  private void unlink(LockRequest request) {
    if (request.before == null) {
      firstWaiting = request.after;
    } else {
      request.before.after = request.after;
    }
    if (request.after == null) {
      lastWaiting = request.before;
    } else {
      request.after.before = request.before;
    }
    request.before = null;
    request.after = null;
  }

  /** Waits until somebody was given the lock, at most for a time. */
  void await(long nanos) {
    boolean unused = line.await(nanos);
  }

  /** Takes somebody out of the line who waits no more. */
  void cancel(LockRequest request) {
    unlink(request);
    grantNext();
  }

  /** Takes the lock from somebody. */
  void release(LockOwner owner) {
    if (exclusive == owner) {
      exclusive = null;
    }
    boolean unused = shared.remove(owner);
    grantNext();
  }

  private void grantNext() {
    boolean some = false;
    while (firstWaiting != null && !isHeldAgainst(firstWaiting.owner, firstWaiting.exclusive)) {
      LockRequest next = firstWaiting;
      unlink(next);
      next.granted = true;
      grant(next.owner, next.exclusive);
      some = true;
    }
    if (some) {
      line.wakeAll();
    }
  }

  /** Adds those whom somebody who waits here waits for, the last in line first. */
  void addBlockers(LockRequest request, List<LockOwner> to) {
    if (request.granted) {
      return;
    }
    for (LockRequest before = request.before; before != null; before = before.before) {
      if (before.exclusive || request.exclusive) {
        to.add(before.owner);
      }
    }
    if (exclusive != null && exclusive != request.owner) {
      to.add(exclusive);
    }
    if (request.exclusive) {
      for (LockOwner owner : shared) {
        if (owner != request.owner) {
          to.add(owner);
        }
      }
    }
  }
}
