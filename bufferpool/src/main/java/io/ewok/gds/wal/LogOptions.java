package io.ewok.gds.wal;

/**
 * Sizes of a log.
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
 * </table>
 *
 * <p>The first two hold when a log is created; a log that exists keeps its own, see {@link
 * WriteAheadLog#options()}.
 */
public record LogOptions(long segmentBytes, int segmentCount, int bufferBytes) {
  private static final long SEGMENT_BYTES_MAX = 1L << 30;
  private static final int SEGMENT_COUNT_MAX = 1 << 16;
  private static final int BUFFER_BYTES_MAX = 256 << 20;

  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if one is outside the limits above
   */
  public LogOptions {
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

  /** Four segments of 16 MiB and two buffers of 1 MiB. */
  public static LogOptions defaults() {
    return new LogOptions(16L << 20, 4, 1 << 20);
  }

  /** These options with another segment size in bytes. */
  public LogOptions withSegmentBytes(long bytes) {
    return new LogOptions(bytes, segmentCount, bufferBytes);
  }

  /** These options with another number of segments. */
  public LogOptions withSegmentCount(int count) {
    return new LogOptions(segmentBytes, count, bufferBytes);
  }

  /** These options with another buffer size in bytes. */
  public LogOptions withBufferBytes(int bytes) {
    return new LogOptions(segmentBytes, segmentCount, bytes);
  }

  /** What an open log takes from its budget, in bytes: two buffers. */
  public long memoryBytes() {
    return 2L * bufferBytes;
  }
}
