package io.ewok.gds.allocator;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A limit on memory, and the count of what is used under it. Budgets form a tree: a reservation in
 * a child is one in each of its ancestors too, and fits only if it fits in all of them. Children
 * may promise more than their parent has; the parent's limit holds.
 *
 * <p>A budget counts, it does not allocate. Whoever reserves gives back the same number of bytes
 * later.
 *
 * <p>Threads: any. A reservation is exact, never over the limit, even for a moment.
 */
public final class MemoryBudget {
  private final String name;
  private final MemoryBudget parent;
  private final long limitBytes;
  private final AtomicLong usedBytes = new AtomicLong();
  private final AtomicLong peakBytes = new AtomicLong();
  private final List<MemoryBudget> children = new CopyOnWriteArrayList<>();

  private MemoryBudget(String name, MemoryBudget parent, long limitBytes) {
    this.name = Objects.requireNonNull(name, "name");
    this.parent = parent;
    if (limitBytes < 0) {
      throw new IllegalArgumentException("a limit is not negative: limitBytes=" + limitBytes);
    }
    this.limitBytes = limitBytes;
  }

  /**
   * Returns a budget without a parent.
   *
   * @param limitBytes at most this many bytes are reserved at any time
   */
  public static MemoryBudget root(String name, long limitBytes) {
    return new MemoryBudget(name, null, limitBytes);
  }

  /**
   * Returns a new budget under this one. It stays in {@link #children} for the life of its parent:
   * create one per component, not per object.
   */
  public MemoryBudget child(String name, long limitBytes) {
    MemoryBudget child = new MemoryBudget(name, this, limitBytes);
    children.add(child);
    return child;
  }

  /**
   * Reserves memory if it fits here and in every ancestor.
   *
   * @return false, with nothing reserved, if it does not fit
   */
  public boolean tryReserve(long bytes) {
    return firstFull(bytes) == null;
  }

  /**
   * Reserves memory.
   *
   * @throws BudgetExceededException if it does not fit; the message names the budget that is full
   */
  public void reserve(long bytes) {
    MemoryBudget full = firstFull(bytes);
    if (full != null) {
      throw new BudgetExceededException(full, bytes);
    }
  }

  /**
   * Gives back what was reserved.
   *
   * @throws IllegalArgumentException if more is given back than was reserved
   */
  public void release(long bytes) {
    requireNotNegative(bytes);
    for (MemoryBudget budget = this; budget != null; budget = budget.parent) {
      budget.subtract(bytes);
    }
  }

  /** Reserves along the way to the root. Returns the budget that had no room, or null. */
  private MemoryBudget firstFull(long bytes) {
    requireNotNegative(bytes);
    for (MemoryBudget budget = this; budget != null; budget = budget.parent) {
      if (!budget.add(bytes)) {
        for (MemoryBudget undo = this; undo != budget; undo = undo.parent) {
          undo.subtract(bytes);
        }
        return budget;
      }
    }
    return null;
  }

  private boolean add(long bytes) {
    long used;
    do {
      used = usedBytes.get();
      if (bytes > limitBytes - used) {
        return false;
      }
    } while (!usedBytes.compareAndSet(used, used + bytes));
    peakBytes.accumulateAndGet(used + bytes, Math::max);
    return true;
  }

  private void subtract(long bytes) {
    long used;
    do {
      used = usedBytes.get();
      if (bytes > used) {
        throw new IllegalArgumentException(
            "more released than reserved: budget=%s usedBytes=%d bytes=%d"
                .formatted(name, used, bytes));
      }
    } while (!usedBytes.compareAndSet(used, used - bytes));
  }

  private static void requireNotNegative(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("a number of bytes is not negative: bytes=" + bytes);
    }
  }

  /** Returns the name given at creation, for people. */
  public String name() {
    return name;
  }

  /** Returns the limit in bytes. */
  public long limitBytes() {
    return limitBytes;
  }

  /** Returns the bytes reserved now, those of the children included. */
  public long usedBytes() {
    return usedBytes.get();
  }

  /** Returns the most bytes that were reserved at once. */
  public long peakBytes() {
    return peakBytes.get();
  }

  /** Returns the budgets directly under this one, oldest first. */
  public List<MemoryBudget> children() {
    return List.copyOf(children);
  }

  /** Returns name, use and limit in one line. */
  @Override
  public String toString() {
    return "%s: %d of %d bytes used, peak %d".formatted(name, usedBytes(), limitBytes, peakBytes());
  }
}
