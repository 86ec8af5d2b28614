package io.ewok.gds.reactor;

/**
 * How a reactor uses its ring.
 *
 * @param queueDepth operations that the kernel has at once, 1 to 16,384. More keeps a fast device
 *     busy and makes each operation wait longer
 * @param setupFlags {@code IORING_SETUP_} flags, as probed
 * @param reapMax completions taken before new operations are handed over again. More makes fewer
 *     calls and lets the device run empty
 * @param sqPollIdleMillis how long a thread of the kernel goes on to look for new operations after
 *     the last one; 0, the default, for no such thread: the reactor hands them over by a call. The
 *     thread saves those calls and takes a processor for itself
 * @param ioPoll whether there is a second ring, for {@link RingOperation#pollDevice}; default
 *     false. The reactor asks the device again and again then, instead of sleeping until its
 *     interrupt
 */
public record RingOptions(
    int queueDepth, int setupFlags, int reapMax, int sqPollIdleMillis, boolean ioPoll) {
  /** Checks. */
  public RingOptions {
    if (queueDepth < 1 || queueDepth > 1 << 14) {
      throw new IllegalArgumentException("from 1 to 16384: queueDepth=" + queueDepth);
    }
    if (reapMax < 1) {
      throw new IllegalArgumentException("at least 1: reapMax=" + reapMax);
    }
    if (sqPollIdleMillis < 0) {
      throw new IllegalArgumentException("not negative: sqPollIdleMillis=" + sqPollIdleMillis);
    }
  }

  /** Returns 64 operations at once, 4 completions at a time, no flags, and no polling. */
  public static RingOptions defaults() {
    return new RingOptions(64, 0, 4, 0, false);
  }

  /** Returns these with another queue depth. */
  public RingOptions withQueueDepth(int queueDepth) {
    return new RingOptions(queueDepth, setupFlags, reapMax, sqPollIdleMillis, ioPoll);
  }

  /** Returns these with other flags. */
  public RingOptions withSetupFlags(int setupFlags) {
    return new RingOptions(queueDepth, setupFlags, reapMax, sqPollIdleMillis, ioPoll);
  }

  /** Returns these with another number of completions taken at a time. */
  public RingOptions withReapMax(int reapMax) {
    return new RingOptions(queueDepth, setupFlags, reapMax, sqPollIdleMillis, ioPoll);
  }

  /** Returns these with another patience of the kernel's thread; 0 for no thread. */
  public RingOptions withSqPollIdleMillis(int sqPollIdleMillis) {
    return new RingOptions(queueDepth, setupFlags, reapMax, sqPollIdleMillis, ioPoll);
  }

  /** Returns these with or without a ring whose devices are polled. */
  public RingOptions withIoPoll(boolean ioPoll) {
    return new RingOptions(queueDepth, setupFlags, reapMax, sqPollIdleMillis, ioPoll);
  }

  /** Returns the entries of the ring: one more, for the read that wakes. */
  public int ringEntries() {
    return queueDepth + 1;
  }
}
