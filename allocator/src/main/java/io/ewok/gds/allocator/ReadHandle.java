package io.ewok.gds.allocator;

/**
 * The bits of a handle of a {@link ReadArena}: what names a stride.
 *
 * <table>
 * <caption>Layout</caption>
 * <tr><th>bits</th><th>meaning</th></tr>
 * <tr><td>63..32</td><td>generation of the block, never 0</td></tr>
 * <tr><td>31..11</td><td>number of the block in the process, see {@link BlockNumbers}</td></tr>
 * <tr><td>10..2</td><td>index of the first page in the block</td></tr>
 * <tr><td>1..0</td><td>pages of the stride less one</td></tr>
 * </table>
 */
final class ReadHandle {
  static final int PAGES_MAX = 4;

  private static final int PAGE_SHIFT = 2;
  private static final int NUMBER_SHIFT = 11;

  private ReadHandle() {}

  /**
   * Returns the handle of pages just issued.
   *
   * @param issued as {@link ReadBlocks#allocate} returns it; 0 for 0
   */
  static long of(long issued, int number, int pages) {
    return issued == 0
        ? 0
        : (issued >>> 32) << 32
            | (long) number << NUMBER_SHIFT
            | (issued & 0x1ff) << PAGE_SHIFT
            | (pages - 1);
  }

  /** Returns whether a stride can lie like that: within 64 pages, as they are issued. */
  static boolean isPossible(long handle) {
    return handle != 0 && firstPage(handle) % Long.SIZE + pages(handle) <= Long.SIZE;
  }

  static int generation(long handle) {
    return (int) (handle >>> 32);
  }

  static int number(long handle) {
    return (int) (handle >>> NUMBER_SHIFT) & ((1 << BlockNumbers.BITS) - 1);
  }

  static int firstPage(long handle) {
    return (int) (handle >>> PAGE_SHIFT) & 0x1ff;
  }

  static int pages(long handle) {
    return (int) (handle & 3) + 1;
  }
}
