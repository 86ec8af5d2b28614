package io.ewok.gds.pagestore;

import java.util.Objects;

/**
 * Which engine to open, and how large.
 *
 * @param wanted default AUTO; force a kind to compare engines, at the cost of an error where it is
 *     not available
 * @param queueDepth operations that the engine hands to the kernel at once, 1 to {@link
 *     #QUEUE_DEPTH_MAX}; default 64. More helps devices with many channels and costs latency when
 *     they are busy. What is submitted beyond it waits in the engine.
 * @param poolThreads threads of the POOL engine, 1 to {@link #POOL_THREADS_MAX}; default 16. Each
 *     is one operation at the device; more than the device has channels only costs stacks.
 */
public record EngineOptions(EngineKind wanted, int queueDepth, int poolThreads) {
  /** The largest queue depth. */
  public static final int QUEUE_DEPTH_MAX = 4096;

  /** The most threads of a pool. */
  public static final int POOL_THREADS_MAX = 1024;

  private static final EngineOptions DEFAULTS = new EngineOptions(EngineKind.AUTO, 64, 16);

  /** Checks the ranges. */
  public EngineOptions {
    Objects.requireNonNull(wanted, "wanted");
    if (queueDepth < 1 || queueDepth > QUEUE_DEPTH_MAX) {
      throw new IllegalArgumentException(
          "a queue depth is 1 to " + QUEUE_DEPTH_MAX + ": queueDepth=" + queueDepth);
    }
    if (poolThreads < 1 || poolThreads > POOL_THREADS_MAX) {
      throw new IllegalArgumentException(
          "a pool has 1 to " + POOL_THREADS_MAX + " threads: poolThreads=" + poolThreads);
    }
  }

  /** Returns the defaults. */
  public static EngineOptions defaults() {
    return DEFAULTS;
  }

  /** Returns these options with another engine wanted. */
  public EngineOptions withWanted(EngineKind wanted) {
    return new EngineOptions(wanted, queueDepth, poolThreads);
  }

  /** Returns these options with another queue depth. */
  public EngineOptions withQueueDepth(int queueDepth) {
    return new EngineOptions(wanted, queueDepth, poolThreads);
  }

  /** Returns these options with another number of pool threads. */
  public EngineOptions withPoolThreads(int poolThreads) {
    return new EngineOptions(wanted, queueDepth, poolThreads);
  }
}
