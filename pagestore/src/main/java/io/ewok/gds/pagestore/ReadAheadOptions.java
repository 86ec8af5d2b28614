package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.MemorySize;
import io.ewok.gds.allocator.Setting;
import io.ewok.gds.allocator.Settings;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * How far a {@link ReadAhead} reads ahead.
 *
 * @param frames pages that it has memory for, 2 to {@link #FRAMES_MAX}; default 32. More hides a
 *     slower device and wastes more reads where streams are short.
 * @param transferBytesMax neighbours are read together up to this, 512 to {@link
 *     #TRANSFER_BYTES_LARGEST}; default 256 KiB. Less lets other work in between sooner.
 */
public record ReadAheadOptions(int frames, int transferBytesMax) {
  /** The most frames. */
  public static final int FRAMES_MAX = 1 << 16;

  /** The largest limit of a transfer. */
  public static final int TRANSFER_BYTES_LARGEST = 1 << 30;

  private static final Pattern NAMES = Pattern.compile("read-ahead\\..*");
  private static final String FRAMES = "read-ahead.frames";
  private static final String MAX = "read-ahead.max";

  private static final List<Setting> SETTINGS =
      List.of(
          Setting.of(
                  FRAMES,
                  "32",
                  "2 to " + FRAMES_MAX + " pages",
                  "pages that a stream of a page file has read ahead")
              .change("the device is slow and streams are long", "reads in vain, and memory"),
          Setting.of(
                  MAX,
                  "256K",
                  "a size from 512 to 1G",
                  "neighbouring pages are read together up to this")
              .change("other work is to get in between sooner: less", "more transfers"));

  private static final ReadAheadOptions DEFAULTS = new ReadAheadOptions(32, 256 << 10);

  /** Checks the ranges. */
  public ReadAheadOptions {
    if (frames < 2 || frames > FRAMES_MAX) {
      throw new IllegalArgumentException(
          "read-ahead has 2 to %d frames: frames=%d".formatted(FRAMES_MAX, frames));
    }
    if (transferBytesMax < 512 || transferBytesMax > TRANSFER_BYTES_LARGEST) {
      throw new IllegalArgumentException(
          "a transfer has 512 to %d bytes: transferBytesMax=%d"
              .formatted(TRANSFER_BYTES_LARGEST, transferBytesMax));
    }
  }

  /** Returns the defaults. */
  public static ReadAheadOptions defaults() {
    return DEFAULTS;
  }

  /**
   * Returns the defaults, changed by those of the settings that begin with {@code read-ahead.}:
   * {@code read-ahead.frames}, and {@code read-ahead.max}, a size ({@code 256K}) as in {@link
   * MemorySize}. Other settings are not ours and are passed over.
   *
   * @throws IllegalArgumentException that ends in the setting, an equals sign and its value
   */
  public static ReadAheadOptions from(Map<String, String> settings) {
    Settings.requireKnown(settings, NAMES, Setting.names(SETTINGS));
    return new ReadAheadOptions(
        Settings.readInt(settings, FRAMES, DEFAULTS.frames),
        Settings.read(
            settings, MAX, ReadAheadOptions::transferBytesMax, DEFAULTS.transferBytesMax));
  }

  /** Returns what {@link #from} reads. */
  public static List<Setting> settings() {
    return SETTINGS;
  }

  private static int transferBytesMax(String text) {
    long bytes = MemorySize.parse(MAX, text).bytes(TRANSFER_BYTES_LARGEST);
    if (bytes > TRANSFER_BYTES_LARGEST) {
      throw new IllegalArgumentException("longer than a transfer can be: " + MAX + "=" + text);
    }
    return (int) bytes;
  }

  /** Returns these options with other memory. */
  public ReadAheadOptions withFrames(int frames) {
    return new ReadAheadOptions(frames, transferBytesMax);
  }

  /** Returns these options with other transfers. */
  public ReadAheadOptions withTransferBytesMax(int transferBytesMax) {
    return new ReadAheadOptions(frames, transferBytesMax);
  }
}
