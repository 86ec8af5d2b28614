package io.ewok.gds.lsm.lock;

import io.ewok.gds.reactor.LongLock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

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

  /** A circle from somebody who waits back to him, with no detour; empty if there is none. */
  List<LockResult.Wait> cycle(LockRequest from) {
    looking.lock();
    try {
      Map<LockRequest, LockRequest> reachedFrom = new HashMap<>();
      ArrayDeque<LockRequest> toLookAt = new ArrayDeque<>();
      Map<KeyLock, Long> lookedUpTo = new HashMap<>();
      List<LockOwner> blockers = new ArrayList<>();
      for (LockRequest request = from; request != null; request = toLookAt.poll()) {
        blockers.clear();
        addBlockers(request, lookedUpTo, blockers);
        for (LockOwner blocker : blockers) {
          if (blocker == from.owner) {
            return path(from, request, reachedFrom);
          }
          LockRequest next = blocker.waitsFor; // partner: LockTable, when he is in line
          if (next != null && reachedFrom.putIfAbsent(next, request) == null) {
            toLookAt.add(next);
          }
        }
      }
      return List.of();
    } finally {
      looking.unlock();
    }
  }

  /**
   * Who wants a lock alone waits for all in front of him, and for whom they wait there; so these
   * are not looked at again, else a long line would be looked at as often as it is long.
   */
  private static void addBlockers(
      LockRequest request, Map<KeyLock, Long> lookedUpTo, List<LockOwner> to) {
    KeyLock lock = request.lock;
    lock.stripe.monitor.lock();
    try {
      if (lookedUpTo.getOrDefault(lock, Long.MIN_VALUE) >= request.place) {
        return;
      }
      lock.addBlockers(request, to);
      if (request.exclusive) {
        lookedUpTo.put(lock, request.place);
      }
    } finally {
      lock.stripe.monitor.unlock();
    }
  }

  private static List<LockResult.Wait> path(
      LockRequest from, LockRequest to, Map<LockRequest, LockRequest> reachedFrom) {
    ArrayDeque<LockResult.Wait> path = new ArrayDeque<>();
    LockRequest at = to;
    while (at != from) {
      path.addFirst(at.asWait());
      at = reachedFrom.get(at);
    }
    path.addFirst(from.asWait());
    return List.copyOf(path);
  }
}
