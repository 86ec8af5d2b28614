package io.ewok.gds.buffers;

import java.time.Duration;

/**
 * How a {@link Cleaner} works.
 *
 * @param redoBytesMax how much of the log is to be redone after a crash, in bytes, at least 4096:
 *     less makes recovery shorter, and lets pages that change often be written more often. Well
 *     below the size of the log. Default 64 MiB
 * @param dirtyPercentMax of the pool's frames: beyond it changed pages are written, so that who
 *     needs room finds pages that need not be written first; 1 to 100. Default 40
 * @param interval how often it looks, 1 ms to 1 min. Default 50 ms
 */
public record CleanerOptions(long redoBytesMax, int dirtyPercentMax, Duration interval) {
  private static final long REDO_BYTES_MIN = 4096;
  private static final Duration SHORTEST = Duration.ofMillis(1);
  private static final Duration LONGEST = Duration.ofMinutes(1);
  private static final CleanerOptions DEFAULTS =
      new CleanerOptions(64 << 20, 40, Duration.ofMillis(50));

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if one is outside the limits above
   */
  public CleanerOptions {
    if (redoBytesMax < REDO_BYTES_MIN) {
      throw new IllegalArgumentException(
          "at least 4096 bytes may have to be redone: redoBytesMax=" + redoBytesMax);
    }
    if (dirtyPercentMax < 1 || dirtyPercentMax > 100) {
      throw new IllegalArgumentException(
          "a part is 1 to 100 percent: dirtyPercentMax=" + dirtyPercentMax);
    }
    if (interval.compareTo(SHORTEST) < 0 || interval.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException("an interval has 1 ms to 1 min: interval=" + interval);
    }
  }

  /** The defaults above. */
  public static CleanerOptions defaults() {
    return DEFAULTS;
  }

  /** These options with another length of redo. */
  public CleanerOptions withRedoBytesMax(long redoBytesMax) {
    return new CleanerOptions(redoBytesMax, dirtyPercentMax, interval);
  }

  /** These options with another part of frames. */
  public CleanerOptions withDirtyPercentMax(int dirtyPercentMax) {
    return new CleanerOptions(redoBytesMax, dirtyPercentMax, interval);
  }

  /** These options with another interval. */
  public CleanerOptions withInterval(Duration interval) {
    return new CleanerOptions(redoBytesMax, dirtyPercentMax, interval);
  }
}
