package io.ewok.gds.lsm;

import java.lang.foreign.MemorySegment;

/** Receives a value where it lies, without a copy. */
@FunctionalInterface
public interface ValueConsumer {
  /**
   * Called at most once per get, on the caller's thread.
   *
   * @param value read-only, valid until this method returns. Later its bytes may be those of
   *     another record; after the close of the store access throws {@link IllegalStateException}.
   */
  void accept(MemorySegment value);
}
