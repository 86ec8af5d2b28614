package io.ewok.gds.wal.cache;

import io.ewok.gds.allocator.MemorySize;
import io.ewok.gds.allocator.ReadArenaOptions;
import io.ewok.gds.allocator.Setting;
import io.ewok.gds.allocator.Settings;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * How a {@link LogReadCache} reads, and with how much memory.
 *
 * <p>A value; threads: any.
 *
 * @param memory for the pages of all readers; default 30% to 50% of the budget. A reader has at
 *     most four pages.
 * @param pageBytes 512 or 4096, default 4096. Small pages waste less memory on readers of small
 *     records who stop and go, and cost many more reads.
 * @param stridePagesMax the most pages of a read, 1 or 2; default 2. With 1 who reads records
 *     longer than a page waits for their pages one by one.
 * @param prefetch whether the next stride is read while a reader uses one; default true. Without,
 *     who jumps about causes fewer reads in vain.
 * @param tailBytes for what was written last, a multiple of 4096, at least 4096; default 4 MiB. A
 *     reader who is not farther behind than this does not read from files. It is charged to the
 *     budget too, and is at least the largest piece that the log writes at once, to be of use.
 * @param readAheadsMax how many strides of all readers are being read ahead at most at a time, 1 to
 *     4096; default 64. More than the device works on at once stand in its queue in front of reads
 *     that somebody waits for; with fewer, of many readers some wait for each stride.
 */
public record LogReadCacheOptions(
    ReadArenaOptions memory,
    int pageBytes,
    int stridePagesMax,
    boolean prefetch,
    long tailBytes,
    int readAheadsMax) {
  private static final int READ_AHEADS_MOST = 4096;
  private static final int TAIL_UNIT_BYTES = 4096;
  private static final long TAIL_BYTES_MAX = 1L << 30;

  private static final Pattern NAMES = Pattern.compile("log-cache\\..*");
  private static final String PAGE = "log-cache.page";
  private static final String STRIDE = "log-cache.stride-pages";
  private static final String PREFETCH = "log-cache.prefetch";
  private static final String TAIL = "log-cache.tail";
  private static final String READ_AHEADS = "log-cache.read-aheads";

  private static final List<Setting> SETTINGS =
      List.of(
          Setting.of(PAGE, "4096", "512 or 4096 bytes", "pages of the cache for readers of a log")
              .change("records are small and readers stop and go: 512", "many more reads"),
          Setting.of(
                  STRIDE, "2", "1 or 2 pages", "the most pages of one read for a reader of a log")
              .change("memory is short", "who reads long records waits for each page"),
          Setting.of(
                  PREFETCH,
                  "true",
                  "true or false",
                  "whether the next pages are read while a reader of a log uses some")
              .change("readers jump about", "readers in order wait for the device"),
          Setting.of(
                  TAIL,
                  "4M",
                  "a size from 4K to 1G, whole 4K",
                  "what was written to a log last, kept in memory for its readers")
              .change("readers are farther behind the end", "memory"),
          Setting.of(
                  READ_AHEADS,
                  "64",
                  "1 to " + READ_AHEADS_MOST,
                  "strides of all readers of a log that are read ahead at a time")
              .change(
                  "the device works on more at once",
                  "reads that somebody waits for stand behind them"));

  private static final LogReadCacheOptions DEFAULTS =
      new LogReadCacheOptions(ReadArenaOptions.DEFAULT, 4096, 2, true, 4L << 20, 64);

  /** Checks the ranges. */
  public LogReadCacheOptions {
    Objects.requireNonNull(memory, "memory");
    if (pageBytes != 512 && pageBytes != 4096) {
      throw new IllegalArgumentException("a page has 512 or 4096 bytes: pageBytes=" + pageBytes);
    }
    if (stridePagesMax < 1 || stridePagesMax > 2) {
      throw new IllegalArgumentException(
          "a stride has 1 or 2 pages: stridePagesMax=" + stridePagesMax);
    }
    if (tailBytes < TAIL_UNIT_BYTES
        || tailBytes > TAIL_BYTES_MAX
        || tailBytes % TAIL_UNIT_BYTES != 0) {
      throw new IllegalArgumentException(
          "the tail has 4096 bytes to 1 GiB in steps of 4096: tailBytes=" + tailBytes);
    }
    if (readAheadsMax < 1 || readAheadsMax > READ_AHEADS_MOST) {
      throw new IllegalArgumentException(
          "1 to 4096 strides are read ahead at a time: readAheadsMax=" + readAheadsMax);
    }
  }

  /** Returns the defaults. */
  public static LogReadCacheOptions defaults() {
    return DEFAULTS;
  }

  /**
   * Returns the options that settings describe: {@code log-cache.page} and {@code log-cache.tail},
   * sizes as in {@link MemorySize}, {@code log-cache.stride-pages}, {@code log-cache.prefetch}
   * ({@code true} or {@code false}), {@code log-cache.read-aheads}, and those of {@link
   * ReadArenaOptions#from}.
   *
   * @param settings by name; one that is missing or null has its default, names of other components
   *     are passed over
   * @throws IllegalArgumentException that ends in the setting, an equals sign and its value
   */
  public static LogReadCacheOptions from(Map<String, String> settings) {
    Settings.requireKnown(settings, NAMES, Setting.names(SETTINGS));
    return new LogReadCacheOptions(
        ReadArenaOptions.from(settings),
        (int) readBytes(settings, PAGE, DEFAULTS.pageBytes),
        Settings.readInt(settings, STRIDE, DEFAULTS.stridePagesMax),
        Settings.readBoolean(settings, PREFETCH, DEFAULTS.prefetch),
        readBytes(settings, TAIL, DEFAULTS.tailBytes),
        Settings.readInt(settings, READ_AHEADS, DEFAULTS.readAheadsMax));
  }

  /** Returns what {@link #from} reads, beside what {@link ReadArenaOptions#from} does. */
  public static List<Setting> settings() {
    return SETTINGS;
  }

  private static long readBytes(Map<String, String> settings, String name, long otherwise) {
    return Settings.read(
        settings, name, text -> MemorySize.parse(name, text).bytes(TAIL_BYTES_MAX), otherwise);
  }

  /** Returns these options with other memory for pages. */
  public LogReadCacheOptions withMemory(ReadArenaOptions memory) {
    return new LogReadCacheOptions(
        memory, pageBytes, stridePagesMax, prefetch, tailBytes, readAheadsMax);
  }

  /** Returns these options with other pages. */
  public LogReadCacheOptions withPageBytes(int pageBytes) {
    return new LogReadCacheOptions(
        memory, pageBytes, stridePagesMax, prefetch, tailBytes, readAheadsMax);
  }

  /** Returns these options with other strides. */
  public LogReadCacheOptions withStridePagesMax(int stridePagesMax) {
    return new LogReadCacheOptions(
        memory, pageBytes, stridePagesMax, prefetch, tailBytes, readAheadsMax);
  }

  /** Returns these options with or without prefetch. */
  public LogReadCacheOptions withPrefetch(boolean prefetch) {
    return new LogReadCacheOptions(
        memory, pageBytes, stridePagesMax, prefetch, tailBytes, readAheadsMax);
  }

  /** Returns these options with another tail. */
  public LogReadCacheOptions withTailBytes(long tailBytes) {
    return new LogReadCacheOptions(
        memory, pageBytes, stridePagesMax, prefetch, tailBytes, readAheadsMax);
  }

  /** These options with another bound of what is read ahead. */
  public LogReadCacheOptions withReadAheadsMax(int readAheadsMax) {
    return new LogReadCacheOptions(
        memory, pageBytes, stridePagesMax, prefetch, tailBytes, readAheadsMax);
  }
}
