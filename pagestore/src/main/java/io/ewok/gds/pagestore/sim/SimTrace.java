package io.ewok.gds.pagestore.sim;

import java.nio.file.Path;
import java.util.function.LongSupplier;

/** A running hash of what was done, and when. Guarded by the engine's lock. */
final class SimTrace {
  private static final long FACTOR = 0xD6E8FEB86659FD93L;

  private final LongSupplier clock;
  private long hash;

  SimTrace(LongSupplier clock) {
    this.clock = clock;
  }

  void add(SimOperation operation, Path path, long offset) {
    add(operation.name().hashCode());
    add(path.toString().hashCode());
    add(offset);
    add(clock.getAsLong());
  }

  void add(long value) {
    hash = (hash ^ value) * FACTOR;
    hash ^= hash >>> 32;
  }

  long hash() {
    return hash;
  }
}
