package io.ewok.gds.buffers;

import io.ewok.gds.allocator.MemorySize;
import io.ewok.gds.allocator.Setting;
import io.ewok.gds.allocator.Settings;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

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
  private static final Pattern NAMES = Pattern.compile("cleaner\\..*");
  private static final String REDO = "cleaner.redo-max";
  private static final String DIRTY_PERCENT = "cleaner.dirty-percent";
  private static final String INTERVAL_MILLIS = "cleaner.interval-ms";

  private static final List<Setting> SETTINGS =
      List.of(
          Setting.of(
                  REDO,
                  "64M",
                  "a size from 4K, well below that of the log",
                  "how much of the log a buffer manager has to redo after a crash")
              .change(
                  "recovery has to be shorter: less",
                  "pages that change often are written more often"),
          Setting.of(
                  DIRTY_PERCENT,
                  "40",
                  "1 to 100 percent",
                  "part of the frames of a buffer manager that may be changed and not written")
              .change("who needs room waits for writes: less", "pages are written more often"),
          Setting.of(
                  INTERVAL_MILLIS,
                  "50",
                  "1 to 60000 milliseconds",
                  "how often a buffer manager looks what to write back")
              .change("bursts of changes are short: less", "processor time while nothing changes"));

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

  /**
   * The defaults, changed by those of the settings that begin with {@code cleaner.}: {@code
   * cleaner.redo-max}, a size as in {@link MemorySize}, {@code cleaner.dirty-percent} and {@code
   * cleaner.interval-ms}. Others are not ours and are passed over.
   *
   * @throws IllegalArgumentException that ends in a name, an equals sign and its value
   */
  public static CleanerOptions from(Map<String, String> settings) {
    Settings.requireKnown(settings, NAMES, Setting.names(SETTINGS));
    return new CleanerOptions(
        Settings.read(settings, REDO, CleanerOptions::redoBytesMax, DEFAULTS.redoBytesMax),
        Settings.readInt(settings, DIRTY_PERCENT, DEFAULTS.dirtyPercentMax),
        Duration.ofMillis(
            Settings.readInt(settings, INTERVAL_MILLIS, (int) DEFAULTS.interval.toMillis())));
  }

  private static long redoBytesMax(String text) {
    MemorySize size = MemorySize.parse(REDO, text);
    if (size.isShare()) {
      throw new IllegalArgumentException("bytes, not a share: " + REDO + "=" + text);
    }
    return size.bytes(0);
  }

  /** What {@link #from} reads. */
  public static List<Setting> settings() {
    return SETTINGS;
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
