package io.ewok.gds.allocator;

/**
 * A {@link MemoryBudget} has no room for a reservation. Nothing was reserved. The message names the
 * budget of the tree that is full, with its use and limit at that moment.
 *
 * <p>Ownership: there is nothing to give back. Threads: any; it is thrown on the one that asked.
 */
public final class BudgetExceededException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param budget the one in the tree that is full
   * @param why what goes before the numbers
   */
  BudgetExceededException(String why, MemoryBudget budget, long bytes) {
    super(
        "%s: budget=%s requestedBytes=%d usedBytes=%d limitBytes=%d"
            .formatted(why, budget.name(), bytes, budget.usedBytes(), budget.limitBytes()));
  }
}
