package io.ewok.gds.lsm.values;

import io.ewok.gds.ffm.unchecked.Memory;
import java.util.zip.CRC32C;

/**
 * A value file: values with their keys, one after the other in the order in which they were
 * written, which is that of their keys. Written once, then only read. It begins with a header,
 * entries start at multiples of 8, and zeros fill the gaps and what is missing to a multiple of
 * 4096. All integers are little-endian.
 *
 * <table>
 * <caption>Header</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>checksum</td><td>u32</td><td>CRC32C of all that follows of the header</td></tr>
 * <tr><td>4</td><td>version</td><td>u32</td><td>1</td></tr>
 * <tr><td>8</td><td>magic</td><td>u64</td><td>"GDSVALUE" in ASCII</td></tr>
 * <tr><td>16</td><td>number</td><td>u64</td><td>the file's, as in its name</td></tr>
 * <tr><td>24</td><td>family</td><td>u32</td><td>number of the family that the values are of</td></tr>
 * <tr><td>28</td><td>zero</td><td>u32</td><td>0</td></tr>
 * </table>
 *
 * <table>
 * <caption>Entry</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>checksum</td><td>u32</td><td>CRC32C of all that follows of the entry, then of the
 * file's number and the entry's offset as u64 each: guards against reads of the wrong place and of a
 * recycled file</td></tr>
 * <tr><td>4</td><td>key length</td><td>u32</td><td>bytes</td></tr>
 * <tr><td>8</td><td>value length</td><td>u32</td><td>bytes, at least 1</td></tr>
 * <tr><td>12</td><td>zero</td><td>u32</td><td>0</td></tr>
 * <tr><td>16</td><td>key</td><td></td><td>so that who reads the value knows that it is the right
 * one</td></tr>
 * <tr><td></td><td>value</td><td></td><td>as it is, not compressed</td></tr>
 * </table>
 *
 * <p>In a table a record of the kind {@code VALUE_REFERENCE} has instead of its value:
 *
 * <table>
 * <caption>Reference</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>file</td><td>u64</td><td>its number, above 0</td></tr>
 * <tr><td>8</td><td>offset</td><td>u64</td><td>of the entry in the file</td></tr>
 * <tr><td>16</td><td>entry length</td><td>u32</td><td>bytes, without what fills it up</td></tr>
 * <tr><td>20</td><td>value length</td><td>u32</td><td>bytes</td></tr>
 * <tr><td>24</td><td>checksum</td><td>u32</td><td>the entry's: it is that very one, or the value is
 * refused</td></tr>
 * </table>
 */
public final class ValueFormat {
  /** What a file's length, and what is written of it at once, is a multiple of. */
  static final int FILE_ALIGNMENT_BYTES = 4096;

  /** "GDSVALUE" in ASCII. */
  static final long MAGIC = 0x4555_4C41_5653_4447L;

  static final int VERSION = 1;

  static final int VERSION_OFFSET = Integer.BYTES;
  static final int MAGIC_OFFSET = VERSION_OFFSET + Integer.BYTES;
  static final int NUMBER_OFFSET = MAGIC_OFFSET + Long.BYTES;
  static final int FAMILY_OFFSET = NUMBER_OFFSET + Long.BYTES;
  static final int HEADER_BYTES = FAMILY_OFFSET + 2 * Integer.BYTES;

  static final int ENTRY_ALIGNMENT_BYTES = 8;
  static final int CHECKSUM_OFFSET = 0;
  static final int KEY_LENGTH_OFFSET = CHECKSUM_OFFSET + Integer.BYTES;
  static final int VALUE_LENGTH_OFFSET = KEY_LENGTH_OFFSET + Integer.BYTES;
  static final int KEY_OFFSET = VALUE_LENGTH_OFFSET + 2 * Integer.BYTES;

  static final int REFERENCE_OFFSET_OFFSET = Long.BYTES;
  static final int REFERENCE_ENTRY_OFFSET = REFERENCE_OFFSET_OFFSET + Long.BYTES;
  static final int REFERENCE_VALUE_OFFSET = REFERENCE_ENTRY_OFFSET + Integer.BYTES;
  static final int REFERENCE_CHECKSUM_OFFSET = REFERENCE_VALUE_OFFSET + Integer.BYTES;

  /** Length of a reference. */
  public static final int REFERENCE_BYTES = REFERENCE_CHECKSUM_OFFSET + Integer.BYTES;

  private ValueFormat() {}

  static long padded(long bytes, int alignment) {
    return (bytes + alignment - 1) & -alignment;
  }

  /** Length of an entry in bytes, without what fills it up. */
  static long entryBytes(int keyBytes, int valueBytes) {
    return (long) KEY_OFFSET + keyBytes + valueBytes;
  }

  // ---- references

  static void putReference(
      long reference, long file, long offset, int entryBytes, int valueBytes, int checksum) {
    Memory.putLong(reference, file);
    Memory.putLong(reference + REFERENCE_OFFSET_OFFSET, offset);
    Memory.putInt(reference + REFERENCE_ENTRY_OFFSET, entryBytes);
    Memory.putInt(reference + REFERENCE_VALUE_OFFSET, valueBytes);
    Memory.putInt(reference + REFERENCE_CHECKSUM_OFFSET, checksum);
  }

  /** Number of the file that a reference leads to. */
  public static long file(long reference) {
    return Memory.getLong(reference);
  }

  /** Where in the file the entry begins, in bytes. */
  public static long offset(long reference) {
    return Memory.getLong(reference + REFERENCE_OFFSET_OFFSET);
  }

  /** Length of the entry in bytes. */
  public static int entryBytes(long reference) {
    return Memory.getInt(reference + REFERENCE_ENTRY_OFFSET);
  }

  /** Length of the value in bytes. */
  public static int valueBytes(long reference) {
    return Memory.getInt(reference + REFERENCE_VALUE_OFFSET);
  }

  static int checksum(long reference) {
    return Memory.getInt(reference + REFERENCE_CHECKSUM_OFFSET);
  }

  /** Whether a reference of a record with a key of this length may lead anywhere. */
  public static boolean isReference(long reference, int keyBytes) {
    long offset = offset(reference);
    return file(reference) > 0
        && offset >= HEADER_BYTES
        && offset % ENTRY_ALIGNMENT_BYTES == 0
        && valueBytes(reference) > 0
        && entryBytes(reference) == entryBytes(keyBytes, valueBytes(reference));
  }

  // ---- the file

  static void putHeader(long header, long number, int family) {
    Memory.fill(header, HEADER_BYTES, (byte) 0);
    Memory.putInt(header + VERSION_OFFSET, VERSION);
    Memory.putLong(header + MAGIC_OFFSET, MAGIC);
    Memory.putLong(header + NUMBER_OFFSET, number);
    Memory.putInt(header + FAMILY_OFFSET, family);
    Memory.putInt(header + CHECKSUM_OFFSET, headerChecksum(header));
  }

  /** The checksum that a header should have. */
  static int headerChecksum(long header) {
    CRC32C crc = new CRC32C();
    update(crc, header + VERSION_OFFSET, HEADER_BYTES - VERSION_OFFSET);
    return (int) crc.getValue();
  }

  /** The checksum that an entry should have which lies whole at an address. */
  static int entryChecksum(long entry, long entryBytes, long number, long offset) {
    CRC32C crc = new CRC32C();
    update(crc, entry + KEY_LENGTH_OFFSET, entryBytes - KEY_LENGTH_OFFSET);
    return end(crc, number, offset);
  }

  /** The same of one whose parts lie apart. */
  static int entryChecksum(
      long head,
      long keyAddress,
      int keyBytes,
      long valueAddress,
      int valueBytes,
      long number,
      long offset) {
    CRC32C crc = new CRC32C();
    update(crc, head + KEY_LENGTH_OFFSET, KEY_OFFSET - KEY_LENGTH_OFFSET);
    update(crc, keyAddress, keyBytes);
    update(crc, valueAddress, valueBytes);
    return end(crc, number, offset);
  }

  private static void update(CRC32C crc, long address, long bytes) {
    crc.update(Memory.view(address, bytes).asByteBuffer());
  }

  private static int end(CRC32C crc, long number, long offset) {
    update(crc, number);
    update(crc, offset);
    return (int) crc.getValue();
  }

  private static void update(CRC32C crc, long value) {
    for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
      crc.update((int) (value >>> shift) & 0xFF);
    }
  }
}
