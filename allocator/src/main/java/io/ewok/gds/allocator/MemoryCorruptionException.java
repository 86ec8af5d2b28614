package io.ewok.gds.allocator;

/**
 * Memory of an allocator was written by somebody who had no right to: past the end of an
 * allocation, before its start, or after it was freed. Thrown only where {@link DebugLetters} are
 * on, by the first call that sees it, which need not be one of whoever did it.
 *
 * <p>The message names allocator and allocation, the first wrong byte by its offset from the start
 * of the allocation, and where the allocation was made and freed if that is known.
 */
public final class MemoryCorruptionException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  MemoryCorruptionException(String message) {
    super(message);
  }
}
