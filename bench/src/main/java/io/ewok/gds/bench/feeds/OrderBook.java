package io.ewok.gds.bench.feeds;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What is on offer, by price: two ladders of quantities in memory of somebody else, one for those
 * who buy and one for those who sell, with a step for each price from a lowest one on.
 *
 * <p>Threads: one at a time.
 */
final class OrderBook {
  /** Prices, from {@link #PRICE_MIN} on. */
  static final int STEPS = 1 << 12;

  static final long PRICE_MIN = 100_000;

  /** What the memory takes; zero at first. */
  static final long MEMORY_BYTES = 2L * STEPS * Integer.BYTES;

  private final MemorySegment buyers;
  private final MemorySegment sellers;
  private int highestBuyer = -1;
  private int lowestSeller = STEPS;

  OrderBook(MemorySegment memory) {
    buyers = memory.asSlice(0, MEMORY_BYTES / 2);
    sellers = memory.asSlice(MEMORY_BYTES / 2, MEMORY_BYTES / 2);
  }

  /** Returns whether the book has a step for a price. */
  static boolean hasPrice(long price) {
    return price >= PRICE_MIN && price < PRICE_MIN + STEPS;
  }

  /** Says what those who buy offer to take at a price. */
  void setBuyers(long price, int quantity) {
    int step = (int) (price - PRICE_MIN);
    buyers.setAtIndex(ValueLayout.JAVA_INT, step, quantity);
    if (quantity > 0) {
      highestBuyer = Math.max(highestBuyer, step);
    } else if (step == highestBuyer) {
      do {
        highestBuyer--;
      } while (highestBuyer >= 0 && at(buyers, highestBuyer) == 0);
    }
  }

  /** Says what those who sell offer at a price. */
  void setSellers(long price, int quantity) {
    int step = (int) (price - PRICE_MIN);
    sellers.setAtIndex(ValueLayout.JAVA_INT, step, quantity);
    if (quantity > 0) {
      lowestSeller = Math.min(lowestSeller, step);
    } else if (step == lowestSeller) {
      do {
        lowestSeller++;
      } while (lowestSeller < STEPS && at(sellers, lowestSeller) == 0);
    }
  }

  private static int at(MemorySegment ladder, int step) {
    return ladder.getAtIndex(ValueLayout.JAVA_INT, step);
  }

  /**
   * Returns the highest price that somebody would pay; below {@link #PRICE_MIN} if nobody would.
   */
  long highestBuyer() {
    return PRICE_MIN + highestBuyer;
  }

  /** Returns the lowest price that somebody asks for; above the last one if nobody does. */
  long lowestSeller() {
    return PRICE_MIN + lowestSeller;
  }

  /** Returns whether all quantities and prices are those of another book. */
  boolean isSameAs(OrderBook other) {
    return highestBuyer == other.highestBuyer
        && lowestSeller == other.lowestSeller
        && buyers.mismatch(other.buyers) < 0
        && sellers.mismatch(other.sellers) < 0;
  }
}
