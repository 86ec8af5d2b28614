package io.ewok.gds.wal;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.MemorySize;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.allocator.Setting;
import io.ewok.gds.allocator.Settings;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Sizes of a log, and what is done when it is opened.
 *
 * <table>
 * <caption>Components</caption>
 * <tr><th>name</th><th>unit</th><th>default</th><th>raise it when</th><th>cost</th></tr>
 * <tr><td>segmentBytes</td><td>bytes, multiple of 4096, at most 1 GiB</td><td>16 MiB</td><td>records are larger</td>
 *   <td>space is given back in larger steps</td></tr>
 * <tr><td>segmentCount</td><td>files, 2 to 65536</td><td>4</td><td>the owner truncates rarely</td>
 *   <td>disk space; recovery reads all of it</td></tr>
 * <tr><td>bufferBytes</td><td>bytes, multiple of 4096, at most segmentBytes and 256 MiB</td><td>1 MiB</td>
 *   <td>much is appended between syncs</td><td>twice as much memory</td></tr>
 * <tr><td>recovery</td><td>a mode</td><td>TOLERATE_TAIL</td><td>see {@link RecoveryMode}</td><td>see there</td></tr>
 * <tr><td>hugePages</td><td>{@link HugePages}</td><td>AUTO</td><td>see there, of the two buffers</td><td>see there</td></tr>
 * <tr><td>placement</td><td>NUMA nodes of the two buffers</td><td>none</td><td>it is known where those run who append</td>
 *   <td>others are farther away</td></tr>
 * </table>
 *
 * <p>The first two hold when a log is created; a log that exists keeps its own, see {@link
 * WriteAheadLog#options()}.
 */
public record LogOptions(
    long segmentBytes,
    int segmentCount,
    int bufferBytes,
    RecoveryMode recovery,
    HugePages hugePages,
    PlacementPolicy placement) {
  private static final Pattern NAMES = Pattern.compile("log\\..*");
  private static final String SEGMENT_BYTES = "log.segment-bytes";
  private static final String SEGMENTS = "log.segments";
  private static final String BUFFER_BYTES = "log.buffer-bytes";
  private static final String RECOVERY = "log.recovery";

  private static final List<Setting> SETTINGS =
      List.of(
          Setting.of(
                  SEGMENT_BYTES,
                  "16M",
                  "a size from 4K to 1G, whole 4K",
                  "one file of the ring that a new log consists of")
              .change("records are larger", "space is given back in larger steps"),
          Setting.of(
                  SEGMENTS, "4", "2 to 65536 files", "files of the ring that a new log consists of")
              .change(
                  "the log is truncated rarely", "space of the device; recovery reads all of it"),
          Setting.of(
                  BUFFER_BYTES,
                  "1M",
                  "a size from 4K to log.segment-bytes, at most 256M, whole 4K",
                  "one of two buffers of a log; a store chooses its own")
              .change("much is appended between syncs", "twice as much memory"),
          Setting.of(
                  RECOVERY,
                  "tolerate-tail",
                  "strict, tolerate-tail, point-in-time or salvage",
                  "what the opening of a log does about records that cannot be read")
              .change(
                  "a damaged log is refused and there is no other copy",
                  "point-in-time and salvage: writes that were durable may be missing"));

  private static final long SEGMENT_BYTES_MAX = 1L << 30;
  private static final int SEGMENT_COUNT_MAX = 1 << 16;
  private static final int BUFFER_BYTES_MAX = 256 << 20;

  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if one is outside the limits above
   */
  public LogOptions {
    Objects.requireNonNull(recovery, "recovery");
    Objects.requireNonNull(hugePages, "hugePages");
    Objects.requireNonNull(placement, "placement");
    if (segmentBytes < LogFormat.BLOCK_ALIGNMENT
        || segmentBytes > SEGMENT_BYTES_MAX
        || segmentBytes % LogFormat.BLOCK_ALIGNMENT != 0) {
      throw new IllegalArgumentException(
          "a segment has 4096 bytes to 1 GiB in steps of 4096: segmentBytes=" + segmentBytes);
    }
    if (segmentCount < 2 || segmentCount > SEGMENT_COUNT_MAX) {
      throw new IllegalArgumentException(
          "a ring has 2 to 65536 segments: segmentCount=" + segmentCount);
    }
    if (bufferBytes < LogFormat.BLOCK_ALIGNMENT
        || bufferBytes > Math.min(segmentBytes, BUFFER_BYTES_MAX)
        || bufferBytes % LogFormat.BLOCK_ALIGNMENT != 0) {
      throw new IllegalArgumentException(
          "a buffer has 4096 bytes to segmentBytes or 256 MiB in steps of 4096: bufferBytes="
              + bufferBytes);
    }
  }

  /** Sizes, with the default of the rest. */
  public LogOptions(long segmentBytes, int segmentCount, int bufferBytes) {
    this(
        segmentBytes,
        segmentCount,
        bufferBytes,
        RecoveryMode.TOLERATE_TAIL,
        HugePages.AUTO,
        PlacementPolicy.none());
  }

  /** Four segments of 16 MiB and two buffers of 1 MiB. */
  public static LogOptions defaults() {
    return new LogOptions(16L << 20, 4, 1 << 20);
  }

  /**
   * The defaults, changed by those of the settings that begin with {@code log.}: {@code
   * log.segment-bytes} and {@code log.buffer-bytes} ({@link MemorySize}, no percentage), {@code
   * log.segments} and {@code log.recovery} ({@code strict}, {@code tolerate-tail}, {@code
   * point-in-time} or {@code salvage}). Others are not ours and are passed over.
   *
   * @throws IllegalArgumentException that ends in the setting, an equals sign and its value
   */
  public static LogOptions from(Map<String, String> settings) {
    Settings.requireKnown(settings, NAMES, Setting.names(SETTINGS));
    LogOptions defaults = defaults();
    long segmentBytes =
        Settings.read(
            settings, SEGMENT_BYTES, text -> bytes(SEGMENT_BYTES, text), defaults.segmentBytes);
    long bufferBytes =
        Settings.read(
            settings, BUFFER_BYTES, text -> bytes(BUFFER_BYTES, text), (long) defaults.bufferBytes);
    return new LogOptions(
        segmentBytes,
        Settings.readInt(settings, SEGMENTS, defaults.segmentCount),
        (int) Math.min(bufferBytes, Integer.MAX_VALUE),
        Settings.readEnum(settings, RECOVERY, defaults.recovery),
        defaults.hugePages,
        defaults.placement);
  }

  /** Returns what {@link #from} reads. */
  public static List<Setting> settings() {
    return SETTINGS;
  }

  private static long bytes(String setting, String text) {
    MemorySize size = MemorySize.parse(setting, text);
    if (size.isShare()) {
      throw new IllegalArgumentException("bytes, not a share: " + setting + "=" + text);
    }
    return size.bytes(0);
  }

  /** These options with another segment size in bytes. */
  public LogOptions withSegmentBytes(long bytes) {
    return new LogOptions(bytes, segmentCount, bufferBytes, recovery, hugePages, placement);
  }

  /** These options with another number of segments. */
  public LogOptions withSegmentCount(int count) {
    return new LogOptions(segmentBytes, count, bufferBytes, recovery, hugePages, placement);
  }

  /** These options with another buffer size in bytes. */
  public LogOptions withBufferBytes(int bytes) {
    return new LogOptions(segmentBytes, segmentCount, bytes, recovery, hugePages, placement);
  }

  /** These options with another way to treat damage. */
  public LogOptions withRecovery(RecoveryMode mode) {
    return new LogOptions(segmentBytes, segmentCount, bufferBytes, mode, hugePages, placement);
  }

  /** These options with other pages of the system for the buffers. */
  public LogOptions withHugePages(HugePages hugePages) {
    return new LogOptions(segmentBytes, segmentCount, bufferBytes, recovery, hugePages, placement);
  }

  /** These options with another place for the buffers. */
  public LogOptions withPlacement(PlacementPolicy placement) {
    return new LogOptions(segmentBytes, segmentCount, bufferBytes, recovery, hugePages, placement);
  }

  /** How the memory of an open log is mapped. */
  RegionOptions region() {
    return RegionOptions.ofSize(memoryBytes()).withHugePages(hugePages).withPlacement(placement);
  }

  /** What an open log takes from its budget, in bytes: two buffers. */
  public long memoryBytes() {
    return 2L * bufferBytes;
  }
}
