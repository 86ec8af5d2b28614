package io.ewok.gds.allocator;

/**
 * How an allocator learns which of its bytes are under I/O. A region has at most one, which the
 * allocator that cuts it up attaches with {@link Region#attach}.
 *
 * <p>Threads: any, several at once; both calls are on the path of every transfer. Each range that
 * was leased is unleased once, by whichever thread sees the operation end. Neither call holds a
 * lock of the region; between them the region stays mapped.
 */
interface FrameLeases {
  /**
   * An operation on these bytes is about to start.
   *
   * @throws RuntimeException to refuse it; then nothing was leased
   */
  void leased(long offset, long bytes);

  /** An operation on these bytes has ended. */
  void unleased(long offset, long bytes);
}
