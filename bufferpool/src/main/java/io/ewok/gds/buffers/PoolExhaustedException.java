package io.ewok.gds.buffers;

/**
 * There was no room in the pool for a page or block, because what fills it stayed fixed for longer
 * than the options allow to wait. Nothing changed; unfix something, or make the pool larger.
 */
public final class PoolExhaustedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  PoolExhaustedException(int framesWanted, int frames, int framesPinned) {
    super(
        "the pool has no %d neighbouring frames that are not fixed: frames=%d framesPinned=%d"
            .formatted(framesWanted, frames, framesPinned));
  }
}
