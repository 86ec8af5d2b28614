package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.MemorySize;
import io.ewok.gds.allocator.Setting;
import io.ewok.gds.allocator.Settings;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * How a {@link PageFile} grows.
 *
 * @param stepBytes bytes to reserve at a time, whole pages, {@link #STEP_BYTES_MIN} to {@link
 *     #STEP_BYTES_MAX}; default 64 MiB. More means fewer extents, and more space unused at the end.
 */
public record PageFileOptions(long stepBytes) {
  /** The smallest step. */
  public static final long STEP_BYTES_MIN = 512;

  /** The largest step. */
  public static final long STEP_BYTES_MAX = 1L << 40;

  private static final Pattern NAMES = Pattern.compile("page-file\\..*");
  private static final String STEP = "page-file.step";

  private static final List<Setting> SETTINGS =
      List.of(
          Setting.of(
                  STEP,
                  "64M",
                  "a size from 512 to 1T, whole pages",
                  "space that a page file reserves at a time when it grows")
              .change("files grow fast, or are many and small", "space unused at the end"));

  private static final PageFileOptions DEFAULTS = new PageFileOptions(64 << 20);

  /** Checks the range. */
  public PageFileOptions {
    if (stepBytes < STEP_BYTES_MIN || stepBytes > STEP_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a step has %d to %d bytes: stepBytes=%d"
              .formatted(STEP_BYTES_MIN, STEP_BYTES_MAX, stepBytes));
    }
  }

  /** Returns the defaults. */
  public static PageFileOptions defaults() {
    return DEFAULTS;
  }

  /**
   * Returns the defaults, changed by those of the settings that begin with {@code page-file.}:
   * {@code page-file.step}, a size ({@code 64M}) as in {@link MemorySize}. Other settings are not
   * ours and are passed over.
   *
   * @throws IllegalArgumentException that ends in the setting, an equals sign and its value
   */
  public static PageFileOptions from(Map<String, String> settings) {
    Settings.requireKnown(settings, NAMES, Setting.names(SETTINGS));
    return new PageFileOptions(
        Settings.read(settings, STEP, PageFileOptions::stepBytes, DEFAULTS.stepBytes));
  }

  /** Returns what {@link #from} reads. */
  public static List<Setting> settings() {
    return SETTINGS;
  }

  private static long stepBytes(String text) {
    long bytes = MemorySize.parse(STEP, text).bytes(STEP_BYTES_MAX);
    if (bytes < STEP_BYTES_MIN || bytes > STEP_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a step has %d to %d bytes: %s=%s".formatted(STEP_BYTES_MIN, STEP_BYTES_MAX, STEP, text));
    }
    return bytes;
  }

  /** Returns these options with another step. */
  public PageFileOptions withStepBytes(long stepBytes) {
    return new PageFileOptions(stepBytes);
  }
}
