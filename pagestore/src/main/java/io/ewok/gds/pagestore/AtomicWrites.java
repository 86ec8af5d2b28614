package io.ewok.gds.pagestore;

/**
 * Which writes a file can do wholly or not at all, whatever happens meanwhile, if {@link
 * IoRequest#atomic} asks for it. Their length is a power of two in this range and their offset a
 * multiple of it.
 *
 * @param minBytes the smallest; 0 where there are none
 * @param maxBytes the largest; 0 where there are none
 */
public record AtomicWrites(int minBytes, int maxBytes) {
  /** Of files that have none. */
  public static final AtomicWrites NONE = new AtomicWrites(0, 0);

  /** Returns whether a write is one of them. */
  public boolean allows(long offset, int length) {
    return length > 0
        && length >= minBytes
        && length <= maxBytes
        && Integer.bitCount(length) == 1
        && offset % length == 0;
  }
}
