package io.ewok.gds.allocator;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * How many operations are in flight on each cell of a slab, and which of those cells have been
 * freed meanwhile.
 *
 * <pre>
 *   live --begin--> live, n operations --defer--> freed, n operations --end--> n = 0: free
 *        <---end---
 * </pre>
 *
 * <p>Threads: any. Each change is one atomic operation on the cell's word, so of an end and a
 * {@link #defer} at the same time exactly one finds that the cell is free.
 */
final class CellLeases {
  private static final int FREED = 1;
  private static final int OPERATION = 2;

  private final AtomicIntegerArray words;

  CellLeases(int cells) {
    this.words = new AtomicIntegerArray(cells);
  }

  void begin(int cell) {
    words.getAndAdd(cell, OPERATION);
  }

  /**
   * Returns whether the cell is free from now on: freed before, and this was the last operation.
   */
  boolean end(int cell) {
    return words.addAndGet(cell, -OPERATION) == FREED
        // Fails if a mistaken caller begins another on the freed cell; then that one's end frees.
        && words.compareAndSet(cell, FREED, 0);
  }

  /** Marks the cell as freed if operations are in flight on it; else returns false. */
  boolean defer(int cell) {
    int word;
    do {
      // Partner: end, after which the bytes of the cell are as the operation left them.
      word = words.getAcquire(cell);
      if (word < OPERATION) {
        return false;
      }
    } while (!words.compareAndSet(cell, word, word | FREED));
    return true;
  }

  /** Returns whether an operation is in flight on any of the cells. */
  boolean isAny() {
    for (int cell = 0; cell < words.length(); cell++) {
      if (words.get(cell) != 0) {
        return true;
      }
    }
    return false;
  }

  /** Returns how many cells are freed and wait for operations. */
  int deferred() {
    int count = 0;
    for (int cell = 0; cell < words.length(); cell++) {
      count += words.get(cell) & FREED;
    }
    return count;
  }
}
