package io.ewok.gds.buffers;

import java.lang.foreign.MemorySegment;

/** Tells which transaction deleted a tuple; only the owner of the page knows where that is. */
@FunctionalInterface
public interface TupleXmax {
  /**
   * The transaction that deleted the tuple.
   *
   * @param tuple as {@link SlottedPage#readOrNull} gives it
   * @return its number, 1 to 2<sup>32</sup> - 1, or zero if the tuple is to stay whatever happens
   */
  long xmaxOf(MemorySegment tuple);
}
