package io.ewok.gds.lsm.record;

/** Takes the versions of one key, newest first. */
@FunctionalInterface
public interface VersionConsumer {
  /**
   * Takes a version.
   *
   * @param valueAddress of the value, which lies there until this method returns
   * @return whether older ones are wanted
   */
  boolean accept(long stamp, long valueAddress, int valueBytes);
}
