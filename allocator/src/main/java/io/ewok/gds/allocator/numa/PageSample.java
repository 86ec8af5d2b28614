package io.ewok.gds.allocator.numa;

import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxMemory;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Where some pages of a piece of memory lie.
 *
 * @param pagesByNode how many were found on each node, by its number
 * @param untouchedPages how many have no memory of their own yet
 */
record PageSample(SortedMap<Integer, Integer> pagesByNode, int untouchedPages) {
  /** At most so many pages are asked for. */
  static final int PAGES_MAX = 64;

  static final PageSample NONE = new PageSample(new TreeMap<>(), 0);

  PageSample {
    pagesByNode = Collections.unmodifiableSortedMap(new TreeMap<>(pagesByNode));
  }

  static PageSample of(MemorySegment memory, PolicyCalls calls) throws ErrnoException {
    SortedMap<Integer, Integer> pagesByNode = new TreeMap<>();
    int untouchedPages = 0;
    for (int node : calls.movePagesQuery(addresses(memory))) {
      // Negative: no page yet, or one that the kernel shares, such as the page of zeros.
      if (node < 0) {
        untouchedPages++;
      } else {
        pagesByNode.merge(node, 1, Integer::sum);
      }
    }
    return new PageSample(pagesByNode, untouchedPages);
  }

  /**
   * One page of each of {@link #PAGES_MAX} equal parts, at a mixed place in its part: with equal
   * strides all of them would be on the same node of an interleaved range.
   */
  private static long[] addresses(MemorySegment memory) {
    long pageBytes = LinuxMemory.pageSizeBytes();
    long pages = Math.ceilDiv(memory.byteSize(), pageBytes);
    int count = (int) Math.min(pages, PAGES_MAX);
    long[] addresses = new long[count];
    for (int i = 0; i < count; i++) {
      long first = pages * i / count;
      long end = pages * (i + 1) / count;
      long page = first + Long.remainderUnsigned(mix(i), end - first);
      addresses[i] = memory.address() + page * pageBytes;
    }
    return addresses;
  }

  /** Spreads neighbouring numbers over all bits (the finalizer of SplitMix64). */
  private static long mix(long number) {
    long mixed = (number + 1) * 0x9E3779B97F4A7C15L;
    mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
    return mixed ^ (mixed >>> 31);
  }

  /** How many of the pages lie on other nodes than these. */
  int outside(BitSet nodes) {
    int outside = 0;
    for (var entry : pagesByNode.entrySet()) {
      if (!nodes.get(entry.getKey())) {
        outside += entry.getValue();
      }
    }
    return outside;
  }

  /** How many pages were found on a node. */
  int touchedPages() {
    return pagesByNode.values().stream().mapToInt(Integer::intValue).sum();
  }
}
