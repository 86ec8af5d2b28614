package io.ewok.gds.buffers;

/**
 * A page or block would have to be read, or waited for, by a fix that was told not to: see {@link
 * Fix#onlyCached}. Nothing changed. It has no stack trace, so that it costs next to nothing.
 */
public final class NotCachedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  NotCachedException() {
    super("it is not in the pool", null, false, false);
  }
}
