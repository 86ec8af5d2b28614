package io.ewok.gds.allocator;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Which units of a reserved {@link Region} are memory.
 *
 * <p>Threads: one at a time changes, under the region's lock; any asks.
 */
final class CommittedUnits {
  private final long unitBytes;

  /** One bit per unit. Written with release, read with acquire by operations about to start. */
  private final AtomicIntegerArray bits;

  private final AtomicLong bytes = new AtomicLong();

  CommittedUnits(long sizeBytes, long unitBytes) {
    this.unitBytes = unitBytes;
    long units = sizeBytes / unitBytes;
    this.bits = new AtomicIntegerArray(Math.toIntExact((units + Integer.SIZE - 1) / Integer.SIZE));
  }

  /** Returns how many bytes are committed. */
  long bytes() {
    return bytes.get();
  }

  /** Returns whether each unit that the range touches is in this state. */
  boolean all(boolean committed, long offset, long length) {
    if (length == 0) {
      return true;
    }
    long last = (offset + length - 1) / unitBytes;
    for (long unit = offset / unitBytes; unit <= last; unit++) {
      boolean set = (bits.getAcquire(word(unit)) & bit(unit)) != 0;
      if (set != committed) {
        return false;
      }
    }
    return true;
  }

  /** Changes the state of whole units, all of which are in the other one. */
  void set(boolean committed, long offset, long length) {
    for (long unit = offset / unitBytes; unit < (offset + length) / unitBytes; unit++) {
      bits.setRelease(word(unit), bits.getPlain(word(unit)) ^ bit(unit));
    }
    bytes.addAndGet(committed ? length : -length);
  }

  private static int word(long unit) {
    return (int) (unit / Integer.SIZE);
  }

  private static int bit(long unit) {
    return 1 << (unit % Integer.SIZE);
  }
}
