package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.values.ValueFile;
import io.ewok.gds.lsm.values.ValueFormat;
import java.io.IOException;

/**
 * Has values read before a cursor comes to them, many at the same time: those that the records of
 * its block refer to, in the direction in which it moves. It begins when the cursor has moved on,
 * and a value was not in memory.
 *
 * <p>Threads: confined to one at a time.
 */
final class ValueAhead {
  /** How many values are read ahead at most. */
  static final int VALUES_MAX = 32;

  /** A cursor that goes from one record to another one no further away is taken to go on so. */
  private static final int GAP_MAX = 8;

  /** So often it has to do so. */
  private static final int MOVES_MIN = 2;

  private final long[] offsets = new long[VALUES_MAX];
  private final int[] lengths = new int[VALUES_MAX];

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
   * Says that the cursor is on a record whose value was read.
   *
   * @param block tells it from others; that of a neighbour differs by 1
   * @param missed whether the value was not in memory
   */
  void at(Table table, BlockView view, long block, int ordinal, boolean missed, Priority priority)
      throws IOException {
    follow(view, block, ordinal);
    isOn |= missed && moves >= MOVES_MIN;
    if (!isOn) {
      return;
    }
    int wanted = Math.clamp(ordinal + (long) direction * (VALUES_MAX + 1), -1, view.count());
    if (direction * (wanted - end) > 0 && direction * (end - ordinal) <= VALUES_MAX / 2) {
      read(table, view, wanted, priority);
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

  /** Asks for the values from the end on to the wanted one. */
  private void read(Table table, BlockView view, int wanted, Priority priority)
      throws IOException {
    int count = 0;
    long lastFile = 0;
    for (int i = end; i != wanted; i += direction) {
      if (RecordKind.kind(view.stamp(i)) == RecordKind.VALUE_REFERENCE) {
        long reference = view.valueAddress(i);
        long file = ValueFormat.file(reference);
        if (count == VALUES_MAX || (file != lastFile && count > 0)) {
          prefetch(table, lastFile, count, priority);
          count = 0;
        }
        lastFile = file;
        offsets[count] = ValueFormat.offset(reference);
        lengths[count++] = ValueFormat.entryBytes(reference);
      }
    }
    if (count > 0) {
      prefetch(table, lastFile, count, priority);
    }
  }

  private void prefetch(Table table, long number, int count, Priority priority)
      throws IOException {
    ValueFile file = table.valueFileOrNull(number);
    if (file != null) { // or else who comes to the value will say so
      file.prefetch(offsets, lengths, count, priority);
    }
  }
}
