package io.ewok.gds.bench;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.SearchKey;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A skip list in one piece of memory: beside the address of each next node lies the head of its
 * key, so that most comparisons touch no other node. One link in four goes up a level. (Pugh: Skip
 * Lists: A Probabilistic Alternative to Balanced Trees, 1990.) It pays for the exchanges that
 * threads who insert side by side would need, but is read and written by one.
 *
 * <p>A node is: the length of its key and of its value, 4 bytes each; its links, 16 bytes each:
 * head and address; key; value.
 */
final class SkiplistMemtable implements MemtableCandidate {
  private static final int LEVELS = 12;
  private static final int LINK_BYTES = 2 * Long.BYTES;
  private static final int LINKS_OFFSET = 2 * Integer.BYTES;

  private final MemtableRecords records;
  private final Region region;
  private final AtomicLong free;
  private final long first;
  private final SplittableRandom random = new SplittableRandom(1);
  private final SearchKey wanted = new SearchKey();
  private final long[] before = new long[LEVELS];

  SkiplistMemtable(MemtableRecords records) {
    this.records = records;
    long nodeBytes =
        LINKS_OFFSET + 2L * LINK_BYTES + MemtableRecords.KEY_BYTES + MemtableRecords.VALUE_BYTES;
    long bytes = (nodeBytes * records.count + (1 << 20)) & -4096L;
    region = Region.map(MemoryBudget.root("skiplist", bytes), RegionOptions.ofSize(bytes));
    free = new AtomicLong(region.address());
    first = free.getAndAdd(LINKS_OFFSET + LEVELS * LINK_BYTES);
  }

  private static long link(long node, int level) {
    return node + LINKS_OFFSET + (long) level * LINK_BYTES;
  }

  private static long next(long node, int level) {
    return Memory.getLongAcquire(link(node, level) + Long.BYTES); // partner: insert
  }

  private static long keyAddress(long node) {
    return node + Memory.getInt(node);
  }

  /** Whether the node that a link leads to is before the key. */
  private boolean isBefore(long node, int level, long next) {
    long head = Memory.getLong(link(node, level));
    if (head != wanted.head()) {
      return Long.compareUnsigned(head, wanted.head()) < 0;
    }
    return Memory.compareUnsigned(
            keyAddress(next), MemtableRecords.KEY_BYTES, wanted.address(), wanted.lengthBytes())
        < 0;
  }

  /**
   * Finds the node on each level after which the key belongs. Returns the one behind the lowest.
   */
  private long findBefore() {
    long node = first;
    long next = 0;
    for (int level = LEVELS - 1; level >= 0; level--) {
      next = next(node, level);
      while (next != 0 && isBefore(node, level, next)) {
        node = next;
        next = next(node, level);
      }
      before[level] = node;
    }
    return next;
  }

  @Override
  public void insert(int record) {
    wanted.set(records.key(record));
    int levels = 1;
    while (levels < LEVELS && random.nextInt(4) == 0) {
      levels++;
    }
    int keyOffset = LINKS_OFFSET + levels * LINK_BYTES;
    int bytes = keyOffset + MemtableRecords.KEY_BYTES + MemtableRecords.VALUE_BYTES;
    long node = free.getAndAdd((bytes + Long.BYTES - 1) & -Long.BYTES);
    Memory.putInt(node, keyOffset);
    Memory.putInt(node + Integer.BYTES, MemtableRecords.VALUE_BYTES);
    Memory.copyFrom(records.key(record), 0, node + keyOffset, MemtableRecords.KEY_BYTES);
    Memory.copyFrom(
        records.value(record),
        0,
        node + keyOffset + MemtableRecords.KEY_BYTES,
        MemtableRecords.VALUE_BYTES);
    findBefore();
    for (int level = 0; level < levels; level++) {
      long left = before[level];
      long right = next(left, level);
      Memory.putLong(link(node, level), Memory.getLong(link(left, level)));
      Memory.putLong(link(node, level) + Long.BYTES, right);
      if (!Memory.compareAndSetLong(link(left, level) + Long.BYTES, right, node)) {
        throw new IllegalStateException("one thread inserts here: record=" + record);
      }
      Memory.putLong(link(left, level), wanted.head());
    }
  }

  @Override
  public int get(int record) {
    return seek(record);
  }

  @Override
  public int seek(int record) {
    wanted.set(records.key(record));
    return Memory.getByte(keyAddress(findBefore()) + MemtableRecords.KEY_BYTES);
  }

  @Override
  public int scan() {
    int count = 0;
    for (long node = next(first, 0); node != 0; node = next(node, 0)) {
      count++;
    }
    return count;
  }

  @Override
  public void close() {
    region.close();
  }
}
