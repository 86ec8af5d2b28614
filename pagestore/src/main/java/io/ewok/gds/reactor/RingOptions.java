package io.ewok.gds.reactor;

/**
 * How a reactor uses its ring.
 *
 * @param queueDepth operations that the kernel has at once, 1 to 16,384. More keeps a fast device
 *     busy and makes each operation wait longer
 * @param setupFlags {@code IORING_SETUP_} flags, as probed
 * @param reapMax completions taken before new operations are handed over again. More makes fewer
 *     calls and lets the device run empty
 */
public record RingOptions(int queueDepth, int setupFlags, int reapMax) {
  /** Checks. */
  public RingOptions {
    if (queueDepth < 1 || queueDepth > 1 << 14) {
      throw new IllegalArgumentException("from 1 to 16384: queueDepth=" + queueDepth);
    }
    if (reapMax < 1) {
      throw new IllegalArgumentException("at least 1: reapMax=" + reapMax);
    }
  }

  /** Returns 64 operations at once, 4 completions at a time, and no flags. */
  public static RingOptions defaults() {
    return new RingOptions(64, 0, 4);
  }

  /** Returns these with another queue depth. */
  public RingOptions withQueueDepth(int queueDepth) {
    return new RingOptions(queueDepth, setupFlags, reapMax);
  }

  /** Returns these with other flags. */
  public RingOptions withSetupFlags(int setupFlags) {
    return new RingOptions(queueDepth, setupFlags, reapMax);
  }

  /** Returns these with another number of completions taken at a time. */
  public RingOptions withReapMax(int reapMax) {
    return new RingOptions(queueDepth, setupFlags, reapMax);
  }

  /** Returns the entries of the ring: one more, for the read that wakes. */
  public int ringEntries() {
    return queueDepth + 1;
  }
}
