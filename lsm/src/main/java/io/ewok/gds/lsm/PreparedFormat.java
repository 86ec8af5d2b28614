package io.ewok.gds.lsm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.lsm.record.Keys;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * A prepared transaction as a value of the family {@link Transactions#FAMILY}; its key is the name.
 * The log and the table that it is in checksum it. All integers are little-endian, without
 * alignment.
 *
 * <table>
 * <caption>Value</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>version</td><td>u32</td><td>1</td></tr>
 * <tr><td>4</td><td>count</td><td>u32</td><td>number of keys that stay locked until it is
 * decided</td></tr>
 * <tr><td>8</td><td>keys</td><td></td><td>one after the other</td></tr>
 * <tr><td></td><td>batch</td><td></td><td>what its commit writes, to the end: see {@link
 * BatchFormat}</td></tr>
 * </table>
 *
 * <table>
 * <caption>Key</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>family</td><td>u32</td><td>its number</td></tr>
 * <tr><td>4</td><td>mode</td><td>u8</td><td>1, shared: it was read; 2, exclusive</td></tr>
 * <tr><td>5</td><td>length</td><td>u24</td><td>bytes</td></tr>
 * <tr><td>8</td><td>key</td><td></td><td></td></tr>
 * </table>
 */
final class PreparedFormat {
  static final int VERSION = 1;
  static final int VERSION_OFFSET = 0;
  static final int COUNT_OFFSET = VERSION_OFFSET + Integer.BYTES;
  static final int KEYS_OFFSET = COUNT_OFFSET + Integer.BYTES;

  static final int FAMILY_OFFSET = 0;
  static final int MODE_OFFSET = FAMILY_OFFSET + Integer.BYTES;
  static final int KEY_OFFSET = MODE_OFFSET + Integer.BYTES;

  static final int SHARED = 1;
  static final int EXCLUSIVE = 2;

  private static final int MODE_MASK = 0xFF;

  private static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private PreparedFormat() {}

  /**
   * A key that stays locked.
   *
   * @param family its number
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Key(int family, byte[] key, boolean exclusive) {}

  /**
   * What it consists of.
   *
   * @param record of its batch
   */
  record Content(List<Key> keys, MemorySegment record) {}

  /** Returns the value, in memory of the collector's. */
  static MemorySegment encode(Content content) {
    long keysBytes = content.keys().stream().mapToLong(key -> KEY_OFFSET + key.key().length).sum();
    long recordBytes = content.record().byteSize();
    MemorySegment value = Arena.ofAuto().allocate(KEYS_OFFSET + keysBytes + recordBytes);
    value.set(U32, VERSION_OFFSET, VERSION);
    value.set(U32, COUNT_OFFSET, content.keys().size());
    long at = KEYS_OFFSET;
    for (Key key : content.keys()) {
      value.set(U32, at + FAMILY_OFFSET, key.family());
      int mode = key.exclusive() ? EXCLUSIVE : SHARED;
      value.set(U32, at + MODE_OFFSET, key.key().length << Byte.SIZE | mode);
      MemorySegment.copy(key.key(), 0, value, JAVA_BYTE, at + KEY_OFFSET, key.key().length);
      at += KEY_OFFSET + key.key().length;
    }
    MemorySegment.copy(content.record(), 0, value, at, recordBytes);
    return value;
  }

  /**
   * Reads a value, which is copied.
   *
   * @throws IllegalArgumentException that says what is wrong with it, and ends in {@code
   *     name=value}
   */
  static Content decode(MemorySegment from) {
    MemorySegment value = Arena.ofAuto().allocate(Math.max(1, from.byteSize()));
    MemorySegment.copy(from, 0, value, 0, from.byteSize());
    long end = from.byteSize();
    if (end < KEYS_OFFSET) {
      throw new IllegalArgumentException("it is shorter than its header: valueBytes=" + end);
    }
    if (value.get(U32, VERSION_OFFSET) != VERSION) {
      throw new IllegalArgumentException(
          "a newer version wrote it: version=" + value.get(U32, VERSION_OFFSET));
    }
    int count = value.get(U32, COUNT_OFFSET);
    List<Key> keys = new ArrayList<>();
    long at = KEYS_OFFSET;
    for (int i = 0; i < count; i++) {
      if (at > end - KEY_OFFSET) {
        throw new IllegalArgumentException("it ends within a key: key=" + i);
      }
      int mode = value.get(U32, at + MODE_OFFSET);
      int keyBytes = mode >>> Byte.SIZE;
      if (keyBytes > Keys.BYTES_MAX || keyBytes > end - at - KEY_OFFSET) {
        throw new IllegalArgumentException(
            "a key leaves it: key=%d keyBytes=%d".formatted(i, keyBytes));
      }
      int kind = mode & MODE_MASK;
      if (kind != SHARED && kind != EXCLUSIVE) {
        throw new IllegalArgumentException("unknown mode: key=%d mode=%d".formatted(i, kind));
      }
      keys.add(
          new Key(
              value.get(U32, at + FAMILY_OFFSET),
              value.asSlice(at + KEY_OFFSET, keyBytes).toArray(JAVA_BYTE),
              kind == EXCLUSIVE));
      at += KEY_OFFSET + keyBytes;
    }
    if (count < 0) {
      throw new IllegalArgumentException("a number below zero: count=" + count);
    }
    MemorySegment record = value.asSlice(at, end - at);
    String defect = BatchFormat.defect(record);
    if (defect != null) {
      throw new IllegalArgumentException(defect);
    }
    if (BatchFormat.count(record) == 0) {
      throw new IllegalArgumentException("its batch is void: count=0");
    }
    return new Content(keys, record);
  }
}
