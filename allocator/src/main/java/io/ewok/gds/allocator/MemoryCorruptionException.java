package io.ewok.gds.allocator;

/**
 * Memory of an allocator was written by somebody who had no right to: past the end of an
 * allocation, before its start, or after it was freed. Thrown only where {@link DebugLetters} are
 * on, by the first call that sees it, which need not be one of whoever did it. Each is reported
 * once; the call that reports it has done its work apart from that, unless it says otherwise.
 *
 * <p>The message names allocator and allocation, the first wrong byte by its offset from the start
 * of the allocation, and where the allocation was made and freed if that is known.
 *
 * <p>Ownership: it holds on to no memory. Threads: any; it is thrown on the one that looked.
 */
public final class MemoryCorruptionException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Says what was found.
   *
   * @param what was done
   * @param pool in which allocator
   * @param sites as {@link AllocationSite#told} makes them
   * @param allocation how it is named, as in {@code handle=0x1}
   * @param offset of the first wrong byte, from the start of the allocation
   * @param actual that byte
   */
  MemoryCorruptionException(
      String what,
      Object pool,
      String sites,
      String allocation,
      long offset,
      Poison expected,
      byte actual) {
    super(
        "%s in %s%s: %s offset=%d expected=0x%02x actual=0x%02x"
            .formatted(what, pool, sites, allocation, offset, expected.pattern(), actual & 0xff));
  }

  /** Returns the first of two, which takes the other with it; either may be null. */
  static MemoryCorruptionException join(
      MemoryCorruptionException first, MemoryCorruptionException second) {
    if (first == null) {
      return second;
    }
    if (second != null) {
      first.addSuppressed(second);
    }
    return first;
  }
}
