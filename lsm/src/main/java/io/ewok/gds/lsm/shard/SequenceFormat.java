package io.ewok.gds.lsm.shard;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A record of the sequence log: what an epoch writes. The log checksums it. Integers are
 * little-endian, without alignment.
 *
 * <table>
 * <caption>Record</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>version</td><td>u32</td><td>1</td></tr>
 * <tr><td>4</td><td>count</td><td>u32</td><td>operations, at least 1</td></tr>
 * <tr><td>8</td><td>first</td><td>u64</td><td>number of its first transaction, from 1</td></tr>
 * <tr><td>16</td><td>last</td><td>u64</td><td>number of its last one, which is that of the epoch:
 * a shard that has it has its part</td></tr>
 * <tr><td>24</td><td>operations</td><td>count, each</td><td>in the order in which they are
 * done</td></tr>
 * </table>
 *
 * <table>
 * <caption>Operation</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>shard</td><td>u16</td><td></td></tr>
 * <tr><td>2</td><td>kind</td><td>u16</td><td>see {@link Operation}</td></tr>
 * <tr><td>4</td><td>key bytes</td><td>u32</td><td></td></tr>
 * <tr><td>8</td><td>value bytes</td><td>u32</td><td>0 for a delete</td></tr>
 * <tr><td>12</td><td>key, value</td><td></td><td></td></tr>
 * </table>
 */
final class SequenceFormat {
  static final int VERSION = 1;
  static final int HEADER_BYTES = 2 * Integer.BYTES + 2 * Long.BYTES;
  static final int OPERATION_BYTES = 2 * Short.BYTES + 2 * Integer.BYTES;

  /** What a record has. */
  record Content(long first, long last, List<Operation> operations) {}

  private SequenceFormat() {}

  /** Returns the bytes that an operation takes. */
  static long bytes(Operation operation) {
    return OPERATION_BYTES + (long) operation.key().length + operation.value().length;
  }

  static byte[] encode(Content content) {
    long bytes = HEADER_BYTES + content.operations().stream().mapToLong(each -> bytes(each)).sum();
    ByteBuffer to =
        ByteBuffer.allocate(Math.toIntExact(bytes))
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(VERSION)
            .putInt(content.operations().size())
            .putLong(content.first())
            .putLong(content.last());
    for (Operation operation : content.operations()) {
      to.putShort((short) operation.shard())
          .putShort((short) operation.kind())
          .putInt(operation.key().length)
          .putInt(operation.value().length)
          .put(operation.key())
          .put(operation.value());
    }
    return to.array();
  }

  /**
   * Reads a record.
   *
   * @param path of the log
   * @param shards how many there are
   * @throws UnsupportedFormatException if a newer version of this program wrote it
   * @throws CorruptFileException if it is not what is written here
   */
  static Content decode(Path path, long lsn, ByteBuffer record, int shards)
      throws StorageException {
    ByteBuffer from = record.order(ByteOrder.LITTLE_ENDIAN);
    try {
      int version = from.getInt();
      if (version > VERSION) {
        throw new UnsupportedFormatException(path, version, VERSION);
      }
      require(version == VERSION, path, lsn, "version " + VERSION);
      int count = from.getInt();
      long first = from.getLong();
      long last = from.getLong();
      require(first > 0 && last >= first, path, lsn, "ascending numbers");
      require(
          count > 0 && count <= from.remaining() / OPERATION_BYTES, path, lsn, "some operations");
      List<Operation> operations = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        operations.add(operation(path, lsn, from, shards));
      }
      require(!from.hasRemaining(), path, lsn, "nothing behind the last operation");
      return new Content(first, last, operations);
    } catch (BufferUnderflowException e) {
      throw new CorruptFileException(path, lsn, "an epoch", e.toString());
    }
  }

  private static Operation operation(Path path, long lsn, ByteBuffer from, int shards)
      throws CorruptFileException {
    int shard = Short.toUnsignedInt(from.getShort());
    int kind = Short.toUnsignedInt(from.getShort());
    int keyBytes = from.getInt();
    int valueBytes = from.getInt();
    require(shard < shards, path, lsn, "one of " + shards + " shards");
    require(Operation.isKind(kind), path, lsn, "a kind of operation");
    require(keyBytes >= 0 && keyBytes <= Keys.BYTES_MAX, path, lsn, "the length of a key");
    require(
        valueBytes >= 0 && valueBytes <= from.remaining() - (long) keyBytes,
        path,
        lsn,
        "the length of a value");
    byte[] key = new byte[keyBytes];
    byte[] value = new byte[valueBytes];
    from.get(key).get(value);
    return new Operation(shard, kind, key, value);
  }

  private static void require(boolean sound, Path path, long lsn, String expected)
      throws CorruptFileException {
    if (!sound) {
      throw new CorruptFileException(path, lsn, expected, "something else");
    }
  }
}
