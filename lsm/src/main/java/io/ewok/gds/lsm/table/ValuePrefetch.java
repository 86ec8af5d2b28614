package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.values.ValueFile;
import io.ewok.gds.lsm.values.ValueFormat;
import java.io.IOException;
import java.util.function.LongPredicate;

/**
 * Has the values read that records of a block refer to, many at the same time.
 *
 * <p>Threads: confined to one at a time.
 */
final class ValuePrefetch {
  /** How many are asked for at once at most. */
  static final int VALUES_MAX = 32;

  private final LongPredicate files;
  private final Priority priority;
  private final long[] offsets = new long[VALUES_MAX];
  private final int[] lengths = new int[VALUES_MAX];

  /**
   * Of values in some files.
   *
   * @param files those, by their numbers
   * @param priority of what is read in the pool
   */
  ValuePrefetch(LongPredicate files, Priority priority) {
    this.files = files;
    this.priority = priority;
  }

  /**
   * Starts to read the values of records from one to before another, forward or backward.
   *
   * @param direction 1 or -1
   */
  void read(Table table, BlockView view, int from, int to, int direction) throws IOException {
    int count = 0;
    long lastFile = 0;
    for (int i = from; i != to; i += direction) {
      if (RecordKind.kind(view.stamp(i)) != RecordKind.VALUE_REFERENCE) {
        continue;
      }
      long reference = view.valueAddress(i);
      long file = ValueFormat.file(reference);
      if (!files.test(file)) {
        continue;
      }
      if (count == VALUES_MAX || (file != lastFile && count > 0)) {
        start(table, lastFile, count);
        count = 0;
      }
      lastFile = file;
      offsets[count] = ValueFormat.offset(reference);
      lengths[count++] = ValueFormat.entryBytes(reference);
    }
    if (count > 0) {
      start(table, lastFile, count);
    }
  }

  private void start(Table table, long number, int count) throws IOException {
    ValueFile file = table.valueFileOrNull(number);
    if (file != null) { // or else who comes to the value will say so
      file.prefetch(offsets, lengths, count, priority);
    }
  }
}
