package io.ewok.gds.lsm;

import java.lang.foreign.MemorySegment;

/** Receives the values of several keys where they lie, without a copy. */
@FunctionalInterface
public interface MultiGetConsumer {
  /**
   * Called once for each key, in no particular order, on the caller's thread.
   *
   * @param number the place of the key among those asked for, from 0
   * @param valueOrNull read-only, valid until this method returns, as in {@link
   *     ValueConsumer#accept}; null if the key has no value
   */
  void accept(int number, MemorySegment valueOrNull);
}
