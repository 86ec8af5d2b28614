package io.ewok.gds.allocator;

import java.util.Objects;

/**
 * A way to reserve and release memory that seldom touches the tree of budgets: it takes memory from
 * a {@link MemoryBudget} in lumps and passes it on piece by piece. In between, only plain fields of
 * its own change.
 *
 * <p><b>Error.</b> The limits of the tree hold exactly. What the tree shows as used exceeds what is
 * really used by what the credits have left: after each call 0 to 2 lumps per credit, so at most
 * <em>credits × 2 × lump</em> in all, and 0 once they are closed. Just as much may be refused to
 * others although nobody uses it.
 *
 * <p>Ownership: the owner closes the credit when everything taken was given back.
 *
 * <p>Threads: confined to one thread at a time, its owner. Other credits of the same budget are
 * used by other threads meanwhile.
 *
 * <pre>{@code
 * try (BudgetCredit credit = new BudgetCredit(budget, 1 << 20)) {
 *   if (credit.tryTake(4096)) {
 *     ...
 *     credit.giveBack(4096);
 *   }
 * }
 * }</pre>
 */
public final class BudgetCredit implements AutoCloseable {
  private final MemoryBudget budget;
  private final long lumpBytes;

  /** Reserved in the budget and not taken by anybody. */
  private long leftBytes;

  private long takenBytes;

  /**
   * Creates a credit that has nothing yet.
   *
   * @param budget where the lumps come from
   * @param lumpBytes size of a lump in bytes, at least 1; larger ones go to the tree less often and
   *     make the error larger
   */
  public BudgetCredit(MemoryBudget budget, long lumpBytes) {
    this.budget = Objects.requireNonNull(budget, "budget");
    if (lumpBytes < 1 || lumpBytes > Long.MAX_VALUE / 4) {
      throw new IllegalArgumentException("a lump has at least one byte: lumpBytes=" + lumpBytes);
    }
    this.lumpBytes = lumpBytes;
  }

  /**
   * Takes memory.
   *
   * @return false, with nothing taken, if the budget refuses what is missing
   */
  public boolean tryTake(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("a number of bytes is not negative: bytes=" + bytes);
    }
    // Again if a callback of the budget has trimmed what was left meanwhile.
    while (bytes > leftBytes) {
      if (!tryRefill(bytes - leftBytes)) {
        return false;
      }
    }
    leftBytes -= bytes;
    takenBytes += bytes;
    return true;
  }

  /** Gets what is missing and up to a lump more, or if that is too much just what is missing. */
  private boolean tryRefill(long missingBytes) {
    long lumpsBytes = missingBytes + lumpBytes - 1;
    lumpsBytes -= lumpsBytes % lumpBytes;
    if (lumpsBytes > missingBytes && budget.tryReserve(lumpsBytes)) {
      leftBytes += lumpsBytes;
      return true;
    }
    if (budget.tryReserve(missingBytes)) {
      leftBytes += missingBytes;
      return true;
    }
    return false;
  }

  /**
   * Gives back what was taken. Of more than two lumps left, all but one go back to the budget.
   *
   * @throws IllegalArgumentException if more is given back than was taken
   */
  public void giveBack(long bytes) {
    if (bytes < 0 || bytes > takenBytes) {
      throw new IllegalArgumentException(
          "more given back than taken: takenBytes=%d bytes=%d".formatted(takenBytes, bytes));
    }
    takenBytes -= bytes;
    leftBytes += bytes;
    if (leftBytes > 2 * lumpBytes) {
      long excessBytes = leftBytes - lumpBytes;
      leftBytes = lumpBytes;
      budget.release(excessBytes);
    }
  }

  /** Gives everything that is left back to the budget, as when its use is above a watermark. */
  public void trim() {
    long excessBytes = leftBytes;
    leftBytes = 0;
    budget.release(excessBytes);
  }

  /** Returns the bytes taken and not given back. */
  public long takenBytes() {
    return takenBytes;
  }

  /** Returns the bytes that the budget shows as used and nobody uses. */
  public long leftBytes() {
    return leftBytes;
  }

  /**
   * Gives back what is left. Closing twice does nothing.
   *
   * @throws IllegalStateException if not everything taken was given back; the credit stays usable
   */
  @Override
  public void close() {
    if (takenBytes > 0) {
      throw new IllegalStateException("memory is still taken: takenBytes=" + takenBytes);
    }
    trim();
  }

  /** Returns budget, use and what is left in one line. */
  @Override
  public String toString() {
    return "credit of %s: %d bytes taken, %d left, lumps of %d"
        .formatted(budget.name(), takenBytes, leftBytes, lumpBytes);
  }
}
