package io.ewok.gds.lsm.shard;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.pagestore.AtomicFile;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The file {@code SHARDS}: how many there are and which keys are whose. Integers are little-endian.
 *
 * <table>
 * <caption>Payload of the file; magic, version and checksum are {@link AtomicFile}'s</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>state</td><td>u32</td><td>1 while the store is being created: shards may be
 * missing; 2 once it is: one that is missing is damage</td></tr>
 * <tr><td>4</td><td>count</td><td>u32</td><td>shards, 1 to {@link ShardedOptions#COUNT_MAX}</td></tr>
 * <tr><td>8</td><td>kind</td><td>u32</td><td>1 by hash, see {@link Partitioning#hash}; 2 by
 * ranges</td></tr>
 * <tr><td>12</td><td>splits</td><td>count - 1 if by ranges, each</td><td>length (u32) and bytes,
 * ascending</td></tr>
 * </table>
 */
final class ShardsFormat {
  /** "GDSH" in ASCII. */
  static final int MAGIC = 0x4853_4447;

  static final int VERSION = 1;

  static final int HEADER_BYTES = 3 * Integer.BYTES;

  private static final int CREATING = 1;
  private static final int CREATED = 2;
  private static final int BY_HASH = 1;
  private static final int BY_RANGES = 2;

  /** What the file says. */
  record Content(boolean created, int count, Partitioning partitioning) {}

  private ShardsFormat() {}

  static void write(IoEngine engine, Path path, Content content) throws IOException {
    AtomicFile.write(engine, path, MAGIC, VERSION, encode(content));
  }

  static Content read(IoEngine engine, Path path) throws IOException {
    return decode(path, AtomicFile.read(engine, path, MAGIC, VERSION));
  }

  static byte[] encode(Content content) {
    List<byte[]> splits = content.partitioning().splits();
    int splitBytes = splits.stream().mapToInt(split -> Integer.BYTES + split.length).sum();
    ByteBuffer to =
        ByteBuffer.allocate(HEADER_BYTES + splitBytes)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(content.created() ? CREATED : CREATING)
            .putInt(content.count())
            .putInt(content.partitioning().isHash() ? BY_HASH : BY_RANGES);
    splits.forEach(split -> to.putInt(split.length).put(split));
    return to.array();
  }

  /**
   * Reads what a payload has.
   *
   * @throws CorruptFileException if that is not what is written here
   */
  static Content decode(Path path, byte[] payload) throws CorruptFileException {
    try {
      ByteBuffer from = ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
      int state = from.getInt();
      int count = from.getInt();
      int kind = from.getInt();
      require(state == CREATING || state == CREATED, path, "state 1 or 2", state);
      require(count >= 1 && count <= ShardedOptions.COUNT_MAX, path, "a number of shards", count);
      require(kind == BY_HASH || kind == BY_RANGES, path, "kind 1 or 2", kind);
      Partitioning partitioning = Partitioning.hash();
      if (kind == BY_RANGES) {
        List<byte[]> splits = new ArrayList<>();
        for (int i = 1; i < count; i++) {
          splits.add(split(path, from));
        }
        partitioning = Partitioning.ranges(splits);
      }
      require(!from.hasRemaining(), path, "nothing behind the end", from.remaining());
      return new Content(state == CREATED, count, partitioning);
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new CorruptFileException(path, 0, "a list of shards", e.toString());
    }
  }

  private static byte[] split(Path path, ByteBuffer from) throws CorruptFileException {
    int length = from.getInt();
    require(length > 0 && length <= Keys.BYTES_MAX, path, "the length of a key", length);
    byte[] split = new byte[length];
    from.get(split);
    return split;
  }

  private static void require(boolean sound, Path path, String expected, int found)
      throws CorruptFileException {
    if (!sound) {
      throw new CorruptFileException(path, 0, expected, Integer.toString(found));
    }
  }
}
