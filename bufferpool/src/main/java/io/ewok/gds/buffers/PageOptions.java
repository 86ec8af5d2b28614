package io.ewok.gds.buffers;

import io.ewok.gds.allocator.MemorySize;
import io.ewok.gds.allocator.Setting;
import io.ewok.gds.allocator.Settings;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * What the pages of a file are. Both are recorded in the file when it is created: one that exists
 * is opened with the size that it has.
 *
 * <p>A value; threads: any.
 *
 * @param size of each page, default 4096 bytes. Larger ones where rows are long or scans matter
 *     most; smaller ones are changed with fewer bytes written, where the device has such blocks
 * @param tornPages what is done about pages that a power cut tears, default {@link TornPages#AUTO}.
 *     Change it where the owner logs its changes ({@link TornPages#BACKUP}) or can get pages from
 *     elsewhere ({@link TornPages#NONE})
 */
public record PageOptions(PageSize size, TornPages tornPages) {
  private static final Pattern NAMES = Pattern.compile("pages\\..*");
  private static final String SIZE = "pages.size";
  private static final String TORN = "pages.torn";
  private static final PageOptions DEFAULTS = new PageOptions(PageSize.BYTES_4096, TornPages.AUTO);

  private static final List<Setting> SETTINGS =
      List.of(
          Setting.of(
                  SIZE,
                  "4K",
                  "512, 1K, 2K, 4K, 8K, 16K, 32K or 64K",
                  "size of the pages of a new page file")
              .change(
                  "rows are long, or scans matter most: larger; changes are small: smaller",
                  "a page is read and written as a whole"),
          Setting.of(
                  TORN,
                  "auto",
                  "auto, double-write, backup, atomic or none",
                  "what is done about pages that a power cut tears: auto is atomic where the device"
                      + " can, else double-write")
              .change(
                  "the owner logs its changes (backup), or can get pages from elsewhere (none)",
                  "double-write: each page is written twice; backup: a read more; none: torn pages"
                      + " are lost"));

  /** Checks that there are both. */
  public PageOptions {
    Objects.requireNonNull(size, "size");
    Objects.requireNonNull(tornPages, "tornPages");
  }

  /** Returns the defaults above. */
  public static PageOptions defaults() {
    return DEFAULTS;
  }

  /**
   * Returns the defaults, changed by those of the settings that begin with {@code pages.}: {@code
   * pages.size}, a size ({@code 8K}) as in {@link MemorySize}, and {@code pages.torn}, the mode in
   * small letters ({@code double-write}). Other settings are not ours and are passed over.
   *
   * @throws IllegalArgumentException that ends in the setting, an equals sign and its value
   */
  public static PageOptions from(Map<String, String> settings) {
    Settings.requireKnown(settings, NAMES, Setting.names(SETTINGS));
    return new PageOptions(
        Settings.read(settings, SIZE, PageOptions::size, DEFAULTS.size),
        Settings.readEnum(settings, TORN, DEFAULTS.tornPages));
  }

  /** Returns what {@link #from} reads. */
  public static List<Setting> settings() {
    return SETTINGS;
  }

  private static PageSize size(String text) {
    MemorySize bytes = MemorySize.parse(SIZE, text);
    for (PageSize size : PageSize.values()) {
      if (bytes.equals(MemorySize.ofBytes(size.bytes()))) {
        return size;
      }
    }
    throw new IllegalArgumentException(
        "a page has a power of two of 512 to 65536 bytes: " + SIZE + "=" + text);
  }

  /** Returns these options with pages of another size. */
  public PageOptions withSize(PageSize size) {
    return new PageOptions(size, tornPages);
  }

  /** Returns these options with another way to treat torn pages. */
  public PageOptions withTornPages(TornPages tornPages) {
    return new PageOptions(size, tornPages);
  }
}
