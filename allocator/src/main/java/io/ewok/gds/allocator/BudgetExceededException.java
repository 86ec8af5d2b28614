package io.ewok.gds.allocator;

/** A {@link MemoryBudget} has no room for a reservation. Nothing was reserved. */
public final class BudgetExceededException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  BudgetExceededException(MemoryBudget budget, long bytes) {
    super(
        "memory budget exceeded: budget=%s requestedBytes=%d usedBytes=%d limitBytes=%d"
            .formatted(budget.name(), bytes, budget.usedBytes(), budget.limitBytes()));
  }
}
