package io.ewok.gds.lsm.lock;

import io.ewok.gds.reactor.LongLock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Finds circles of those who wait for each other. Everybody looks once, when he is in line; whoever
 * closes a circle is in line last of all in it, and sees the others. They look one after the other,
 * so that of two who close one at a time only one may have to give up.
 *
 * <p>What it finds may be gone by then, where locks were given away while it looked; then somebody
 * begins anew who could have waited.
 *
 * <p>Threads: any.
 */
final class WaitGraph {
  private final LongLock looking = new LongLock();

  /** The circle from somebody who waits back to him; empty if there is none. */
  List<LockResult.Wait> cycle(LockRequest from) {
    looking.lock();
    try {
      List<LockResult.Wait> path = new ArrayList<>();
      return leadsBack(from, from.owner, path, new HashSet<>()) ? path : List.of();
    } finally {
      looking.unlock();
    }
  }

  private static boolean leadsBack(
      LockRequest request, LockOwner to, List<LockResult.Wait> path, Set<LockOwner> seen) {
    path.add(new LockResult.Wait(request.owner.number(), request.what));
    List<LockOwner> blockers = new ArrayList<>();
    KeyLock lock = request.lock;
    lock.stripe.monitor.lock();
    try {
      lock.addBlockers(request, blockers);
    } finally {
      lock.stripe.monitor.unlock();
    }
    for (LockOwner blocker : blockers) {
      if (blocker == to) {
        return true;
      }
      LockRequest next = blocker.waitsFor; // partner: LockTable, when he is in line
      if (next != null && seen.add(blocker) && leadsBack(next, to, path, seen)) {
        return true;
      }
    }
    path.removeLast();
    return false;
  }
}
