package io.ewok.gds.pagestore.sim;

import io.ewok.gds.pagestore.KeySource;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/**
 * What kind of device is simulated.
 *
 * <pre>{@code
 * SimOptions options = SimOptions.defaults()
 *     .withRate(SimFault.SHORT_TRANSFER, 0.2)
 *     .withSyncFailure(SimSyncFailure.ROLLED_BACK);
 * }</pre>
 *
 * @param alignmentBytes what transfers must be aligned to, a power of two of at least 512; what
 *     survives a crash is decided per 512 bytes all the same. Default 512
 * @param syncFailure what a failed sync leaves. Default {@link SimSyncFailure#MARKED_CLEAN}
 * @param latency how long transfers take on the virtual clock. Default {@link SimLatency#NONE}
 * @param queueDepth how many reads and writes the device has at once while there are limits ({@link
 *     SimEngine#setThrottle}); more wait. Default as many as there are
 * @param atomicBytesMax the longest write that the device can do wholly or not at all, a power of
 *     two; 0 for none. Default 0
 * @param rates how often each fault happens, 0 to 1; those that are not named never do. Default
 *     empty
 * @param keys what {@link SimEngine#keys} returns. Default {@link KeySource#NONE}
 */
public record SimOptions(
    int alignmentBytes,
    SimSyncFailure syncFailure,
    SimLatency latency,
    int queueDepth,
    int atomicBytesMax,
    Map<SimFault, Double> rates,
    KeySource keys) {
  private static final SimOptions DEFAULTS =
      new SimOptions(
          SimNode.SECTOR_BYTES,
          SimSyncFailure.MARKED_CLEAN,
          SimLatency.NONE,
          Integer.MAX_VALUE,
          0,
          Map.of(),
          KeySource.NONE);

  /** Checks the values and copies the rates. */
  public SimOptions {
    if (alignmentBytes < SimNode.SECTOR_BYTES || Integer.bitCount(alignmentBytes) != 1) {
      throw new IllegalArgumentException(
          "an alignment is a power of two of at least 512: alignmentBytes=" + alignmentBytes);
    }
    Objects.requireNonNull(syncFailure, "syncFailure");
    Objects.requireNonNull(latency, "latency");
    if (queueDepth < 1) {
      throw new IllegalArgumentException("a depth is at least 1: queueDepth=" + queueDepth);
    }
    if (atomicBytesMax != 0
        && (atomicBytesMax < alignmentBytes || Integer.bitCount(atomicBytesMax) != 1)) {
      throw new IllegalArgumentException(
          "an atomic write is a power of two of at least the alignment: atomicBytesMax="
              + atomicBytesMax);
    }
    Objects.requireNonNull(keys, "keys");
    rates = Map.copyOf(rates);
    rates.forEach(SimOptions::requireRate);
  }

  static void requireRate(SimFault fault, double rate) {
    if (!(rate >= 0 && rate <= 1)) {
      throw new IllegalArgumentException(
          "a rate is 0 to 1: fault=%s rate=%s".formatted(fault, rate));
    }
  }

  /** Returns a device that fails only when asked to by {@link SimEngine#failNth}. */
  public static SimOptions defaults() {
    return DEFAULTS;
  }

  /** Returns these options with another alignment. */
  public SimOptions withAlignmentBytes(int alignmentBytes) {
    return new SimOptions(
        alignmentBytes, syncFailure, latency, queueDepth, atomicBytesMax, rates, keys);
  }

  /** Returns these options with another way of failing syncs. */
  public SimOptions withSyncFailure(SimSyncFailure syncFailure) {
    return new SimOptions(
        alignmentBytes, syncFailure, latency, queueDepth, atomicBytesMax, rates, keys);
  }

  /** Returns these options with transfers that take time. */
  public SimOptions withLatency(SimLatency latency) {
    return new SimOptions(
        alignmentBytes, syncFailure, latency, queueDepth, atomicBytesMax, rates, keys);
  }

  /** Returns these options with another queue depth. */
  public SimOptions withQueueDepth(int queueDepth) {
    return new SimOptions(
        alignmentBytes, syncFailure, latency, queueDepth, atomicBytesMax, rates, keys);
  }

  /** Returns these options with atomic writes. */
  public SimOptions withAtomicBytesMax(int atomicBytesMax) {
    return new SimOptions(
        alignmentBytes, syncFailure, latency, queueDepth, atomicBytesMax, rates, keys);
  }

  /** Returns these options with a fault at this rate. */
  public SimOptions withRate(SimFault fault, double rate) {
    EnumMap<SimFault, Double> changed = new EnumMap<>(SimFault.class);
    changed.putAll(rates);
    changed.put(fault, rate);
    return new SimOptions(
        alignmentBytes, syncFailure, latency, queueDepth, atomicBytesMax, changed, keys);
  }

  /** Returns these options with other keys. */
  public SimOptions withKeys(KeySource keys) {
    return new SimOptions(
        alignmentBytes, syncFailure, latency, queueDepth, atomicBytesMax, rates, keys);
  }

  /** Returns these options with no fault at any rate. */
  public SimOptions withoutFaults() {
    return new SimOptions(
        alignmentBytes, syncFailure, latency, queueDepth, atomicBytesMax, Map.of(), keys);
  }
}
