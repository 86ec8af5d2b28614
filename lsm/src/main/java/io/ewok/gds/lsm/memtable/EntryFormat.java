package io.ewok.gds.lsm.memtable;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;

/**
 * A record in a memtable, in memory only; it never changes once it is written. Integers are
 * little-endian; entries start at multiples of 8.
 *
 * <table>
 * <caption>Entry</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>stamp</td><td>u64</td><td>see {@link RecordKind}</td></tr>
 * <tr><td>8</td><td>value length</td><td>u32</td><td>bytes</td></tr>
 * <tr><td>12</td><td>key length</td><td>u32</td><td>bytes</td></tr>
 * <tr><td>16</td><td>key</td><td></td><td></td></tr>
 * <tr><td>16 + key length</td><td>value</td><td></td><td>then anything up to a multiple of 8</td></tr>
 * </table>
 */
public final class EntryFormat {
  static final int STAMP_OFFSET = 0;
  static final int VALUE_LENGTH_OFFSET = STAMP_OFFSET + Long.BYTES;
  static final int KEY_LENGTH_OFFSET = VALUE_LENGTH_OFFSET + Integer.BYTES;
  static final int KEY_OFFSET = KEY_LENGTH_OFFSET + Integer.BYTES;

  private EntryFormat() {}

  /** Size of an entry in bytes, rounded up to a multiple of 8. */
  static long sizeBytes(long keyBytes, long valueBytes) {
    return (KEY_OFFSET + keyBytes + valueBytes + Long.BYTES - 1) & -Long.BYTES;
  }

  static void putHeader(long entry, long stamp, int keyBytes, int valueBytes) {
    Memory.putLong(entry + STAMP_OFFSET, stamp);
    Memory.putInt(entry + VALUE_LENGTH_OFFSET, valueBytes);
    Memory.putInt(entry + KEY_LENGTH_OFFSET, keyBytes);
  }

  public static long stamp(long entry) {
    return Memory.getLong(entry + STAMP_OFFSET);
  }

  public static int valueBytes(long entry) {
    return Memory.getInt(entry + VALUE_LENGTH_OFFSET);
  }

  public static int keyBytes(long entry) {
    return Memory.getInt(entry + KEY_LENGTH_OFFSET);
  }

  public static long keyAddress(long entry) {
    return entry + KEY_OFFSET;
  }

  public static long valueAddress(long entry) {
    return keyAddress(entry) + keyBytes(entry);
  }

  /** Its size in bytes. */
  static long sizeBytes(long entry) {
    return sizeBytes(keyBytes(entry), valueBytes(entry));
  }

  public static boolean isSameKey(long a, long b) {
    return Memory.compareUnsigned(keyAddress(a), keyBytes(a), keyAddress(b), keyBytes(b)) == 0;
  }

  static boolean hasKey(long entry, SearchKey key) {
    return keyBytes(entry) == key.lengthBytes()
        && Memory.compareUnsigned(
                keyAddress(entry), keyBytes(entry), key.address(), key.lengthBytes())
            == 0;
  }

  /** See {@link SearchKey#head}; the memory after an entry can be read. */
  static long head(long entry) {
    return SearchKey.head(keyAddress(entry), keyBytes(entry));
  }

  /** Orders an entry and a key with a stamp as records are. */
  static int compare(long entry, long keyAddress, int keyBytes, long stamp) {
    int order = Memory.compareUnsigned(keyAddress(entry), keyBytes(entry), keyAddress, keyBytes);
    return order != 0 ? order : RecordKind.compareStamps(stamp(entry), stamp);
  }
}
