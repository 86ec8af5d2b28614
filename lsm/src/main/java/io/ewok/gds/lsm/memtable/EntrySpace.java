package io.ewok.gds.lsm.memtable;

import io.ewok.gds.allocator.Region;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The memory of one memtable, cut from both ends: entries from below, nodes from above. The two
 * never meet: {@link Room} lets nobody in for whom there may not be enough.
 *
 * <p>Threads: any.
 */
final class EntrySpace {
  private static final VarHandle LOW;
  private static final VarHandle HIGH;

  static {
    try {
      LOW = MethodHandles.lookup().findVarHandle(EntrySpace.class, "low", long.class);
      HIGH = MethodHandles.lookup().findVarHandle(EntrySpace.class, "high", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private static final int UNIT_SHIFT = 3;

  /** The first bytes are not used, so that no item is 0. */
  static final int UNUSED_BYTES = 64;

  private final long base;
  private volatile long low;
  private volatile long high;

  EntrySpace(Region region) {
    base = region.segment().address();
    low = base + UNUSED_BYTES;
    high = base + region.segment().byteSize();
    assert high % UNUSED_BYTES == 0;
  }

  /**
   * Takes memory for an entry.
   *
   * @param bytes a multiple of 8
   */
  long allocateEntry(long bytes) {
    long entry = (long) LOW.getAndAdd(this, bytes);
    assert entry + bytes <= high;
    return entry;
  }

  /**
   * Takes memory, with any content, for something that lives as long as the space, from its end.
   */
  long allocateNode(long bytes) {
    long node = (long) HIGH.getAndAdd(this, -bytes) - bytes;
    assert node >= low;
    return node;
  }

  /** An address as a number of 32 bits. */
  int unit(long address) {
    return (int) ((address - base) >>> UNIT_SHIFT);
  }

  long address(int unit) {
    return base + (Integer.toUnsignedLong(unit) << UNIT_SHIFT);
  }
}
