package io.ewok.gds.lsm.values;

import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.StorageException;
import java.nio.file.Path;
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
 * <tr><td>4</td><td>version</td><td>u32</td><td>1, or 2 if entries are sealed</td></tr>
 * <tr><td>8</td><td>magic</td><td>u64</td><td>"GDSVALUE" in ASCII</td></tr>
 * <tr><td>16</td><td>number</td><td>u64</td><td>the file's, as in its name</td></tr>
 * <tr><td>24</td><td>family</td><td>u32</td><td>number of the family that the values are of</td></tr>
 * <tr><td>28</td><td>zero</td><td>u32</td><td>0</td></tr>
 * </table>
 *
 * <p>In an encrypted file the key follows, and entries start behind it:
 *
 * <table>
 * <caption>Key</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>checksum</td><td>u32</td><td>CRC32C of all that follows of the key</td></tr>
 * <tr><td>4</td><td>zero</td><td>u32</td><td>0</td></tr>
 * <tr><td>8</td><td>key note</td><td>24 bytes</td><td>see {@link FileKey}; derived for the file's
 * number</td></tr>
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
 * <p>Key and value of a sealed entry are encrypted, and a tag of 16 bytes follows, which counts to
 * its length. The nonce is the entry's offset; both lengths are authenticated, too. The checksum is
 * of the fields up to the key alone, then of number and offset: the tag is one of all the rest, and
 * a checksum of what is not encrypted would tell something of it.
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

  /** Of a file whose entries are sealed. */
  static final int VERSION_SEALED = 2;

  static final int VERSION_OFFSET = Integer.BYTES;
  static final int MAGIC_OFFSET = VERSION_OFFSET + Integer.BYTES;
  static final int NUMBER_OFFSET = MAGIC_OFFSET + Long.BYTES;
  static final int FAMILY_OFFSET = NUMBER_OFFSET + Long.BYTES;
  static final int HEADER_BYTES = FAMILY_OFFSET + 2 * Integer.BYTES;

  static final int KEY_NOTE_OFFSET = Long.BYTES;

  /** Length of the key, which lies behind the header. */
  static final int KEY_BYTES = KEY_NOTE_OFFSET + FileKey.NOTE_BYTES;

  static final int TAG_BYTES = FileKey.TAG_BYTES;

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
        && (entryBytes(reference) == entryBytes(keyBytes, valueBytes(reference))
            || entryBytes(reference) == entryBytes(keyBytes, valueBytes(reference)) + TAG_BYTES);
  }

  // ---- the file

  static void putHeader(long header, long number, int family, boolean isSealed) {
    Memory.fill(header, HEADER_BYTES, (byte) 0);
    Memory.putInt(header + VERSION_OFFSET, isSealed ? VERSION_SEALED : VERSION);
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

  /** Whether the entries behind a header are sealed. */
  static boolean isSealed(long header) {
    return Memory.getInt(header + VERSION_OFFSET) == VERSION_SEALED;
  }

  /** What the key of a file is derived for. */
  static String keyPurpose(long number) {
    return "values " + number;
  }

  static void putKey(long at, FileKey key) {
    Memory.fill(at, KEY_BYTES, (byte) 0);
    key.putNote(Memory.view(at + KEY_NOTE_OFFSET, FileKey.NOTE_BYTES).asByteBuffer());
    Memory.putInt(at, keyChecksum(at));
  }

  private static int keyChecksum(long at) {
    CRC32C crc = new CRC32C();
    update(crc, at + Integer.BYTES, KEY_BYTES - Integer.BYTES);
    return (int) crc.getValue();
  }

  /**
   * Makes the key of what lies behind the header.
   *
   * @throws CorruptFileException if that is damaged
   */
  static FileKey readKey(KeySource keys, long at, long number, Path path) throws StorageException {
    if (Memory.getInt(at) != keyChecksum(at)) {
      throw new CorruptFileException(path, HEADER_BYTES, "the checksum of a key", "another");
    }
    return FileKey.read(
        keys,
        Memory.view(at + KEY_NOTE_OFFSET, FileKey.NOTE_BYTES).asByteBuffer(),
        keyPurpose(number),
        path,
        HEADER_BYTES);
  }

  /** What is authenticated with a sealed entry, besides its offset. */
  static long sealContext(int keyBytes, int valueBytes) {
    return ((long) keyBytes << Integer.SIZE) | valueBytes;
  }

  /** The checksum that a sealed entry should have. */
  static int sealedChecksum(long head, long number, long offset) {
    CRC32C crc = new CRC32C();
    update(crc, head + KEY_LENGTH_OFFSET, KEY_OFFSET - KEY_LENGTH_OFFSET);
    return end(crc, number, offset);
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
