package io.ewok.gds.allocator;

/**
 * A request for memory that waits for room in a {@link MemoryBudget}, as {@link
 * MemoryBudget#whenAvailable} returns it. It is granted or canceled, once, and never both.
 *
 * <p>Ownership: once granted, the bytes are reserved for whoever made the request, who releases
 * them. Canceled, nothing is reserved.
 *
 * <p>Threads: any.
 *
 * <pre>{@code
 * BudgetRequest request = budget.whenAvailable(1 << 20, this::startRead);
 * ...
 * if (!request.cancel()) {
 *   // Granted already: startRead has run, or will, and owns the memory.
 * }
 * }</pre>
 */
public final class BudgetRequest extends MemoryRequest {
  private final MemoryBudget budget;
  private final long bytes;
  private final long arrival;
  private final Runnable granted;

  /**
   * @param arrival position among all requests of the tree
   * @param granted called when granted, or null if {@code waiter} waits
   */
  BudgetRequest(MemoryBudget budget, long bytes, long arrival, Runnable granted, Thread waiter) {
    super(waiter);
    this.budget = budget;
    this.bytes = bytes;
    this.arrival = arrival;
    this.granted = granted;
  }

  @Override
  boolean end(State end) {
    return budget.tree().end(this, end);
  }

  @Override
  String place() {
    return budget.name();
  }

  @Override
  long bytes() {
    return bytes;
  }

  MemoryBudget budget() {
    return budget;
  }

  long arrival() {
    return arrival;
  }

  /** Returns what is called when granted, or null. */
  Runnable granted() {
    return granted;
  }
}
