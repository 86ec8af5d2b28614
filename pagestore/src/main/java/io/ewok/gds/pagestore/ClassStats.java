package io.ewok.gds.pagestore;

/**
 * What a class of work has asked of an engine while the engine had limits ({@link
 * ThrottleOptions}), and how long the limits made it wait. Without limits nothing is counted here.
 *
 * @param operations reads and writes handed to the device
 * @param bytes their lengths
 * @param throttledOperations those of them that a cap made wait
 * @param throttledNanos the time that they waited for a cap, added up over all of them; not the
 *     time that they waited for a free place in the device's queue
 * @param waiting operations that wait now, for whatever reason
 * @param inFlight operations that the device has now
 */
public record ClassStats(
    long operations,
    long bytes,
    long throttledOperations,
    long throttledNanos,
    int waiting,
    int inFlight) {

  /** Nothing was asked for. */
  public static final ClassStats NONE = new ClassStats(0, 0, 0, 0, 0, 0);
}
