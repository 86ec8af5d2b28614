package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.NotCachedException;
import io.ewok.gds.buffers.eviction.Priority;
import java.io.IOException;
import java.util.List;

/**
 * Has the blocks of a run read that a cursor over ranges is about to come to, of the range that it
 * is in and of those behind that: many at the same time, and so many ahead as have room. When half
 * of these have been come to, it asks for more.
 *
 * <p>It leaves off where there is nothing to read, until the cursor has missed a block.
 *
 * <p>Threads: confined to one at a time.
 */
final class RunAhead {
  /** How many blocks are asked for ahead at most. */
  private static final int BLOCKS_MAX = 64;

  /** For so many ranges that which part of an index leads to them is asked for, too. */
  private static final int INDEXES_AHEAD = 16;

  /**
   * If so many blocks in turn are in the pool, it is taken to have the others, too; or if so many
   * are too large to be asked for.
   */
  private static final int FOUND_MAX = 8;

  private static final long NONE = -1;

  private final List<Table> tables;
  private final RangesAhead shared;
  private final Priority priority;

  // What was asked for and not come to yet, the next one first: a ring.
  private final int[] rangeOf = new int[BLOCKS_MAX];
  private final long[] numberOf = new long[BLOCKS_MAX];
  private final int[] bytesOf = new int[BLOCKS_MAX];
  private int head;
  private int count;
  private long bytes;

  private boolean forward = true;

  /** That the cursor is in. */
  private int current;

  // Where to go on.
  private int range;

  /** Whether the position is a block of that range. */
  private boolean isInside;

  /** Whether that block is still to be asked for. */
  private boolean isPending;

  private final BlockPosition at = new BlockPosition();
  private final BlockPosition elsewhere = new BlockPosition();

  /** The block that was asked for last. */
  private long lastNumber = NONE;

  private boolean isOn = true;

  /**
   * For one run.
   *
   * @param priority of what is read in the pool
   */
  RunAhead(List<Table> tables, RangesAhead shared, Priority priority) {
    this.tables = tables;
    this.shared = shared;
    this.priority = priority;
  }

  /** Says that the cursor goes to an end of a range, from where it moves in a direction. */
  void enter(int number, boolean goForward) {
    boolean goesOn = goForward == forward && (goForward ? number >= current : number <= current);
    if (!goesOn) {
      forward = goForward;
      count = 0;
      bytes = 0;
      lastNumber = NONE;
      goOnWith(number);
    } else {
      while (count > 0 && isBefore(rangeOf[head], number)) {
        drop();
      }
      if (isBefore(range, number)) {
        goOnWith(number);
      }
    }
    current = number;
    ask();
  }

  private void goOnWith(int number) {
    range = number;
    isInside = false;
    isPending = false;
  }

  private boolean isBefore(long a, long b) {
    return forward ? a < b : a > b;
  }

  /** Says that the cursor is about to look at a block. */
  void reach(int table, int partition, int block) {
    long number = BlockPosition.number(table, partition, block);
    while (count > 0 && !isBefore(number, numberOf[head])) {
      drop();
    }
    ask();
  }

  /** Says that the block was not in the pool. */
  void missed() {
    isOn = true;
  }

  private void drop() {
    bytes -= bytesOf[head];
    head = (head + 1) % BLOCKS_MAX;
    count--;
  }

  private void ask() {
    if (!isOn || 2 * count > BLOCKS_MAX || 2 * bytes > shared.bytesOfRun) {
      return;
    }
    int asked = 0;
    int read = 0;
    try {
      askForBlocks();
    } catch (NotCachedException e) {
      askForIndexes();
    } catch (IOException e) {
      isOn = false; // who comes to it will say why
    } finally {
      shared.unfix();
      asked = shared.data.count();
      read = shared.data.start(priority);
      read += shared.indexes.start(Priority.HIGH);
    }
    isOn &= asked == 0 || read > 0;
  }

  private void askForBlocks() throws IOException {
    int found = 0;
    while (found < FOUND_MAX && count < BLOCKS_MAX && find()) {
      isPending = true;
      long number = at.number();
      if (number != lastNumber) {
        int blockBytes = shared.lengthBytes(tables, at);
        if (bytes + blockBytes > shared.bytesOfRun) {
          if (count > 0) {
            return; // there will be room
          }
          found++; // there never will: not one that is asked for
        } else {
          found = shared.add(tables, at) ? 0 : found + 1;
          push(number, blockBytes);
        }
        lastNumber = number;
      }
      isPending = false;
    }
    isOn = found < FOUND_MAX;
  }

  private void push(long number, int blockBytes) {
    int place = (head + count) % BLOCKS_MAX;
    rangeOf[place] = range;
    numberOf[place] = number;
    bytesOf[place] = blockBytes;
    bytes += blockBytes;
    count++;
  }

  /** Goes to the next block that is to be asked for. */
  private boolean find() throws IOException {
    if (isPending || (isInside && shared.step(tables, range, forward, at))) {
      return true;
    }
    int step = forward ? 1 : -1;
    if (isInside) {
      isInside = false;
      range += step;
    }
    for (; range >= 0 && range < shared.ranges.count(); range += step) {
      if (shared.begin(tables, range, forward, at)) {
        isInside = true;
        return true;
      }
    }
    return false;
  }

  /** What leads to the ranges ahead is read at the same time, too. */
  private void askForIndexes() {
    int step = forward ? 1 : -1;
    int number = range;
    for (int i = 0; i < INDEXES_AHEAD && number >= 0 && number < shared.ranges.count(); i++) {
      try {
        boolean unused = shared.begin(tables, number, forward, elsewhere);
      } catch (NotCachedException e) {
        // It is asked for now.
      } catch (IOException e) {
        return; // who comes to it will say why
      }
      number += step;
    }
  }
}
