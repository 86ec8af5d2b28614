package io.ewok.gds.buffers;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.buffers.eviction.EvictionKind;
import io.ewok.gds.wal.WriteAheadLog;
import java.time.Duration;
import java.util.Objects;

/**
 * How a buffer manager is set up.
 *
 * <table>
 * <caption>Components</caption>
 * <tr><th>name</th><th>unit</th><th>advice</th></tr>
 * <tr><td>poolBytes</td><td>bytes, 8 frames to 1 GiB, rounded down to whole frames</td><td>as much as there is</td></tr>
 * <tr><td>frameBytes</td><td>bytes, a power of two, at least 4096</td><td>the size of most pages or blocks: smaller ones
 *   waste the rest of their frame, larger ones need neighbouring frames to be freed together</td></tr>
 * <tr><td>logOrNull</td><td></td><td>the log whose positions pages carry; borrowed, and closed after the manager. Null if
 *   changes are not logged</td></tr>
 * <tr><td>waitMax</td><td>duration, 1 ms to 1 h, default 10 s</td><td>how long to wait for a latch or for frames before an exception
 *   tells that something is never unfixed; longer than the longest write-back</td></tr>
 * <tr><td>eviction</td><td>default S3_FIFO</td><td>what leaves the pool when there is no room; {@link EvictionKind} tells
 *   what each is good at and what memory it takes</td></tr>
 * </table>
 */
public record BufferOptions(
    long poolBytes,
    int frameBytes,
    WriteAheadLog logOrNull,
    Duration waitMax,
    EvictionKind eviction) {
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
    if (poolBytes < (long) FRAMES_MIN * frameBytes || poolBytes > Region.SIZE_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a pool has 8 frames to 1 GiB: poolBytes=" + poolBytes + " frameBytes=" + frameBytes);
    }
    Objects.requireNonNull(eviction, "eviction");
    if (waitMax.compareTo(WAIT_SHORTEST) < 0 || waitMax.compareTo(WAIT_LONGEST) > 0) {
      throw new IllegalArgumentException("a wait has 1 ms to 1 h: waitMax=" + waitMax);
    }
  }

  /** Options with the default wait and policy. */
  public BufferOptions(long poolBytes, int frameBytes, WriteAheadLog logOrNull) {
    this(poolBytes, frameBytes, logOrNull, Duration.ofSeconds(10), EvictionKind.S3_FIFO);
  }

  /** These options with another longest wait. */
  public BufferOptions withWaitMax(Duration waitMax) {
    return new BufferOptions(poolBytes, frameBytes, logOrNull, waitMax, eviction);
  }

  /** These options with another policy. */
  public BufferOptions withEviction(EvictionKind eviction) {
    return new BufferOptions(poolBytes, frameBytes, logOrNull, waitMax, eviction);
  }

  /** The number of frames. */
  public int frameCount() {
    return (int) (poolBytes / frameBytes);
  }

  /**
   * What a manager takes from its budget, in bytes: the frames, what is known about them, and, with
   * the first page file, memory in which pages are put together to be written.
   */
  public long memoryBytes() {
    return (long) frameCount() * frameBytes + metadataBytes() + Staging.BYTES;
  }

  long metadataBytes() {
    return (long) frameCount() * (METADATA_BYTES_PER_FRAME + eviction.bytesPerSlot());
  }
}
