package io.ewok.gds.pagestore.sim;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Tears inside a sector, for one crash. Its chance is its own: without tears the crash is what it
 * is with them.
 */
final class SimTears {
  private final double rate;
  private final SplittableRandom random;
  private final Runnable onTear;

  SimTears(double rate, SplittableRandom random, Runnable onTear) {
    this.rate = rate;
    this.random = random;
    this.onTear = onTear;
  }

  /**
   * Returns what the device has of a sector: one content, or torn, its head and the other's tail.
   */
  byte[] apply(byte[] one, byte[] other) {
    if (rate == 0 || one == other || random.nextDouble() >= rate) {
      return one;
    }
    onTear.run();
    int cut = random.nextInt(1, one.length);
    byte[] torn = Arrays.copyOf(one, one.length);
    System.arraycopy(other, cut, torn, cut, one.length - cut);
    return torn;
  }
}
