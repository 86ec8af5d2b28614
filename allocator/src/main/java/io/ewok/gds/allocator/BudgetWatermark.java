package io.ewok.gds.allocator;

/**
 * Watches the use of a {@link MemoryBudget}: made by {@link MemoryBudget#watch}, which says when it
 * calls.
 *
 * <p>Threads: any. The callbacks run on the thread whose reservation or release crossed the mark,
 * outside of all locks of the budget, before its call returns; on different threads they may
 * overlap or overtake one another. Which side the use is on, {@link #isAbove} tells. They should be
 * short: they delay somebody who wanted memory. What they throw is logged and goes no further.
 */
public final class BudgetWatermark implements AutoCloseable {
  private final MemoryBudget budget;
  private final long lowBytes;
  private final long highBytes;
  private final Runnable above;
  private final Runnable below;

  /** Written under the lock of the tree. */
  private volatile boolean isAbove;

  BudgetWatermark(
      MemoryBudget budget, long lowBytes, long highBytes, Runnable above, Runnable below) {
    this.budget = budget;
    this.lowBytes = lowBytes;
    this.highBytes = highBytes;
    this.above = above;
    this.below = below;
  }

  /** Called under the lock of the tree, after each change of the use. */
  void update(long usedBytes) {
    if (!isAbove && usedBytes >= highBytes) {
      isAbove = true;
      budget.tree().callLater(above);
    } else if (isAbove && usedBytes <= lowBytes) {
      isAbove = false;
      budget.tree().callLater(below);
    }
  }

  /** Returns whether the use has reached the high mark and not fallen to the low one since. */
  public boolean isAbove() {
    return isAbove;
  }

  /** Stops watching. A call that was due before may still come. Closing twice does nothing. */
  @Override
  public void close() {
    budget.unwatch(this);
  }
}
