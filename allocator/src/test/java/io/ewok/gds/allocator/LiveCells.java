package io.ewok.gds.allocator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * The shadow of an allocator: a bit for each 8 bytes of memory that somebody has.
 *
 * <p>Threads: any. Its atomic operations order what the allocator may have forgotten to order, so
 * only some of the allocations of a test should be entered; the patterns of {@link BurnBlock} watch
 * the others.
 */
final class LiveCells {
  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final int GRANULE_SHIFT = 3;
  private static final int WORD_SHIFT = GRANULE_SHIFT + 6;
  private static final int PAGE_SHIFT = 21;
  private static final int PAGE_WORDS = 1 << (PAGE_SHIFT - WORD_SHIFT);

  /** By address / 2 MiB. */
  private final ConcurrentMap<Long, long[]> pages = new ConcurrentHashMap<>();

  private final LongAdder bytes = new LongAdder();

  /** Enters a cell that was just allocated; fails if some of it is somebody else's. */
  void add(long address, long length) {
    for (long at = address; at < address + length; at = nextWord(at)) {
      long mask = mask(at, address + length);
      long before = (long) LONGS.getAndBitwiseOr(page(at), word(at), mask);
      if ((before & mask) != 0) {
        throw new AssertionError(
            "two live cells overlap: address=0x%x length=%d".formatted(address, length));
      }
    }
    bytes.add(length);
  }

  /** Removes a cell that is about to be freed. */
  void remove(long address, long length) {
    for (long at = address; at < address + length; at = nextWord(at)) {
      long mask = mask(at, address + length);
      long before = (long) LONGS.getAndBitwiseAnd(page(at), word(at), ~mask);
      if ((before & mask) != mask) {
        throw new AssertionError(
            "a cell is freed that is not live: address=0x%x length=%d".formatted(address, length));
      }
    }
    bytes.add(-length);
  }

  /** Returns how many bytes are entered, exact when nobody enters any meanwhile. */
  long bytes() {
    return bytes.sum();
  }

  private long[] page(long address) {
    return pages.computeIfAbsent(address >>> PAGE_SHIFT, _ -> new long[PAGE_WORDS]);
  }

  private static int word(long address) {
    return (int) (address >>> WORD_SHIFT) & (PAGE_WORDS - 1);
  }

  private static long nextWord(long address) {
    return ((address >>> WORD_SHIFT) + 1) << WORD_SHIFT;
  }

  /** The bits from an address to the end of its word, or to the end of the cell. */
  private static long mask(long from, long end) {
    long fromBit = (from >>> GRANULE_SHIFT) & (Long.SIZE - 1);
    long mask = -1L << fromBit;
    long beyond = nextWord(from) - end;
    return beyond > 0 ? mask & (-1L >>> (beyond >>> GRANULE_SHIFT)) : mask;
  }
}
