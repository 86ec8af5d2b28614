package io.ewok.gds.allocator;

import java.lang.System.Logger.Level;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Turns absent blocks of a {@link ReadArena} into empty ones: for an allocation that can go on
 * without, and for requests that wait, where a full budget is asked to call back.
 *
 * <p>Threads: any. The lock is that of the {@link ReadSupply}; methods say which side of it they
 * are on. Of those who get a block for requests, or have asked the budget for one, there is at most
 * one at a time.
 */
final class ReadGrowth {
  private static final System.Logger LOG = System.getLogger(ReadGrowth.class.getPackageName());
  private static final int NO_BLOCK = ReadShelf.NO_BLOCK;

  private final MemoryBudget budget;
  private final ReadMemory memory;
  private final ReadShelf shelf;
  private final ReentrantLock lock;
  private final Runnable changed;

  /* Guarded by the lock. */

  /** Blocks that threads have in their hands. */
  private int taken;

  /** Whether one of them is for requests. */
  private boolean growing;

  /** Whether the budget will call {@link #granted}, unless that is canceled. */
  private boolean asked;

  /** What was asked of the budget, once it is known; or null. */
  private BudgetRequest budgetRequest;

  private boolean refused;
  private boolean stopped;

  /**
   * Creates the growth of one arena.
   *
   * @param changed called outside of the lock when the budget has granted something
   */
  ReadGrowth(
      MemoryBudget budget,
      ReadMemory memory,
      ReadShelf shelf,
      ReentrantLock lock,
      Runnable changed) {
    this.budget = budget;
    this.memory = memory;
    this.shelf = shelf;
    this.lock = lock;
    this.changed = changed;
  }

  // ---------------------------------------------------------------- under the lock

  /** Takes a block to {@link #commit}, or returns -1. */
  int take() {
    int block = shelf.takeAbsent();
    taken += block == NO_BLOCK ? 0 : 1;
    return block;
  }

  /** Takes a block to {@link #grow} with; or returns -1, as when a block is on its way already. */
  int start() {
    int block = growing || asked ? NO_BLOCK : take();
    growing |= block != NO_BLOCK;
    return block;
  }

  /** Returns whether the last block was refused by the budget. */
  boolean isRefused() {
    return refused;
  }

  /** Returns whether memory is on its way. */
  boolean isBusy() {
    return isCommitting() || asked;
  }

  /** Returns whether threads are making memory of blocks. */
  boolean isCommitting() {
    return taken > 0;
  }

  /** Takes what is asked of the budget, to be {@linkplain #giveUp given up}; or null. */
  BudgetRequest takeRequest() {
    BudgetRequest taken = budgetRequest;
    budgetRequest = null;
    return taken;
  }

  /** Asks for nothing more. */
  void stop() {
    stopped = true;
  }

  // ---------------------------------------------------------------- outside of the lock

  /**
   * Makes memory of a block that was taken, or puts it back.
   *
   * @return false if the budget has no room
   */
  boolean commit(int block) {
    boolean[] isCommitted = {false};
    // The budget's callbacks come later: one that commits all would wait for this very block.
    Callbacks.runBefore(
        () -> {
          try {
            isCommitted[0] = memory.commit(block);
          } finally {
            done(block, isCommitted[0]);
          }
        });
    return isCommitted[0];
  }

  private void done(int block, boolean isCommitted) {
    lock.lock();
    try {
      taken--;
      if (!isCommitted) {
        shelf.putAbsent(block);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Makes a block empty, or asks the budget to call back.
   *
   * @param block from {@link #start}
   * @return false if neither was possible, because the system refuses or nothing more is wanted
   */
  boolean grow(int block) {
    boolean isCommitted = false;
    boolean failed = false;
    try {
      isCommitted = commit(block);
    } catch (RuntimeException e) {
      // This thread may have nothing to do with those who wait.
      LOG.log(Level.ERROR, "no memory for those who wait: arena=" + budget.name(), e);
      failed = true;
    }
    boolean asks;
    lock.lock();
    try {
      asks = !isCommitted && !failed && !stopped;
      asked = asks;
      finish(block, isCommitted);
    } finally {
      lock.unlock();
    }
    if (asks) {
      ask();
    }
    return isCommitted || asks;
  }

  /** Called under the lock. */
  private void finish(int block, boolean isCommitted) {
    growing = false;
    refused = !isCommitted;
    if (isCommitted) {
      shelf.putEmpty(block);
    }
  }

  private void ask() {
    // If a limit above was lowered it waits for that to be raised again; until then those who wait
    // here get what others release.
    BudgetRequest request = budget.whenAvailableAtAnyLimit(ReadBlocks.BLOCK_BYTES, this::granted);
    boolean needless;
    lock.lock();
    try {
      needless = stopped;
      if (!needless && request.isWaiting()) {
        budgetRequest = request;
      }
    } finally {
      lock.unlock();
    }
    if (needless) {
      giveUp(request);
    }
  }

  /** Takes back what was asked of the budget; if it is too late, {@link #granted} finds out. */
  void giveUp(BudgetRequest request) {
    if (request.cancel()) {
      setNotAsked();
    }
  }

  private void setNotAsked() {
    lock.lock();
    try {
      asked = false;
    } finally {
      lock.unlock();
    }
  }

  /** Called by the budget: the bytes of a block are reserved. */
  private void granted() {
    int block;
    lock.lock();
    try {
      asked = false;
      budgetRequest = null;
      block = !stopped && shelf.isAwaited() ? start() : NO_BLOCK;
    } finally {
      lock.unlock();
    }
    try {
      if (block == NO_BLOCK) {
        budget.release(ReadBlocks.BLOCK_BYTES);
      } else {
        commitReserved(block);
      }
    } finally {
      changed.run();
    }
  }

  private void commitReserved(int block) {
    boolean isCommitted = false;
    try {
      memory.commitReserved(block);
      isCommitted = true;
    } finally {
      if (!isCommitted) {
        budget.release(ReadBlocks.BLOCK_BYTES);
      }
      done(block, isCommitted);
      lock.lock();
      try {
        finish(block, isCommitted);
      } finally {
        lock.unlock();
      }
    }
  }
}
