package io.ewok.gds.buffers;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.MemorySize;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.Setting;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.buffers.eviction.EvictionKind;
import io.ewok.gds.wal.WriteAheadLog;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * How a buffer manager is set up.
 *
 * <table>
 * <caption>Components</caption>
 * <tr><th>name</th><th>unit</th><th>advice</th></tr>
 * <tr><td>poolBytes</td><td>bytes, at least 8 frames a partition, rounded down to whole frames in each</td><td>as much as there is</td></tr>
 * <tr><td>frameBytes</td><td>bytes, a power of two, at least 4096</td><td>the size of most pages or blocks: smaller ones
 *   waste the rest of their frame, larger ones need neighbouring frames to be freed together</td></tr>
 * <tr><td>logOrNull</td><td></td><td>the log whose positions pages carry; borrowed, and closed after the manager. Null if
 *   changes are not logged</td></tr>
 * <tr><td>waitMax</td><td>duration, 1 ms to 1 h, default 10 s</td><td>how long to wait for a latch or for frames before an exception
 *   tells that something is never unfixed; longer than the longest write-back</td></tr>
 * <tr><td>eviction</td><td>default S3_FIFO</td><td>what leaves the pool when there is no room; {@link EvictionKind} tells
 *   what each is good at and what memory it takes</td></tr>
 * <tr><td>placements</td><td>default one, nowhere in particular</td><td>where the memory of each partition of the pool
 *   lies. A partition has a lock and a policy of its own, and at most 1 GiB: of larger pools there are as many for each
 *   placement as it takes. One for each NUMA node, bound to it, spreads the pool over them; a page lies on the node that
 *   its hash says, whoever uses it. Several on one node let threads that miss stand less in each other's way. No block
 *   is longer than a partition</td></tr>
 * <tr><td>hugePages</td><td>default AUTO</td><td>the pages that the pool's memory is asked for in, see {@link HugePages};
 *   explicit ones where each partition is whole multiples of 2 MiB</td></tr>
 * <tr><td>fixOrigins</td><td>default false</td><td>whether to remember where everything was fixed that is fixed now, to
 *   find what is never unfixed: the exceptions that complain about it carry the places as suppressed ones. Each fix
 *   costs a stack trace</td></tr>
 * </table>
 */
public record BufferOptions(
    long poolBytes,
    int frameBytes,
    WriteAheadLog logOrNull,
    Duration waitMax,
    EvictionKind eviction,
    List<PlacementPolicy> placements,
    HugePages hugePages,
    boolean fixOrigins) {
  private static final int FRAME_BYTES_MIN = 4096;
  private static final int FRAMES_MIN = 8;
  private static final Duration WAIT_SHORTEST = Duration.ofMillis(1);
  private static final Duration WAIT_LONGEST = Duration.ofHours(1);

  /**
   * What the heap holds for one frame: its state, two views of its memory, its places in two
   * tables.
   */
  private static final int METADATA_BYTES_PER_FRAME = 320;

  /**
   * Checks the sizes and the wait.
   *
   * @throws IllegalArgumentException if one is outside the limits above
   */
  public BufferOptions {
    if (frameBytes < FRAME_BYTES_MIN || Integer.bitCount(frameBytes) != 1) {
      throw new IllegalArgumentException(
          "a frame is a power of two of at least 4096 bytes: frameBytes=" + frameBytes);
    }
    placements = List.copyOf(placements);
    if (placements.isEmpty()) {
      throw new IllegalArgumentException("a pool lies somewhere: placements=" + placements);
    }
    long framesMax = FrameLines.FRAMES_MAX;
    if (poolBytes / FRAMES_MIN / placements.size() < frameBytes
        || poolBytes / frameBytes > framesMax) {
      throw new IllegalArgumentException(
          "a partition has 8 frames or more: poolBytes=%d frameBytes=%d placements=%d"
              .formatted(poolBytes, frameBytes, placements.size()));
    }
    Objects.requireNonNull(eviction, "eviction");
    Objects.requireNonNull(hugePages, "hugePages");
    if (waitMax.compareTo(WAIT_SHORTEST) < 0 || waitMax.compareTo(WAIT_LONGEST) > 0) {
      throw new IllegalArgumentException("a wait has 1 ms to 1 h: waitMax=" + waitMax);
    }
  }

  /** Options with the default wait and policy. */
  public BufferOptions(long poolBytes, int frameBytes, WriteAheadLog logOrNull) {
    this(
        poolBytes,
        frameBytes,
        logOrNull,
        Duration.ofSeconds(10),
        EvictionKind.S3_FIFO,
        List.of(PlacementPolicy.none()),
        HugePages.AUTO,
        false);
  }

  /**
   * The options that settings describe.
   *
   * <table>
   * <caption>Settings</caption>
   * <tr><td>{@code buffers.pool}</td><td>a {@link MemorySize}, percentages are of {@link
   *     io.ewok.gds.allocator.ProcessMemory#limitBytes}; default {@code 64M}</td></tr>
   * <tr><td>{@code buffers.frame}</td><td>a size; default {@code 4K}</td></tr>
   * <tr><td>{@code buffers.wait-max-ms}</td><td>milliseconds</td></tr>
   * <tr><td>{@code buffers.eviction}</td><td>{@code clock}, {@code s3-fifo} or {@code car}</td></tr>
   * <tr><td>{@code buffers.placements}</td><td>{@link PlacementPolicy#parse}, several with
   *     semicolons between them</td></tr>
   * <tr><td>{@code buffers.huge-pages}</td><td>{@code auto}, {@code hugetlb} or {@code off}</td></tr>
   * <tr><td>{@code buffers.fix-origins}</td><td>{@code true} or {@code false}</td></tr>
   * </table>
   *
   * @param settings by name; one that is missing has its default, names of other components are
   *     passed over
   * @param logOrNull the log, see above
   * @throws IllegalArgumentException for a bad value, and for a name that begins with {@code
   *     buffers.} and is none of these; the message ends in a name, an equals sign and its value
   */
  public static BufferOptions from(Map<String, String> settings, WriteAheadLog logOrNull) {
    return BufferSettings.read(settings, logOrNull);
  }

  /** What {@link #from} reads. */
  public static List<Setting> settings() {
    return BufferSettings.SETTINGS;
  }

  /** These options with another longest wait. */
  public BufferOptions withWaitMax(Duration waitMax) {
    return new BufferOptions(
        poolBytes, frameBytes, logOrNull, waitMax, eviction, placements, hugePages, fixOrigins);
  }

  /** These options with another policy of eviction. */
  public BufferOptions withEviction(EvictionKind eviction) {
    return new BufferOptions(
        poolBytes, frameBytes, logOrNull, waitMax, eviction, placements, hugePages, fixOrigins);
  }

  /** These options with other places for the partitions. */
  public BufferOptions withPlacements(List<PlacementPolicy> placements) {
    return new BufferOptions(
        poolBytes, frameBytes, logOrNull, waitMax, eviction, placements, hugePages, fixOrigins);
  }

  /** These options with other pages of the system. */
  public BufferOptions withHugePages(HugePages hugePages) {
    return new BufferOptions(
        poolBytes, frameBytes, logOrNull, waitMax, eviction, placements, hugePages, fixOrigins);
  }

  /** These options with or without remembering where everything was fixed. */
  public BufferOptions withFixOrigins(boolean fixOrigins) {
    return new BufferOptions(
        poolBytes, frameBytes, logOrNull, waitMax, eviction, placements, hugePages, fixOrigins);
  }

  /** The number of frames. */
  public int frameCount() {
    return partitionCount() * framesPerPartition();
  }

  /** As many for each placement as it takes for none to be larger than a region. */
  int partitionCount() {
    long rounds = (poolBytes / placements.size() - 1) / Region.SIZE_BYTES_MAX + 1;
    return (int) rounds * placements.size();
  }

  int framesPerPartition() {
    return (int) (poolBytes / partitionCount() / frameBytes);
  }

  /**
   * What a manager takes from its budget, in bytes: the frames, what is known about them, and, with
   * the first page file, memory in which pages are put together to be written.
   */
  public long memoryBytes() {
    return blockMemoryBytes() + Staging.BYTES;
  }

  /** The same for a manager that opens block files alone. */
  public long blockMemoryBytes() {
    return (long) frameCount() * frameBytes + metadataBytes();
  }

  long metadataBytes() {
    return (long) frameCount() * (METADATA_BYTES_PER_FRAME + eviction.bytesPerSlot());
  }
}
