package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.eviction.Priority;
import java.io.IOException;

/**
 * Has values read before a cursor comes to them, many at the same time: those that the records of
 * its block refer to, in the direction in which it moves: the more, the longer it has done so. It
 * begins when the cursor has moved on, and a value was not in memory.
 *
 * <p>Threads: confined to one at a time.
 */
final class ValueAhead {
  /** How many values are read ahead at most; and for each move so far. */
  private static final int VALUES_MAX = 32;

  private static final int VALUES_PER_MOVE = 2;

  /** A cursor that goes from one record to another one no further away is taken to go on so. */
  private static final int GAP_MAX = 8;

  /** So often it has to do so. */
  private static final int MOVES_MIN = 2;

  private final ValuePrefetch prefetch;

  /** Where the cursor was. */
  private long lastBlock = -1;

  private int lastOrdinal;

  /** 1 forward, -1 backward. */
  private int direction;

  private int moves;
  private boolean isOn;

  /** Up to where, exclusive, values of the block are asked for. */
  private int end;

  /**
   * For a cursor.
   *
   * @param priority of what is read in the pool
   */
  ValueAhead(Priority priority) {
    prefetch = new ValuePrefetch(_ -> true, priority);
  }

  /**
   * Says that the cursor is on a record whose value was read.
   *
   * @param block tells it from others; that of a neighbour differs by 1
   * @param missed whether the value was not in memory
   */
  void at(Table table, BlockView view, long block, int ordinal, boolean missed) throws IOException {
    follow(view, block, ordinal);
    isOn |= missed && moves >= MOVES_MIN;
    if (!isOn) {
      return;
    }
    if (direction * (end - ordinal) <= 0) {
      end = ordinal + direction; // it has only begun
    }
    int values = Math.min(VALUES_MAX, VALUES_PER_MOVE * moves);
    int wanted = Math.clamp(ordinal + (long) direction * (values + 1), -1, view.count());
    if (direction * (wanted - end) > 0 && direction * (end - ordinal) <= values / 2) {
      prefetch.read(table, view, end, wanted, direction);
      end = wanted;
    }
  }

  private void follow(BlockView view, long block, int ordinal) {
    int before = direction;
    boolean isNeighbour;
    if (block == lastBlock) {
      direction = Integer.signum(ordinal - lastOrdinal);
      isNeighbour = Math.abs(ordinal - lastOrdinal) <= GAP_MAX;
    } else {
      direction = Long.signum(block - lastBlock);
      int passed = direction > 0 ? ordinal : view.count() - 1 - ordinal;
      isNeighbour = Math.abs(block - lastBlock) == 1 && passed <= GAP_MAX;
    }
    boolean goesOn = isNeighbour && direction == before && direction != 0;
    moves = goesOn ? moves + 1 : 1;
    isOn &= goesOn;
    if (block != lastBlock || !goesOn) {
      end = ordinal + direction;
    }
    lastBlock = block;
    lastOrdinal = ordinal;
  }
}
