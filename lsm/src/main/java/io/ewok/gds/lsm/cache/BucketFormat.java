package io.ewok.gds.lsm.cache;

import io.ewok.gds.ffm.unchecked.Memory;

/**
 * Where things are in a bucket of a {@link RecordCache}: two lines of the processor's cache that
 * say what is in it, then the records, one behind the other. Little-endian. All zeros is a bucket
 * that has none.
 *
 * <table>
 * <caption>Bucket of 2048 bytes</caption>
 * <tr><th>offset</th><th>bytes</th><th>what</th></tr>
 * <tr><td>0</td><td>8</td><td>version: odd while somebody changes the bucket, greater after each
 * change; so a reader sees that what he has read was not one thing</td></tr>
 * <tr><td>8</td><td>8</td><td>number of the newest tables that have a new record of a key of this
 * bucket: what was read from older ones does not come in</td></tr>
 * <tr><td>16</td><td>48</td><td>for each of 24 slots 16 bits of the hash of its record's key, 0 if the
 * slot is free: most records need not be looked at</td></tr>
 * <tr><td>64</td><td>24</td><td>for each slot how often it was hit, up to a few times; less whenever
 * it was passed by in search of one to go. A hint that anybody changes</td></tr>
 * <tr><td>88</td><td>24</td><td>for each slot where its record begins, in units of 8 bytes from 128
 * on</td></tr>
 * <tr><td>112</td><td>1</td><td>where the last record ends, likewise</td></tr>
 * <tr><td>113</td><td>1</td><td>slot at which the search for one to go begins</td></tr>
 * <tr><td>114</td><td>14</td><td>14 times 8 bits of the hash of a key that was read and did not come
 * in, each at the place that other bits say: it does if it is read again. Hints, too</td></tr>
 * <tr><td>128</td><td>1920</td><td>records</td></tr>
 * </table>
 *
 * <table>
 * <caption>Record, from a multiple of 8 on</caption>
 * <tr><th>offset</th><th>bytes</th><th>what</th></tr>
 * <tr><td>0</td><td>8</td><td>its stamp</td></tr>
 * <tr><td>8</td><td>8</td><td>number of the tables that it was read from</td></tr>
 * <tr><td>16</td><td>4</td><td>number of its family</td></tr>
 * <tr><td>20</td><td>2</td><td>length of the key in bytes</td></tr>
 * <tr><td>22</td><td>2</td><td>length of the value in bytes</td></tr>
 * <tr><td>24</td><td></td><td>key and value</td></tr>
 * </table>
 */
final class BucketFormat {
  static final int BUCKET_BYTES = 2048;
  static final int SLOTS = 24;
  static final int UNIT_BYTES = Long.BYTES;

  static final int VERSION = 0;
  static final int CHANGED = VERSION + Long.BYTES;
  static final int TAGS = CHANGED + Long.BYTES;
  static final int MARKS = TAGS + SLOTS * Short.BYTES;
  static final int PLACES = MARKS + SLOTS;
  static final int END = PLACES + SLOTS;
  static final int HAND = END + 1;
  static final int GHOSTS = HAND + 1;
  static final int GHOST_COUNT = 14;
  static final int RECORDS = GHOSTS + GHOST_COUNT;
  static final int RECORDS_UNITS = (BUCKET_BYTES - RECORDS) / UNIT_BYTES;

  static final int STAMP = 0;
  static final int TABLES = STAMP + Long.BYTES;

  /** Family and both lengths, as one number: see {@link #lengths}. */
  static final int LENGTHS = TABLES + Long.BYTES;

  static final int KEY = LENGTHS + Long.BYTES;

  /** A longer record would need too much of a bucket. */
  static final int RECORD_BYTES_MAX = (BUCKET_BYTES - RECORDS) / 4;

  private static final int KEY_SHIFT = Integer.SIZE;
  private static final int VALUE_SHIFT = KEY_SHIFT + Short.SIZE;
  private static final int SHORT_MASK = 0xFFFF;
  private static final int BYTE_MASK = 0xFF;

  private BucketFormat() {}

  static long lengths(int family, int keyBytes, int valueBytes) {
    return Integer.toUnsignedLong(family)
        | (long) keyBytes << KEY_SHIFT
        | (long) valueBytes << VALUE_SHIFT;
  }

  static int keyBytes(long lengths) {
    return (int) (lengths >>> KEY_SHIFT) & SHORT_MASK;
  }

  static int valueBytes(long lengths) {
    return (int) (lengths >>> VALUE_SHIFT);
  }

  /** Whether a record is of a family and has a key of this length. */
  static boolean isOf(long lengths, int family, int keyBytes) {
    return (int) lengths == family && keyBytes(lengths) == keyBytes;
  }

  static int recordBytes(long lengths) {
    return KEY + keyBytes(lengths) + valueBytes(lengths);
  }

  static int units(int recordBytes) {
    return (recordBytes + UNIT_BYTES - 1) / UNIT_BYTES;
  }

  static int tag(long bucket, int slot) {
    return Memory.getShort(bucket + TAGS + (long) slot * Short.BYTES) & SHORT_MASK;
  }

  static void putTag(long bucket, int slot, int tag) {
    Memory.putShort(bucket + TAGS + (long) slot * Short.BYTES, (short) tag);
  }

  static int mark(long bucket, int slot) {
    return Memory.getByte(bucket + MARKS + slot);
  }

  static void putMark(long bucket, int slot, int mark) {
    Memory.putByte(bucket + MARKS + slot, (byte) mark);
  }

  static int place(long bucket, int slot) {
    return Memory.getByte(bucket + PLACES + slot) & BYTE_MASK;
  }

  static void putPlace(long bucket, int slot, int place) {
    Memory.putByte(bucket + PLACES + slot, (byte) place);
  }

  static int end(long bucket) {
    return Memory.getByte(bucket + END) & BYTE_MASK;
  }

  static void putEnd(long bucket, int end) {
    Memory.putByte(bucket + END, (byte) end);
  }

  static int hand(long bucket) {
    return Memory.getByte(bucket + HAND);
  }

  static void putHand(long bucket, int slot) {
    Memory.putByte(bucket + HAND, (byte) slot);
  }

  static int ghost(long bucket, int number) {
    return Memory.getByte(bucket + GHOSTS + number) & BYTE_MASK;
  }

  static void putGhost(long bucket, int number, int ghost) {
    Memory.putByte(bucket + GHOSTS + number, (byte) ghost);
  }

  /** Address of the record at a place. */
  static long record(long bucket, int place) {
    return bucket + RECORDS + (long) place * UNIT_BYTES;
  }
}
