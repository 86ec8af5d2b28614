package io.ewok.gds.lsm.sst;

import io.ewok.gds.lsm.record.Keys;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The table files of LevelDB ({@code doc/table_format.md} there) and RocksDB ("Rocksdb
 * BlockBasedTable Format" in its wiki, {@code table/format.h} and {@code block_builder.cc}), as far
 * as they are read here. Integers are little-endian; a varint has 7 bits a byte, the lowest first.
 *
 * <table>
 * <caption>File, from its start</caption>
 * <tr><td>data blocks</td><td>records in ascending order of internal keys</td></tr>
 * <tr><td>meta blocks</td><td>filters, properties, deleted ranges, dictionary; keys are
 * names</td></tr>
 * <tr><td>index blocks</td><td>values are handles of data blocks, or of index blocks with
 * such</td></tr>
 * <tr><td>meta index</td><td>from the names of meta blocks to their handles</td></tr>
 * <tr><td>footer</td><td>see {@link SstFooter}</td></tr>
 * </table>
 *
 * <table>
 * <caption>Block, after it is decompressed</caption>
 * <tr><td>entries</td><td>shared length, other length, value length, all varints; the key without
 * what it shares with its predecessor; the value. Index blocks may do without the value
 * length.</td></tr>
 * <tr><td>values</td><td>only with {@link #SEPARATE_VALUES_BIT}: all values; the entries have none,
 * and those at restarts also the place of theirs as a varint</td></tr>
 * <tr><td>restarts</td><td>u32 each: offsets of entries that share nothing</td></tr>
 * <tr><td>hash index</td><td>only with {@link #HASH_INDEX_BIT}: u8 buckets, then their number,
 * u16</td></tr>
 * <tr><td>values offset</td><td>u32, only with {@link #SEPARATE_VALUES_BIT}</td></tr>
 * <tr><td>restart count</td><td>u32, the bits above in its upper four</td></tr>
 * </table>
 *
 * <p>After a block in the file come the number of its compression, u8, and a checksum of it and
 * that number, u32. A handle is the offset and size of a block without these, two varints. An
 * internal key is a key, then u64: sequence number &lt;&lt; 8 | kind.
 */
final class SstFormat {
  static final long MAGIC = 0x88E2_41B7_85F4_CFF7L;

  /** Of LevelDB, and of the first version of RocksDB. */
  static final long LEGACY_MAGIC = 0xDB47_7524_8B80_FB57L;

  static final int VERSION_MAX = 7;
  static final int TRAILER_BYTES = 1 + Integer.BYTES;

  /** Larger blocks hold larger values than a store takes: guards the heap against forged sizes. */
  static final int BLOCK_BYTES_MAX = 80 << 20;

  static final int KEY_SUFFIX_BYTES = Long.BYTES;
  static final int INTERNAL_KEY_BYTES_MAX = Keys.BYTES_MAX + KEY_SUFFIX_BYTES;
  static final long SEQUENCE_MAX = (1L << 56) - 1;

  static final int HASH_INDEX_BIT = 1 << 31;
  static final int UNIFORM_KEYS_BIT = 1 << 29;
  static final int SEPARATE_VALUES_BIT = 1 << 28;
  static final int RESTART_COUNT_MASK = SEPARATE_VALUES_BIT - 1;

  static final String COMPARATOR = "leveldb.BytewiseComparator";

  static final VarHandle U16 =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  static final VarHandle U32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  static final VarHandle U64 =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  /** Kinds of records in tables; logs have more. */
  static final int DELETE = 0;

  static final int PUT = 1;
  static final int MERGE = 2;
  static final int SINGLE_DELETE = 7;
  static final int RANGE_DELETE = 0xF;
  static final int BLOB = 0x11;
  static final int DELETE_WITH_TIMESTAMP = 0x14;
  static final int WIDE_COLUMNS = 0x16;
  static final int PUT_WITH_TIME = 0x18;

  private SstFormat() {}

  static boolean isDelete(int kind) {
    return kind == DELETE || kind == SINGLE_DELETE;
  }

  /** What a kind of record is called there. */
  static String kindName(int kind) {
    return switch (kind) {
      case MERGE -> "merge operand";
      case RANGE_DELETE -> "range deletion";
      case BLOB -> "reference to a blob file";
      case DELETE_WITH_TIMESTAMP -> "user-defined timestamp";
      case WIDE_COLUMNS -> "wide-column entity";
      case PUT_WITH_TIME -> "value with a preferred sequence number";
      default -> "record of kind " + kind;
    };
  }

  /** A name; what is no text in it is replaced. */
  static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** The checksum that is stored for a CRC32C. */
  static int masked(int crc) {
    return Integer.rotateRight(crc, 15) + 0xA282_EAD8;
  }

  static byte[] userKey(byte[] internalKey, int lengthBytes) {
    return Arrays.copyOf(internalKey, lengthBytes - KEY_SUFFIX_BYTES);
  }

  /** Sequence number and kind of an internal key: of the same keys the newer has the larger one. */
  static long suffix(byte[] internalKey, int lengthBytes) {
    return (long) U64.get(internalKey, lengthBytes - KEY_SUFFIX_BYTES);
  }

  static int kind(long suffix) {
    return (int) suffix & 0xFF;
  }

  static long sequence(long suffix) {
    return suffix >>> Byte.SIZE;
  }
}
