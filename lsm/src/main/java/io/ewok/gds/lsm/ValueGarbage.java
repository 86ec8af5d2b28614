package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.values.ValueFileMeta;
import io.ewok.gds.lsm.values.ValueReferences;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

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
    return of(tables, percentMax, Set.of());
  }

  /**
   * The same; files that are encrypted with another key than a current one count as full, too.
   *
   * @param keyId number of the current key, or 0
   */
  static ValueGarbage of(List<Table> tables, int percentMax, int keyId) {
    Set<Long> others = new HashSet<>();
    for (Table table : tables) {
      ValueReferences references = table.meta().references();
      for (int i = 0; i < references.count(); i++) {
        if (table.openValueFile(references.file(i)).keyId() != keyId) {
          others.add(references.file(i));
        }
      }
    }
    return of(tables, percentMax, others);
  }

  private static ValueGarbage of(List<Table> tables, int percentMax, Set<Long> others) {
    SortedMap<Long, ValueFileUse> uses = uses(tables);
    long bytes = 0;
    long[] full = new long[uses.size()];
    int count = 0;
    for (ValueFileUse use : uses.values()) {
      long all = use.meta().entryBytes();
      long garbage = all - use.liveBytes();
      boolean isFull = garbage > 0 && PERCENT * garbage >= percentMax * all;
      if (isFull || others.contains(use.meta().number())) {
        full[count++] = use.meta().number();
        bytes += garbage;
      }
    }
    return count == 0 ? NONE : new ValueGarbage(Arrays.copyOf(full, count), bytes);
  }

  /** The value files that tables refer to, by number; these are kept open, as above. */
  static SortedMap<Long, ValueFileUse> uses(List<Table> tables) {
    SortedMap<Long, ValueFileUse> uses = new TreeMap<>();
    for (Table table : tables) {
      ValueReferences references = table.meta().references();
      for (int i = 0; i < references.count(); i++) {
        long number = references.file(i);
        ValueFileUse before = uses.get(number);
        ValueFileMeta meta = before == null ? table.openValueFile(number).meta() : before.meta();
        long live = before == null ? 0 : before.liveBytes();
        uses.put(number, new ValueFileUse(meta, live + references.bytes(i)));
      }
    }
    return uses;
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
