package io.ewok.gds.allocator;

import io.ewok.gds.allocator.MemoryRequest.State;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What the budgets of one tree share: the lock, the order of those who wait, and what is to be
 * called once the lock is free.
 *
 * <p>Requests are granted in the order of their arrival. One that does not fit keeps what it needs
 * from all that came later: it <em>bars</em> its budget and those above, up to the first that is
 * full. So a large request is not starved by small ones, and those elsewhere in the tree pass it.
 *
 * <p>Threads: any. Everything but {@link #lock} and {@link #end} is called under the lock.
 */
final class BudgetTree {
  /*
   * The law that makes a lost wake-up impossible: whenever the lock is free, no waiting request
   * could be granted. Each change that makes room (release, a higher limit, a request given up, a
   * child closed) and each new request ends in grantInOrder before the lock is let go. Taking
   * memory makes no room, so it needs no round.
   */

  private static final Comparator<MemoryBudget> BY_ARRIVAL =
      Comparator.comparingLong(budget -> budget.requests().getFirst().arrival());

  private final ReentrantLock lock = new ReentrantLock();

  /** The budgets that have requests waiting. */
  private final List<MemoryBudget> waiting = new ArrayList<>();

  /** Requests that have ended, to be announced outside of the lock. */
  private final List<BudgetRequest> ended = new ArrayList<>();

  /** To be called outside of the lock. */
  private final List<Runnable> calls = new ArrayList<>();

  private long arrivals;

  /** Number of the last walk over the waiting. What it has barred is marked with this number. */
  private long round;

  void lock() {
    lock.lock();
  }

  /** Lets the lock go, then does what has to be done outside of it. */
  void unlock() {
    if (ended.isEmpty() && calls.isEmpty()) {
      lock.unlock();
      return;
    }
    List<BudgetRequest> endedNow = List.copyOf(ended);
    List<Runnable> callsNow = List.copyOf(calls);
    ended.clear();
    calls.clear();
    lock.unlock();
    endedNow.forEach(BudgetRequest::announce);
    Callbacks.run(callsNow);
  }

  /** Calls this when the lock is free. */
  void callLater(Runnable call) {
    calls.add(call);
  }

  /** Returns whether requests that came earlier keep a budget for themselves. */
  boolean isBarred(MemoryBudget budget) {
    return !waiting.isEmpty() && budget.barredInRound() == round;
  }

  /** Appends a request; it is granted at once if its turn has come and it fits. */
  BudgetRequest append(MemoryBudget budget, long bytes, Runnable callback, Thread waiter) {
    BudgetRequest request = new BudgetRequest(budget, bytes, arrivals++, callback, waiter);
    if (budget.requests().isEmpty()) {
      waiting.add(budget);
    }
    budget.requests().add(request);
    grantInOrder();
    if (request.isWaiting()) {
      request.beginWait();
    }
    return request;
  }

  /** Grants what fits, in order. */
  void grantInOrder() {
    while (!waiting.isEmpty() && grantOne()) {
      // The next one.
    }
  }

  private boolean grantOne() {
    round++;
    waiting.sort(BY_ARRIVAL);
    for (MemoryBudget budget : waiting) {
      // The first of each budget; it bars its own budget for the others there.
      BudgetRequest request = budget.requests().getFirst();
      MemoryBudget full = budget.firstFull(request.bytes(), true);
      if (full == null) {
        budget.take(request.bytes());
        remove(request, State.GRANTED);
        return true;
      }
      // One that a lowered limit has made impossible keeps nothing from others.
      if (budget.firstTooSmall(request.bytes()) == null) {
        budget.bar(full, round);
      }
    }
    return false;
  }

  /**
   * Ends a request that still waits.
   *
   * @return false if it had ended before
   */
  boolean end(BudgetRequest request, State end) {
    lock();
    try {
      if (!request.isWaiting()) {
        return false;
      }
      remove(request, end);
      grantInOrder();
      return true;
    } finally {
      unlock();
    }
  }

  private void remove(BudgetRequest request, State end) {
    MemoryBudget budget = request.budget();
    budget.requests().remove(request);
    if (budget.requests().isEmpty()) {
      waiting.remove(budget);
    }
    request.moveTo(end);
    ended.add(request);
    if (end == State.GRANTED && request.granted() != null) {
      calls.add(request.granted());
    }
  }
}
