package io.ewok.gds.bench;

import java.util.SplittableRandom;

/**
 * Sizes of a real service, a web-socket proxy, as Netty publishes them for its benchmark of
 * allocation patterns: 87,759 requests of 2,534 bytes in the mean. 94 % of the requests have
 * exactly the published size; the rest, hundreds of rare sizes, are gathered into groups of
 * neighbours by their mean. The largest is 18,432 bytes there and 17,358 here, so nothing had to be
 * left out for a limit of 64 KiB.
 */
final class SizeMix {
  /** Size in bytes, then how often it occurs. */
  private static final int[] SIZES_AND_WEIGHTS = {
    9, 316, 13, 3, 15, 10_344, 17, 628, 21, 316, 36, 338, 48, 338, 64, 23, 128, 17, 256, 21_272,
    326, 252, 474, 440, 614, 2795, 634, 349, 635, 635, 636, 5443, 637, 459, 665, 126, 958, 19, 1024,
    29_289, 1276, 47, 1669, 3, 2048, 2636, 2327, 240, 4015, 30, 4463, 649, 7014, 49, 8083, 7, 8447,
    555, 8667, 333, 15_958, 143, 16_639, 9269, 16_842, 96, 16_862, 281, 17_358, 19,
  };

  /** The largest size, in bytes. */
  static final int BYTES_MAX = SIZES_AND_WEIGHTS[SIZES_AND_WEIGHTS.length - 2];

  private SizeMix() {}

  /** Returns sizes in bytes, each as often as its weight asks, in an order drawn from a seed. */
  static int[] sizes(int count, long seed) {
    long total = 0;
    for (int i = 1; i < SIZES_AND_WEIGHTS.length; i += 2) {
      total += SIZES_AND_WEIGHTS[i];
    }
    int[] sizes = new int[count];
    int filled = 0;
    long weight = 0;
    for (int i = 0; i < SIZES_AND_WEIGHTS.length; i += 2) {
      weight += SIZES_AND_WEIGHTS[i + 1];
      long end = weight * count / total;
      while (filled < end) {
        sizes[filled++] = SIZES_AND_WEIGHTS[i];
      }
    }
    shuffle(sizes, new SplittableRandom(seed));
    return sizes;
  }

  private static void shuffle(int[] values, SplittableRandom random) {
    for (int i = values.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int value = values[i];
      values[i] = values[j];
      values[j] = value;
    }
  }
}
