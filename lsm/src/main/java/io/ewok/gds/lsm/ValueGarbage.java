package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.values.ValueFile;
import io.ewok.gds.lsm.values.ValueReferences;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The value files of a family that have so much garbage that what is of use in them is better
 * written anew: <em>full</em> files here. What no table refers to is garbage.
 *
 * <p>Immutable. Threads: any.
 */
final class ValueGarbage {
  /** There is none. */
  static final ValueGarbage NONE = new ValueGarbage(new long[0], 0);

  private static final int PERCENT = 100;

  /** Ascending. */
  private final long[] full;

  private final long garbageBytes;

  private ValueGarbage(long[] full, long garbageBytes) {
    this.full = full;
    this.garbageBytes = garbageBytes;
  }

  /**
   * Looks at all tables of a family, which are kept open during the call, with their value files.
   *
   * @param percentMax files with more garbage are full
   */
  static ValueGarbage of(List<Table> tables, int percentMax) {
    Map<Long, Long> live = new HashMap<>();
    Map<Long, ValueFile> files = new HashMap<>();
    for (Table table : tables) {
      ValueReferences references = table.meta().references();
      for (int i = 0; i < references.count(); i++) {
        live.merge(references.file(i), references.bytes(i), Long::sum);
        files.put(references.file(i), table.openValueFile(references.file(i)));
      }
    }
    long bytes = 0;
    long[] full = new long[files.size()];
    int count = 0;
    for (Map.Entry<Long, ValueFile> entry : files.entrySet()) {
      long all = entry.getValue().meta().entryBytes();
      long garbage = all - live.get(entry.getKey());
      if (garbage > 0 && PERCENT * garbage >= percentMax * all) {
        full[count++] = entry.getKey();
        bytes += garbage;
      }
    }
    Arrays.sort(full, 0, count);
    return count == 0 ? NONE : new ValueGarbage(Arrays.copyOf(full, count), bytes);
  }

  /** Whether a file is full. */
  boolean isFull(long number) {
    return Arrays.binarySearch(full, number) >= 0;
  }

  /** The garbage in full files, in bytes. */
  long garbageBytes() {
    return garbageBytes;
  }

  /** What a table refers to of full files, in bytes. */
  long bytesOf(Table table) {
    return full.length == 0 ? 0 : table.meta().references().bytesOf(this::isFull);
  }
}
